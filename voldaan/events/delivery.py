"""Delivering webhooks: signed, retried for three days, each try remembered.

A delivery is due work, made in the transaction of the event. One endpoint is called twice at a time at most, so that a slow
receiver does not hold up the others.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec

from voldaan.engine import Again, Engine, Leased
from voldaan.events import signing, transport
from voldaan.events.core import notification, read_core_events
from voldaan.events.reading import read_events
from voldaan.events.transport import Delivery
from voldaan.resources.accounts import Account
from voldaan.resources.render import encode
from voldaan.resources.webhook_endpoints import WebhookEndpoint
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction

# Seconds after the first try, as Standard Webhooks recommends: the last is three days and three hours later.
TRY_AFTER = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
AT_ONCE_PER_ENDPOINT = 2
TIMEOUT_SECONDS = 15


async def deliver(engine: Engine, account: Account, work: list[Leased], now: int) -> list[Again]:
    """Handler of webhook.deliver; a subject is "event:endpoint". Returns what must be tried again."""
    pairs = [tuple(item.subject.split(":")) for item in work]
    async with transaction(engine.pool, account, now, now) as tx:
        bodies = await _bodies(tx, [event for event, _ in pairs])
        endpoints = await tx.get(WebhookEndpoint, {endpoint for _, endpoint in pairs})
    gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE_PER_ENDPOINT))

    async def one(item: Leased, event_id: str, endpoint_id: str) -> tuple[Leased, Delivery] | None:
        body, endpoint = bodies.get(event_id), endpoints.get(endpoint_id)
        if body is None or endpoint is None or endpoint.status != "enabled":
            return None
        async with gates[endpoint_id]:
            return item, await send(engine, body, endpoint)

    results = await asyncio.gather(*(one(item, *pair) for item, pair in zip(work, pairs, strict=True)))
    sent = [result for result in results if result]
    async with transaction(engine.pool, account, now, now) as tx:
        await tx.run(
            query("events", "insert_tries"),
            events=[item.subject.split(":")[0] for item, _ in sent],
            endpoints=[item.subject.split(":")[1] for item, _ in sent],
            tries=[item.tries for item, _ in sent],
            results=[d.result for _, d in sent],
            statuses=[d.status for _, d in sent],
            elapsed=[d.elapsed_ms for _, d in sent],
            now=now,
        )
    return [again(item, d, now) for item, d in sent if d.result != "delivered" and item.tries < len(TRY_AFTER)]


async def _bodies(tx: Transaction, ids: list[str]) -> dict[str, bytes]:
    """What is sent of each event: all of it, or of a thin one where to look."""
    bodies = {id: encode(event) for id, event in (await read_events(tx, ids)).items()}
    thin = [id for id in ids if id not in bodies]
    if thin:
        told = await read_core_events(tx, thin)
        bodies |= {id: msgspec.json.encode(notification(event, tx.account.livemode)) for id, event in told.items()}
    return bodies


async def send(engine: Engine, body: bytes, endpoint: WebhookEndpoint) -> Delivery:
    """One try."""
    signature = signing.sign(body, [endpoint.signing_secret], engine.wall())
    return await transport.deliver(
        endpoint.url,
        body,
        {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature, "User-Agent": "Voldaan/1.0"},
        timeout=TIMEOUT_SECONDS,
        allow_private=engine.allow_private_webhooks,
    )


def again(item: Leased, delivery: Delivery, now: int) -> Again:
    """When to try again: the gaps between the tries of the schedule."""
    pause = TRY_AFTER[item.tries] - TRY_AFTER[item.tries - 1]
    return Again(item.subject, now + pause, f"{delivery.result} {delivery.status or ''}".strip())
