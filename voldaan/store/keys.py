"""API keys: made once, shown once, stored as a hash."""

from __future__ import annotations

import hashlib

from voldaan.resources.accounts import Account
from voldaan.store import rows
from voldaan.store.ids import new_id, secret
from voldaan.store.pool import Connection, Pool
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

SESSION = "mest_"  # what tokens of the event stream begin with


def hash_of(key: str) -> bytes:
    """What is stored of a key. A fast hash is enough: a key has 190 random bits."""
    return hashlib.sha256(key.encode()).digest()


async def find(pool: Pool, key: str) -> tuple[str, str, Account] | None:
    """(id and kind of the key, its account), or None for a key that is unknown or revoked."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            query("keys", "find").format(account=rows.select_list(Account)), {"hash": hash_of(key)}, binary=True
        )
        row = await cursor.fetchone()
    return (row[0], row[1], rows.from_row(Account, row[2:])) if row else None


async def find_session(pool: Pool, token: str, wall: int) -> tuple[str, str, Account] | None:
    """The same for a token of the event stream; None when it is over, too."""
    account, _, _ = token.removeprefix(SESSION).rpartition("_")
    async with pool.connection() as connection:
        cursor = await connection.execute(
            query("keys", "find_session").format(account=rows.select_list(Account)),
            {"account": account, "hash": hash_of(token), "wall": wall},
            binary=True,
        )
        row = await cursor.fetchone()
    return (row[0], row[1], rows.from_row(Account, row[2:])) if row else None


async def open_session(tx: Transaction, id: str, expires: int) -> str:
    """Makes a token for the event stream and returns it: the only time that it can be seen. It names its account."""
    token = SESSION + secret(tx.account.id)
    await tx.run(query("usage", "open_session"), id=id, hash=hash_of(token), wall=tx.wall, expires=expires)
    return token


async def issue(connection: Connection, account: Account, kind: str, now: int) -> str:
    """Makes a key of `kind` (secret or publishable) and returns it: the only time that it can be seen."""
    prefix = f"{ {'secret': 'sk', 'publishable': 'pk', 'restricted': 'rk'}[kind] }_{'live' if account.livemode else 'test'}"
    key = secret(prefix)
    await connection.execute(
        query("keys", "insert"),
        {"account": account.id, "id": new_id("key"), "kind": kind, "hash": hash_of(key),
         "prefix": f"{prefix}_…{key[-4:]}", "now": now},
    )  # fmt: skip
    return key
