"""One running server for all, one world that is only read from, and a fresh account where a test needs to be alone."""

from __future__ import annotations

import pytest

from tests.api.wire import Wire
from tests.api.world import World
from tests.conftest import new_account


@pytest.fixture(scope="session")
def world(api_server: str, dsn: str) -> World:
    """An account that many tests share: each makes what it needs, and none changes what another made."""
    return World(Wire(api_server, new_account(dsn, business_name="Test bakery").secret_key))


@pytest.fixture
def wire(api_server: str, secret_key: str) -> Wire:
    """A fresh account, as it is on the wire."""
    return Wire(api_server, secret_key)


@pytest.fixture
def fresh(wire: Wire) -> World:
    """A fresh account with which to make objects."""
    return World(wire)
