"""A database where nothing happens by itself, worlds to live in by hand, and a server that a test may ill-treat."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import database
from tests.store.billing_world import BillingWorld
from voldaan.processors.sandbox import Faults, SandboxNetwork
from voldaan.resources.accounts import Account
from voldaan.store import embedded
from voldaan.store.pool import Pool, open_pool


@pytest.fixture(scope="session")
def dsn(cluster: str) -> Iterator[str]:
    """A database without a worker: here the tests do the due work themselves."""
    with database(cluster, "store") as made:
        yield made


@pytest.fixture(scope="session")
async def pool(dsn: str, anyio_backend: str) -> AsyncIterator[Pool]:
    """Connections to this database, not to the one that others have opened a pool for."""
    pool = await open_pool(dsn, 12)
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
async def network(dsn: str, anyio_backend: str) -> AsyncIterator[SandboxNetwork]:
    """The sandbox network outside; what goes wrong on the way to it ends with the test."""
    network = SandboxNetwork(dsn, Faults())
    await network.open()
    yield network
    await network.close()


@pytest.fixture
async def tampered(pool: Pool, account: Account, network: SandboxNetwork) -> AsyncIterator[BillingWorld]:
    """A world that the test breaks: nobody looks at its books afterwards."""
    world = BillingWorld(pool, account, network)
    world.faults()
    yield world
    world.faults()


@pytest.fixture
async def world(tampered: BillingWorld) -> AsyncIterator[BillingWorld]:
    """A world whose books are in order and whose objects are well-formed after each test, whatever it did."""
    yield tampered
    tampered.faults()
    await tampered.check_invariants()
    await tampered.check_books()
    await tampered.check_shapes()


@pytest.fixture(scope="module")
def scratch_server() -> Iterator[embedded.Server]:
    """An embedded server in a folder that its account can reach, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    folder.chmod(0o755)
    running = embedded.start(folder)
    yield running
    running.stop()
    shutil.rmtree(folder)
