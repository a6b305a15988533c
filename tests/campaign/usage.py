"""A campaign against usage: PostgreSQL is killed every few seconds while events come in, and some answers are lost on the way.

Clients send again what was not acknowledged, under the same identifiers. Then every acknowledged event must be stored, none
twice, and what customers are said to have used must be what is stored. Without the key that tells events apart (the negative
control) the same must be found to go wrong.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psycopg

from voldaan.bench.usage import prepared, session
from voldaan.commands.usage import quantities
from voldaan.reports.verify import Verdict, verify
from voldaan.rules.usage import UsageKey
from voldaan.store import accounts
from voldaan.store.embedded import Server, start
from voldaan.store.migrate import migrate
from voldaan.store.pool import Pool, open_pool
from voldaan.store.transaction import transaction
from voldaan.work import clock

ROOT = Path(__file__).parent.parent.parent
STREAM = "/v2/billing/meter_event_stream"
EVENT_NAME = "bench_tokens"
BATCH = 25
GIVE_UP_AFTER = 60  # seconds for the last calls to get through
DAY = 86_400


@dataclass(frozen=True, slots=True)
class UsagePlan:
    kills: int
    every: float = 2.0          # seconds between kills
    clients: int = 4
    customers: int = 20
    lost: int = 5               # answers in a hundred that the client does not hear
    seed: int = 7
    keys: bool = True           # False: the database no longer tells identifiers apart


@dataclass(slots=True)
class UsageOutcome:
    plan: UsagePlan
    acknowledged: int
    sent_again: int
    kills: int
    seconds: float
    missed: list[str]           # acknowledged and not stored
    doubled: list[str]          # stored more than once
    wrong: list[str]            # customers whose usage is not what was acknowledged
    verdict: Verdict

    @property
    def safe(self) -> bool:
        return not (self.missed or self.doubled or self.wrong or self.verdict.findings)

    def figures(self) -> dict[str, Any]:
        return {
            "events_acknowledged": self.acknowledged, "sent_again": self.sent_again, "kills": self.kills,
            "seconds": round(self.seconds), "missed": len(self.missed), "doubled": len(self.doubled), "wrong": len(self.wrong),
            "breaches": len(self.verdict.findings), "keys": self.plan.keys,
        }  # fmt: skip


def run(plan: UsagePlan) -> UsageOutcome:
    """The campaign on a server of its own, which it kills; a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="voldaan-usage-"))
    folder.chmod(0o755)  # PostgreSQL runs as another account when this runs as root
    server = start(folder / "data")
    try:
        return asyncio.run(_run(plan, server, folder / "data"))
    finally:
        start(folder / "data").stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _run(plan: UsagePlan, server: Server, folder: Path) -> UsageOutcome:
    await migrate(server.dsn)
    if not plan.keys:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("alter table meter_events drop constraint meter_events_pkey")
    pool = await open_pool(server.dsn, 2)
    made = await accounts.create(pool, clock.wall(), business_name="Campaign")
    meter, customers = await prepared(pool, made.account, plan.customers)
    token = await session(pool, made.account)
    await pool.close()

    began = time.monotonic()
    crew = Clients(plan, customers, token)
    with Api(server.dsn) as api:
        sending = [asyncio.create_task(crew.client(number, api.address)) for number in range(plan.clients)]
        kills = 0
        while kills < plan.kills:
            await asyncio.sleep(plan.every)
            await asyncio.to_thread(kill_and_start, server, folder)
            kills += 1
        crew.over = True
        await asyncio.wait_for(asyncio.gather(*sending), GIVE_UP_AFTER)
    seconds = time.monotonic() - began

    pool = await open_pool(server.dsn, 2)
    try:
        stored = await stored_events(pool, made.account.id)
        now = clock.wall()
        async with transaction(pool, made.account, now, now) as tx:
            keys = {c: UsageKey(meter, c, now - 2 * DAY, now + DAY) for c in customers}
            said = await quantities(tx, keys.values())
        return UsageOutcome(
            plan, len(crew.acknowledged), crew.sent_again, kills, seconds,
            missed=sorted(crew.acknowledged.keys() - stored.keys()),
            doubled=sorted(identifier for identifier, times in stored.items() if times > 1),
            wrong=[c for c in customers if said[keys[c]] != sum(v for who, v in crew.acknowledged.values() if who == c)],
            verdict=await verify(pool, now, account=made.account.id),
        )  # fmt: skip
    finally:
        await pool.close()


