"""Waiting until a transaction holds somebody up, whoever else waits for something in the database."""

from __future__ import annotations

import asyncio

from voldaan.store.pool import Pool
from voldaan.store.transaction import Transaction


async def waits_for(pool: Pool, tx: Transaction) -> None:
    """Until somebody is held up by this transaction."""
    async with asyncio.timeout(20), pool.connection() as connection:
        held = "select 1 from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
        while not await (await connection.execute(held, (tx.connection.info.backend_pid,))).fetchone():  # noqa: ASYNC110  another process
            await asyncio.sleep(0.01)
