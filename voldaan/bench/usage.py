"""`voldaan bench usage`: meter events over HTTP into a server of its own, then one customer's current period read back.

Every event has an identifier by chance, is checked, stored once and added to its hour before it is answered.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from voldaan.bench import load
from voldaan.bench.api import answers
from voldaan.bench.billing_worker import server_seconds
from voldaan.bench.machine import described, peak_rss_mb
from voldaan.commands import meters
from voldaan.resources.accounts import Account
from voldaan.resources.customers import Customer
from voldaan.resources.meters import MeterCreate
from voldaan.rules.decision import Decision
from voldaan.store import accounts, keys
from voldaan.store.ids import new_id, secret
from voldaan.store.pool import Connection, Pool, open_pool
from voldaan.store.transaction import transaction
from voldaan.store.writer import write
from voldaan.work import clock

EVENT_NAME = "bench_tokens"
DAYS = 60                 # over which stored events are spread
CHUNK = 1_000_000         # stored events that are made in one transaction
STREAM, BULK = "/v2/billing/meter_event_stream", "/voldaan/meter_events/bulk"
HEADERS = "Stripe-Version: 2026-10-28.endive\r\n"

# Old events straight into the tables, in the order of time, as years of traffic would have left them, with identifiers that look
# like chance; then their hours.
STORE = """
with whose as materialized (select %(series)s::bigint[] as ids)  -- read once: written out, the array is converted for each row
insert into meter_events (account_id, identifier, place, series_id, at, received_at, value)
select %(account)s, md5(%(account)s || n::text), 0, w.ids[1 + n * 7919 %% cardinality(w.ids)],
       to_timestamp(%(start)s + n * %(seconds)s / %(all)s), to_timestamp(%(start)s + n * %(seconds)s / %(all)s), 1 + n %% 9
  from whose w, generate_series(%(from)s::bigint, %(to)s::bigint) n
"""
INDEXES = """
select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
 where indrelid = 'meter_events'::regclass and not indisprimary
"""
KEY = "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'meter_events'::regclass and contype = 'p'"
ADD_UP = """
insert into usage_rollups (account_id, series_id, hour_at, events, total, most, last)
select account_id, series_id, date_bin('1 hour', at, timestamptz 'epoch'), count(*), sum(value), max(value),
       max(array[extract(epoch from at), extract(epoch from received_at), value])
  from meter_events where account_id = %(account)s group by 1, 2, 3
"""


async def bench(
    dsn: str, *, events: int, clients: int, seconds: float, stored: int, customers: int, port: int, seed: int = 7
) -> dict[str, Any]:
    """Figures of `seconds` of ingestion with `events` in each call, and of reading afterwards."""
    pool = await open_pool(dsn, 2)
    try:
        made = await accounts.create(pool, clock.wall(), business_name="Bench")
        meter, chosen = await prepared(pool, made.account, customers)
        storing = clock.elapsed()
        await store(pool, made.account, meter, chosen, stored)
        storing = clock.elapsed() - storing
        token = await session(pool, made.account)
    finally:
        await pool.close()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voldaan.cli", "serve", "--port", str(port), "--no-worker",
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await answers(port)
        sending = calls(events, chosen, token, made.secret_key, seed)
        await load.run("127.0.0.1", port, 2, 1, sending)  # warm
        before = await processor_seconds(dsn, server.pid)
        written = await load.run("127.0.0.1", port, clients, seconds, sending)
        used = [now - then for now, then in zip(await processor_seconds(dsn, server.pid), before, strict=True)]
        asked = reading(meter, chosen, made.secret_key)
        read = await load.run("127.0.0.1", port, 1, min(seconds, 5), asked)
        peak = peak_rss_mb(server.pid)
    finally:
        server.terminate()
        await server.wait()
    return {
        "measured": f"meter events over HTTP on loopback, {events} a call, {clients} clients, {seconds:g} s, "
        f"{customers} customers, identifiers by chance, {stored} events stored before; load generator, server process and "
        "PostgreSQL on the same cores; each event checked, once, rolled up, committed before the answer; then one "
        "customer's last 30 days, 1 client",
        "on": described(),
        "events_per_second": written.per_second * events,
        "p50_ms": written.percentile_ms(50),
        "p99_ms": written.percentile_ms(99),
        "read_p50_ms": read.percentile_ms(50),
        "read_p99_ms": read.percentile_ms(99),
        "reads_per_second": read.per_second,
        "cpu_us_per_event": {
            part: round(seconds * 1e6 / max(1, len(written.durations) * events), 1)
            for part, seconds in zip(("load_generator", "server", "postgresql"), used, strict=True)
        },
        "load_average": round(os.getloadavg()[0], 1),
        "refused": written.refused + read.refused,
        "stored_per_second": int(stored / storing) if stored else 0,
        "peak_rss_mb": peak,
    }


async def processor_seconds(dsn: str, server: int) -> tuple[float, float, float]:
    """What this process, the server and PostgreSQL with all its processes have used so far."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        pids = [row[0] for row in await (await connection.execute("select pid from pg_stat_activity")).fetchall()]
    return time.process_time(), server_seconds([server]), server_seconds(pids)


