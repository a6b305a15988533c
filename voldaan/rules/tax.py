"""Tax on lines: several rates a line, inclusive or exclusive, after discounts.

Every rate of a line works on the same net amount, which is the amount less all inclusive tax; none works on another
tax. So the exact tax of a rate r on an amount a is a * r / (1 + sum of the line's inclusive rates), for both kinds.
Rounded per rate (Stripe: invoice level) the exact taxes of a rate are summed over the lines, rounded once, and shared
over the lines by largest remainder; per line (Stripe: line item level) each is rounded by itself. Negating all amounts
negates all taxes. Sources: docs/behaviour-rules.md, "Tax".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import lcm
from typing import Literal

from voldaan.rules.money import apportion, divide

Rounding = Literal["per_rate", "per_line"]

# A rate is an integer of 10^-6: a percentage with four decimals.
WHOLE = 10**6


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate: a percentage of up to four decimals, included in the price or added to it."""

    id: str
    percentage: Decimal
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class TaxableLine:
    """A line after discounts, in minor units, of either sign, with the rates that apply to it."""

    amount: int
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of one rate on one line, or on the whole invoice; taxable_amount is without any tax."""

    rate: str
    amount: int
    taxable_amount: int
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Taxes:
    """Taxes per line, in the order of its rates; per rate, in order of first use; and the two sums.

    backed_out: per line, the inclusive tax that an exempt customer does not pay; all zero for anyone else.
    """

    lines: list[list[Tax]]
    rates: list[Tax]
    inclusive: int
    exclusive: int
    backed_out: list[int]


def calculate(lines: Sequence[TaxableLine], rounding: Rounding = "per_rate", exempt: bool = False) -> Taxes:
    """The taxes of all lines. What the customer pays is the sum of the amounts, plus exclusive, less backed_out.

    exempt: no tax for a customer who is exempt or who owes it by reverse charge; inclusive prices are lowered by the
    tax that they would have held.
    """
    inclusive = _amounts(lines, rounding, inclusive=True)
    held = [sum(amount for _, amount in each) for each in inclusive]
    net = [line.amount - tax for line, tax in zip(lines, held, strict=True)]
    if exempt:
        return _collect(lines, net, [dict.fromkeys(range(len(line.rates)), 0) for line in lines], held)

    if rounding == "per_rate":
        exclusive = _amounts(lines, rounding, inclusive=False)
    else:
        exclusive = [
            [
                (position, divide(amount * parts(rate.percentage), WHOLE))
                for position, rate in enumerate(line.rates)
                if not rate.inclusive
            ]
            for line, amount in zip(lines, net, strict=True)
        ]
    amounts = [dict(kept + added) for kept, added in zip(inclusive, exclusive, strict=True)]
    return _collect(lines, net, amounts, [0] * len(lines))


def credited(tax: int, base: int, before: int, now: int) -> int:
    """The tax that goes with crediting `now` of a line's `base`, of which `before` was credited earlier.

    Each credit brings the tax credited so far to the exact share, rounded: the last one takes the residue, and all of
    them together give back the line's tax, no more and no less. All in minor units.
    """
    return divide(tax * (before + now), base) - divide(tax * before, base)


@lru_cache(maxsize=1024)
def parts(percentage: Decimal) -> int:
    """The percentage as an integer of 10^-6: 21 is 210,000. Raises ValueError for more than four decimals."""
    numerator, denominator = percentage.as_integer_ratio()
    if numerator * 10_000 % denominator:
        raise ValueError(f"a tax rate of {percentage} has more than four decimals")
    return numerator * 10_000 // denominator
