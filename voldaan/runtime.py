"""Opening and closing what a process needs: the pool and the processors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voldaan.engine import Engine
from voldaan.processors.registry import Registry
from voldaan.settings import Settings
from voldaan.store.pool import open_pool
from voldaan.work import clock


@asynccontextmanager
async def running(dsn: str, settings: Settings) -> AsyncIterator[Engine]:
    """An engine on this database, closed at the end."""
    pool = await open_pool(dsn, settings.pool_size)
    processors = await Registry.open(dsn)
    try:
        yield Engine(
            pool, processors.get, clock.wall, clock.elapsed, settings.allow_private_webhooks, settings.lease_seconds,
            settings.batch_max,
        )  # fmt: skip
    finally:
        await processors.close()
        await pool.close()
