"""Monthly recurring revenue: read from the events of subscriptions, once each, and kept as movements.

Events carry the whole subscription as it was, so the amount at any time follows from them, and from the contracts of its
customer, which say since when which prices hold. What was read stands in mrr_subscriptions (now) and mrr_movements (how it came
to that), which agree to the last unit:

    start + new + reactivation + expansion - contraction - churn = end      (per currency and month)

`catch_up` reads what has happened since; it is called before the figures are shown. Rules: reports/recurring.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voldaan.events import snapshots
from voldaan.reports.months import first_instant, months_until, within
from voldaan.reports.recurring import GAINS, Book, Facts, Kind, SeenSubscription, Standing, Turn, monthly_amount
from voldaan.resources.contracts import Contract
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount
from voldaan.resources.prices import Price
from voldaan.rules import contracts as contracting
from voldaan.rules.catalogue import Catalogue
from voldaan.store.adapt import Json
from voldaan.store.ids import earliest
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

SUBSCRIPTION_EVENTS = [f"customer.subscription.{verb}" for verb in ("created", "updated", "deleted", "paused", "resumed")]
DISCOUNT_EVENTS = [f"customer.discount.{verb}" for verb in ("created", "updated", "deleted")]
READ_AGAIN_SECONDS = 600  # far longer than a transaction can be open between making an id and committing it
BATCH = 2000


class SeenDiscount(msgspec.Struct):
    id: str
    customer: str | None = None


class SubscriptionData(msgspec.Struct):
    object: SeenSubscription


class DiscountData(msgspec.Struct):
    object: SeenDiscount


_subscription = msgspec.json.Decoder(SubscriptionData, strict=False)
_discount = msgspec.json.Decoder(DiscountData)


@dataclass(frozen=True, slots=True)
class Seen:
    """One event: either shows a subscription, or says that a customer's discount changed."""

    event: str
    at: int
    customer: str
    subscription: SeenSubscription | None


# ── reading events ──────────────────────────────────────────────────────────────────────────────────────────────────


async def catch_up(tx: Transaction, batch: int = BATCH) -> bool:
    """Reads at most `batch` events that were not read yet; if none is left, contracts that have begun or ended since.
    Returns whether that was all.

    If another transaction is reading, this one leaves it to it.
    """
    await tx.run(query("reports", "mrr_begin"))
    cursor = await tx.one(query("reports", "mrr_cursor"))
    if cursor is None:
        return True
    rows = await tx.all(
        query("reports", "mrr_unread"), after=cursor[0], types=SUBSCRIPTION_EVENTS + DISCOUNT_EVENTS, limit=batch
    )
    if rows:
        await _enter_all(tx, [_read(*row) for row in rows])
    settled = earliest("evt", tx.wall - READ_AGAIN_SECONDS)
    reached = min(settled, rows[-1][0]) if len(rows) == batch else settled
    if rows or reached > earliest("evt", tx.wall - 2 * READ_AGAIN_SECONDS) > cursor[0]:
        await tx.run(query("reports", "mrr_move_cursor"), id=max(reached, cursor[0]))
        await tx.run(query("reports", "mrr_forget_read"))
    return len(rows) < batch and await _turn_all(tx, batch)


async def forget(tx: Transaction) -> None:
    """Throws away what was read: the next `catch_up` begins at the first event."""
    await tx.run(query("reports", "mrr_forget"))


def _read(event: str, type: str, at: int, frame: bytes, place: int) -> Seen:
    text = snapshots.unpack(bytes(frame), place)
    if type in DISCOUNT_EVENTS:
        return Seen(event, at, _discount.decode(text).object.customer or "", None)
    subscription = _subscription.decode(text).object
    return Seen(event, at, subscription.customer, subscription)


async def _enter_all(tx: Transaction, seen: Sequence[Seen]) -> None:
    customers = {s.customer for s in seen}
    book, contracts = await _book(tx, customers), await _contracts(tx, customers)
    again = {s.customer for s in seen if s.subscription is None} | contracts.keys()
    older = await _snapshots(tx, [s for customer in again for s in book.of(customer)])
    facts = await _facts(tx, [*older.values(), *(s.subscription for s in seen if s.subscription)], contracts)
    for event in seen:
        _turn(book, facts, older, event.customer, event.at)
        _enter(book, facts, older, event)
    await _keep(tx, book)
    await tx.run(query("reports", "mrr_remember"), ids=[s.event for s in seen])


