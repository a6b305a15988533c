"""A fresh account with its API, and a browser's view of its pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import pytest

from tests.api.wire import Wire
from tests.api.world import World
from tests.conftest import new_account
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.web.sign_in import first_run_link

T = TypeVar("T")


def beside(act: Callable[[], T]) -> T:
    """Runs in a thread of its own: where a browser is driven, this one has an event loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(act).result()


@dataclass
class Visitor:
    """One account: `world` acts through the API, `http` looks at the pages (without following redirects)."""

    address: str
    account: str
    key: str
    world: World
    http: httpx.Client
    dsn: str

    def link(self, wall: int | None = None) -> str:
        """The sign-in link that the command line would print; `wall` is when."""

        async def make() -> str:
            settings = Settings(port=urlsplit(self.address).port or 0, public_url=self.address)
            async with running(self.dsn, settings) as engine:
                at = engine if wall is None else replace(engine, wall=lambda: wall)
                return await first_run_link(at, self.account, settings)

        return beside(lambda: asyncio.run(make()))

    def sign_in(self) -> None:
        answer = self.http.get(self.link())
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.fixture
def visitor(api_server: str, dsn: str) -> Iterator[Visitor]:
    made = beside(lambda: new_account(dsn, business_name="Test bakery"))
    with httpx.Client(base_url=api_server, timeout=30) as http:
        yield Visitor(api_server, made.account.id, made.secret_key, World(Wire(api_server, made.secret_key)), http, dsn)
