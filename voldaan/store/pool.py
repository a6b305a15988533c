"""The pool of connections. Every connection is in autocommit: transactions are opened and closed by `transaction`."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from voldaan.store import adapt

Connection = psycopg.AsyncConnection[Any]
Pool = AsyncConnectionPool[Connection]


async def _configure(connection: Connection) -> None:
    adapt.prepare(connection)
    connection.prepare_threshold = 2
    connection.prepared_max = 500


async def open_pool(dsn: str, size: int = 10) -> Pool:
    """A pool of at most `size` connections to `dsn`."""
    pool: Pool = AsyncConnectionPool(
        dsn,
        min_size=min(2, size),
        max_size=size,
        kwargs={"autocommit": True, "application_name": "voldaan"},
        configure=_configure,
        open=False,
        timeout=10,
    )
    await pool.open(wait=True, timeout=60)
    return pool