async def _turn_all(tx: Transaction, batch: int) -> bool:
    """Contracts that have begun or ended by themselves, with no event of a subscription. Returns whether that was all: clocks
    that stand at such an instant come last, and change nothing any more."""
    now = dict(await tx.all(query("reports", "mrr_turned"), wall=tx.wall, limit=batch))
    if not now:
        return True
    book, contracts = await _book(tx, set(now)), await _contracts(tx, set(now))
    older = await _snapshots(tx, [s for customer in now for s in book.of(customer)])
    facts = await _facts(tx, list(older.values()), contracts)
    for customer, at in now.items():
        _turn(book, facts, older, customer, at)
    await _keep(tx, book)
    return len(now) < batch or not book.changed


def _turn(book: Book, facts: Facts, older: dict[str, SeenSubscription], customer: str, until: int) -> None:
    """Values the customer's subscriptions anew at each instant at which a contract began or ended."""
    for turn in facts.turns.get(customer, ()):
        if turn.at > until:
            return
        for was in book.of(customer):
            if was.valued_at <= turn.at and was.subscription in older:
                book.turn(was, monthly_amount(older[was.subscription], facts, turn.at), turn, until)


def _enter(book: Book, facts: Facts, older: dict[str, SeenSubscription], event: Seen) -> None:
    known = {s.subscription: s for s in book.of(event.customer)}
    if event.subscription:
        shown = [(event.subscription, event.event)]
        older[event.subscription.id] = event.subscription
    else:
        shown = [(older[s.subscription], s.snapshot) for s in known.values() if s.subscription in older]
    for seen, snapshot in shown:
        was = known.get(seen.id)
        at = max(event.at, was.valued_at) if was else event.at  # an event may be seen after a contract has turned
        amount = monthly_amount(seen, facts, at)
        book.enter(Standing(seen.id, seen.customer, seen.currency, amount, event.event, snapshot, at), event.at)


async def _keep(tx: Transaction, book: Book) -> None:
    await tx.run(query("reports", "mrr_put_standings"), rows=_json(list(book.changed.values())))
    await tx.run(query("reports", "mrr_add_movements"), rows=_json(book.movements))


async def _book(tx: Transaction, customers: set[str]) -> Book:
    wanted = sorted(customers)
    standings: dict[str, dict[str, Standing]] = {}
    for row in await tx.all(query("reports", "mrr_standings"), customers=wanted):
        standing = Standing(*row)
        standings.setdefault(standing.customer, {})[standing.subscription] = standing
    arrivals = {
        (customer, currency): (at, kind)
        for customer, currency, at, kind in await tx.all(query("reports", "mrr_arrivals"), customers=wanted)
    }
    return Book(standings, arrivals)


async def _snapshots(tx: Transaction, standings: Sequence[Standing]) -> dict[str, SeenSubscription]:
    """Subscriptions as they were last shown, for customers whose discount changed."""
    if not standings:
        return {}
    rows = await tx.all(query("reports", "mrr_snapshots"), ids=sorted({s.snapshot for s in standings}))
    found = [_subscription.decode(snapshots.unpack(bytes(frame), place)).object for frame, place in rows]
    return {subscription.id: subscription for subscription in found}


async def _contracts(tx: Transaction, customers: set[str]) -> dict[str, list[Contract]]:
    """The contracts that say or have said what these customers are charged."""
    found: dict[str, list[Contract]] = {}
    for contract in await tx.select(Contract, "t.customer_id = any(%(customers)s)", customers=sorted(customers)):
        if contract.price_overrides or contract.formerly:
            found.setdefault(contract.customer, []).append(contract)
    return found


