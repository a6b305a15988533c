"""A server that a test may ill-treat: not the one that the other tests share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voldaan.store import embedded


@pytest.fixture(scope="module")
def scratch_server() -> Iterator[embedded.Server]:
    """An embedded server in a folder that its account can reach, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    folder.chmod(0o755)
    running = embedded.start(folder)
    yield running
    running.stop()
    shutil.rmtree(folder)
