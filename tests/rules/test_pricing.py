"""Prices: units, packages, tiers, shares of a period. Cases in pricing.txt."""

from decimal import Decimal
from typing import Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.table import Row, names, numbers, rows
from voldaan.rules import pricing
from voldaan.rules.pricing import PriceTerms, Tier, TransformQuantity

Mode = Literal["graduated", "volume"]


def quantity(cell: str) -> int | Decimal:
    return Decimal(cell) if "." in cell else int(cell)


def tier(cell: str) -> Tier:
    up_to, _, cost = cell.partition(":")
    unit, _, flat = cost.partition("+")
    return Tier(None if up_to == "inf" else quantity(up_to), Decimal(unit), Decimal(flat or 0))


def tiered(row: Row) -> PriceTerms:
    return PriceTerms("tiered", tiers=tuple(map(tier, names(row["tiers"]))), tiers_mode=cast(Mode, row["mode"]))


def per_unit(row: Row) -> None:
    transform = None
    if cell := row.get("packages"):
        size, direction = cell.split()
        transform = TransformQuantity(int(size), cast(Literal["up", "down"], direction))
    terms = PriceTerms(unit_amount_decimal=Decimal(row["unit price"]), transform_quantity=transform)
    assert pricing.amount(terms, quantity(row["quantity"])) == row.number("amount")
    assert [step.amount for step in pricing.tier_breakdown(terms, quantity(row["quantity"]))] == [row.number("amount")]


def tiers(row: Row) -> None:
    terms, units = tiered(row), quantity(row["quantity"])
    if row["amount"] == "refused":
        with pytest.raises(ValueError, match="no tier holds 6 units"):
            pricing.amount(terms, units)
        return
    assert pricing.amount(terms, units) == row.number("amount")
    assert [step.amount for step in pricing.tier_breakdown(terms, units)] == numbers(row["by tier"])


def share(row: Row) -> None:
    terms = PriceTerms(unit_amount_decimal=Decimal(row["unit price"]))
    found = pricing.amount(terms, row.number("quantity"), row.number("part"), row.number("whole"))
    assert found == row.number("amount")


def peer(row: Row) -> None:
    assert pricing.amount(tiered(row), quantity(row["quantity"])) == row.number("amount")


CHECKS = {"per unit": per_unit, "tiers": tiers, "share": share}
PEERS = {"peer": peer, "package": per_unit}


@pytest.mark.parametrize("row", rows("pricing.txt"), ids=str)
def test_pricing(row: Row) -> None:
    check = CHECKS.get(row.rule) or PEERS[row.rule.split()[0]]
    check(row)


rates = st.decimals(0, 10_000, places=12)
ladders = st.lists(st.tuples(st.integers(1, 50), rates, rates), min_size=1, max_size=5).map(
    lambda steps: (
        *(Tier(sum(size for size, _, _ in steps[: n + 1]), unit, flat) for n, (_, unit, flat) in enumerate(steps[:-1])),
        Tier(None, steps[-1][1], steps[-1][2]),
    )
)


@given(ladders, st.sampled_from(["graduated", "volume"]), st.integers(0, 300), st.integers(1, 31))
def test_the_tiers_of_a_line_add_up_to_the_line(steps: tuple[Tier, ...], mode: Mode, units: int, part: int) -> None:
    terms = PriceTerms("tiered", tiers=steps, tiers_mode=mode)
    breakdown = pricing.tier_breakdown(terms, units, part, 31)
    assert sum(step.amount for step in breakdown) == pricing.amount(terms, units, part, 31)
    assert sum(step.quantity for step in breakdown) == units


@given(ladders, st.integers(0, 300))
def test_graduated_never_falls_as_the_quantity_grows(steps: tuple[Tier, ...], units: int) -> None:
    terms = PriceTerms("tiered", tiers=steps, tiers_mode="graduated")
    assert pricing.amount(terms, units) <= pricing.amount(terms, units + 1)


@given(rates, st.integers(0, 10**6))
def test_one_endless_tier_is_a_price_per_unit(rate: Decimal, units: int) -> None:
    flat = PriceTerms(unit_amount_decimal=rate)
    for mode in cast(list[Mode], ["graduated", "volume"]):
        terms = PriceTerms("tiered", tiers=(Tier(None, rate),), tiers_mode=mode)
        assert pricing.amount(terms, units) == pricing.amount(flat, units)
