"""Proration: what is left of a period at an instant, what of a charge is unused, what a new price costs to the end.

By the second, as Stripe does, or by whole calendar days, the day of the change counting as left. The share is kept as
two integers, so every line can be explained: "16 of 30 days", "1,382,400 of 2,592,000 seconds". Sources:
docs/behaviour-rules.md, "Prorations".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from voldaan.rules.money import divide
from voldaan.rules.periods import days_until

Grain = Literal["second", "day"]
BillingMode = Literal["classic", "flexible"]


@dataclass(frozen=True, slots=True)
class Share:
    """part / whole of a period, in seconds or days; 0 <= part <= whole, and whole is positive."""

    part: int
    whole: int

    def of(self, amount: int) -> int:
        """This share of an amount in minor units, rounded once, half away from zero."""
        return divide(amount * self.part, self.whole)


@dataclass(frozen=True, slots=True)
class Charge:
    """What an item cost for a period [start, end): a line that was billed, or the price as it stands now.

    amount is in minor units, after the item's discounts and before tax. credited, not negative, is how much of it
    earlier prorations gave back. line names it, so that a credit can point at what it credits.
    """

    amount: int
    start: int
    end: int
    line: str | None = None
    credited: int = 0


@dataclass(frozen=True, slots=True)
class Proration:
    """One proration line: a credit is negative, a debit positive. It covers [start, end) of the charge's period."""

    amount: int
    start: int
    end: int
    share: Share
    line: str | None = None


def remaining(start: int, end: int, at: int, grain: Grain = "second", zone: str = "UTC") -> Share:
    """The share of [start, end) that is left at an instant: all of it before the start, nothing after the end."""
    if grain == "second":
        whole = end - start
        return Share(min(max(end - at, 0), whole), whole)
    whole = days_until(start, end, zone)
    return Share(min(max(days_until(at, end, zone), 0), whole), whole or 1)


def within(start: int, end: int, period_start: int, period_end: int, grain: Grain = "second", zone: str = "UTC") -> Share:
    """The share that [start, end) is of the whole period it lies in: a stub before the anchor, or a period cut short."""
    if grain == "second":
        return Share(end - start, period_end - period_start)
    return Share(days_until(start, end, zone), days_until(period_start, period_end, zone) or 1)


def unused_credit(charge: Charge, at: int, grain: Grain = "second", zone: str = "UTC") -> Proration:
    """Gives back what of a charge lies after the instant; never more than is left of it after earlier credits."""
    share = remaining(charge.start, charge.end, at, grain, zone)
    unused = share.of(charge.amount)
    if charge.amount > 0:
        unused = min(unused, charge.amount - charge.credited)
    return Proration(-unused, min(max(at, charge.start), charge.end), charge.end, share, charge.line)


def remaining_debit(charge: Charge, at: int, grain: Grain = "second", zone: str = "UTC") -> Proration:
    """Charges for the rest of the period, given what the whole period costs."""
    share = remaining(charge.start, charge.end, at, grain, zone)
    return Proration(share.of(charge.amount), min(max(at, charge.start), charge.end), charge.end, share, charge.line)


def credit_base(mode: BillingMode, current: Charge, debited: Sequence[Charge]) -> Sequence[Charge]:
    """Which charges a change gives back: the only difference between the billing modes.

    classic: the item's price, quantity and discounts as they stand, for the whole period, billed or not.
    flexible: what was really debited for the item and reaches beyond the change, line by line.
    """
    return [current] if mode == "classic" else debited


def unused_credits(charges: Iterable[Charge], at: int, grain: Grain = "second", zone: str = "UTC") -> list[Proration]:
    """A credit for each charge that reaches beyond the instant; those that give nothing back are left out."""
    credits = (unused_credit(charge, at, grain, zone) for charge in charges if charge.end > at)
    return [credit for credit in credits if credit.amount]
