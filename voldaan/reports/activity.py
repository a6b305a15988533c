"""What happens: money on its way to the bank, work that is due, and the latest events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from voldaan.events import snapshots
from voldaan.resources.customers import Customer
from voldaan.store.ids import earliest, made_at
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

TOLD = (
    "customer.created", "customer.deleted",
    "customer.subscription.created", "customer.subscription.deleted", "customer.subscription.paused",
    "customer.subscription.resumed", "customer.subscription.trial_will_end",
    "invoice.paid", "invoice.payment_failed", "invoice.payment_action_required", "invoice.sent", "invoice.overdue",
    "invoice.voided", "invoice.marked_uncollectible",
    "payment_intent.succeeded", "payment_intent.payment_failed",
    "charge.refunded", "charge.dispute.created", "charge.dispute.closed",
    "payout.created", "payout.paid", "payout.failed",
)  # fmt: skip
REQUEST_ID = re.compile(r"req_[0-9A-Za-z]{26}")
REQUEST_SECONDS = 900  # a request's events are made within this time after its id


@dataclass(frozen=True, slots=True)
class PayoutRow:
    id: str
    currency: str
    amount: int
    status: str
    automatic: bool
    created: int
    arrival: int


@dataclass(frozen=True, slots=True)
class DueKind:
    """Due work of one kind. `next` is when its first row is due; parked rows wait for a person."""

    kind: str
    on_clock: bool
    count: int
    next: int | None
    parked: int
    error: str | None

    def plus(self, other: DueKind) -> DueKind:
        next = min((t for t in (self.next, other.next) if t is not None), default=None)
        count, parked = self.count + other.count, self.parked + other.parked
        return DueKind(self.kind, self.on_clock, count, next, parked, self.error or other.error)


@dataclass(frozen=True, slots=True)
class Told:
    """An event for people: `object` is the snapshot, `customer` the name behind it."""

    id: str
    type: str
    at: int
    object_id: str
    object: dict[str, Any]
    customer: str | None


async def payouts(tx: Transaction, limit: int = 5) -> dict[str, list[PayoutRow]]:
    """The last payouts by currency."""
    found: dict[str, list[PayoutRow]] = {}
    for row in await tx.all(query("reports", "payouts"), limit=limit):
        payout = PayoutRow(*row)
        found.setdefault(payout.currency, []).append(payout)
    return found


async def due_work(tx: Transaction) -> tuple[list[DueKind], dict[str, int]]:
    """Due work by kind, what was given up first, then by time; and when the next payout of each currency is due."""
    rows = await tx.all(query("reports", "due_work"))
    kinds: dict[tuple[str, bool], DueKind] = {}
    for kind, on_clock, _, *figures in rows:
        new = DueKind(kind, on_clock, *figures)
        known = kinds.get((kind, on_clock))
        kinds[kind, on_clock] = known.plus(new) if known else new
    ordered = sorted(kinds.values(), key=lambda d: (not d.parked, d.next is None, d.next or 0, d.kind))
    return ordered, {currency: next for _, _, currency, _, next, _, _ in rows if currency and next is not None}


async def latest(tx: Transaction, limit: int = 12) -> list[Told]:
    """The latest events that people care about, newest first."""
    return await _told(tx, await tx.all(query("reports", "activity"), types=list(TOLD), limit=limit))


async def of_request(tx: Transaction, request: str) -> list[Told]:
    """What one request did, in order; empty for an id that is none."""
    if not REQUEST_ID.fullmatch(request):
        return []
    begin = made_at(request)
    rows = await tx.all(
        query("reports", "events_of_request"),
        after=earliest("evt", begin), before=earliest("evt", begin + REQUEST_SECONDS), request=request,
    )  # fmt: skip
    return await _told(tx, rows)


async def _told(tx: Transaction, rows: list[Any]) -> list[Told]:
    objects = [snapshots.unpack_object(bytes(frame), place)["object"] for *_, frame, place in rows]
    customers = await tx.get(Customer, {who for seen in objects if isinstance(who := seen.get("customer"), str)})
    return [
        Told(id, type, at, object_id, seen, _name(seen, customers))
        for (id, type, at, object_id, _, _), seen in zip(rows, objects, strict=True)
    ]


def _name(seen: dict[str, Any], customers: dict[str, Customer]) -> str | None:
    if seen.get("object") == "customer":
        return seen.get("name") or seen.get("email")
    known = customers.get(seen.get("customer") or "")
    if known:
        return known.name or known.email or known.id
    return seen.get("customer_name") or seen.get("customer_email")
