"""Attempts: carried out between two transactions, asked about until their outcome is certain, settled once.

Whoever dies in between leaves an attempt row that says what was asked; the safety net of its due row brings a worker,
who asks the processor about the same reference and sends the same key again only if nothing had arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import psycopg

from voldaan.commands import news
from voldaan.commands.asking import Answer, find_out, send
from voldaan.commands.card_errors import card_error_of as card_error_of
from voldaan.commands.settling import settle
from voldaan.engine import Again, Engine, Leased
from voldaan.processors.protocol import ProcessorEvent
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import WAITING, Attempt
from voldaan.resources.base import Resource
from voldaan.resources.credit_notes import CreditNote
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.refunds import Refund
from voldaan.resources.subscriptions import Subscription
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import Conflict
from voldaan.work.failpoints import fp

BATCH = 500              # attempts that are settled in one transaction
ROUNDS_MAX = 5           # a void may be followed by another try, and that by what it leads to
GIVEN_UP = ("declined", "not_sent", "voided")  # asked about once more if the processor says that money moved after all
OPEN_INTENTS = (
    "select p.payment_intent_id from invoice_payments p "
    "where p.account_id = %(account)s and p.invoice_id = %(invoice)s and p.status = 'open'"
)
RETRY_SECONDS = 60       # until a settlement that failed is tried again

log = logging.getLogger("voldaan.attempts")


async def carry_out(engine: Engine, account: Account, attempt_ids: Sequence[str]) -> None:
    """Carries out attempts that were just committed, settles them, and goes on with what follows from that."""
    ids = list(attempt_ids)
    if ids:
        fp("after_dispatch_commit")
    for _ in range(ROUNDS_MAX):
        if not ids:
            return
        ids = await _round(engine, account, ids, fresh=True)


async def resolve(engine: Engine, account: Account, attempt_ids: Sequence[str]) -> None:
    """Asks what became of attempts, now, and settles what is certain. Attempts that are settled already are left alone."""
    follow = await _round(engine, account, list(attempt_ids), fresh=False)
    await carry_out(engine, account, follow)


async def look_after(tx: Transaction, attempt_ids: list[str]) -> None:
    """Due work attempt.look_after: whoever dispatched these may have died. Of whom nothing was heard, each is asked about."""
    asked = await tx.run(query("attempts", "unheard"), ids=attempt_ids, now=tx.wall)
    tx.wakes = tx.wakes or asked > 0


async def resolve_due(engine: Engine, account: Account, work: list[Leased], now: int) -> list[Again]:
    """Due work attempt.resolve. An outcome that is still unknown makes its own new due row."""
    failed: list[str] = []
    follow = await _round(engine, account, [w.subject for w in work], fresh=False, failed=failed)
    await carry_out(engine, account, follow)
    return [Again(id, now + RETRY_SECONDS, "the settlement failed") for id in failed]


async def follow_up_due(engine: Engine, account: Account, work: list[Leased], now: int) -> list[Again]:
    """Due work attempt.follow_up: what has happened to payments, refunds and payouts by itself."""
    return await news.follow_up(engine, account, work, now)


async def live_on_clock(tx: Transaction, clock_id: str) -> list[str]:
    """Attempts of a test clock whose outcome must be known before its time moves on."""
    return [row[0] for row in await tx.all(query("attempts", "on_clock"), clock=clock_id)]


async def unsettled(tx: Transaction, resource: Resource) -> list[str]:
    """Attempts that an object may still be waiting for, after the process that dispatched them has died."""
    if isinstance(resource, CreditNote):
        made = await tx.get(Refund, [each.refund for each in resource.refunds])
        return [refund.attempt for refund in made.values() if refund.attempt]
    if isinstance(resource, Subscription):
        resource = (await tx.get(Invoice, [resource.latest_invoice])).get(resource.latest_invoice or "", resource)
    if isinstance(resource, Invoice):
        paying = await tx.select(PaymentIntent, "t.id in (" + OPEN_INTENTS + ")", invoice=resource.id)
        return [intent.attempt for intent in paying if intent.attempt]
    named: str | None = getattr(resource, "attempt", None)
    return [named] if named else []


async def _round(
    engine: Engine, account: Account, ids: list[str], *, fresh: bool, failed: list[str] | None = None
) -> list[str]:
    """Asks about all of them, then settles batch by batch. Returns attempts that were dispatched on the way."""
    wall = engine.wall()
    async with transaction(engine.pool, account, wall, wall) as tx:
        wanted = WAITING if fresh else (*WAITING, *GIVEN_UP)
        attempts = [a for a in (await tx.get(Attempt, ids)).values() if a.state in wanted]
        times = await business_times(tx, attempts)
    new = [a for a in attempts if fresh and a.state == "dispatched"]
    old = [a for a in attempts if not (fresh and a.state == "dispatched")]
    answers = dict(zip((a.id for a in new), await send(engine, account, new), strict=True))
    answers |= zip((a.id for a in old), await find_out(engine, account, old, [times[a.id] for a in old]), strict=True)
    if not answers:
        return []

    fp("before_settle")
    follow: list[str] = []
    groups: dict[str | None, list[Attempt]] = {}
    for attempt in attempts:
        groups.setdefault(attempt.clock, []).append(attempt)
    for clock, members in groups.items():
        for start in range(0, len(members), BATCH):
            batch = [(a.id, answers[a.id]) for a in members[start : start + BATCH]]
            now = None if clock is None else max(times[id] for id, _ in batch)
            follow += await _settle_batch(engine, account, batch, now, failed if failed is not None else [])
    fp("after_settle_commit")
    return follow


async def _settle_batch(
    engine: Engine, account: Account, batch: list[tuple[str, Answer]], now: int | None, failed: list[str]
) -> list[str]:
    """Settles in one transaction; if that fails, in halves, so that one bad attempt does not hold up the others."""
    wall = engine.wall()
    try:
        async with transaction(engine.pool, account, now if now is not None else wall, wall) as tx:
            await settle_answers(tx, batch)
        return tx.attempts
    except psycopg.OperationalError as lost:
        if not isinstance(lost, psycopg.errors.DeadlockDetected | psycopg.errors.LockNotAvailable):
            raise
        failure: Exception = lost
    except (psycopg.Error, Conflict, AssertionError, LookupError, ValueError, TypeError) as wrong:
        failure = wrong
    if len(batch) == 1:
        log.error("attempt %s cannot be settled: %s", batch[0][0], failure, exc_info=failure)
        failed.append(batch[0][0])
        return []
    half = len(batch) // 2
    first = await _settle_batch(engine, account, batch[:half], now, failed)
    return first + await _settle_batch(engine, account, batch[half:], now, failed)


async def settle_answers(tx: Transaction, batch: Sequence[tuple[str, Answer]]) -> None:
    """Outcomes are settled; the answers about disputes are events, and heard."""
    outcomes = [(id, answer) for id, answer in batch if not isinstance(answer, ProcessorEvent)]
    events = [(id, answer) for id, answer in batch if isinstance(answer, ProcessorEvent)]
    if outcomes:
        await settle(tx, outcomes)
    if events:
        await news.answered(tx, events)


async def business_times(tx: Transaction, attempts: Sequence[Attempt]) -> dict[str, int]:
    """The business instant of each attempt: now, by its test clock or by the wall clock."""
    clocks = sorted({a.clock for a in attempts if a.clock})
    frozen = dict(await tx.all(query("attempts", "frozen_times"), ids=clocks)) if clocks else {}
    return {a.id: max(a.at, frozen.get(a.clock, a.at)) if a.clock else tx.wall for a in attempts}
