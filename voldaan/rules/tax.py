"""Tax on lines: several rates a line, included in the price or added to it, after discounts.

No rate works on another tax: each takes its part of the net amount, which is the amount less all inclusive tax. So an
inclusive tax is amount * r / (1 + sum of the line's inclusive rates), and an exclusive one net * r. Rounded per rate
(Stripe: invoice level) the exact taxes of a rate are summed over the lines, rounded once, and shared over the lines by
largest remainder; per line (Stripe: line item level) each is rounded by itself. Negating all amounts negates all taxes.
Sources: docs/behaviour-rules.md, "Tax".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import lcm
from typing import Literal, NamedTuple

from voldaan.rules.money import apportion, divide

Rounding = Literal["per_rate", "per_line"]

# A rate is computed as an integer of 10^-6: its percentage has up to four decimals.
WHOLE = 10**6


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax rate: a percentage of up to four decimals, included in the price or added to it.

    parts is the percentage as an integer of 10^-6: 21 is 210,000. Raises ValueError for more than four decimals.
    """

    id: str
    percentage: Decimal
    inclusive: bool = False
    parts: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numerator, denominator = self.percentage.as_integer_ratio()
        if numerator * 10_000 % denominator:
            raise ValueError(f"a tax rate of {self.percentage} has more than four decimals")
        object.__setattr__(self, "parts", numerator * 10_000 // denominator)


# Lines and taxes are made by the thousand in a billing run; a named tuple is made in half the time of a frozen class.


class TaxableLine(NamedTuple):
    """A line after discounts, in minor units, of either sign, and its rates, each at most once."""

    amount: int
    rates: tuple[Rate, ...] = ()


class Tax(NamedTuple):
    """The tax of one rate on one line, or on the whole invoice; taxable_amount holds no tax."""

    rate: str
    amount: int
    taxable_amount: int
    inclusive: bool


class Taxes(NamedTuple):
    """Taxes per line and per rate, inclusive rates first, each kind in order of first use; and their two sums.

    backed_out: per line the inclusive tax that an exempt customer does not pay, zero for anyone else. The invoice's
    total is the sum of its lines, plus exclusive, less all that is backed out.
    """

    lines: list[list[Tax]]
    rates: list[Tax]
    inclusive: int
    exclusive: int
    backed_out: list[int]


def calculate(lines: Sequence[TaxableLine], rounding: Rounding = "per_rate", exempt: bool = False) -> Taxes:
    """The taxes of all lines.

    exempt: the customer is exempt, or owes the tax by reverse charge. Every tax is zero, and prices that include tax
    are lowered by what they would have held.
    """
    included, added = _uses(lines)
    net = [line.amount for line in lines]
    held = [0] * len(lines)
    inside: list[TaxedUses] = []
    if included:
        wholes = [WHOLE + sum([rate.parts for rate in line.rates if rate.inclusive]) for line in lines]
        for rate, uses in included.items():
            common = lcm(*[wholes[index] for index, _ in uses])
            exact = [net[index] * parts * (common // wholes[index]) for index, parts in uses]
            inside.append((rate, uses, _rounded(exact, common, rounding)))
        for _, uses, taxes in inside:
            for (index, _), tax in zip(uses, taxes, strict=True):
                held[index] += tax
        net = [amount - tax for amount, tax in zip(net, held, strict=True)]

    on_top: list[TaxedUses] = [
        (rate, uses, _rounded([net[index] * parts for index, parts in uses], WHOLE, rounding)) for rate, uses in added.items()
    ]
    if exempt:
        inside, on_top = ([(rate, uses, [0] * len(uses)) for rate, uses, _ in each] for each in (inside, on_top))
    else:
        held = [0] * len(lines)

    per_line: list[list[Tax]] = [[] for _ in lines]
    per_rate: list[Tax] = []
    inclusive = _collect(inside, True, net, per_line, per_rate)
    exclusive = _collect(on_top, False, net, per_line, per_rate)
    return Taxes(per_line, per_rate, inclusive, exclusive, held)


def credited(tax: int, base: int, before: int, now: int) -> int:
    """The tax that goes with taking back `now` of a line's `base`, of which `before` was taken back earlier.

    Every time the tax taken back so far is brought to its exact share, rounded: the last one takes the residue, and together
    they give back the line's tax, no more and no less. All in minor units; base is positive.
    """
    return divide(tax * (before + now), base) - divide(tax * before, base)


# Where a rate is used: the line and the rate's parts. Then by the rate's id; then with the tax of each use.
Use = tuple[int, int]
Uses = dict[str, list[Use]]
TaxedUses = tuple[str, list[Use], list[int]]


def _uses(lines: Sequence[TaxableLine]) -> tuple[Uses, Uses]:
    """The uses of the inclusive rates and those of the exclusive ones."""
    included: Uses = {}
    added: Uses = {}
    for index, line in enumerate(lines):
        for rate in line.rates:
            uses = included if rate.inclusive else added
            if rate.id in uses:
                uses[rate.id].append((index, rate.parts))
            else:
                uses[rate.id] = [(index, rate.parts)]
    return included, added


def _rounded(exact: list[int], denominator: int, rounding: Rounding) -> list[int]:
    if rounding == "per_rate":
        return apportion(exact, denominator)
    return [divide(each, denominator) for each in exact]


def _collect(taxed: list[TaxedUses], inclusive: bool, net: list[int], per_line: list[list[Tax]], per_rate: list[Tax]) -> int:
    """Adds the taxes of one kind to their lines and to their rates, and returns their sum."""
    total = 0
    for rate, uses, taxes in taxed:
        tax_of_rate = taxable = 0
        for (index, _), tax in zip(uses, taxes, strict=True):
            per_line[index].append(Tax(rate, tax, net[index], inclusive))
            tax_of_rate += tax
            taxable += net[index]
        per_rate.append(Tax(rate, tax_of_rate, taxable, inclusive))
        total += tax_of_rate
    return total
