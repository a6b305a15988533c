"""A campaign: workers renew, finalize, charge and settle while they are killed and the network loses what it is told.

It ends when nothing is due. Then nobody may be charged twice or missed, and the books must be right on both sides.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from tests.campaign import checks
from tests.campaign.crew import RANDOM, Crew, environment
from tests.campaign.points import FINALIZE, LOOK_AFTER, POINTS, RENEW, RESOLVE
from tests.conftest import drop
from voldaan.bench import seed
from voldaan.reports.verify import Verdict, verify
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.store.migrate import migrate
from voldaan.store.pool import open_pool
from voldaan.work import clock

LEASE_SECONDS = 3
DRAFT_SECONDS = 1
HURRY_AFTER = 2  # seconds: an attempt without an outcome for so long is asked about now, and not in a minute

DUE = """
select distinct kind from due
 where parked_at is null and clock_id is null
   and (kind in ('invoice.finalize', 'attempt.look_after', 'attempt.resolve')
        or (kind = 'subscription.renew' and due_at <= to_timestamp(%s)))
"""
# Time goes by faster for what is not certain: the schedule's minutes and hours are not waited for.
HURRY_NETS = """
update due set due_at = to_timestamp(%(now)s)
 where kind = 'attempt.look_after' and due_at > to_timestamp(%(now)s)
   and subject in (select id from attempts where dispatched_at < to_timestamp(%(now)s - %(after)s))
"""
HURRY = """
update due d set due_at = to_timestamp(%(now)s), leased_until = least(leased_until, to_timestamp(%(now)s + %(lease)s))
  from attempts a
 where d.kind = 'attempt.resolve' and d.due_at > to_timestamp(%(now)s) and a.account_id = d.account_id and a.id = d.subject
   and a.dispatched_at < to_timestamp(%(now)s - %(after)s)
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """`lost` are the network's chances in percent: (replies, requests)."""

    subscriptions: int
    kills: int
    workers: int = 2
    seed: int = 7
    keys: bool = True                        # False: the network forgets them, and must charge somebody twice
    lost: tuple[int, int] = (8, 4)
    give_up_after: float = 3600.0            # seconds

    @property
    def batch(self) -> int:
        """So small that the work outlasts the kills, on a fast machine too."""
        return max(5, min(500, self.subscriptions // max(1, 2 * self.kills)))

    @property
    def faults(self) -> str:
        replies, requests = (f"0.{chance:02}" for chance in self.lost)
        forgets = "" if self.keys else ",ignore_idempotency_keys=1"
        return f"lost_reply={replies},lost_request={requests}{forgets}"


@dataclass(frozen=True, slots=True)
class Outcome:
    plan: Plan
    findings: checks.Findings
    verdict: Verdict
    kills: dict[str, int]
    workers_started: int
    accidents: list[str]
    seconds: float

    @property
    def safe(self) -> bool:
        """Everybody was charged once, and all books agree."""
        return self.findings.clean and self.verdict.clean and not self.accidents

    def figures(self) -> dict[str, Any]:
        return {
            "subscriptions": self.plan.subscriptions,
            "workers": self.plan.workers,
            "keys": self.plan.keys,
            "lost_percent": sum(self.plan.lost),
            "kills": sum(self.kills.values()),
            "kills_by_point": self.kills,
            "workers_started": self.workers_started,
            "charged_twice": len(self.findings.charged_twice),
            "missed": len(self.findings.missed),
            "payments_of_nobody": len(self.findings.nobodys),
            "unresolved": self.findings.unresolved,
            "parked": self.findings.parked,
            "attempts_asked_again": self.findings.asked_again,
            "questions_asked": self.findings.questions,
            "invariants": len(self.verdict.checked),
            "breaches": [f"{f.invariant} {f.id}: {f.detail}" for f in self.verdict.findings[:20]],
            "accidents": self.accidents[:5],
            "seconds": round(self.seconds, 1),
            "safe": self.safe,
        }


def run(server: str, plan: Plan) -> Outcome:
    """Runs a campaign in a database of its own on this server."""
    with database(server) as dsn:
        account = asyncio.run(prepared(dsn, plan))
        begun = time.monotonic()
        crew = work(dsn, plan)
        seconds = time.monotonic() - begun
        return Outcome(
            plan=plan,
            findings=checks.look(dsn, account),
            verdict=asyncio.run(verified(dsn)),
            kills={name: crew.killed[name] for name in [*(p.name for p in POINTS), RANDOM]},
            workers_started=crew.started,
            accidents=crew.accidents,
            seconds=seconds,
        )


@contextmanager
def database(server: str) -> Iterator[str]:
    name = f"voldaan_campaign_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            drop(connection, name)


async def prepared(dsn: str, plan: Plan) -> str:
    """Migrates and seeds; returns the account's id."""
    await migrate(dsn)
    pool = await open_pool(dsn, 2)
    try:
        book, price = await seed.account(pool, clock.wall(), "Campaign", draft_seconds=DRAFT_SECONDS)
        await seed.subscribers(pool, book, price, plan.subscriptions, clock.wall())
        async with pool.connection() as connection:
            await connection.execute("analyze")
        return book.id
    finally:
        await pool.close()


def work(dsn: str, plan: Plan) -> Crew:
    """Until nothing is due and nobody is left to be killed. Who dies as all are asked to finish may leave something due."""
    with psycopg.connect(dsn, autocommit=True) as connection:

        def due() -> set[str]:
            return {row[0] for row in connection.execute(DUE, (clock.wall(),))}

        crew = Crew(
            environment(dsn, faults=plan.faults, batch=plan.batch, lease=LEASE_SECONDS),
            plan.workers, plan.kills, Random(plan.seed), due,
        )  # fmt: skip
        give_up = time.monotonic() + plan.give_up_after
        finished = False
        try:
            while not (finished or crew.accidents):
                crew.begin()
                _drain(crew, connection, give_up)
                finished = crew.end()
        except BaseException:
            crew.kill_all()
            raise
    return crew


def _drain(crew: Crew, connection: psycopg.Connection[Any], give_up: float) -> None:
    """Tends the crew until nothing is due. At `give_up` all are killed, and that is an accident."""
    while left := crew.due() & {RENEW, FINALIZE, LOOK_AFTER, RESOLVE}:
        crew.tend()
        connection.execute(HURRY_NETS, {"now": clock.wall(), "after": HURRY_AFTER})
        connection.execute(HURRY, {"now": clock.wall(), "after": HURRY_AFTER, "lease": LEASE_SECONDS})
        if time.monotonic() > give_up:
            crew.accidents.append(f"still due at the end of its time: {', '.join(sorted(left))}")
            crew.kill_all()
            return
        time.sleep(0.05)


async def verified(dsn: str) -> Verdict:
    """All invariants, and our attempts against the network's records."""
    async with running(dsn, Settings()) as engine:
        return await verify(engine.pool, engine.wall(), processors=engine.processors)
