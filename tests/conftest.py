"""What the tests share: one PostgreSQL for the run, one migrated database, a fresh account for each test, one API server.

In CI (VOLDAAN_NO_SKIP=1) nothing may be skipped: a missing program fails instead.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
import stripe

from voldaan.resources.accounts import Account
from voldaan.store import accounts
from voldaan.store.embedded import start
from voldaan.store.migrate import migrate
from voldaan.store.pool import Pool, open_pool
from voldaan.work import clock

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def need(program: str) -> str:
    """The path of a program the test needs. Skips without it, but never in CI."""
    found = shutil.which(program)
    if found:
        return found
    if os.environ.get("VOLDAAN_NO_SKIP") == "1":
        pytest.fail(f"{program} is not installed, and in CI nothing is skipped")
    pytest.skip(f"{program} is not installed: make test installs it as root, or install the Debian package")


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A PostgreSQL server: the one at DATABASE_URL, or an embedded one that lives as long as the run."""
    if "DATABASE_URL" in os.environ:
        yield os.environ["DATABASE_URL"]
        return
    folder = Path(tempfile.mkdtemp(prefix="voldaan-test-"))
    folder.chmod(0o755)  # PostgreSQL runs as another account when the tests run as root
    server = start(folder / "data")
    try:
        yield server.dsn
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(cluster: str, purpose: str) -> Iterator[str]:
    """A migrated database of its own."""
    name = f"voldaan_{purpose}_{os.getpid()}"
    with psycopg.connect(cluster, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    made = psycopg.conninfo.make_conninfo(cluster, dbname=name)
    try:
        asyncio.run(migrate(made))
        yield made
    finally:
        with psycopg.connect(cluster, autocommit=True) as connection:
            drop(connection, name)


def drop(connection: psycopg.Connection[Any], name: str) -> None:
    """Takes a database away with those who are still connected. Whoever vacuums it at this moment may not be thrown out, and is
    soon done."""
    for _ in range(40):
        try:
            connection.execute(f"drop database {name} with (force)")
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(f"{name} is in use by somebody who may not be thrown out")


@pytest.fixture(scope="session")
def dsn(cluster: str) -> Iterator[str]:
    """The database of the run. Its due work is done by the worker of `api_server` as soon as that one runs."""
    with database(cluster, "test") as made:
        yield made


@pytest.fixture(scope="session")
async def pool(dsn: str, anyio_backend: str) -> AsyncIterator[Pool]:
    pool = await open_pool(dsn, 12)
    yield pool
    await pool.close()


@pytest.fixture
async def account(pool: Pool) -> Account:
    """A fresh sandbox account: a book without a line in it."""
    return (await accounts.create(pool, clock.wall(), business_name="Test bakery")).account


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that this process sends to PostgreSQL from now on."""
    sent: list[str] = []
    execute = psycopg.AsyncConnection.execute

    async def listening(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(query if isinstance(query, str) else str(query))
        return await execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", listening)
    return sent


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def api_server(dsn: str) -> Iterator[str]:
    """The base address of a running server, with its worker."""
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": dsn, "VOLDAAN_WEBHOOKS_PRIVATE": "1"}
    process = subprocess.Popen([sys.executable, "-m", "voldaan.cli", "serve", "--port", str(port)], env=environment, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def wait_for(address: str, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Waits until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urlopen(f"{address}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{address} did not answer in {seconds} s")


def new_account(dsn: str, **facts: object) -> accounts.NewAccount:
    """A fresh account with its keys, for tests that are not async."""

    async def make() -> accounts.NewAccount:
        pool = await open_pool(dsn, 1)
        try:
            return await accounts.create(pool, clock.wall(), **facts)
        finally:
            await pool.close()

    return asyncio.run(make())


@pytest.fixture
def secret_key(dsn: str) -> str:
    """The secret key of a fresh account."""
    return new_account(dsn, business_name="Test bakery").secret_key


@pytest.fixture
def client(api_server: str, secret_key: str) -> stripe.StripeClient:
    """The official SDK, unmodified, against our server and a fresh account."""
    return sdk(api_server, secret_key)


def sdk(address: str, key: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": address, "files": address, "connect": address, "meter_events": address},
        max_network_retries=0,
    )