async def stored_events(pool: Pool, account: str) -> Counter[str]:
    """How often each identifier is stored."""
    async with pool.connection() as connection:
        cursor = await connection.execute("select identifier from meter_events where account_id = %s", (account,))
        return Counter(row[0] for row in await cursor.fetchall())


def kill_and_start(server: Server, folder: Path) -> None:
    """SIGKILL to the server's first process, as the kernel does when memory runs out; then it is brought up again."""
    leader = int((server.cluster.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(leader, signal.SIGKILL)
    start(folder)


class Clients:
    """Who sends events, and what was acknowledged to them: identifier → (customer, value)."""

    def __init__(self, plan: UsagePlan, customers: list[str], token: str) -> None:
        self.plan, self.customers = plan, customers
        self.headers = {"Authorization": f"Bearer {token}", "Stripe-Version": "2026-10-28.endive"}
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.sent_again = 0
        self.over = False

    async def client(self, number: int, address: str) -> None:
        """Batch after batch, each sent until it is acknowledged."""
        chance = Random(self.plan.seed * 1000 + number)
        batches = 0
        async with httpx.AsyncClient(headers=self.headers, timeout=20) as http:
            while not self.over:
                batches += 1
                events = [self.event(f"{number}-{batches}-{place}", chance) for place in range(BATCH)]
                while not await self.sent(http, address, events, chance):
                    self.sent_again += 1
                    await asyncio.sleep(0.05)
                for event in events:
                    payload = event["payload"]
                    self.acknowledged[event["identifier"]] = (payload["stripe_customer_id"], int(payload["value"]))

    def event(self, identifier: str, chance: Random) -> dict[str, Any]:
        payload = {"stripe_customer_id": chance.choice(self.customers), "value": str(chance.randint(1, 9))}
        return {"event_name": EVENT_NAME, "identifier": identifier, "payload": payload}

    async def sent(self, http: httpx.AsyncClient, address: str, events: list[Any], chance: Random) -> bool:
        """Whether the client heard that the events were taken."""
        with suppress(httpx.TransportError):
            answer = await http.post(address + STREAM, json={"events": events})
            return answer.status_code == 200 and chance.randrange(100) >= self.plan.lost
        return False


class Api:
    """An API server in a process of its own."""

    def __init__(self, dsn: str) -> None:
        from tests.conftest import free_port

        self.dsn, self.port = dsn, free_port()
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Api:
        from tests.conftest import wait_for

        self.process = subprocess.Popen(
            [sys.executable, "-m", "voldaan.cli", "serve", "--port", str(self.port), "--no-worker"],
            env={**os.environ, "DATABASE_URL": self.dsn}, cwd=ROOT, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self.address, self.process)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)


def told(outcome: UsageOutcome) -> str:
    """A summary for people."""
    title = "Usage campaign" if outcome.plan.keys else "Negative control: identifiers are no longer told apart"
    lines = [
        f"{title}: PostgreSQL killed {outcome.kills} times in {outcome.seconds:.0f} s, {outcome.plan.clients} clients, "
        f"{outcome.plan.lost} % of the answers lost",
        f"  {outcome.acknowledged} events acknowledged, {outcome.sent_again} calls sent again",
        f"  {len(outcome.missed)} missed, {len(outcome.doubled)} stored twice, {len(outcome.wrong)} customers' usage wrong",
        f"  {len(outcome.verdict.checked)} invariants checked, {len(outcome.verdict.findings)} breaches",
    ]
    lines += [f"    {f.invariant} {f.id}: {f.detail}" for f in outcome.verdict.findings[:5]]
    if outcome.plan.keys:
        lines.append("  safe" if outcome.safe else "  NOT SAFE")
    else:
        lines.append("  not safe, as it must be" if outcome.doubled and outcome.wrong else "  THE CONTROL PROVED NOTHING")
    return "\n".join(lines)
