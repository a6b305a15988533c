"""`voldaan work`: a worker as a process of its own."""

from __future__ import annotations

import asyncio
import gc
import signal

from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.work.worker import Worker

YOUNG = 400_000  # objects until the collector looks: more than a batch has at once, and nearly all of them die with it


def collect_seldom() -> None:
    """For processes that work in large batches: the default looks through the whole batch a hundred times."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


async def work(dsn: str, settings: Settings) -> None:
    """Works until SIGINT or SIGTERM; what is under way is finished first."""
    collect_seldom()
    async with running(dsn, settings) as engine:
        worker = Worker(engine)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, worker.stop)
        await worker.run()
