"""Credit notes: what is taken back of an invoice, part by part. Cases in credited.txt."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rules.billing import START, invoice
from tests.rules.table import Row, names, rows
from voldaan.resources.billing import PretaxCreditAmount
from voldaan.resources.credit_notes import CreditedLine, NoteLine
from voldaan.resources.line_items import LineItem
from voldaan.resources.numbers import Number
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credit_note_lines, credited, totals
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.credit_note_lines import Drawn
from voldaan.rules.credited import Left
from voldaan.rules.decision import Refused
from voldaan.rules.discounts import Discount
from voldaan.rules.tax import Rounding


class Shelf(Catalogue):
    """Tax rates and discounts are called by what they do: "21", "9i", "50%", "200"."""

    def active(self, ids: Any, currency: str, period_start: int) -> list[Discount]:
        return [
            Discount(id=id, percent_off=Decimal(id[:-1])) if id.endswith("%") else Discount(id=id, amount_off=int(id))
            for id in ids
        ]


def shelf(*rates: str) -> Shelf:
    return Shelf(
        tax_rates={
            id: TaxRate(
                id=id, created=START, display_name=id, livemode=False, inclusive=id.endswith("i"),
                percentage=Number(id.rstrip("i")),
            )
            for id in rates
        }
    )  # fmt: skip


def item(number: int, amount: int, units: int | None, rates: list[str], currency: str = "eur") -> LineItem:
    return LineItem(
        id=f"il_{number}", amount=amount, currency=currency, description=None, invoice="in_1", livemode=False, subtotal=amount,
        period_start=START, period_end=START, quantity_decimal=None if units is None else Decimal(units), tax_rates=rates,
    )  # fmt: skip


class Billed:
    """An invoice of these lines, and what notes have taken of it so far."""

    def __init__(self, lines: list[LineItem], off: list[str], rounding: Rounding, exempt: bool = False) -> None:
        made = invoice(discounts=off, customer_tax_exempt="reverse" if exempt else "none")
        totals.compute(made, lines, None, shelf(*{id for line in lines for id in line.tax_rates or []}), START, rounding)
        self.total, self.lines, self.rounding = made.total, lines, rounding
        self.taken: list[CreditedLine] = []

    @property
    def left(self) -> list[Left]:
        return credited.left_of(self.lines, self.taken)

    def note(self, said: str) -> Drawn:
        """One more note: "a:500", or lines of it. Raises Refused; then nothing is taken."""
        lefts = self.left
        if said.startswith("a:"):
            drawn = credit_note_lines.spread(lefts, int(said[2:]))
        else:
            lines = [asked(cell) for cell in said.split()]
            named = shelf(*{rate for line in lines for rate in line.tax_rates or []})
            drawn = credit_note_lines.draw(lefts, lines, named, self.rounding)
        shares = credited.shares("cn_1", lefts)
        assert (sum(s.net for s in shares), sum(s.tax for s in shares)) == (drawn.net, drawn.tax)
        self.taken += shares
        return drawn


def line_of(cell: str, number: int, currency: str) -> LineItem:
    what, _, rates = cell.partition("@")
    amount, _, units = what.partition("x")
    return item(number, int(amount), int(units) if units else None, rates.split("+") if rates else [], currency)


def asked(cell: str) -> NoteLine:
    """ "1:500", "1:q2", "o:500@21"."""
    of, _, what = cell.partition(":")
    what, _, rates = what.partition("@")
    given: dict[str, Any] = {"tax_rates": rates.split("+")} if rates else {}
    if of == "o":
        return NoteLine(type="custom_line_item", unit_amount=int(what), quantity=1, **given)
    given |= {"quantity": int(what[1:])} if what.startswith("q") else {"amount": int(what)}
    return NoteLine(type="invoice_line_item", invoice_line_item=f"il_{int(of) - 1}", **given)


@pytest.mark.parametrize("row", rows("credited.txt"), ids=str)
def test_credited(row: Row) -> None:
    rule = row.rule.split()[0]
    lines = [line_of(cell, at, "jpy" if rule == "jpy" else "eur") for at, cell in enumerate(names(row["lines"]))]
    bill = Billed(lines, names(row["off"]), cast(Rounding, rule if rule.startswith("per_") else "per_rate"))
    found = []
    for said in row["notes"].split(" | "):
        try:
            note = bill.note(said)
        except Refused as no:
            found.append(f"refused {no.refusal.param}")
        else:
            found.append(f"{note.net}/{note.tax}")
    assert " | ".join(found) == row["come to"]


def test_what_billing_credits_had_paid_is_told_apart() -> None:
    """Of 1000 a credit had paid 400 before tax: half of the line takes half of that, and nobody is given it back in money."""
    paid = PretaxCreditAmount(amount=400, credit_balance_transaction="cbtxn_1", type="credit_balance_transaction")
    line = replace(item(0, 1000, None, []), net=600, pretax_credit_amounts=[paid])
    drawn = credit_note_lines.draw(credited.left_of([line], []), [asked("1:500")], shelf(), "per_rate")
    assert (drawn.total, drawn.lines[0].amount, drawn.discount_amounts) == (300, 500, [])
    assert drawn.pretax_credit_amounts == drawn.lines[0].pretax_credit_amounts == [replace(paid, amount=200)]


# Any notes at all --------------------------------------------------------------------------------------------------------

rates = st.lists(st.sampled_from(["21", "9", "8.875", "21i", "9.975i"]), max_size=3, unique=True)
amounts = st.one_of(st.integers(1, 10**6), st.integers(-(10**5), -1), st.integers(1, 9))
some_lines = st.lists(st.tuples(amounts, st.one_of(st.none(), st.integers(1, 7)), rates), min_size=1, max_size=5)
offs = st.lists(st.sampled_from(["50%", "33.3%", "500", "7"]), max_size=2, unique=True)
notes_of = st.lists(st.tuples(st.sampled_from("aloq"), st.integers(0, 4), st.integers(1, 10**6)), max_size=8)


@given(some_lines, offs, notes_of, st.sampled_from(["per_rate", "per_line"]), st.booleans())
def test_notes_never_exceed_the_invoice_and_all_of_them_are_it(
    specs: list[tuple[int, int | None, list[str]]],
    off: list[str],
    wanted: list[tuple[str, int, int]],
    rounding: Rounding,
    exempt: bool,
) -> None:
    """Whatever sequence of notes is accepted stays within every part of every line; the rest then sums exactly."""
    lines = [item(number, amount, units, each) for number, (amount, units, each) in enumerate(specs)]
    bill = Billed(lines, off, rounding, exempt)
    if bill.total <= 0:
        return
    notes = []
    for kind, place, size in wanted:
        with suppress(Refused):
            notes.append(bill.note(said(bill, kind, place % len(lines), size)))
        for left in bill.left:
            line = left.line
            assert within(left.amount, line.amount)
            assert within(left.parts.net, line.net)
            assert all(within(left.parts.taxes[tax.tax_rate_details.tax_rate], tax.amount) for tax in line.taxes)
    if rest := credited.total_left(bill.left):
        notes.append(bill.note(f"a:{rest}"))
        assert not any(left.parts.net or left.parts.tax for left in bill.left)
    assert all(note.total > 0 for note in notes)
    assert sum(note.total for note in notes) == bill.total


def said(bill: Billed, kind: str, place: int, size: int) -> str:
    """A note of this kind that may well be possible."""
    left = bill.left[place]
    match kind:
        case "a":
            return f"a:{min(size, credited.total_left(bill.left)) or 1}"
        case "o":
            rate = next(iter(left.parts.taxes), None)
            return f"o:{size}@{rate}" if rate and size % 2 else f"o:{size}"
        case "q":
            return f"{place + 1}:q{size % 3 + 1}"
        case _:
            part = size % abs(left.amount) + 1 if left.amount else 1
            return f"{place + 1}:{part if left.amount > 0 else -part}"


def within(left: int, whole: int) -> bool:
    """What is left is between nothing and all of it."""
    return 0 <= left <= whole if whole >= 0 else whole <= left <= 0
