"""Accounts: found by id, made with their first keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from voldaan.resources.accounts import Account
from voldaan.store import keys, rows
from voldaan.store.adapt import Json
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.queries import query


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account with its keys, which are shown this once."""

    account: Account
    secret_key: str
    publishable_key: str


DAY = 86_400
ROLL_UP_HOUR = 2 * 3600  # after midnight UTC: no transaction of the day before can still be under way


def next_roll_up(wall: int) -> int:
    """When the ledger's balances are rolled up next."""
    return wall - wall % DAY + DAY + ROLL_UP_HOUR


async def find(pool: Pool, id: str) -> Account | None:
    """The account of this id."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            f"select {rows.select_list(Account)} from accounts t where t.id = %s", (id,), binary=True
        )
        row = await cursor.fetchone()
    return rows.from_row(Account, row) if row else None


async def create(pool: Pool, wall: int, *, livemode: bool = False, **facts: Any) -> NewAccount:
    """A new book with its keys. `facts` are fields of Account."""
    account = Account(id=new_id("acct"), livemode=livemode, created=wall, **facts)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(
            rows.insert_statement(Account), {"account": account.id, "rows": rows.insert_rows([account])}
        )
        await connection.execute(
            query("due", "insert"),
            {"account": account.id, "rows": Json(msgspec.json.encode([("ledger.roll_up", "daily", next_roll_up(wall), None)]))},
        )
        secret_key = await keys.issue(connection, account, "secret", wall)
        publishable_key = await keys.issue(connection, account, "publishable", wall)
    return NewAccount(account, secret_key, publishable_key)
