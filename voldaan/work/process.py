"""`voldaan work`: a worker as a process of its own."""

from __future__ import annotations

import asyncio
import signal

from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.work.memory import collect_seldom, keep_on_large_pages
from voldaan.work.worker import Worker


async def work(dsn: str, settings: Settings) -> None:
    """Works until SIGINT or SIGTERM; what is under way is finished first."""
    collect_seldom()
    async with running(dsn, settings) as engine:
        worker = Worker(engine)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, worker.stop)
        keeper = asyncio.create_task(keep_on_large_pages())
        try:
            await worker.run()
        finally:
            keeper.cancel()
