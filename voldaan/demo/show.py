"""The demo from the first line to the last: set up, live, check the books, sum up, serve."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

import stripe
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from voldaan.demo.business import Business
from voldaan.demo.year import Year
from voldaan.reports.books import Balance, trial_balance
from voldaan.reports.verify import Verdict, verify
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.store import accounts
from voldaan.store.accounts import NewAccount
from voldaan.web.sign_in import first_run_link
from voldaan.work import clock

START = 1_761_955_200    # 1 November 2025, 00:00 UTC; fixed, so that the same seed gives the same books on any day
UP_SECONDS = 30
STOP_SECONDS = 20

console = Console(stderr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the books say at the end."""

    verdict: Verdict
    balances: list[Balance]
    link: str

    @property
    def digest(self) -> str:
        """A name for the books: the same seed gives the same one."""
        lines = "\n".join(f"{b.account} {b.currency} {b.debits} {b.credits}" for b in self.balances)
        return hashlib.sha256(lines.encode()).hexdigest()[:16]


def show(dsn: str, settings: Settings, *, customers: int, months: int, seed: int, stay: bool) -> int:
    """Returns the process's exit status: 0 when the books are clean."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    made = asyncio.run(_account(dsn, settings))
    server = subprocess.Popen(
        [sys.executable, "-m", "voldaan.cli", "serve", "--port", str(settings.port), "--host", settings.host],
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until_up(settings.public_url, server)
        began = clock.elapsed()
        business = live(settings.public_url, made.secret_key, customers, months, seed)
        outcome = asyncio.run(_outcome(dsn, settings, made))
        report(business, outcome, clock.elapsed() - began, seed)
        if stay and outcome.verdict.clean:
            console.print(f"\nAPI        {settings.public_url}   key {made.secret_key}")
            console.print(f"Overview   {outcome.link}\n\nCtrl-C stops.", highlight=False, soft_wrap=True)
            server.wait()
        return 0 if outcome.verdict.clean else 1
    except KeyboardInterrupt:
        return 0
    finally:
        stop(server)


async def _account(dsn: str, settings: Settings) -> NewAccount:
    async with running(dsn, settings) as engine:
        return await accounts.create(engine.pool, engine.wall(), business_name="Kade Software", email="hello@example.com")


async def _outcome(dsn: str, settings: Settings, made: NewAccount) -> Outcome:
    async with running(dsn, settings) as engine:
        return Outcome(
            await verify(engine.pool, engine.wall(), account=made.account.id, processors=engine.processors),
            await trial_balance(engine.pool, made.account.id),
            await first_run_link(engine, made.account.id, settings),
        )


def stop(server: subprocess.Popen[bytes]) -> None:
    """Lets it finish what is under way; what takes too long is lost by nobody, since PostgreSQL takes it back."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def wait_until_up(address: str, server: subprocess.Popen[bytes]) -> None:
    """Waits until the server answers. Raises RuntimeError if it does not start."""
    end = clock.elapsed() + UP_SECONDS
    while clock.elapsed() < end:
        if server.poll() is not None:
            raise RuntimeError("the server did not start")
        try:
            with urlopen(f"{address}/healthz", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not answer in {UP_SECONDS} s")


def live(address: str, key: str, customers: int, months: int, seed: int) -> Business:
    """Lives the months, with a bar that shows them."""
    business = Business(stripe.StripeClient(key, base_addresses={"api": address}))
    business.open(START)
    year = Year(business, START, months, customers, seed)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("months"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("A business opens", total=months)
        year.live(lambda month, day: progress.update(task, completed=month, description=f"{day:>18}"))
        progress.update(task, completed=months)
    return business


def report(business: Business, outcome: Outcome, seconds: float, seed: int) -> None:
    """The summary: the business in a few figures, and the trial balance."""
    table = Table(title="The books", title_justify="left", box=None, pad_edge=False)
    for name, justify in (("account", "left"), ("", "left"), ("debits", "right"), ("credits", "right"), ("balance", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for balance in outcome.balances:
        amounts = map(balance.shown, (balance.debits, balance.credits, balance.normal))
        table.add_row(balance.account.replace("_", " "), balance.currency.upper(), *amounts)
    console.print()
    console.print(table)
    joined, ended = len(business.members), sum(m.ended for m in business.members.values())
    console.print(f"\n{joined} customers joined, {ended} left, in {seconds:.0f} s.", highlight=False)
    console.print(f"Seed {seed}, books {outcome.digest}: the same seed gives the same books.", highlight=False)
    verdict = outcome.verdict
    said = "all hold" if verdict.clean else f"{len(verdict.findings)} findings"
    console.print(f"{len(verdict.checked)} invariants checked: {said}.", highlight=False)
    for finding in verdict.findings[:20]:
        console.print(f"  {finding.invariant} {finding.id}: {finding.detail}", highlight=False)
