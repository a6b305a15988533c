"""The worker: claims due work in batches of one kind and one account, and runs it. Start as many processes as there are cores.

Work inside the database holds its rows locked and ends them in the transaction of the work. Work that calls the outside
holds a lease instead, so that no transaction is open during the call. A row that fails is tried alone, and parked when it
keeps failing; the rest goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import psycopg

from voldaan.commands.attempts import carry_out
from voldaan.engine import Engine, Leased
from voldaan.resources.accounts import Account
from voldaan.store import accounts
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction
from voldaan.work import test_clocks
from voldaan.work.failpoints import fp
from voldaan.work.handlers import HANDLERS, Handler

POLL_SECONDS = 0.5           # how long due work may lie when nothing wakes the worker
LEASE_SECONDS = 120
TRIES_MAX = 25
PAUSE_SECONDS_MAX = 6 * 3600
BATCHES_AT_ONCE = 4          # of one kind, before the others get a turn

log = logging.getLogger("voldaan.work")


class Worker:
    """Runs due work until it is stopped."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.stopping = False

    def stop(self) -> None:
        """Ends `run` after the batch that is under way."""
        self.stopping = True
        self.engine.wake.set()

    async def run(self) -> None:
        """Drains what is due, then waits for more."""
        while not self.stopping:
            self.engine.wake.clear()
            try:
                busy = await self.drain()
            except psycopg.OperationalError as lost:
                log.warning("the database is out of reach, trying again: %s", lost)
                busy = 0
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.engine.wake.wait(), POLL_SECONDS)

    async def drain(self) -> int:
        """One round over all kinds; returns how many rows were worked on."""
        done = await self.advance_clocks()
        for handler in HANDLERS:
            for _ in range(BATCHES_AT_ONCE):
                count = await self.batch(handler)
                done += count
                if not count:
                    break
        return done

    async def batch(self, handler: Handler) -> int:
        """Works on one batch of a kind. Accounts whose rows other workers hold are passed over."""
        skip: list[str] = []
        while account := await self.next_account(handler.kind, skip):
            count = await (self.inside(handler, account) if handler.inside else self.outside(handler, account))
            if count:
                return count
            skip.append(account.id)
        return 0

    async def next_account(self, kind: str, skip: list[str]) -> Account | None:
        async with self.engine.pool.connection() as connection:
            cursor = await connection.execute(
                query("due", "next_account"), {"kind": kind, "now": self.engine.wall(), "skip": skip}
            )
            row = await cursor.fetchone()
        return await accounts.find(self.engine.pool, row[0]) if row else None

    # work inside the database ---------------------------------------------------------------------------------------

    async def inside(self, handler: Handler, account: Account) -> int:
        """Claims and runs a batch in one transaction. If it fails, its rows are tried in halves, down to the one at fault."""
        try:
            rows = await self.run_inside(handler, account, None)
        except Exception as failure:
            if isinstance(failure, psycopg.OperationalError):
                raise
            log.warning("a batch of %s failed and is split: %s", handler.kind, failure)
            rows = await self.claimable(handler, account)
            await self.split(handler, account, rows)
        return len(rows)

    async def run_inside(self, handler: Handler, account: Account, only: list[tuple[str, int]] | None) -> list[tuple[str, int]]:
        assert handler.inside is not None
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            rows = await claim(tx, handler, only)
            if not rows:
                return []
            fp(f"{handler.kind}.claimed")
            await handler.inside(tx, [subject for subject, _ in rows])
            await done(tx, handler.kind, rows)
            fp(f"{handler.kind}.before_commit")
        fp(f"{handler.kind}.committed")
        if tx.attempts:
            await carry_out(self.engine, account, tx.attempts)
        return rows

    async def claimable(self, handler: Handler, account: Account) -> list[tuple[str, int]]:
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            return await claim(tx, handler, None)

    async def split(self, handler: Handler, account: Account, rows: list[tuple[str, int]]) -> None:
        """Runs the rows in halves; a row that fails alone is put off, and parked after too many tries."""
        if not rows:
            return
        if len(rows) > 1:
            half = len(rows) // 2
            for part in (rows[:half], rows[half:]):
                try:
                    await self.run_inside(handler, account, part)
                except psycopg.OperationalError:
                    raise
                except Exception:
                    await self.split(handler, account, part)
            return
        try:
            await self.run_inside(handler, account, rows)
        except psycopg.OperationalError:
            raise
        except Exception as failure:
            log.exception("%s of %s failed", handler.kind, rows[0][0])
            await self.failed(handler.kind, account, rows[0], failure)

    async def failed(self, kind: str, account: Account, row: tuple[str, int], failure: Exception) -> None:
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            tries = (await tx.one(
                "select tries from due where account_id = %(account)s and kind = %(kind)s and subject = %(subject)s "
                "and due_at = to_timestamp(%(due)s)",
                kind=kind, subject=row[0], due=row[1],
            ) or (0,))[0]  # fmt: skip
            await tx.run(
                query("due", "failed"),
                kind=kind, subject=row[0], due=row[1], now=wall, tries_max=TRIES_MAX,
                again=wall + min(2 ** (tries + 1), PAUSE_SECONDS_MAX), error=f"{type(failure).__name__}: {failure}"[:2000],
            )  # fmt: skip

    # work that calls the outside ------------------------------------------------------------------------------------

    async def outside(self, handler: Handler, account: Account) -> int:
        assert handler.outside is not None
        lease, wall = new_id("lease"), self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            rows = await tx.all(
                query("due", "lease"),
                kind=handler.kind, lease=lease, now=wall, until=wall + LEASE_SECONDS, limit=handler.batch,
            )  # fmt: skip
        if not rows:
            return 0
        fp(f"{handler.kind}.leased")
        work = [Leased(subject, tries) for subject, _, tries in rows]
        again = await handler.outside(self.engine, account, work, wall)
        postponed = {a.subject for a in again}
        async with transaction(self.engine.pool, account, wall, self.engine.wall()) as tx:
            await tx.run(
                query("due", "done_leased"),
                kind=handler.kind, lease=lease, subjects=[w.subject for w in work if w.subject not in postponed],
            )  # fmt: skip
            if again:
                await tx.run(
                    query("due", "postpone"),
                    kind=handler.kind, lease=lease, subjects=[a.subject for a in again],
                    until=[a.at for a in again], errors=[a.reason for a in again],
                )  # fmt: skip
        return len(rows)

    async def advance_clocks(self) -> int:
        """Advances the test clocks that were asked to."""
        skip: list[str] = []
        count = 0
        while account := await self.next_account(test_clocks.KIND, skip):
            lease, wall = new_id("lease"), self.engine.wall()
            async with transaction(self.engine.pool, account, wall, wall) as tx:
                rows = await tx.all(
                    query("due", "lease"), kind=test_clocks.KIND, lease=lease, now=wall, until=wall + LEASE_SECONDS, limit=1
                )
            for subject, _, _ in rows:
                await test_clocks.advance(self.engine, account, subject, lease)
            count += len(rows)
            if not rows:
                skip.append(account.id)
        return count


async def claim(tx: Transaction, handler: Handler, only: list[tuple[str, int]] | None) -> list[tuple[str, int]]:
    """Locks due rows (subject, due_at) for this transaction: the next batch, or those of `only` that are still there."""
    rows = await tx.all(query("due", "claim"), kind=handler.kind, now=tx.wall, limit=handler.batch)
    found = [(row[0], row[1]) for row in rows]
    return found if only is None else [row for row in found if row in set(only)]


async def done(tx: Transaction, kind: str, rows: list[tuple[str, int]]) -> None:
    """Ends claimed rows."""
    await tx.run(query("due", "done"), kind=kind, subjects=[row[0] for row in rows], times=[row[1] for row in rows])