async def prepared(pool: Pool, account: Account, customers: int) -> tuple[str, list[str]]:
    """A meter that sums, and customers."""
    now = clock.wall()
    params = {"default_aggregation": {"formula": "sum"}, "display_name": "Tokens", "event_name": EVENT_NAME}
    async with transaction(pool, account, now, now) as tx:
        meter = await meters.create(tx, MeterCreate.model_validate(params))
        made = [
            Customer(id=new_id("cus"), created=now, invoice_prefix=secret("B", 10), livemode=account.livemode)
            for _ in range(customers)
        ]
        await write(tx, [Decision(inserts=list(made))])
    return meter.id, [customer.id for customer in made]


async def store(pool: Pool, account: Account, meter: str, customers: list[str], events: int) -> None:
    """Puts `events` of the last two months into the tables."""
    start = clock.wall() - DAYS * 86_400
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "insert into usage_series (account_id, customer_id, meter_id, dimensions_key, dimensions) "
            "select %s, c, %s, '', '{}' from unnest(%s::text[]) c returning id",
            (account.id, meter, customers),
        )
        series = [row[0] for row in await cursor.fetchall()]
        given = {"account": account.id, "series": series, "start": start, "seconds": DAYS * 86_400 - 60, "all": max(events, 1)}
        if not events:
            return
        async with connection.transaction(), without_indexes(connection):
            for first in range(1, events + 1, CHUNK):
                await connection.execute(STORE, {**given, "from": first, "to": min(first + CHUNK - 1, events)})
        await connection.execute(ADD_UP, given)
        await connection.execute("vacuum analyze meter_events")
        await connection.execute("analyze usage_rollups, usage_series")


@asynccontextmanager
async def without_indexes(connection: Connection) -> AsyncIterator[None]:
    """Where no event is stored yet: takes the key and the indexes away and makes them anew at the end, in the transaction that is
    open. Ten times as fast as entering each event into them."""
    if await (await connection.execute("select 1 from meter_events limit 1")).fetchone():
        yield
        return
    indexes = await (await connection.execute(INDEXES)).fetchall()
    [(key, columns)] = await (await connection.execute(KEY)).fetchall()
    await connection.execute(f"alter table meter_events drop constraint {key}")
    for name, _ in indexes:
        await connection.execute(f"drop index {name}")
    yield
    await connection.execute("set local maintenance_work_mem = '1GB'")
    await connection.execute(f"alter table meter_events add constraint {key} {columns}")
    for _, definition in indexes:
        await connection.execute(definition)


async def session(pool: Pool, account: Account) -> str:
    """A token for the stream that outlasts the measurement."""
    now = clock.wall()
    async with transaction(pool, account, now, now) as tx:
        return await keys.open_session(tx, new_id("mes"), now + 86_400)


def calls(events: int, customers: list[str], token: str, key: str, seed: int) -> Callable[[int], bytes]:
    """Makes requests with `events` events each: of the stream up to a hundred, in bulk beyond."""
    chance = random.Random(seed)
    heads = [f'{{"event_name":"{EVENT_NAME}","payload":{{"stripe_customer_id":"{id}","value":"' for id in customers]
    path, credential = (STREAM, token) if events <= 100 else (BULK, key)

    def make(_: int) -> bytes:
        identifiers = os.urandom(16 * events).hex()
        lines = [
            f'{head}{n % 10 + 1}"}},"identifier":"{identifiers[32 * n : 32 * n + 32]}"}}'
            for n, head in enumerate(chance.choices(heads, k=events))
        ]
        return load.request("POST", path, credential, f'{{"events":[{",".join(lines)}]}}'.encode(), HEADERS)

    return make


def reading(meter: str, customers: list[str], key: str) -> Callable[[int], bytes]:
    """Asks for what one customer after another used in the thirty days until now, to the minute."""
    now = clock.wall() // 60 * 60
    path = f"/v1/billing/meters/{meter}/event_summaries?start_time={now - 30 * 86_400}&end_time={now + 60}&customer="
    return lambda n: load.request("GET", path + customers[n % len(customers)], key)
