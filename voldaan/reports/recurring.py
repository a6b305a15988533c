"""Monthly recurring revenue as rules: what a subscription is worth a month, and what a change of it is called. Pure.

Definitions are Stripe's where it publishes them (support.stripe.com/questions/billing-analytics):

* active and past_due subscriptions count, until they are canceled or told to cancel at the period's end;
  trials, incomplete, paused and unpaid ones do not;
* a year is twelve months, 52 weeks, 365 days;
* `forever` coupons subtract, `once` and `repeating` ones do not; tax and metered usage are left out.

A movement belongs to a customer and a currency: the first positive amount is `new`, a later one after zero
`reactivation`, a fall to zero `churn`, anything between `expansion` or `contraction`. What a customer adds within an
hour of arriving arrives with it: two subscriptions bought together are one `new`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import msgspec

from voldaan.resources.base import UNSET
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount
from voldaan.resources.prices import Price
from voldaan.rules import discounts as discounting
from voldaan.rules import pricing
from voldaan.rules.coupons import amount_off
from voldaan.rules.money import SCALE, divide, scaled
from voldaan.rules.prices import terms

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


@dataclass(frozen=True, slots=True)
class Facts:
    """What snapshots only name: prices, and discounts with their coupons, also those of customers themselves."""

    prices: Mapping[str, Price] = field(default_factory=dict)
    discounts: Mapping[str, Discount] = field(default_factory=dict)
    coupons: Mapping[str, Coupon] = field(default_factory=dict)
    of_customer: Mapping[str, Sequence[Discount]] = field(default_factory=dict)


def monthly_amount(seen: SeenSubscription, facts: Facts, at: int) -> int:
    """What the subscription is worth a month at `at`, in minor units of its currency; never negative."""
    if seen.status not in COUNTING or seen.cancel_at_period_end:
        return 0
    lines, periods = [], []
    for item in seen.items.data:
        price = facts.prices.get(item.price_id)
        if price is None or price.recurring_usage_type == "metered":
            continue
        lines.append(
            discounting.DiscountableLine(
                pricing.amount(terms(price, seen.currency), item.quantity),
                _forever(item.discounts, seen, facts, at),
                price.product,
            )
        )
        periods.append((price, item.tax_rates if item.tax_rates else seen.default_tax_rates))
    taken = discounting.apply(lines, _of_all_items(seen, facts, at))
    return sum(
        max(_a_month(line.amount - discounting.total(off), price, rates), 0)
        for line, off, (price, rates) in zip(lines, taken, periods, strict=True)
    )


def _a_month(amount: int, price: Price, rates: Sequence[SeenRate | str] | None) -> int:
    """The amount of one period as that of a month, without the tax that it includes; rounded once."""
    times, months = PER_MONTH[price.recurring_interval or "month"]
    included = sum(scaled(rate.percentage) for rate in rates or () if isinstance(rate, SeenRate) and rate.inclusive)
    return divide(amount * times * 100 * SCALE, months * (price.recurring_interval_count or 1) * (100 * SCALE + included))


def _of_all_items(seen: SeenSubscription, facts: Facts, at: int) -> tuple[discounting.Discount, ...]:
    """The subscription's own discounts; without any on it or its items, those of its customer."""
    if seen.discounts or any(item.discounts for item in seen.items.data):
        return _forever(seen.discounts, seen, facts, at)
    return _applicable(facts.of_customer.get(seen.customer, ()), seen, facts, at)


def _forever(
    ids: Sequence[str], seen: SeenSubscription, facts: Facts, at: int
) -> tuple[discounting.Discount, ...]:
    return _applicable([facts.discounts[id] for id in ids if id in facts.discounts], seen, facts, at)


def _applicable(
    found: Iterable[Discount], seen: SeenSubscription, facts: Facts, at: int
) -> tuple[discounting.Discount, ...]:
    """Those of them that last for ever and are in force."""
    chosen = []
    for discount in found:
        coupon = facts.coupons.get(discount.source.coupon or "")
        in_force = discount.start <= at and (discount.end is None or at < discount.end)
        if coupon is None or coupon.duration != "forever" or not in_force:
            continue
        limited = coupon.applies_to.products if coupon.applies_to is not UNSET else None
        chosen.append(
            discounting.Discount(
                discount.id,
                percent_off=coupon.percent_off,
                amount_off=amount_off(coupon, seen.currency) or 0,
                products=frozenset(limited) if limited else None,
            )
        )
    return tuple(chosen)


# ── what a change is called ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription's amount after the last event that was read of it."""

    subscription: str
    customer: str
    currency: str
    amount: int
    event: str
    snapshot: str


@dataclass(frozen=True, slots=True)
class Movement:
    """One change; `amount` is positive, the kind says whether it is a gain."""

    event: str
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

    def of(self, customer: str) -> list[Standing]:
        return list(self.standings.get(customer, {}).values())

    def enter(self, new: Standing, at: int) -> None:
        """Takes over what an event says, and notes the movement if the amount is another one.

        An event older than what is known of the subscription changes nothing.
        """
        known = self.standings.setdefault(new.customer, {})
        was = known.get(new.subscription)
        if was and new.event <= was.event:
            return
        change = new.amount - (was.amount if was else 0)
        if change:
            before = sum(s.amount for s in known.values() if s.currency == new.currency)
            kind = self._kind((new.customer, new.currency), before, change, at)
            self.movements.append(
                Movement(new.event, new.subscription, new.customer, new.currency, kind, abs(change), at)
            )
        known[new.subscription] = new

    def _kind(self, who: tuple[str, str], before: int, change: int, at: int) -> Kind:
        if change < 0:
            return "contraction" if before + change > 0 else "churn"
        arrival = self.arrivals.get(who)
        if before == 0:
            kind: Kind = "reactivation" if arrival else "new"
            self.arrivals[who] = at, kind
            return kind
        return arrival[1] if arrival and at - arrival[0] <= ARRIVING_SECONDS else "expansion"
