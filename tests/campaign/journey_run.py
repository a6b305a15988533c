"""Journeys of several seeds on one server, each in a book of its own, and what was wrong with them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import stripe

from tests.api.books import breaches
from tests.campaign.journey_acts import ACTS
from tests.campaign.journey_checks import at_the_end, parked
from tests.campaign.journeys import Broken, Journey
from tests.conftest import ROOT, free_port, new_account, sdk, wait_for
from voldaan.store.migrate import migrate

LENGTH = 40  # things done on each


@dataclass(frozen=True, slots=True)
class Travelled:
    """Journeys that are over."""

    journeys: list[Journey]
    seconds: float

    @property
    def broken(self) -> list[Journey]:
        return [journey for journey in self.journeys if journey.faults]

    @property
    def passed(self) -> bool:
        return bool(self.journeys) and not self.broken

    def figures(self) -> dict[str, object]:
        """For machines: what was done how often, what was asked, and which seeds broke."""
        done: Counter[str] = sum((journey.done for journey in self.journeys), Counter())
        return {
            "journeys": len(self.journeys), "seconds": round(self.seconds, 1), "done": dict(done),
            "previews_that_came_true": sum(journey.previewed for journey in self.journeys),
            "refused": sum(sum(journey.refusals.values()) for journey in self.journeys),
            "broken": [journey.seed for journey in self.broken],
        }  # fmt: skip


def many(dsn: str, seeds: Sequence[int]) -> Travelled:
    """One journey after the other, on a server of their own."""
    asyncio.run(migrate(dsn))
    begun = time.monotonic()
    with serving(dsn) as address:
        journeys = [live(dsn, address, seed, LENGTH) for seed in seeds]
    return Travelled(journeys, time.monotonic() - begun)


@contextmanager
def serving(dsn: str) -> Iterator[str]:
    """The address of a server on this database, with its worker."""
    port = free_port()
    command = [sys.executable, "-m", "voldaan.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": dsn}, cwd=ROOT)
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def live(dsn: str, address: str, seed: int, length: int) -> Journey:
    """One journey and all that is held against it; `faults` says what is wrong."""
    made = new_account(dsn, business_name=f"Journey {seed}")
    journey = Journey(sdk(address, made.secret_key), seed)
    try:
        journey.run(list(ACTS), list(ACTS.values()), length)
        at_the_end(journey)
    except (Broken, stripe.StripeError) as broken:
        journey.faults.append(str(broken))
    with psycopg.connect(dsn) as connection:
        journey.faults += parked(connection, made.account.id)
    journey.faults += [f"verify {found}" for found in breaches(dsn, made.account.id)]
    return journey


def told(journey: Journey) -> str:
    """What was wrong, and the last that was done before."""
    return "\n".join([f"journey {journey.seed}", *journey.faults[:20], "after", *journey.said[-40:]])


