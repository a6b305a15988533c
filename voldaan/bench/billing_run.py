"""`voldaan bench billing-run`: what workers bill in a second, from the due renewal to the committed attempt.

Measured is everything before the processor is called: invoice, lines, postings, payment intent, invoice payment, attempt,
events and due work, in durable commits. With `collect` the sandbox network's charges and their settlement belong to it too.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from voldaan.bench import seed
from voldaan.bench.machine import described
from voldaan.store.pool import Pool, open_pool
from voldaan.work import clock

COUNTS = """
select pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
       sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del)
  from pg_stat_user_tables
"""
MIXED = " (30 % metered, 20 % by tiers, 20 % with a coupon, 50 % taxed)"
BILLED = "select count(*) from invoices where account_id = %s and status = any(%s)"
SETTLE_SECONDS = 2  # until the server has counted what was done before


@dataclass(frozen=True, slots=True)
class Counts:
    """The server's counters: bytes of log, rows inserted, updated, deleted since it began."""

    log: int
    inserted: int
    updated: int
    deleted: int


async def bench(
    dsn: str,
    *,
    subscriptions: int,
    workers: int,
    warm_up: int = 0,
    collect: bool = False,
    drafts: bool = False,
    mixed: bool = False,
) -> dict[str, Any]:
    """Figures of one run over `subscriptions` new subscriptions, after `warm_up` of another book that are not counted.

    `drafts` are written, and finalized a second later.
    """
    pool = await open_pool(dsn, 2)
    try:
        others, _ = await _book(pool, "Warm-up", warm_up, drafts, mixed)
        account, seeded = await _book(pool, "Billing run", subscriptions, drafts, mixed)
        await _server(pool, "vacuum analyze")  # else PostgreSQL clears up after the seeding while the run is measured
        async with ready(dsn, others, account, workers, collect) as processes:
            await asyncio.sleep(SETTLE_SECONDS)
            before = await counts(pool)
            figures, seconds = await go(processes)
        await asyncio.sleep(SETTLE_SECONDS)
        after = await counts(pool)
        done = ["paid"] if collect else ["open", "paid"]  # a small sum stays on the balance: there is nothing to ask for
        billed = await _scalar(pool, BILLED, (account, done))
    finally:
        await pool.close()
    batches = [duration for f in figures for each in f["batches"].values() for duration in each]
    return {
        "measured": f"{subscriptions} monthly subscriptions{MIXED if mixed else ''} renewed, invoiced, "
        f"finalized {'later' if drafts else 'at once'} and "
        + ("charged by the sandbox network" if collect else "asked to be paid (before the processor is called)")
        + f"; {workers} workers and PostgreSQL on the same cores, durable commits, after {warm_up} others that are not counted",
        "on": described(),
        "subscriptions": subscriptions,
        "invoices": billed,
        "seconds": _rounded(seconds),
        "invoices_per_second": int(billed / seconds),
        "batch_p50_ms": percentile_ms(batches, 50),
        "batch_p99_ms": percentile_ms(batches, 99),
        "peak_rss_mb": [f["peak_rss_mb"] for f in figures],
        "cpu_us_per_invoice": _per(sum(f["cpu_seconds"] for f in figures) * 1e6, billed),
        "server_cpu_us_per_invoice": _per(sum(f["server_cpu_seconds"] for f in figures) * 1e6, billed),
        "log_bytes_per_invoice": _per(after.log - before.log, billed),
        "rows_inserted_per_invoice": _per(after.inserted - before.inserted, billed),
        "rows_updated_per_invoice": _per(after.updated - before.updated, billed),
        "rows_deleted_per_invoice": _per(after.deleted - before.deleted, billed),
        "seeded_per_second": int(subscriptions / seeded) if seeded else 0,
    }


async def _book(pool: Pool, name: str, count: int, drafts: bool, mixed: bool) -> tuple[str, float]:
    """The id of a new account with so many subscriptions that are due, and the seconds it took to make them."""
    account, price = await seed.account(pool, clock.wall(), name, draft_seconds=1 if drafts else 0)
    begun = clock.elapsed()
    await seed.subscribers(pool, account, price, count, clock.wall(), mixed=mixed)
    return account.id, clock.elapsed() - begun


Workers = list[asyncio.subprocess.Process]


@asynccontextmanager
async def ready(dsn: str, warm_up: str, account: str, workers: int, collect: bool) -> AsyncIterator[Workers]:
    """Worker processes that have billed the one account together, and wait to be told to bill the other."""
    command = [sys.executable, "-m", "voldaan.bench.billing_worker", account, warm_up, *(["--collect"] if collect else [])]
    processes = [
        await asyncio.create_subprocess_exec(
            *command, env={**os.environ, "DATABASE_URL": dsn}, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        for _ in range(workers)
    ]  # fmt: skip
    try:
        for process in processes:
            if await _line(process) != b"ready\n":
                raise RuntimeError("a worker did not start")
        yield processes
    finally:
        for process in processes:
            if process.returncode is None and process.stdin:
                process.stdin.close()
            await process.wait()


async def go(processes: Workers) -> tuple[list[dict[str, Any]], float]:
    """Lets the workers go together, and waits for the last. Returns their figures, and seconds."""
    begun = clock.elapsed()
    for process in processes:
        assert process.stdin
        process.stdin.write(b"go\n")
    told = await asyncio.gather(*(_line(process) for process in processes))
    seconds = clock.elapsed() - begun
    return [msgspec.json.decode(line) for line in told], seconds


async def counts(pool: Pool) -> Counts:
    async with pool.connection() as connection:
        row = await (await connection.execute(COUNTS)).fetchone()
    return Counts(*map(int, row))


def percentile_ms(durations: list[float], percent: int) -> int:
    """In whole milliseconds."""
    ordered = sorted(durations)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000) if ordered else 0


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout
    return await process.stdout.readline()


async def _server(pool: Pool, statement: str) -> None:
    async with pool.connection() as connection:
        await connection.execute(statement)


async def _scalar(pool: Pool, sql: str, params: tuple[Any, ...]) -> int:
    async with pool.connection() as connection:
        row = await (await connection.execute(sql, params)).fetchone()
    return int(row[0]) if row else 0


def _per(total: float, count: int) -> float:
    return _rounded(total / count) if count else 0


def _rounded(value: float) -> float:
    return round(value, 1 if value < 100 else 0)
