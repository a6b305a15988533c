"""Discounts: which are active, and how much each takes off each line.

A line's own discounts come first, then those of the subscription or invoice; within a list the array's order counts,
and each works on what the ones before it left. Tax comes afterwards. Sources: docs/behaviour-rules.md, "Discounts".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from voldaan.rules.money import SCALE, apportion, scaled, split
from voldaan.rules.periods import add_interval

Duration = Literal["once", "repeating", "forever"]


@dataclass(frozen=True, slots=True)
class Discount:
    """A redeemed coupon: a percentage or an amount, exactly one of them.

    amount_off is in minor units of the invoice's currency. products limits it to lines of these products; None means
    all. start and end are instants, end only with duration repeating. consumed: a once-only discount that an invoice
    has already used.
    """

    id: str
    percent_off: Decimal | None = None
    amount_off: int | None = None
    duration: Duration = "forever"
    start: int = 0
    end: int | None = None
    consumed: bool = False
    products: frozenset[str] | None = None


# Lines and what is taken off them are made by the thousand in a billing run: named tuples are made in half the time.


class DiscountableLine(NamedTuple):
    """A line before discounts, in minor units. Prorations are not discountable: their discounts are in the amount."""

    amount: int
    discounts: tuple[Discount, ...] = ()
    product: str | None = None
    discountable: bool = True


class DiscountAmount(NamedTuple):
    """What one discount takes off one line: a positive amount in minor units."""

    discount: str
    amount: int


def ends_at(start: int, duration: Duration, duration_in_months: int | None) -> int | None:
    """When a discount ends: some months after its start; None for once and forever."""
    if duration != "repeating" or duration_in_months is None:
        return None
    return add_interval(start, "month", 1, duration_in_months)


def is_active(discount: Discount, period_start: int) -> bool:
    """Whether the discount still counts on an invoice for a period that starts then. It has begun: a draft may be older
    than a discount that it was given.

    once: on the first invoice only, even if that is one of zero. repeating: on every invoice within its months, whole
    even when the period reaches beyond them.
    """
    if discount.duration == "once":
        return not discount.consumed
    return discount.end is None or period_start < discount.end


def apply(lines: Sequence[DiscountableLine], discounts: Sequence[Discount] = ()) -> list[list[DiscountAmount]]:
    """Per line what each discount takes off it, in the order of application; discounts are the invoice's own.

    A discount over several lines is computed once on their sum and shared by largest remainder, so that cutting an
    order into lines changes nothing. No line falls below zero; what an amount_off cannot use is lost. Lines that are
    not discountable, or not positive, are left alone. Only active discounts may be passed.
    """
    taken: list[list[DiscountAmount]] = [[] for _ in lines]
    left = [line.amount if line.discountable and line.amount > 0 else 0 for line in lines]
    for index, line in enumerate(lines):
        for discount in line.discounts:
            _take(discount, [index], lines, left, taken)
    for discount in discounts:
        _take(discount, range(len(lines)), lines, left, taken)
    return taken


def total(amounts: Sequence[DiscountAmount]) -> int:
    """What the discounts of one line take off together."""
    return sum(each.amount for each in amounts)


def _take(
    discount: Discount,
    candidates: Sequence[int],
    lines: Sequence[DiscountableLine],
    left: list[int],
    taken: list[list[DiscountAmount]],
) -> None:
    """Applies one discount to the candidate lines: lowers what is left of them and notes what was taken."""
    products = discount.products
    chosen = [index for index in candidates if left[index] and (products is None or lines[index].product in products)]
    if not chosen:
        return
    remainders = [left[index] for index in chosen]
    if discount.percent_off is not None:
        percent = scaled(discount.percent_off)
        shares = apportion([remainder * percent for remainder in remainders], 100 * SCALE)
    else:
        shares = split(min(discount.amount_off or 0, sum(remainders)), remainders)
    for index, share in zip(chosen, shares, strict=True):
        if share:
            left[index] -= share
            taken[index].append(DiscountAmount(discount.id, share))
