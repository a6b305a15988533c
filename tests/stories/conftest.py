"""A stage for each story: an account of its own on the running server, and the invariants of its books."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import anyio.from_thread
import psycopg
import pytest
import stripe

from tests.conftest import ROOT, free_port, new_account, sdk, wait_for
from tests.stories.language import Story
from tests.stories.runner import settings
from tests.stories.stage import Stage
from voldaan.processors.registry import Registry
from voldaan.reports.verify import verify
from voldaan.resources.accounts import BillingSettings
from voldaan.store.pool import open_pool
from voldaan.work import clock

Books = Callable[[str], list[str]]
SetStage = Callable[[Story], Stage]


@pytest.fixture(scope="session")
def books(dsn: str) -> Iterator[Books]:
    """What breaks an invariant in the books of an account, the processor's records included."""
    with anyio.from_thread.start_blocking_portal() as portal:
        pool = portal.call(open_pool, dsn, 2)
        registry = portal.call(Registry.open, dsn)

        async def look(account: str) -> list[str]:
            verdict = await verify(pool, clock.wall(), account=account, processors=registry.get)
            return [f"{f.invariant} {f.id}: {f.detail}" for f in verdict.findings]

        yield lambda account: portal.call(look, account)
        portal.call(registry.close)
        portal.call(pool.close)


@pytest.fixture(scope="session")
def lossy_address(dsn: str) -> Iterator[Callable[[], str]]:
    """A second server on the same database that never hears what the network answers; started when it is needed."""
    running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start() -> str:
        if not running:
            port = free_port()
            environment = {**os.environ, "DATABASE_URL": dsn, "VOLDAAN_SANDBOX_FAULTS": "lost_reply=1"}
            command = [sys.executable, "-m", "voldaan.cli", "serve", "--no-worker", "--port", str(port)]
            process = subprocess.Popen(command, env=environment, cwd=ROOT)
            running.append((f"http://127.0.0.1:{port}", process))
            wait_for(*running[0])
        return running[0][0]

    yield start
    for _, process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture
def set_stage(api_server: str, dsn: str, books: Books, lossy_address: Callable[[], str]) -> Iterator[SetStage]:
    with psycopg.connect(dsn, autocommit=True) as database:

        def make(story: Story) -> Stage:
            made = new_account(dsn, business_name="Voldaan stories", settings_billing=BillingSettings(**settings(story)))

            def lossy() -> stripe.StripeClient:
                return sdk(lossy_address(), made.secret_key)

            return Stage(api_server, sdk(api_server, made.secret_key), made.account.id, database, books, lossy)

        yield make
