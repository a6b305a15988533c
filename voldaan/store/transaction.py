"""One business transaction: one connection, one account, one instant.

    async with transaction(pool, account, now) as tx:
        facts = await load…(tx, ids)
        await write(tx, [rules.decide(f, tx.now) for f in facts])

It commits when the block ends well and rolls back when it does not. It never stays open across a call to the outside.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg

from voldaan.resources.accounts import Account
from voldaan.resources.base import Resource, spec
from voldaan.rules.tax_provider import Recorded
from voldaan.store import rows
from voldaan.store.adapt import array
from voldaan.store.pool import Connection, Pool

R = TypeVar("R", bound=Resource)

BEGIN = "begin"
SCOPE = (
    "select set_config('role', 'voldaan_app', true), set_config('voldaan.account', %s, true), "
    "set_config('lock_timeout', '10s', true), set_config('plan_cache_mode', 'force_generic_plan', true)"
)  # one plan for every book: see SHARES in migrate.py


class Missing(Exception):
    """An id that the account does not have. `param` when it came as a parameter, None when it is the path's."""

    def __init__(self, object_name: str, id: str, param: str | None = None) -> None:
        super().__init__(f"No such {object_name}: '{id}'")
        self.object_name = object_name
        self.id = id
        self.param = param


class Unanswered(Exception):
    """The decision needs what nobody has answered yet: it was rolled back, to be asked for and decided anew."""


@dataclass(slots=True)
class Transaction:
    """What a command needs: queries within one account, the instant, and what must happen once it is committed."""

    connection: Connection
    account: Account
    now: int                              # business time, epoch seconds: the wall clock's, or a test clock's
    wall: int                             # when it is recorded, epoch seconds
    request_id: str | None = None
    idempotency_key: str | None = None
    attempts: list[str] = field(default_factory=list)  # to be carried out after the commit
    wakes: bool = False                   # work in real time is due as soon as this is committed
    deferred: list[Any] | None = None     # decisions that the group's writer will write together (store/writer.py)
    recorded: Recorded | None = None      # what a tax provider over a network has answered, where it can be asked
    preloaded: dict[tuple[type[Resource], str], Resource | None] = field(default_factory=dict)  # what the group has read

    def on_behalf(self, request_id: str, idempotency_key: str | None) -> Transaction:
        """The part of one request in a transaction that several share: it defers its writes and sees what was preloaded."""
        return Transaction(
            self.connection, self.account, self.now, self.wall, request_id, idempotency_key,
            deferred=[], preloaded=self.preloaded,
        )  # fmt: skip

    async def preload(self, cls: type[Resource], ids: Iterable[str]) -> None:
        """Reads what the requests of a group will ask for, in one query."""
        wanted = set(ids)
        found = await self.get(cls, wanted)
        self.preloaded.update({(cls, id): found.get(id) for id in wanted})

    def _given(self, params: dict[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {"account": self.account.id}
        for name, value in params.items():
            given[name] = array(value) if type(value) is list else value
        return given

    async def all(self, sql: str, **params: Any) -> list[Any]:
        """All rows of a query; `account` is always among its parameters."""
        cursor = await self.connection.execute(sql, self._given(params), binary=True)
        return await cursor.fetchall()

    async def one(self, sql: str, **params: Any) -> Any:
        """The first row of a query, or None."""
        cursor = await self.connection.execute(sql, self._given(params), binary=True)
        return await cursor.fetchone()

    async def run(self, sql: str, **params: Any) -> int:
        """Runs a statement; returns the number of rows it touched."""
        cursor = await self.connection.execute(sql, self._given(params))
        return cursor.rowcount

    async def get(self, cls: type[R], ids: Iterable[str | None], *, lock: bool = False) -> dict[str, R]:
        """The resources of these ids, by id and in id order, without their children. `lock` takes the rows in that order.

        The order must not be the table's: what is done with them one after the other makes events and ids.
        """
        wanted = sorted({i for i in ids if i})
        if not wanted:
            return {}
        if self.preloaded and not lock and all((cls, i) in self.preloaded for i in wanted):
            known = {i: self.preloaded[cls, i] for i in wanted}
            return {i: resource for i, resource in known.items() if resource is not None}  # type: ignore[misc]
        sql = (
            f"select {rows.select_list(cls)} from {spec(cls).table.name} t "
            f"where t.account_id = %(account)s and t.id = any(%(ids)s)"
        )
        if lock:
            sql += " order by t.id for no key update"  # who only refers to the row need not wait
        read = rows.reader(cls)
        found = {r.id: r for r in map(read, await self.all(sql, ids=wanted))}
        return {id: found[id] for id in wanted if id in found}

    async def need(self, cls: type[R], id: str, *, lock: bool = False, param: str | None = None) -> R:
        """The resource of this id. Raises Missing, blaming `param` if the id came as a parameter."""
        found = await self.get(cls, [id], lock=lock)
        if id not in found:
            raise Missing(spec(cls).object, id, param)
        return found[id]

    async def select(self, cls: type[R], where: str, order: str = "t.id", **params: Any) -> list[R]:
        """The resources whose row `t` meets `where`, within the account, in `order` (which may end in a limit)."""
        sql = (
            f"select {rows.select_list(cls)} from {spec(cls).table.name} t "
            f"where t.account_id = %(account)s and ({where}) order by {order}"
        )
        read = rows.reader(cls)
        return [read(row) for row in await self.all(sql, **params)]


@asynccontextmanager
async def transaction(
    pool: Pool,
    account: Account,
    now: int,
    wall: int,
    *,
    request_id: str | None = None,
    idempotency_key: str | None = None,
    recorded: Recorded | None = None,
) -> AsyncIterator[Transaction]:
    """A transaction scoped to `account` by its predicates and, as second line, by row-level security.

    With `recorded` it ends in Unanswered, whatever else it would have come to, if what was decided in it rests on questions
    that are open still (commands/tax_asking.py).
    """
    async with pool.connection() as connection:
        async with connection.pipeline():
            await connection.execute(BEGIN)
            await connection.execute(SCOPE, (account.id,))
        tx = Transaction(connection, account, now, wall, request_id, idempotency_key, recorded=recorded)
        try:
            yield tx
            if recorded is not None and recorded.unanswered:
                raise Unanswered
        except psycopg.Error:
            # A pipeline that broke off leaves statements behind that the client takes for prepared: begin afresh.
            await connection.close()
            raise
        except BaseException as stopped:
            if not connection.closed:
                await connection.execute("rollback")
            if recorded is not None and recorded.unanswered and isinstance(stopped, Exception):
                raise Unanswered from stopped
            raise
        await connection.execute("commit")
