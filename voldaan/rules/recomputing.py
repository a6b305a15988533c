"""A line computed again from what it was computed from: with the prices as they are, or with others in their place.

The functions are those that made the line. Used to explain an invoice and to replay a period.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec.structs import replace

from voldaan.resources.basis import Basis
from voldaan.resources.billing import DiscountAmount
from voldaan.resources.explanations import MadeOf
from voldaan.resources.line_items import LineItem, LineUsage
from voldaan.rules import discounts as discounting
from voldaan.rules import itemizing, lines, pricing
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.lines import Calendar, Stretch
from voldaan.rules.money import line_amount
from voldaan.rules.proration import Charge, Proration, Share, remaining_debit, unused_credit

NOTHING = Decimal(0)
MADE_OF: dict[str, MadeOf] = {
    "time": "price_for_part_of_a_period", "trial": "trial", "free": "free_time", "given": "amount_given",
    "unused": "unused_time", "remaining": "remaining_time", "longer": "longer_period",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Charged:
    """What a line or an invoice item has charged, in minor units after discounts, and what each of these took off."""

    amount: int
    off: Sequence[DiscountAmount] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """The charge that a proration is a share of, in minor units: the price less discounts, or what was debited."""

    gross: int
    discounts: int
    amount: int


@dataclass(frozen=True, slots=True)
class Recomputed:
    """The amount before the line's discounts and exclusive tax, and what it consists of."""

    amount: int
    made_of: MadeOf
    tiers: list[pricing.TierAmount] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    share: Share | None = None
    whole: Whole | None = None
    taken: list[DiscountAmount] | None = None  # of a proration that itemizes its discounts


def again(
    line: LineItem, catalogue: Catalogue, debited: Mapping[str, Charged], price: str | None = None
) -> Recomputed:
    """The line's amount anew; `price` stands in for its own. `debited` is what lines and invoice items charge after
    discounts, for credits: one that is not there charges what it did, and so does one of which a part was given back before."""
    price = price or line.price
    if line.usage is not None and price is not None:
        return _used(line, line.usage, catalogue, price)
    basis = line.basis
    if basis is None:
        return _plain(line, catalogue, price)
    made_of = MADE_OF[basis.kind]
    if basis.kind in ("trial", "free"):
        return Recomputed(0, made_of)
    if basis.kind == "given" or price is None:
        return Recomputed(line.amount, made_of)
    if basis.kind == "time":
        found = _stretches(line, basis, catalogue, price)
        return Recomputed(sum(each.amount for each in found), made_of, stretches=found)
    return _prorated(line, basis, catalogue, price, debited)


def _plain(line: LineItem, catalogue: Catalogue, price: str | None) -> Recomputed:
    if price is not None:
        terms, units = catalogue.terms(price, line.currency), _units(line)
        tiers = pricing.tier_breakdown(terms, units) if terms.billing_scheme == "tiered" else []
        return Recomputed(pricing.amount(terms, units), "price", tiers)
    if line.unit_amount_decimal is not None:
        quantity = Decimal(1) if line.quantity_decimal is None else line.quantity_decimal
        return Recomputed(line_amount(line.unit_amount_decimal, quantity), "unit_amount")
    return Recomputed(line.amount, "amount_given")


def _used(line: LineItem, usage: LineUsage, catalogue: Catalogue, price: str) -> Recomputed:
    """What the whole usage of the period costs, less what was billed of it before."""
    terms = catalogue.terms(price, line.currency)
    amount = pricing.amount(terms, max(usage.quantity, NOTHING))
    if usage.before is not None:
        amount -= pricing.amount(terms, max(usage.before, NOTHING))
    tiers = pricing.tier_breakdown(terms, max(usage.quantity, NOTHING)) if terms.billing_scheme == "tiered" else []
    return Recomputed(amount, "usage", tiers)


def _prorated(
    line: LineItem, basis: Basis, catalogue: Catalogue, price: str, debited: Mapping[str, Charged]
) -> Recomputed:
    """A share of a charge: of one that was debited, or of the price for a whole period."""
    found: list[Stretch] = []
    if basis.anchor is None:
        whole, off = _as_debited(basis, debited)
    else:
        found = _stretches(line, basis, catalogue, price)
        whole, off = _as_priced(line, basis, catalogue, price, sum(each.amount for each in found))
    proration = _share(basis, whole.amount)
    amount, taken = proration.amount, None
    if basis.taken is not None:
        amount, taken = itemizing.itemize(amount, whole.amount, off, proration.share, back=basis.kind == "unused")
    share = None if basis.kind == "longer" else proration.share
    return Recomputed(amount, MADE_OF[basis.kind], stretches=found, share=share, whole=whole, taken=taken)


def _as_debited(basis: Basis, debited: Mapping[str, Charged]) -> tuple[Whole, Sequence[DiscountAmount]]:
    """What was debited, as it stands; as it was where a part of it had been given back before."""
    then = Charged(basis.whole, basis.off)
    source = then if basis.cut else debited.get(basis.source or "", then)
    off = source.off if basis.taken is not None else ()
    return Whole(source.amount + itemizing.total(off), itemizing.total(off), source.amount), off


def _as_priced(
    line: LineItem, basis: Basis, catalogue: Catalogue, price: str, gross: int
) -> tuple[Whole, Sequence[DiscountAmount]]:
    """The price less what discounts take off it."""
    off = _off(line, basis, catalogue, price, gross)
    return Whole(gross, itemizing.total(off), gross - itemizing.total(off)), off


def _share(basis: Basis, whole: int) -> Proration:
    """The part of a whole charge that the line gives back, or charges."""
    assert basis.start is not None
    assert basis.end is not None
    assert basis.at is not None
    if basis.kind == "longer":
        return Proration(whole, basis.start, basis.end, Share(1, 1))
    charge = Charge(whole, basis.start, basis.end, None, basis.credited)
    if basis.kind == "unused":
        return unused_credit(charge, basis.at, basis.grain, basis.zone)
    return remaining_debit(charge, basis.at, basis.grain, basis.zone)


def with_discounts(line: LineItem, found: Recomputed) -> LineItem:
    """A copy of the line whose itemized discounts are those that were computed."""
    twin = copy.copy(line)
    if line.basis is not None and found.taken is not None:
        twin.basis = replace(line.basis, taken=found.taken)
    return twin


def _off(line: LineItem, basis: Basis, catalogue: Catalogue, price: str, gross: int) -> Sequence[DiscountAmount]:
    """The discounts in a proration. Where the gross price is another, percentages are taken of it anew, and fixed sums as
    far as there is something to take them off."""
    if gross == basis.gross:
        return basis.off
    product = catalogue.prices[price].product
    found = [catalogue.in_force(each.discount, line.currency) for each in basis.off]
    own = tuple(discount for discount in found if discount is not None)
    [taken] = discounting.apply([discounting.DiscountableLine(gross, own, product)])
    return [DiscountAmount(amount=each.amount, discount=each.discount) for each in taken]


def _stretches(line: LineItem, basis: Basis, catalogue: Catalogue, price: str) -> list[Stretch]:
    assert basis.anchor is not None
    assert basis.start is not None
    assert basis.end is not None
    calendar = Calendar(basis.anchor, basis.zone, basis.grain)
    units = 1 if line.quantity_decimal is None else int(line.quantity_decimal)
    return list(lines.stretches(catalogue, calendar, price, line.currency, units, basis.start, basis.end))


def _units(line: LineItem) -> int | Decimal:
    units = Decimal(1) if line.quantity_decimal is None else line.quantity_decimal
    return int(units) if units == int(units) else units
