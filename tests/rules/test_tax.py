"""Tax: rates included and added, both roundings, parts that are taken back, exemption. Cases in tax.txt."""

from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.table import Row, names, numbers, rows
from voldaan.rules import tax
from voldaan.rules.tax import Rate, Rounding, Tax, TaxableLine


def rate(cell: str) -> Rate:
    return Rate(cell, Decimal(cell.rstrip("i")), inclusive=cell.endswith("i"))


def line(cell: str) -> TaxableLine:
    amount, _, rates = cell.partition("@")
    return TaxableLine(int(amount), tuple(map(rate, rates.split("+"))) if rates else ())


def lines(row: Row) -> list[TaxableLine]:
    return [line(cell) for cell in names(row["lines"])]


def shown(taxes: list[Tax], apart: str) -> str:
    return apart.join(f"{each.rate}={each.amount}/{each.taxable_amount}" for each in taxes) or "-"


def by_line(found: tax.Taxes) -> str:
    return " | ".join(shown(taxes, " ") for taxes in found.lines) or "-"


def taxed(row: Row) -> None:
    found = tax.calculate(lines(row), cast(Rounding, row["rounding"]))
    assert (by_line(found), shown(found.rates, ", ")) == (row["by line"], row["totals"])
    every = [each for taxes in found.lines for each in taxes]
    assert found.inclusive == sum(each.amount for each in every if each.inclusive)
    assert found.exclusive == sum(each.amount for each in every if not each.inclusive)
    assert not any(found.backed_out)


def exempt(row: Row) -> None:
    found = tax.calculate(lines(row), exempt=True)
    assert (by_line(found), found.backed_out) == (row["by line"], numbers(row["backed out"]))
    assert (found.inclusive, found.exclusive) == (0, 0)


def refused(row: Row) -> None:
    with pytest.raises(ValueError, match="more than four decimals"):
        Rate("txr", Decimal(row["percentage"]))


def peer(row: Row) -> None:
    found = tax.calculate(lines(row))
    assert found.exclusive == row.number("tax")
    assert sum(each.amount for each in lines(row)) + found.exclusive == row.number("total")


def credited(row: Row) -> None:
    before, taxes = 0, []
    for part in numbers(row["parts"]):
        taxes.append(tax.credited(row.number("tax"), row.number("base"), before, part))
        before += part
    assert taxes == numbers(row["taxes"])


CHECKS = {"tax": taxed, "exempt": exempt, "refused": refused, "peer": peer, "credited": credited}


@pytest.mark.parametrize("row", rows("tax.txt"), ids=str)
def test_tax(row: Row) -> None:
    CHECKS[row.rule.split()[0]](row)


RATES = [rate(cell) for cell in ("21", "9", "0", "8.875", "21i", "9i", "5i", "9.9750")]
some_rates = st.lists(st.sampled_from(RATES), max_size=3, unique=True).map(tuple)
taxable = st.lists(st.builds(TaxableLine, st.integers(-(10**7), 10**7), some_rates), max_size=8)
roundings = st.sampled_from(cast(list[Rounding], ["per_rate", "per_line"]))


@given(taxable, roundings)
def test_line_taxes_add_up_to_the_rates_and_the_totals(invoice: list[TaxableLine], rounding: Rounding) -> None:
    found = tax.calculate(invoice, rounding)
    for total in found.rates:
        parts = [each for taxes in found.lines for each in taxes if each.rate == total.rate]
        assert total.amount == sum(part.amount for part in parts)
        assert total.taxable_amount == sum(part.taxable_amount for part in parts)
    assert found.inclusive + found.exclusive == sum(total.amount for total in found.rates)


@given(taxable, roundings)
def test_a_credit_note_mirrors_its_invoice(invoice: list[TaxableLine], rounding: Rounding) -> None:
    found = tax.calculate(invoice, rounding)
    mirror = tax.calculate([TaxableLine(-each.amount, each.rates) for each in invoice], rounding)
    for taxes, mirrored in zip(found.lines, mirror.lines, strict=True):
        assert [each.amount for each in taxes] == [-each.amount for each in mirrored]


@given(taxable)
def test_an_added_tax_is_its_base_times_its_rate_rounded_once(invoice: list[TaxableLine]) -> None:
    """What an e-invoice validator computes again: per rate, base times rate."""
    rates = {each.id: each for each in RATES}
    for total in tax.calculate(invoice).rates:
        if not total.inclusive:
            off = total.amount * tax.WHOLE - total.taxable_amount * rates[total.rate].parts
            assert 2 * abs(off) <= tax.WHOLE


@given(taxable)
def test_every_line_is_net_plus_included_tax(invoice: list[TaxableLine]) -> None:
    found = tax.calculate(invoice)
    for each, taxes in zip(invoice, found.lines, strict=True):
        held = sum(one.amount for one in taxes if one.inclusive)
        assert all(one.taxable_amount + held == each.amount for one in taxes)


@given(taxable)
def test_exempt_customers_pay_the_net(invoice: list[TaxableLine]) -> None:
    found, free = tax.calculate(invoice), tax.calculate(invoice, exempt=True)
    assert sum(free.backed_out) == found.inclusive
    assert all(one.amount == 0 for taxes in free.lines for one in taxes)
