"""Monthly recurring revenue as rules: what a subscription is worth a month, and what a change of it is called. Pure.

Definitions are Stripe's where it publishes them (support.stripe.com/questions/billing-analytics):

* active and past_due subscriptions count, until they are canceled or told to cancel at the period's end;
  trials, incomplete, paused and unpaid ones do not;
* a year is twelve months, 52 weeks, 365 days;
* `forever` coupons subtract, `once` and `repeating` ones do not; tax and metered usage are left out.

The amount of a period is what a renewal at that instant would bill, by the functions that bill it: the price that a contract
puts in the place of the listed one, its tiers for the quantity, and discounts. Begins or ends a contract, the amount moves
then, and the movement names the contract.

A movement belongs to a customer and a currency: the first positive amount is `new`, a later one after zero
`reactivation`, a fall to zero `churn`, anything between `expansion` or `contraction`. What a customer adds within an
hour of arriving arrives with it: two subscriptions bought together are one `new`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from voldaan.resources.discounts import Discount
from voldaan.resources.prices import Price
from voldaan.rules import discounts as discounting
from voldaan.rules import pricing
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.money import SCALE, divide, scaled

Kind = Literal["new", "expansion", "contraction", "churn", "reactivation"]
KINDS: tuple[Kind, ...] = ("new", "reactivation", "expansion", "contraction", "churn")
GAINS: frozenset[Kind] = frozenset({"new", "reactivation", "expansion"})

COUNTING = frozenset({"active", "past_due"})
ARRIVING_SECONDS = 3600
# How many months' worth one period is, as a fraction: the amount of a period times this is a month's.
PER_MONTH: dict[str, tuple[int, int]] = {"month": (1, 1), "year": (1, 12), "week": (52, 12), "day": (365, 12)}


# ── what an event's snapshot says of a subscription ─────────────────────────────────────────────────────────────────


class SeenPrice(msgspec.Struct):
    id: str


class SeenRate(msgspec.Struct):
    percentage: Decimal
    inclusive: bool


class SeenItem(msgspec.Struct):
    price: SeenPrice | str
    quantity: int = 1
    discounts: list[str] = []
    tax_rates: list[SeenRate | str] | None = None

    @property
    def price_id(self) -> str:
        return self.price if isinstance(self.price, str) else self.price.id


class SeenItems(msgspec.Struct):
    data: list[SeenItem]


class SeenSubscription(msgspec.Struct):
    """The fields of a snapshot that decide the amount; the rest is skipped while decoding."""

    id: str
    customer: str
    currency: str
    status: str
    cancel_at_period_end: bool
    items: SeenItems
    discounts: list[str] = []
    default_tax_rates: list[SeenRate | str] | None = None


class Turn(NamedTuple):
    """An instant at which a price begins or ends to be charged in another's place, and the contract that says so."""

    at: int
    contract: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What snapshots only name or do not know: the catalogue with what was agreed in contracts and when that turns, discounts
    of customers themselves, and the subscriptions that have none of these."""

    catalogue: Catalogue
    of_customer: Mapping[str, Sequence[Discount]] = field(default_factory=dict)
    ignoring: Set[str] = frozenset()
    turns: Mapping[str, Sequence[Turn]] = field(default_factory=dict)


def monthly_amount(seen: SeenSubscription, facts: Facts, at: int) -> int:
    """What the subscription is worth a month at `at`, in minor units of its currency; never negative."""
    if seen.status not in COUNTING or seen.cancel_at_period_end:
        return 0
    catalogue, lines, periods = facts.catalogue, [], []
    for item in seen.items.data:
        price = catalogue.prices.get(catalogue.agreed(seen.customer, item.price_id, at))
        if price is None or price.recurring_usage_type == "metered":
            continue
        amount = pricing.amount(catalogue.terms(price.id, seen.currency), item.quantity)
        lines.append(discounting.DiscountableLine(amount, _forever(item.discounts, seen, catalogue, at), price.product))
        periods.append((price, item.tax_rates if item.tax_rates else seen.default_tax_rates))
    taken = discounting.apply(lines, _forever(_of_whole(seen, facts, at), seen, catalogue, at))
    return sum(
        max(_a_month(line.amount - discounting.total(off), price, rates), 0)
        for line, off, (price, rates) in zip(lines, taken, periods, strict=True)
    )


def _a_month(amount: int, price: Price, rates: Sequence[SeenRate | str] | None) -> int:
    """The amount of one period as that of a month, without the tax that it includes; rounded once."""
    times, months = PER_MONTH[price.recurring_interval or "month"]
    included = sum(scaled(rate.percentage) for rate in rates or () if isinstance(rate, SeenRate) and rate.inclusive)
    return divide(amount * times * 100 * SCALE, months * (price.recurring_interval_count or 1) * (100 * SCALE + included))


def _of_whole(seen: SeenSubscription, facts: Facts, at: int) -> list[str]:
    """The discounts on whole invoices, as rules/renewals.discounts_of: the subscription's own, else the customer's of then,
    unless it shall not inherit that."""
    if seen.discounts or seen.id in facts.ignoring:
        return seen.discounts
    return [d.id for d in facts.of_customer.get(seen.customer, ()) if d.start <= at and (d.end is None or at < d.end)]


def _forever(ids: Sequence[str], seen: SeenSubscription, catalogue: Catalogue, at: int) -> tuple[discounting.Discount, ...]:
    """Those of these discounts that last for ever and are in force."""
    found = catalogue.active(ids, seen.currency, at)
    return tuple(d for d in found if d.duration == "forever" and d.start <= at)


# ── what a change is called ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription's amount after the last event that was read of it. Contracts that turn before `valued_at` are in it."""

    subscription: str
    customer: str
    currency: str
    amount: int
    event: str
    snapshot: str
    valued_at: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One change; `amount` is positive, the kind says whether it is a gain. `cause` is an event, or a contract that turned."""

    cause: str
    subscription: str
    customer: str
    currency: str
    kind: Kind
    amount: int
    at: int


@dataclass(slots=True)
class Book:
    """What is known of some customers: their subscriptions' amounts, and when and how each last came from nothing."""

    standings: dict[str, dict[str, Standing]]                  # customer -> subscription -> standing
    arrivals: dict[tuple[str, str], tuple[int, Kind]]          # (customer, currency) -> (at, new or reactivation)
    movements: list[Movement] = field(default_factory=list)
    changed: dict[str, Standing] = field(default_factory=dict)

    def of(self, customer: str) -> list[Standing]:
        return list(self.standings.get(customer, {}).values())

    def enter(self, new: Standing, at: int) -> None:
        """Takes over what an event says. One older than what is known of the subscription changes nothing."""
        was = self.standings.get(new.customer, {}).get(new.subscription)
        if was is None or new.event > was.event:
            self._move(new, was.amount if was else 0, new.event, at)

    def turn(self, was: Standing, amount: int, turn: Turn, until: int) -> None:
        """What a subscription is worth once a contract has turned. While a clock stands at that instant it may turn again."""
        new = replace(was, amount=amount, valued_at=min(turn.at + 1, until))
        if new != was:
            self._move(new, was.amount, turn.contract, turn.at)

    def _move(self, new: Standing, was: int, cause: str, at: int) -> None:
        """Notes the movement if the amount is another one."""
        known, change = self.standings.setdefault(new.customer, {}), new.amount - was
        if change:
            before = sum(s.amount for s in known.values() if s.currency == new.currency)
            kind = self._kind((new.customer, new.currency), before, change, at)
            self.movements.append(Movement(cause, new.subscription, new.customer, new.currency, kind, abs(change), at))
        known[new.subscription] = self.changed[new.subscription] = new

    def _kind(self, who: tuple[str, str], before: int, change: int, at: int) -> Kind:
        if change < 0:
            return "contraction" if before + change > 0 else "churn"
        arrival = self.arrivals.get(who)
        if before == 0:
            kind: Kind = "reactivation" if arrival else "new"
            self.arrivals[who] = at, kind
            return kind
        return arrival[1] if arrival and at - arrival[0] <= ARRIVING_SECONDS else "expansion"