async def _facts(
    tx: Transaction, shown: Sequence[SeenSubscription], contracts: Mapping[str, Sequence[Contract]]
) -> Facts:
    items = [item for subscription in shown for item in subscription.items.data]
    named = {id for subscription in shown for id in subscription.discounts} | {id for item in items for id in item.discounts}
    own = await tx.select(
        Discount,
        "t.customer_id = any(%(customers)s) and t.subscription_id is null and t.subscription_item_id is null"
        " and t.invoice_id is null and t.invoice_item_id is null",
        customers=sorted({subscription.customer for subscription in shown}),
    )
    of_customer: dict[str, list[Discount]] = {}
    for discount in own:
        of_customer.setdefault(discount.customer or "", []).append(discount)
    ignoring = [s.id for s in shown if s.customer in of_customer]
    agreements, overrides, turns = _agreed(contracts)
    discounts = {**await tx.get(Discount, named), **{discount.id: discount for discount in own}}
    catalogue = Catalogue(
        prices=await tx.get(Price, overrides | {item.price_id for item in items}),
        discounts=discounts,
        coupons=await tx.get(Coupon, {d.source.coupon for d in discounts.values()}),
        agreements=agreements,
    )
    alone = {row[0] for row in await tx.all(query("reports", "mrr_ignoring"), ids=ignoring)} if ignoring else set()
    return Facts(catalogue, of_customer, alone, turns)


Agreements = dict[tuple[str, str], list[tuple[int, int | None, str]]]


def _agreed(contracts: Mapping[str, Sequence[Contract]]) -> tuple[Agreements, set[str], dict[str, list[Turn]]]:
    """What was agreed as the catalogue has it, the prices of that, and when it turns: if one contract follows another, by the
    one that begins."""
    agreements: Agreements = {}
    turns: dict[str, list[Turn]] = {}
    for customer, found in contracts.items():
        named: dict[int, str] = {}
        for contract in sorted(found, key=lambda contract: contract.starts_at):
            named |= dict.fromkeys(contracting.turns(contract), contract.id)
            for each in contracting.agreed(contract):
                agreements.setdefault((customer, each.price), []).append((each.start, each.end, each.override))
        turns[customer] = sorted(Turn(at, contract) for at, contract in named.items())
    return agreements, {override for spells in agreements.values() for _, _, override in spells}, turns


def _json(rows: Sequence[Any]) -> Json:
    return Json(msgspec.json.encode(rows))


# ── the figures ─────────────────────────────────────────────────────────────────────────────────────────────────────


RECENT_DAYS = 30
DAY = 86_400


@dataclass(slots=True)
class Span:
    """A stretch of time: what moved in it, in minor units; `start` and `end` are the amounts around it.

    `name` is a calendar month (UTC), "2026-03", or "" for the last thirty days.
    """

    name: str
    start: int = 0
    moved: dict[Kind, int] = field(default_factory=dict)
    end: int = 0

    def amount(self, kind: Kind) -> int:
        return self.moved.get(kind, 0)

    def add(self, kind: Kind, amount: int) -> None:
        self.moved[kind] = self.amount(kind) + amount

    @property
    def net(self) -> int:
        return sum(signed(kind, amount) for kind, amount in self.moved.items())


def signed(kind: Kind, amount: int) -> int:
    return amount if kind in GAINS else -amount


@dataclass(slots=True)
class Recurring:
    """One currency: the amount now, how many customers pay it, the months that led to it, and the last thirty days."""

    amount: int = 0
    subscribers: int = 0
    months: list[Span] = field(default_factory=list)
    recent: Span = field(default_factory=lambda: Span(""))

    @property
    def per_subscriber(self) -> int | None:
        """Average revenue per subscriber a month; None without any."""
        return self.amount // self.subscribers if self.subscribers else None


async def recurring(tx: Transaction, now: int, count: int = 12) -> dict[str, Recurring]:
    """The figures by currency: now, and by month up to that of `now`."""
    names = months_until(now, count)
    found: dict[str, Recurring] = {}
    for currency, amount, subscribers in await tx.all(query("reports", "mrr_now")):
        found[currency] = Recurring(amount, subscribers, [Span(name) for name in names])
    before = dict.fromkeys(found, 0)
    for currency, month, recent, kind, amount in await tx.all(
        query("reports", "mrr_by_month"), start=first_instant(names[0]), recent=now - RECENT_DAYS * DAY
    ):
        place = within(names, month)
        if place is None:
            before[currency] += signed(kind, amount)
        else:
            found[currency].months[place].add(kind, amount)
        if recent:
            found[currency].recent.add(kind, amount)
    for currency, figures in found.items():
        running = before[currency]
        for span in figures.months:
            span.start, running = running, running + span.net
            span.end = running
        figures.recent.start, figures.recent.end = figures.amount - figures.recent.net, figures.amount
    return found
