"""`voldaan serve`: the API and the pages, with a worker in the same process unless it is told not to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from socket import socket

import uvicorn

from voldaan.api.app import App
from voldaan.runtime import running
from voldaan.settings import Settings, site
from voldaan.store.embedded import ServerError, ensure_server
from voldaan.work.memory import collect_seldom, keep_on_large_pages
from voldaan.work.worker import Worker

log = logging.getLogger("voldaan.serve")


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, which also stops the worker, and says when it listens."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"Voldaan listens on {site()}", flush=True)

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


KEEP_SECONDS = 1.0


async def keep_database() -> None:
    """Looks after the embedded PostgreSQL: if it was killed, it is started again and repairs itself, as it says in the log."""
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        try:
            await ensure_server()
        except (ServerError, OSError) as down:
            log.warning("PostgreSQL is down and does not start: %s", down)


async def serve(dsn: str, settings: Settings, *, worker: bool = True, embedded: bool = False) -> None:
    """Serves until SIGINT or SIGTERM. `embedded`: the database is the one that came along, and is looked after."""
    async with running(dsn, settings) as engine:
        collect_seldom()
        server = _Server(
            uvicorn.Config(
                App(engine, settings),
                host=settings.host,
                port=settings.port,
                log_level="warning",
                access_log=False,
                loop="none",
                http="httptools",
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=5,
            )
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
        keepers = [asyncio.create_task(keep_on_large_pages())]
        if embedded:
            keepers.append(asyncio.create_task(keep_database()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop()
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*tasks)
