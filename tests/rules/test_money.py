"""Money: rounding, splitting, currencies. Cases in money.txt; what must hold for every amount below."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.table import Row, numbers, rows
from voldaan.rules import money


def round_(row: Row) -> None:
    assert money.round_half_away(Decimal(row["value"])) == row.number("becomes")


def line(row: Row) -> None:
    price, quantity = Decimal(row["unit price"]), Decimal(row["quantity"])
    if row["amount"] == "refused":
        with pytest.raises(ValueError, match="more than 12 decimals"):
            money.line_amount(price, quantity)
        return
    assert money.line_amount(price, quantity) == row.number("amount")
    if quantity == int(quantity):
        assert money.line_amount(price, int(quantity)) == row.number("amount")


def split(row: Row) -> None:
    total, weights = row.number("total"), numbers(row["weights"])
    if row["parts"] == "refused":
        with pytest.raises(ValueError, match="cannot be split"):
            money.split(total, weights)
        return
    assert money.split(total, weights) == numbers(row["parts"])


def apportion(row: Row) -> None:
    assert money.apportion(numbers(row["tenths"]), 10) == numbers(row["parts"])


def currency(row: Row) -> None:
    code = row["code"]
    assert money.is_supported(code) == (row["exponent"] != "-")
    if not money.is_supported(code):
        with pytest.raises(KeyError):
            money.exponent(code)
        return
    assert money.exponent(code) == row.number("exponent")
    assert money.step(code) == row.number("step")
    assert money.minimum_charge(code) == row.number("least")
    assert money.maximum_amount(code) == row.number("most")


def format_(row: Row) -> None:
    assert money.format_amount(row.number("amount"), row["code"]) == row["text"]


def chargeable(row: Row) -> None:
    assert money.round_to_step(row.number("amount"), row["code"]) == row.number("becomes")


def maximum(row: Row) -> None:
    assert money.is_within_maximum(row.number("amount"), row["code"]) == (row["allowed"] == "yes")


CHECKS = {
    "round": round_,
    "line": line,
    "split": split,
    "apportion": apportion,
    "currency": currency,
    "format": format_,
    "chargeable": chargeable,
    "maximum": maximum,
}


@pytest.mark.parametrize("row", rows("money.txt"), ids=str)
def test_money(row: Row) -> None:
    CHECKS[row.rule](row)


def test_every_table_names_only_currencies_of_the_api() -> None:
    named = money.ZERO_DECIMAL | money.THREE_DECIMAL | money.WHOLE_UNITS_ONLY
    assert named | set(money.MINIMUM_CHARGE) | set(money.MAXIMUM_AMOUNT_OF) <= money.CURRENCIES
    assert len(money.ZERO_DECIMAL) == 15, "with ugx, which is written with two decimals, these are the sixteen"


amounts = st.integers(-(10**12), 10**12)


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_a_split_adds_up_and_no_part_is_a_whole_unit_off(total: int, weights: list[int]) -> None:
    parts = money.split(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
    assert money.split(-total, weights) == [-part for part in parts]


@given(st.lists(amounts, max_size=12), st.integers(1, 10**9))
def test_shares_add_up_to_the_sum_rounded_once(exact: list[int], denominator: int) -> None:
    parts = money.apportion(exact, denominator)
    assert sum(parts) == money.divide(sum(exact), denominator)
    assert all(abs(part * denominator - value) < denominator for part, value in zip(parts, exact, strict=True))
    assert money.apportion([-value for value in exact], denominator) == [-part for part in parts]


@given(st.decimals(places=12, min_value=-(10**9), max_value=10**9), st.integers(-(10**6), 10**6))
def test_a_line_is_within_half_a_unit_of_its_exact_amount(price: Decimal, quantity: int) -> None:
    off = money.SCALE * money.line_amount(price, quantity) - money.scaled(price) * quantity
    assert 2 * abs(off) <= money.SCALE
    assert money.line_amount(price, -quantity) == -money.line_amount(price, quantity)
