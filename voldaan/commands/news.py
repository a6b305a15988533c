"""News: what processors tell by themselves. Asked for when something is expected, heard once, applied in order."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
import psycopg
from msgspec.structs import replace

from voldaan.commands import tax_associations
from voldaan.commands.asking import together
from voldaan.commands.settling import Rows, load, load_deferred
from voldaan.engine import Again, Engine, Leased
from voldaan.ledger.payments import moved
from voldaan.processors.protocol import ProcessorEvent
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.disputes import Dispute
from voldaan.resources.payouts import Payout
from voldaan.resources.refunds import Refund
from voldaan.rules import disputes, payouts, refunds
from voldaan.rules.attempts import Settled
from voldaan.rules.decision import Decision, Due, Update
from voldaan.store.adapt import Json
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import Conflict, write

RETRY_SECONDS = 300
Heard = tuple[str, ProcessorEvent]               # attempt id, event

log = logging.getLogger("voldaan.attempts")


async def follow_up(engine: Engine, account: Account, work: Sequence[Leased], now: int) -> list[Again]:
    """Asks for news of these attempts as of `now`, and applies what is new. What failed is to be asked again."""
    wall = engine.wall()
    async with transaction(engine.pool, account, now, wall) as tx:
        attempts = list((await tx.get(Attempt, [w.subject for w in work])).values())

    async def ask(attempt: Attempt) -> list[ProcessorEvent] | Exception:
        try:
            return await engine.processors(attempt.processor).news(attempt.processor_id or "", now)
        except Exception as failure:
            log.warning("no news of %s: %s", attempt.id, failure)
            return failure

    found = await together(attempts, ask)
    again = []
    for attempt, told in zip(attempts, found, strict=True):
        if isinstance(told, Exception):
            again.append(Again(attempt.id, now + RETRY_SECONDS, f"{type(told).__name__}: {told}"[:500]))
            continue
        try:
            async with transaction(engine.pool, account, now, engine.wall()) as tx:
                await apply(tx, attempt.processor, [(attempt.id, event) for event in told])
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable, Conflict) as busy:
            again.append(Again(attempt.id, now + RETRY_SECONDS, str(busy)[:500]))
    return again


async def answered(tx: Transaction, events: Sequence[Heard]) -> None:
    """The answers to what was said about disputes: the attempts end, and the disputes stand as the events tell."""
    by_processor: dict[str, list[Heard]] = {}
    attempts = await tx.get(Attempt, [id for id, _ in events], lock=True)
    for id, event in events:
        attempt = attempts[id]
        if attempt.resolved is None:
            done = replace(attempt, state="succeeded", resolved=tx.wall, processor_id=event.event_id)
            await write(tx, [Decision(updates=[Update(done, attempt)], due_cancelled=[("attempt.resolve", id)])])
        charge = (await tx.get(Charge, [attempt.charge]))[attempt.charge or ""]
        by_processor.setdefault(attempt.processor, []).append((charge.attempt, event))
    for processor, heard in by_processor.items():
        await apply(tx, processor, heard)


async def apply(tx: Transaction, processor: str, heard: Sequence[Heard]) -> None:
    """Applies events about attempts, each once, oldest first, and makes due when to ask for more.

    A payment's own outcome is not taken from an event: it makes the attempt due, to be asked for.
    """
    rows = await load(tx, [id for id, _ in heard])
    await load_deferred(tx, rows, rows.all(Charge))
    new = await _new(tx, processor, [event for _, event in heard])
    known = await _disputes(tx, processor, [event for _, event in heard])
    decisions = []
    later: dict[str, int] = {}
    for id, event in sorted(heard, key=lambda pair: pair[1].at):
        attempt = rows.find(Attempt, id)
        if attempt is None:
            continue
        if event.follow_up_at is not None and event.follow_up_at > tx.now:
            later[id] = event.follow_up_at
        if event.event_id not in new:
            continue
        new.discard(event.event_id)
        settled = _heard(rows, attempt, event, known, tx)
        for movement in settled.moved:
            settled.decision.postings += moved(movement)
        rows.take(settled.decision)
        known |= {d.processor_id: d for d in rows.all(Dispute)}
        decisions.append(settled.decision)
    due = [Due("attempt.follow_up", id, at, _clock(rows, id)) for id, at in later.items()]
    await tax_associations.follow(tx, await write(tx, [*decisions, Decision(due=due)]))


def _heard(rows: Rows, attempt: Attempt, event: ProcessorEvent, known: dict[str, Dispute], tx: Transaction) -> Settled:
    settled = Settled()
    match event.type:
        case "dispute.created" | "dispute.updated" | "dispute.closed" | "fraud_warning.created":
            if charge := rows.find(Charge, attempt.charge):
                dispute = known.get(event.object_id or event.event_id)
                deferred = rows.deferred.get(charge.invoice or "", 0)
                settled = disputes.hear(event, charge, dispute, attempt.processor, tx.now, new_id, deferred=deferred)
        case "refund.failed":
            refund = rows.find(Refund, attempt.refund)
            charge = rows.find(Charge, attempt.charge)
            if refund and charge and refund.status == "succeeded":
                taken = rows.taken.get(refund.id, 0)
                refunds.failed(settled, refund, charge, event.decline, tx.now, new_id, deferred=taken)
        case "payout.failed":
            payout = rows.find(Payout, attempt.payout)
            if payout and payout.status == "paid":
                payouts.failed(settled, payout, event.decline, tx.now, new_id)
        case _:
            pass
    if event.type.startswith(("payment.", "refund.", "payout.")) and attempt.state not in ("succeeded", "authorized"):
        settled.decision.due.append(Due("attempt.resolve", attempt.id, tx.now, attempt.clock))
    return settled


async def _new(tx: Transaction, processor: str, events: Sequence[ProcessorEvent]) -> set[str]:
    """Those events that had not been heard before; from now on they have."""
    lines = [(processor, e.event_id, e.type, e.processor_id, e.at) for e in events]
    rows = await tx.all(query("attempts", "hear"), events=Json(msgspec.json.encode(lines)), wall=tx.wall)
    return {row[1] for row in rows}


async def _disputes(tx: Transaction, processor: str, events: Sequence[ProcessorEvent]) -> dict[str, Dispute]:
    """Disputes by the processor's name for them, locked."""
    names = [e.object_id or e.event_id for e in events if e.type.startswith("dispute.")]
    if not names:
        return {}
    found = await tx.select(
        Dispute, "t.processor = %(processor)s and t.processor_id = any(%(names)s)", "t.id for update",
        processor=processor, names=names,
    )  # fmt: skip
    return {d.processor_id: d for d in found}


def _clock(rows: Rows, id: str) -> str | None:
    attempt = rows.find(Attempt, id)
    return attempt.clock if attempt else None
