"""One embedded PostgreSQL for all processor tests; each test works in an account of its own."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from voldaan.store import embedded, ids


@pytest.fixture(scope="session")
def dsn() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="voldaan-processors-", dir="/tmp"))
    folder.chmod(0o755)
    server = embedded.start(folder)
    yield server.dsn
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def account() -> str:
    return ids.new_id("acct")


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[[Awaitable[Any]], Any]]:
    """Runs a coroutine to its end, all on one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run
