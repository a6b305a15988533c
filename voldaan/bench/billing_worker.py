"""One worker of the measured billing run, in a process of its own: ready, wait for a line, work, tell the figures.

    python -m voldaan.bench.billing_worker ACCOUNT WARM_UP [--collect]      with DATABASE_URL in the environment

WARM_UP is an account that is billed first. A worker runs for weeks: what its first batches cost more, while Python gets to know
its code and PostgreSQL its plans and the pages of its memory, is not what a run costs.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from voldaan.bench.machine import peak_rss_mb
from voldaan.cli import run
from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.store import accounts
from voldaan.store.pool import Pool
from voldaan.work import clock
from voldaan.work.handlers import BY_KIND
from voldaan.work.memory import collect_seldom, keep_on_large_pages, move_to_large_pages
from voldaan.work.worker import Row, Worker

BILLING = ("subscription.renew", "invoice.finalize")
PAUSE_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")

# In the order of the index, since whoever has nothing left to do asks again and again until the others are done. Of a mere
# `exists` the planner, who expects a third of all due work to be left, reads the whole table.
LEFT = """
select (select true from due where kind = 'invoice.finalize' and clock_id is null and parked_at is null and account_id = %s
         order by greatest(due_at, leased_until) limit 1) is not null
    or (select true from due where kind = 'subscription.renew' and clock_id is null and parked_at is null and account_id = %s
           and greatest(due_at, leased_until) <= to_timestamp(%s)
         order by greatest(due_at, leased_until) limit 1) is not null
"""


class BillingWorker(Worker):
    """Runs billing's kinds of one account; without `collect` it stops where the processor would be called."""

    def __init__(self, engine: Engine, account: Account, collect: bool) -> None:
        super().__init__(engine, [BY_KIND[kind] for kind in BILLING])
        self.account = account
        self.collect = collect
        self.batches: dict[str, list[float]] = {kind: [] for kind in BILLING}  # seconds of each full or partial batch
        self.rows: dict[str, int] = dict.fromkeys(BILLING, 0)

    async def carry_out(self, account: Account, attempts: list[str]) -> None:
        if self.collect:
            await super().carry_out(account, attempts)

    async def failed(self, kind: str, account: Account, row: Row, failure: Exception) -> None:
        raise RuntimeError(f"{kind} of {row[0]} failed: nothing is measured") from failure

    async def run_all(self) -> None:
        """Until nothing of billing is due: what another worker holds may still leave something to do."""
        while True:
            busy = 0
            for handler in self.handlers:
                begun = clock.elapsed()
                count = await self.inside(handler, self.account)
                if count:
                    self.batches[handler.kind].append(clock.elapsed() - begun)
                    self.rows[handler.kind] += count
                    busy += count
            if busy:
                continue
            if not await self.left():
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def left(self) -> bool:
        async with self.engine.pool.connection() as connection:
            cursor = await connection.execute(LEFT, (self.account.id, self.account.id, self.engine.wall()))
            row = await cursor.fetchone()
        return bool(row and row[0])


async def work(account_id: str, warm_up_id: str, collect: bool) -> dict[str, Any]:
    collect_seldom()
    async with running(os.environ["DATABASE_URL"], Settings.read()) as engine:
        account, warm_up = [await accounts.find(engine.pool, id) for id in (account_id, warm_up_id)]
        if account is None or warm_up is None:
            raise LookupError(f"{account_id} or {warm_up_id}")
        await BillingWorker(engine, warm_up, collect).run_all()
        await report_counts(engine.pool)
        move_to_large_pages()  # as a worker does some seconds after its start
        keeper = asyncio.create_task(keep_on_large_pages())
        worker = BillingWorker(engine, account, collect)
        backends = await backend_pids(engine.pool)
        print("ready", flush=True)
        sys.stdin.readline()
        server, own = server_seconds(backends), time.process_time()
        await worker.run_all()
        keeper.cancel()
        return {
            "batches": worker.batches,
            "rows": worker.rows,
            "cpu_seconds": time.process_time() - own,
            "server_cpu_seconds": server_seconds(backends) - server,
            "peak_rss_mb": peak_rss_mb(),
        }


async def backend_pids(pool: Pool) -> list[int]:
    """The server processes behind this process's connections."""
    async with pool.connection() as connection:
        cursor = await connection.execute("select pid from pg_stat_activity where application_name = 'voldaan'")
        mine = {connection.info.backend_pid}
        everyone = {row[0] for row in await cursor.fetchall()}
    for held in list(pool._pool):
        mine.add(held.info.backend_pid)
    return sorted(mine & everyone)


async def report_counts(pool: Pool) -> None:
    """The server counts what these connections have done by now: left idle, they would tell it with what they do next."""
    async with AsyncExitStack() as held:
        for _ in range(pool.get_stats()["pool_size"]):
            connection = await held.enter_async_context(pool.connection())
            await connection.execute("select pg_stat_force_next_flush()")


def server_seconds(pids: list[int]) -> float:
    """CPU that these server processes have used so far; 0 where they run on another machine."""
    total = 0
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            fields = stat.read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


if __name__ == "__main__":
    figures = run(work(sys.argv[1], sys.argv[2], "--collect" in sys.argv[3:]))
    print(msgspec.json.encode(figures).decode(), flush=True)
