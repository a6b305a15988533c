"""The page `/`: what the business looks like now. It reads the database and keeps nothing but the last answer."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass

import psycopg
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from voldaan.engine import Engine
from voldaan.reports import mrr
from voldaan.reports.overview import Overview, gather, snapshot
from voldaan.reports.verify import verify
from voldaan.resources.accounts import Account
from voldaan.settings import Settings
from voldaan.store.transaction import transaction
from voldaan.web.sign_in import Session, SignIn
from voldaan.web.templates import fragment, render
from voldaan.web.view import View

READING_SECONDS = 2.0     # how long a page waits for events to be read
SLOW_SECONDS = 0.5        # gathering that takes longer ...
KEEP_FACTOR = 10          # ... is good for ten times as long
VERIFY_SECONDS = 20.0     # the books are checked at most this often ...
VERIFY_FACTOR = 50        # ... and for at most a fiftieth of the time
VERIFY_WAIT = 0.8         # how long the first page waits for it

log = logging.getLogger("voldaan.web")


@dataclass(frozen=True, slots=True)
class Checked:
    """When the books were last checked, and what was found."""

    at: int
    checked: list[str]
    broken: list[tuple[str, int, str]]     # invariant, how often, an example

    @property
    def clean(self) -> bool:
        return not self.broken

    @property
    def held(self) -> list[str]:
        broken = {name for name, _, _ in self.broken}
        return [name for name in self.checked if name not in broken]


class Desk:
    """What the pages know of one account between two requests."""

    def __init__(self, engine: Engine, account: Account) -> None:
        self.engine = engine
        self.account = account
        self.lock = asyncio.Lock()
        self.overview: Overview | None = None
        self.read_all = True
        self.good_until: float | None = None   # only for a book that takes long to read
        self.gathering: asyncio.Task[None] | None = None
        self.verdict: Checked | None = None
        self.check_after = 0.0
        self.checking: asyncio.Task[None] | None = None

    async def look(self) -> Overview:
        """The figures of now; of a moment ago where gathering them takes long, while new ones are gathered beside."""
        if self.overview is None or self.good_until is None:
            async with self.lock:
                return await self._gather()
        if self.engine.elapsed() >= self.good_until and not self.gathering:
            self.gathering = asyncio.create_task(self._gather_beside())
        return self.overview

    async def _gather(self) -> Overview:
        begun = self.engine.elapsed()
        self.read_all = await self._read_events(begun + READING_SECONDS)
        async with snapshot(self.engine.pool, self.account, self.engine.wall()) as tx:
            self.overview = await gather(tx)
        ended = self.engine.elapsed()
        self.good_until = ended + (ended - begun) * KEEP_FACTOR if ended - begun > SLOW_SECONDS else None
        return self.overview

    async def _gather_beside(self) -> None:
        try:
            await self._gather()
        except psycopg.Error:
            log.exception("the overview of %s could not be gathered", self.account.id)
        finally:
            self.gathering = None

    async def _read_events(self, until: float) -> bool:
        while self.engine.elapsed() < until:
            wall = self.engine.wall()
            async with transaction(self.engine.pool, self.account, wall, wall) as tx:
                if await mrr.catch_up(tx):
                    return True
        return False

    async def verdict_so_far(self) -> Checked | None:
        """The last check of the books. A new one runs beside the pages when the last is old."""
        if not self.checking and self.engine.elapsed() >= self.check_after:
            self.checking = asyncio.create_task(self._check())
        if self.checking and self.verdict is None:
            await asyncio.wait([self.checking], timeout=VERIFY_WAIT)
        return self.verdict

    async def _check(self) -> None:
        begun = self.engine.elapsed()
        try:
            found = await verify(self.engine.pool, self.engine.wall(), account=self.account.id)
            broken: dict[str, list[str]] = {}
            for finding in found.findings:
                broken.setdefault(finding.invariant, []).append(f"{finding.id}: {finding.detail}")
            rows = [(name, len(examples), examples[0]) for name, examples in broken.items()]
            self.verdict = Checked(self.engine.wall(), list(found.checked), rows)
        except psycopg.Error:
            log.exception("the books of %s could not be checked", self.account.id)
        finally:
            took = self.engine.elapsed() - begun
            self.check_after = self.engine.elapsed() + max(VERIFY_SECONDS, took * VERIFY_FACTOR)
            self.checking = None


class OverviewPage:
    """GET / and the part of it that is fetched again every few seconds."""

    def __init__(self, engine: Engine, settings: Settings, sign_in: SignIn) -> None:
        self.engine = engine
        self.settings = settings
        self.sign_in = sign_in
        self.desks: dict[str, Desk] = {}

    async def page(self, request: Request) -> Response:
        session = await self.sign_in.session(request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        view = await self._view(session, request)
        return render(request, "overview.html", view=view, account=session.account, csrf=session.csrf)

    async def main(self, request: Request) -> Response:
        """The changing part. 304 while it is what the browser has, 401 when the session has ended."""
        session = await self.sign_in.session(request, by_person=False)
        if session is None:
            return Response(status_code=401)
        text = fragment("overview_main.html", view=await self._view(session, request))
        tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"etag": tag})
        return HTMLResponse(text, headers={"etag": tag})

    async def _view(self, session: Session, request: Request) -> View:
        desk = self.desks.setdefault(session.account.id, Desk(self.engine, session.account))
        overview = await desk.look()
        default = session.account.default_currency
        known = overview.currencies
        asked = request.query_params.get("currency", "")
        currency = asked if asked in known else default if default in known or not known else known[0]
        return View(
            overview, currency, default=default, address=self.settings.public_url,
            verdict=await desk.verdict_so_far(), read_all=desk.read_all,
        )  # fmt: skip
