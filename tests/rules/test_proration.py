"""Prorations: shares of a period, credits, debits, both billing modes. Cases in proration.txt."""

from fractions import Fraction
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.table import Row, instant, rows
from voldaan.rules import money, periods, proration
from voldaan.rules.periods import Interval
from voldaan.rules.proration import BillingMode, Charge, Grain, Share


def left(row: Row) -> None:
    start, end, at = instant(row["start"]), instant(row["end"]), instant(row["at"])
    found = proration.remaining(start, end, at, cast(Grain, row["grain"]), row["zone"])
    assert found == Share(row.number("part"), row.number("whole"))


def credit(row: Row) -> None:
    charge = Charge(
        row.number("charge"),
        instant(row["start"]),
        instant(row["end"]),
        line="il_1",
        credited=row.number("already credited"),
    )
    found = proration.unused_credit(charge, instant(row["at"]))
    assert found.amount == row.number("amount")
    assert (found.start, found.end, found.line) == (instant(row["at"]), instant(row["end"]), "il_1")


def debit(row: Row) -> None:
    charge = Charge(row.number("charge"), instant(row["start"]), instant(row["end"]))
    assert proration.remaining_debit(charge, instant(row["at"])).amount == row.number("amount")


def change(row: Row) -> None:
    start, end, at = instant(row["start"]), instant(row["end"]), instant(row["at"])
    now, debited = Charge(row.number("price now"), start, end), Charge(row.number("debited"), start, end, "il_1")
    base = proration.credit_base(cast(BillingMode, row["mode"]), now, [debited])
    assert [found.amount for found in proration.unused_credits(base, at)] == [row.number("credit")]
    new = Charge(row.number("new price"), start, end)
    assert proration.remaining_debit(new, at).amount == row.number("debit")


def peer(row: Row) -> None:
    instants = [instant(row[column]) for column in ("from", "to", "period start", "period end")]
    share = proration.within(*instants, grain="day", zone=row["zone"])
    assert share.of(row.number("amount")) == row.number("share")


def flexible(row: Row) -> None:
    charge = Charge(row.number("amount"), instant(row["start"]), instant(row["end"]))
    assert proration.unused_credit(charge, instant(row["at"]), "day").amount == row.number("credit")


EVERY: dict[str, tuple[Interval, int]] = {"monthly": ("month", 1), "quarterly": ("month", 3), "annual": ("year", 1)}


def cycles(row: Row) -> None:
    """Bills period by period, as a run for the day would, and adds up what each is of its whole period."""
    interval, count = EVERY[row["every"]]
    at, run_to = instant(row["start"]), instant(row["run to"])
    end = instant(row["end"]) if row.get("end") else 2**40
    month = None if row["every"] == "monthly" else int(row["start"][5:7])
    anchor = periods.anchor_from_config(at, interval, count, row.number("billing day"), month)
    total = Fraction(0)
    while at <= run_to and at < end:
        period = periods.period_at(anchor, interval, count, at)
        share = proration.within(at, min(period.end, end), period.start, period.end, "day")
        total += Fraction(money.divide(share.part * 10**9, share.whole), 10**9)
        at = period.end
    assert total == Fraction(row["periods"])


CHECKS = {
    "left": left,
    "credit": credit,
    "debit": debit,
    "change": change,
    "peer": peer,
    "flexible": flexible,
    "cycles": cycles,
}


@pytest.mark.parametrize("row", rows("proration.txt"), ids=str)
def test_proration(row: Row) -> None:
    CHECKS[row.rule.split()[0]](row)


instants = st.integers(0, 2**31)
spans = st.tuples(instants, st.integers(1, 400 * periods.DAY)).map(lambda span: (span[0], span[0] + span[1]))


@given(spans, st.integers(0, 10**8), instants)
def test_what_is_used_and_what_is_left_make_the_charge(span: tuple[int, int], amount: int, at: int) -> None:
    """A change to the same price at any instant costs nothing."""
    charge = Charge(amount, *span)
    assert proration.unused_credit(charge, at).amount + proration.remaining_debit(charge, at).amount == 0
    assert 0 <= -proration.unused_credit(charge, at).amount <= amount


@given(spans, st.integers(0, 10**8), st.lists(instants, max_size=6))
def test_however_often_it_changes_no_more_comes_back_than_was_paid(
    span: tuple[int, int], amount: int, changes: list[int]
) -> None:
    """Each change credits the last debit and debits the rest anew at the same price: the sum stays the price."""
    paid = total = Charge(amount, *span)
    billed = amount
    for at in sorted(max(change, span[0]) for change in changes):
        billed += proration.unused_credit(paid, at).amount
        debit = proration.remaining_debit(total, at)
        billed += debit.amount
        if debit.start == debit.end:
            break
        paid = Charge(debit.amount, debit.start, debit.end)
    assert abs(billed - amount) <= len(changes)


@given(spans, st.lists(instants, max_size=8))
def test_parts_of_a_period_make_the_period(span: tuple[int, int], cuts: list[int]) -> None:
    marks = [span[0], *sorted(min(max(cut, span[0]), span[1]) for cut in cuts), span[1]]
    for grain in cast(list[Grain], ["second", "day"]):
        shares = [proration.within(*pair, *span, grain) for pair in pairwise(marks)]
        whole = proration.within(*span, *span, grain)
        assert sum(share.part for share in shares) == whole.part
