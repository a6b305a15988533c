"""Discounts: order, spreading, duration. Cases in discounts.txt."""

from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.table import Row, instant, names, numbers, rows, written
from voldaan.rules import discounts
from voldaan.rules.discounts import DiscountableLine, DiscountAmount, Duration


def line(cell: str) -> DiscountableLine:
    amount, _, product = cell.rstrip("!").partition("@")
    return DiscountableLine(int(amount), product=product or None, discountable=not cell.endswith("!"))


def discount_of(cell: str) -> discounts.Discount:
    name, _, rest = cell.partition(":")
    value, _, product = rest.partition("@")
    only = frozenset([product]) if product else None
    if value.endswith("%"):
        return discounts.Discount(name, percent_off=Decimal(value[:-1]), products=only)
    return discounts.Discount(name, amount_off=int(value), products=only)


def shown(taken: list[DiscountAmount]) -> str:
    return " ".join(f"{each.discount}:{each.amount}" for each in taken) or "-"


def discount(row: Row) -> None:
    lines = [line(cell) for cell in names(row["lines"])]
    for cell in names(row["on lines"]):
        number, _, own = cell.partition("=")
        at = int(number) - 1
        lines[at] = lines[at]._replace(discounts=(*lines[at].discounts, discount_of(own)))
    taken = discounts.apply(lines, [discount_of(cell) for cell in names(row["on the invoice"])])
    assert (" | ".join(map(shown, taken)) or "-") == row["taken"]
    left = [each.amount - discounts.total(off) for each, off in zip(lines, taken, strict=True)]
    assert left == numbers(row["left"])


def active(row: Row) -> None:
    duration, start = cast(Duration, row["duration"]), instant(row["start"])
    months = row.get("months")
    ends = discounts.ends_at(start, duration, int(months) if months else None)
    assert (written(ends) if ends is not None else "-") == row["ends"]
    found = discounts.Discount("di", duration=duration, start=start, end=ends, consumed=row["consumed"] == "yes")
    assert discounts.is_active(found, instant(row["period starts"])) == (row["active"] == "yes")


CHECKS = {"discount": discount, "active": active}


@pytest.mark.parametrize("row", rows("discounts.txt"), ids=str)
def test_discounts(row: Row) -> None:
    CHECKS[row.rule](row)


coupons = st.one_of(
    st.builds(lambda percent: discounts.Discount("p", percent_off=percent), st.decimals(0, 100, places=2)),
    st.builds(lambda amount: discounts.Discount("a", amount_off=amount), st.integers(1, 10**6)),
)
discountable = st.builds(
    DiscountableLine,
    st.integers(-(10**6), 10**6),
    st.lists(coupons, max_size=2).map(tuple),
    discountable=st.booleans(),
)


@given(st.lists(discountable, max_size=6), st.lists(coupons, max_size=3))
def test_no_line_falls_below_zero(lines: list[DiscountableLine], invoice: list[discounts.Discount]) -> None:
    for each, taken in zip(lines, discounts.apply(lines, invoice), strict=True):
        assert 0 <= discounts.total(taken) <= max(each.amount, 0)
        assert not taken or each.discountable


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.lists(coupons, max_size=3))
def test_cutting_an_order_into_lines_changes_nothing(amounts: list[int], invoice: list[discounts.Discount]) -> None:
    many = discounts.apply([DiscountableLine(amount) for amount in amounts], invoice)
    [one] = discounts.apply([DiscountableLine(sum(amounts))], invoice)
    assert sum(map(discounts.total, many)) == discounts.total(one)
