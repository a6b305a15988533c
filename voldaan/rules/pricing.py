"""What a quantity costs under a price: exact, and rounded once per line after all tiers are summed.

Amounts are minor units; unit and flat amounts are decimals of a minor unit with up to twelve places. Sources:
docs/behaviour-rules.md, "Prices".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from voldaan.rules.money import SCALE, apportion, divide, scaled


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of a tiered price: holds up to and including up_to units; None is the last, without end."""

    up_to: int | Decimal | None
    unit_amount_decimal: Decimal | int = 0
    flat_amount_decimal: Decimal | int = 0


@dataclass(frozen=True, slots=True)
class TransformQuantity:
    """Packages: the quantity is divided, and the result rounded to whole packages. Not together with tiers."""

    divide_by: int
    round: Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """The part of a price that decides an amount.

    per_unit: every unit at unit_amount_decimal. tiered and graduated: each unit at the rate of the tier it falls in,
    plus the flat amount of every tier entered. tiered and volume: all units at the rate of the tier that the whole
    quantity falls in, plus that tier's flat amount.
    """

    billing_scheme: Literal["per_unit", "tiered"] = "per_unit"
    unit_amount_decimal: Decimal | int = 0
    tiers: tuple[Tier, ...] = ()
    tiers_mode: Literal["graduated", "volume"] | None = None
    transform_quantity: TransformQuantity | None = None


class TierAmount(NamedTuple):
    """What one tier contributes to a line; the amounts of a line's tiers add up to the line."""

    tier: Tier
    quantity: Decimal
    amount: int


def amount(terms: PriceTerms, quantity: int | Decimal, part: int = 1, whole: int = 1) -> int:
    """The line's amount in minor units, rounded once; part / whole is the share of the period it is for.

    The first tier is always entered: no usage still costs its flat amount. In tiers a negative quantity, a meter whose
    corrections exceed its usage, counts as none.
    """
    if terms.billing_scheme == "per_unit" and terms.transform_quantity is None and isinstance(quantity, int):
        return divide(scaled(terms.unit_amount_decimal) * quantity * part, SCALE * whole)
    exact = sum(cost for _, _, cost in _steps(terms, quantity))
    return divide(exact * part, SCALE * SCALE * whole)


def tier_breakdown(terms: PriceTerms, quantity: int | Decimal, part: int = 1, whole: int = 1) -> list[TierAmount]:
    """The same amount, tier by tier: the sum is rounded once and shared over the tiers by largest remainder.

    A price without tiers is one step. Quantities are those that are charged for, after packaging.
    """
    steps = list(_steps(terms, quantity))
    amounts = apportion([cost * part for _, _, cost in steps], SCALE * SCALE * whole)
    return [TierAmount(tier, Decimal(units) / SCALE, share) for (tier, units, _), share in zip(steps, amounts, strict=True)]


def packages(transform: TransformQuantity, quantity: int | Decimal) -> int:
    """How many packages a quantity is: 11 in tens is 2 rounded up, 1 rounded down. A negative quantity mirrors."""
    units, size = abs(scaled(quantity)), scaled(transform.divide_by)
    count = -(-units // size) if transform.round == "up" else units // size
    return count if quantity >= 0 else -count


# A step is a tier, the units charged in it as an integer of 10^-12, and their exact cost as an integer of 10^-24.
Step = tuple[Tier, int, int]


def _steps(terms: PriceTerms, quantity: int | Decimal) -> Sequence[Step]:
    if terms.billing_scheme == "per_unit":
        transform = terms.transform_quantity
        units = scaled(quantity) if transform is None else packages(transform, quantity) * SCALE
        return [_step(Tier(None, terms.unit_amount_decimal), units)]

    units = max(scaled(quantity), 0)
    if terms.tiers_mode == "volume":
        return [_step(_tier_of(terms.tiers, units), units)]

    steps: list[Step] = []
    below = 0
    for tier in terms.tiers:
        top = units if tier.up_to is None else min(scaled(tier.up_to), units)
        steps.append(_step(tier, top - below))
        below = top
        if below == units:
            return steps
    raise ValueError(f"no tier holds {quantity} units")


def _step(tier: Tier, units: int) -> Step:
    return tier, units, scaled(tier.unit_amount_decimal) * units + scaled(tier.flat_amount_decimal) * SCALE


def _tier_of(tiers: Sequence[Tier], units: int) -> Tier:
    """The tier the whole quantity falls in. Raises ValueError when the last tier ends below it."""
    for tier in tiers:
        if tier.up_to is None or units <= scaled(tier.up_to):
            return tier
    raise ValueError(f"no tier holds {Decimal(units) / SCALE} units")
