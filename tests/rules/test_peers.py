"""Facts from the public tests of two peers, Lago and Kill Bill: every one is run, or listed in peers.txt with its reason.

The facts stand in peers/ (inputs and expected amounts, in our own words). Those about single rules stand in the tables of
these rules, by their id; what is run here are Kill Bill's billed periods, by whole days, through the function that prices
the time of a line.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.rules import billing
from tests.rules.table import instant
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount as Redeemed
from voldaan.resources.discounts import DiscountSource
from voldaan.resources.prices import Interval
from voldaan.rules import dunning, lines, periods
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.discounts import Discount, DiscountableLine, apply, total
from voldaan.rules.periods import DAY

HERE = Path(__file__).parent
CYCLE = 10**9  # what a whole period costs, so that an amount is a number of cycles to nine decimals
INTERVALS: dict[str, tuple[Interval, int]] = {
    "MONTHLY": ("month", 1), "QUARTERLY": ("month", 3), "ANNUAL": ("year", 1), "THIRTY_DAYS": ("day", 30),
}  # fmt: skip


def facts(file: str) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in (HERE / "peers" / file).read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in found}) == len(found)
    return {row["id"]: row for row in found}


KILL_BILL = facts("killbill.jsonl")
ALL = KILL_BILL | facts("lago.jsonl")
IN_ADVANCE = [id for id, row in KILL_BILL.items() if row["inputs"].get("billing_mode") == "IN_ADVANCE"]
ITS_OWN_COUNT = "pror-240"  # see peers.txt
CYCLES = [id for id in IN_ADVANCE if "number_of_cycles" in KILL_BILL[id]["expected"] and id != ITS_OWN_COUNT]
BOUNDARIES = [id for id in IN_ADVANCE if id.startswith("align-")]


def billed(given: dict[str, Any]) -> list[lines.Stretch]:
    """What a subscription in advance has been billed for when the run bills up to the target date."""
    interval, count = INTERVALS[given["interval"]]
    start, anchor = instant(given["start"]), anchor_of(given)
    target = start if given["target_date"] == "<today>" else instant(given["target_date"])
    last = periods.period_at(anchor, interval, count, target).end
    end = last if given["end"] is None else min(last, instant(given["end"]))
    price = billing.price("cycle", CYCLE, interval, count)
    catalogue = Catalogue(prices={price.id: price}, products={price.product: "Cycle"}, grain="day")
    calendar = lines.Calendar(anchor, "UTC", "day")
    return list(lines.stretches(catalogue, calendar, price.id, "eur", 1, start, end))


def anchor_of(given: dict[str, Any]) -> int:
    """The billing day as an anchor: the first boundary not before the start, counted in the rhythm of the start's month."""
    interval, count = INTERVALS[given["interval"]]
    start = instant(given["start"])
    if interval == "day":
        return start
    month = None if (interval, count) == ("month", 1) else int(given["start"][5:7])
    return periods.anchor_from_config(start, interval, count, given["billing_cycle_day"], month)


@pytest.mark.parametrize("id", CYCLES)
def test_periods_are_shared_by_whole_days(id: str) -> None:
    row = KILL_BILL[id]
    found = billed(row["inputs"])
    assert sum(each.amount for each in found) == Decimal(row["expected"]["number_of_cycles"]) * CYCLE
    for each, expected in zip(found, row["expected"].get("periods", found), strict=True):
        if isinstance(expected, dict):
            assert (each.start, each.end) == (instant(expected["start"]), instant(expected["end"]))
            assert each.amount == Decimal(expected["cycles"]) * CYCLE


@pytest.mark.parametrize("id", BOUNDARIES)
def test_the_billing_day_is_the_first_boundary(id: str) -> None:
    given, expected = KILL_BILL[id]["inputs"], KILL_BILL[id]["expected"]
    found = billed(given)
    boundaries = {found[0].start, *(each.end for each in found)}
    interval, count = INTERVALS[given["interval"]]
    for name, day in expected.items():
        if name == "FirstBillingCycleDate":
            first = periods.period_at(anchor_of(given), interval, count, instant(given["start"]))
            assert instant(day) == (first.start if first.start == instant(given["start"]) else first.end)
        else:
            assert name in ("EffectiveEndDate", "LastBillingCycleDate")
            assert max(boundaries) == instant(day)


def test_percentages_compound() -> None:
    given, expected = ALL["LG161"]["inputs"], ALL["LG161"]["expected"]
    rates = [Decimal(each.removesuffix("%")) for each in given["coupons"]]
    coupons = [Discount(id=f"di_{n}", percent_off=rate) for n, rate in enumerate(rates)]
    [taken] = apply([DiscountableLine(given["base"])], coupons)
    assert total(taken) == expected["coupons"]


def test_a_fixed_sum_in_another_currency_takes_nothing() -> None:
    given, expected = ALL["LG163"]["inputs"], ALL["LG163"]["expected"]
    [(_, amount, currency)] = [each.split() for each in given["coupons"]]
    off = {"amount_off": int(amount) * 100, "currency": currency.lower()}
    coupon = Coupon(id="c", created=0, duration="forever", livemode=False, **off)
    discount = Redeemed(id="di_1", source=DiscountSource(coupon="c"), start=0)
    catalogue = Catalogue(coupons={"c": coupon}, discounts={"di_1": discount})
    found = catalogue.active(["di_1"], given["currency"].lower(), 1)
    [taken] = apply([DiscountableLine(given["base"])], found)
    assert total(taken) == expected["coupons"]


def test_retries_come_after_the_days_that_are_set() -> None:
    given, expected = ALL["pay-retry-2"]["inputs"], ALL["pay-retry-2"]["expected"]
    offsets = tuple(DAY * sum(given["retry_days"][: n + 1]) for n in range(len(given["retry_days"])))
    policy = dunning.RetryPolicy(offsets, "past_due")
    failed = first = instant(given["first_failure"])
    attempts = [failed]
    while (at := dunning.next_retry(policy, len(attempts), first, failed, None)) is not None:
        attempts.append(failed := at)
    assert attempts == [instant(day) for day in expected["attempts"]]


ALONE = {"LG161", "LG163", "pay-retry-2"}  # the three tests above


def in_tables() -> set[str]:
    """Facts that a line of a rule's table runs; lines of prose only speak of them."""
    names = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
    found: set[str] = set()
    for table in HERE.glob("*.txt"):
        if table.name == "peers.txt":
            continue
        for line in table.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                words = [word for word in line.split("  ")[0].split() if names.fullmatch(word)]
                found |= {*words, *(re.sub(r"(?<=\d)[ab]$|-[ab]$", "", word) for word in words)}
    return found & set(ALL)


def listed() -> dict[str, str]:
    """Facts that are not run, each with the reason that stands above it."""
    found: dict[str, str] = {}
    reason = ""
    for line in (HERE / "peers.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            reason = line.removeprefix("# ")
        elif line and not line.startswith("##"):
            for id in line.split():
                assert id not in found, id
                found[id] = reason
    return found


def test_every_fact_is_run_or_listed_with_its_reason() -> None:
    run = set(CYCLES) | set(BOUNDARIES) | ALONE | in_tables()
    skipped = listed()
    assert all(skipped.values())
    assert skipped.keys() <= ALL.keys()
    assert sorted(run & skipped.keys()) == []
    assert sorted(ALL.keys() - run - skipped.keys()) == []
    assert len(run) > len(ALL) / 2
