"""`voldaan serve`: the API and the pages, with a worker in the same process unless it is told not to."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import uvicorn

from voldaan.api.app import App
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.work.worker import Worker


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, which also stops the worker."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


async def serve(dsn: str, settings: Settings, *, worker: bool = True, ready: asyncio.Event | None = None) -> None:
    """Serves until SIGINT or SIGTERM. `ready` is set when requests are answered."""
    async with running(dsn, settings) as engine:
        server = _Server(
            uvicorn.Config(
                App(engine, settings), host=settings.host, port=settings.port, log_level="warning", access_log=False,
                loop="none", http="httptools", server_header=False, date_header=False, proxy_headers=False, timeout_graceful_shutdown=5,
            )  # fmt: skip
        )
        working = Worker(engine)

        def stop() -> None:
            working.stop()
            server.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError):
                loop.add_signal_handler(number, stop)
        tasks = [asyncio.create_task(server.serve())]
        if worker:
            tasks.append(asyncio.create_task(working.run()))
        while not server.started and not tasks[0].done():
            await asyncio.sleep(0.005)
        if ready and server.started:
            ready.set()
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop()
            await asyncio.gather(*tasks)
