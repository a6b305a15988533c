"""Splits of tax by chance: the parts are the whole, whatever the lines, the rates and the signs.

Twenty thousand cases; VOLDAAN_LONG_RUNS=1 does a million, VOLDAAN_SPLITS as many as it says. The seed is fixed, so a case that
fails fails again.
"""

import os
from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import floor
from random import Random

from voldaan.resources.base import ListObject
from voldaan.resources.tax_calculations import TaxCustomer, TaxShippingCost
from voldaan.resources.tax_transactions import TaxTransaction, TaxTransactionLineItem, TaxTransactionReverse
from voldaan.rules import tax, tax_transactions
from voldaan.rules.tax import Rate, Rounding, TaxableLine

CASES = int(os.environ.get("VOLDAAN_SPLITS") or (1_000_000 if os.environ.get("VOLDAAN_LONG_RUNS") else 20_000))
SEED = 20_261_128
PERCENTAGES = ["0", "2.1", "5", "5.5", "7", "8.875", "9", "16", "19", "20", "21", "25.5", "27", "99.9999", "0.0001"]
RATES = [Rate(f"{p}{'i' if inclusive else ''}", Decimal(p), inclusive) for p in PERCENTAGES for inclusive in (False, True)]


def case(chance: Random) -> list[TaxableLine]:
    """Lines as bills have them: mostly one rate, amounts of every size, now and then a credit."""
    size = chance.choice((9, 99, 999, 99_999, 9_999_999))
    palette = chance.sample(RATES, chance.choice((1, 1, 1, 2, 3)))
    many = chance.choice((1, 2, 3, 5, 8, 20))
    return [
        TaxableLine(
            chance.randint(-size if chance.random() < 0.2 else 0, size),
            tuple(rate for rate in palette if chance.random() < 0.8),
        )
        for _ in range(many)
    ]


def rounded(value: Fraction) -> int:
    """To the nearest, half away from zero: said once more, in another way than the rules do."""
    return floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


def exact(line: TaxableLine, rate: Rate, net: int) -> Fraction:
    share = Fraction(rate.percentage) / 100
    if not rate.inclusive:
        return net * share
    inside = sum((Fraction(each.percentage) for each in line.rates if each.inclusive), Fraction(0)) / 100
    return line.amount * share / (1 + inside)


def check(lines: list[TaxableLine], rounding: Rounding) -> None:
    found = tax.calculate(lines, rounding)
    every = [each for some in found.lines for each in some]
    assert sum(each.amount for each in every) == found.inclusive + found.exclusive
    wholes = {each.rate: each for each in found.rates}
    by_rate: dict[str, int] = dict.fromkeys(wholes, 0)
    truth: dict[str, Fraction] = dict.fromkeys(wholes, Fraction(0))
    for line, some in zip(lines, found.lines, strict=True):
        inside = sum(each.amount for each in some if each.inclusive)
        assert {each.rate for each in some} == {rate.id for rate in line.rates}
        for each in some:
            rate = next(rate for rate in line.rates if rate.id == each.rate)
            assert each.taxable_amount == line.amount - inside
            should = exact(line, rate, line.amount - inside)
            assert abs(each.amount - should) < 1
            if rounding == "per_line":
                assert each.amount == rounded(should)
            by_rate[each.rate] += each.amount
            truth[each.rate] += should
    for id, whole in wholes.items():
        assert whole.amount == by_rate[id]
        if rounding == "per_rate":
            assert whole.amount == rounded(truth[id])
    opposite = tax.calculate([line._replace(amount=-line.amount) for line in lines], rounding)
    assert [[each.amount for each in some] for some in opposite.lines] == [
        [-each.amount for each in some] for some in found.lines
    ]


def test_the_parts_are_the_whole() -> None:
    chance = Random(SEED)
    for number in range(CASES):
        lines = case(chance)
        rounding: Rounding = "per_rate" if number % 2 else "per_line"
        try:
            check(lines, rounding)
        except AssertionError as broken:
            raise AssertionError(f"case {number} of seed {SEED}, {rounding}: {lines}") from broken


def test_credits_in_parts_are_the_tax_of_the_line() -> None:
    chance = Random(SEED)
    for _ in range(CASES):
        base, taxed = chance.randint(1, 99_999), chance.randint(0, 29_999)
        before = given = 0
        while before < base:
            now = chance.randint(1, base - before)
            given += tax.credited(taxed, base, before, now)
            before += now
        assert given == taxed


def test_reversals_in_parts_leave_nothing_and_take_no_more() -> None:
    chance = Random(SEED)
    for _ in range(max(200, CASES // 100)):
        numbers = count(1)

        def new_id(prefix: str, numbers: "count[int]" = numbers) -> str:
            return f"{prefix}_{next(numbers):09}"

        lines = [part(chance, new_id("tax_li")) for _ in range(chance.randint(1, 5))]
        customer = TaxCustomer(address=None, address_source=None, ip_address=None, tax_ids=[])
        shipping = TaxShippingCost(amount=500, amount_tax=95, tax_behavior="exclusive", tax_code="txcd_92010001")
        sold = TaxTransaction(
            id="tax_sold", created=0, currency="eur", customer_details=customer, livemode=False, posted_at=0,
            reference="sold", shipping_cost=shipping if chance.random() < 0.5 else None, tax_date=0,
        )  # fmt: skip
        original = tax_transactions.Original(sold, lines)
        for step in range(4):
            left = gross(original)
            if not left:
                break
            full = step == 3
            terms = {"mode": "full"} if full else {"mode": "partial", "flat_amount": -chance.randint(1, left)}
            asked = TaxTransactionReverse(original_transaction="tax_sold", reference=f"back {step}", **terms)
            made = tax_transactions.reverse(original, asked, 0, new_id)
            assert isinstance(made.line_items, ListObject)
            original.reversals.append(made)
            original.reversed += made.line_items.data
            if not full:
                assert left - gross(original) == -(asked.flat_amount or 0)
            assert all(each.amount <= 0 and each.amount_tax <= 0 for each in made.line_items.data)
        for line in lines:
            back = [each for each in original.reversed if each.original == line.id]
            assert sum(each.amount for each in back) == -line.amount
            assert sum(each.amount_tax for each in back) == -line.amount_tax


def part(chance: Random, id: str) -> TaxTransactionLineItem:
    behavior = chance.choice(("exclusive", "inclusive"))
    amount = chance.randint(0, chance.choice((9, 999, 99_999)))
    taxed = amount * 19 // 100 if behavior == "exclusive" else amount * 19 // 119
    return TaxTransactionLineItem(
        id=id, amount=amount, amount_tax=taxed, livemode=False, reference=id, tax_behavior=behavior,
        tax_code="txcd_10000000", transaction="tax_sold",
    )  # fmt: skip


def gross(original: tax_transactions.Original) -> int:
    """What is left to be taken back, with tax."""
    costs = [each.shipping_cost for each in (original.transaction, *original.reversals) if each.shipping_cost]
    parts = [*original.lines, *original.reversed, *costs]
    return sum(each.amount + (each.amount_tax if each.tax_behavior == "exclusive" else 0) for each in parts)
