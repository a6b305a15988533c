"""`voldaan bench api`: creates (idempotent, with event) and reads of customers over HTTP, against a server of its own."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from typing import Any

from voldaan.bench import load
from voldaan.bench.machine import described, peak_rss_mb
from voldaan.store import accounts
from voldaan.store.ids import new_id
from voldaan.store.pool import open_pool
from voldaan.work import clock

READABLE = 5_000  # customers among which reads choose


async def bench(dsn: str, *, clients: int, seconds: float, port: int, seed: int = 7) -> dict[str, Any]:
    """Figures of creates and reads, each measured for `seconds` with `clients` connections."""
    pool = await open_pool(dsn, 2)
    try:
        made = await accounts.create(pool, clock.wall(), business_name="Bench")
    finally:
        await pool.close()
    key = made.secret_key
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voldaan.cli", "serve", "--port", str(port), "--no-worker",
        env={**os.environ, "DATABASE_URL": dsn},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await answers(port)
        ids = await seeded(dsn, port, key, made.account.id)
        create = await load.run("127.0.0.1", port, clients, seconds, lambda n: creation(key, n))
        chosen = random.Random(seed)
        read = await load.run(
            "127.0.0.1", port, clients, seconds, lambda n: load.request("GET", f"/v1/customers/{chosen.choice(ids)}", key)
        )
        peak = peak_rss_mb(server.pid)
    finally:
        server.terminate()
        await server.wait()
    return {
        "measured": f"customers over HTTP on loopback, {clients} clients, {seconds:g} s each; load generator, server process "
        "and PostgreSQL on the same cores; creates with idempotency key and event, durable commits",
        "on": described(),
        "creates_per_second": create.per_second,
        "creates_p50_ms": create.percentile_ms(50),
        "creates_p99_ms": create.percentile_ms(99),
        "reads_per_second": read.per_second,
        "reads_p50_ms": read.percentile_ms(50),
        "reads_p99_ms": read.percentile_ms(99),
        "refused": create.refused + read.refused,
        "peak_rss_mb": peak,
    }


def creation(key: str, number: int) -> bytes:
    """A customer as a shop makes one, with an idempotency key of its own, as the SDK sends with every POST."""
    body = (
        f"name=Customer+{number}&email=customer{number}%40example.com&description=Bench&metadata[order]={number}"
        "&address[line1]=Keizersgracht+1&address[city]=Amsterdam&address[country]=NL"
    )
    return load.request("POST", "/v1/customers", key, body.encode(), f"Idempotency-Key: {new_id('bench')}\r\n")


async def seeded(dsn: str, port: int, key: str, account: str) -> list[str]:
    """Some customers to read; returns their ids."""
    await load.run("127.0.0.1", port, 16, 1.5, lambda n: creation(key, -n))
    pool = await open_pool(dsn, 1)
    try:
        async with pool.connection() as connection:
            cursor = await connection.execute(
                "select id from customers where account_id = %s order by id desc limit %s", (account, READABLE)
            )
            return [row[0] for row in await cursor.fetchall()]
    finally:
        await pool.close()


async def answers(port: int) -> None:
    """Waits until the server listens."""
    for _ in range(400):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise TimeoutError("the server did not start")
