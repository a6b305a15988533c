"""Long runs of chance: subscriptions over thirty years in twelve time zones, and sums that are split and put together again.

A few thousand cases in every run. `VOLDAAN_LONG_RUNS=1` runs all of them: 100,000 subscriptions and a million splits.
"""

from __future__ import annotations

import os
import random
from decimal import Decimal

from tests.rules import billing
from voldaan.resources.billing import TaxAmount, TaxRateDetails
from voldaan.resources.line_items import LineItem
from voldaan.rules import credited, discounts, lines, money, periods, proration, tax
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.periods import DAY, Interval
from voldaan.rules.proration import Charge, Grain

ALL = bool(os.environ.get("VOLDAAN_LONG_RUNS"))
SUBSCRIPTIONS = 100_000 if ALL else 250
SPLITS = 1_000_000 if ALL else 4_000
YEARS = 30
FROM = 1_577_836_800  # 1 January 2020
ZONES = (
    "UTC", "Europe/Amsterdam", "America/New_York", "America/Sao_Paulo", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kolkata",
    "Asia/Kathmandu", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca",
)  # fmt: skip
RHYTHMS: tuple[tuple[Interval, int], ...] = (
    ("day", 1), ("day", 30), ("week", 1), ("week", 2), ("month", 1), ("month", 3), ("month", 6), ("year", 1), ("year", 2),
)  # fmt: skip


def test_thirty_years_have_no_gap_no_overlap_and_no_drift() -> None:
    """Renewed one by one as the billing run does, the periods are those counted from the anchor; each one's parts come to
    its price."""
    chance = random.Random(20_270_131)
    for number in range(SUBSCRIPTIONS):
        zone = ZONES[number % len(ZONES)]
        interval, count = RHYTHMS[number // len(ZONES) % len(RHYTHMS)]
        anchor = FROM + chance.randrange(4 * 366 * DAY)
        begun = anchor - chance.randrange(40 * DAY)
        for begins, steps in _walks(chance, begun, interval, count):
            n, start, _ = periods.period_at(anchor, interval, count, begins, zone)
            for _ in range(steps):
                follows, end = periods.next_period(anchor, interval, count, start, zone)
                here = periods.period_at(anchor, interval, count, chance.randrange(start, end), zone)
                assert (follows, here.n, here.start, here.end) == (start, n, start, end), (zone, interval, count, anchor, n)
                assert end == periods.add_interval(anchor, interval, count, n + 1, zone) > start
                start, n = end, n + 1
        if interval in ("month", "year"):
            _keeps_its_day(anchor, start, zone)


def _walks(chance: random.Random, begun: int, interval: Interval, count: int) -> list[tuple[int, int]]:
    """From where, and how many periods on: all of thirty years; where these have too many, some at their beginning, somewhere
    between and at their end."""
    days = {"day": 1.0, "week": 7.0, "month": 30.4, "year": 365.25}[interval] * count
    every, most = int(YEARS * 365.25 / days), 360 if ALL else 120
    if every <= most:
        return [(begun, max(every, 1))]
    steps = most // 3
    last = begun + int((every - steps) * days * DAY)
    return [(begun, steps), (chance.randrange(begun, last), steps), (last, steps)]


def _keeps_its_day(anchor: int, at: int, zone: str) -> None:
    """No drift: the day of the month is the anchor's, or the last one of a month that lacks it."""
    day, then = _day_of_month(anchor, zone), _day_of_month(at, zone)
    tomorrow = periods.day_start(at, zone) + DAY * 3 // 2
    assert then == day or (then < day and _day_of_month(tomorrow, zone) == 1), (anchor, at, zone)


def _day_of_month(at: int, zone: str) -> int:
    first = periods.anchor_from_config(at, "month", 1, 1, zone=zone)
    before = periods.add_interval(first, "month", 1, -1, zone)
    return 1 if periods.days_until(at, first, zone) == 0 else 1 + periods.days_until(before, at, zone)


def test_parts_of_a_period_come_to_the_whole() -> None:
    """Splits of a period at any instants, by the second and by the day: what is used and what is left are the charge."""
    chance = random.Random(17)
    price = billing.price("pro", 0)
    for number in range(SPLITS // 4):
        zone, grain = ZONES[number % len(ZONES)], (("second", "day")[number % 2])
        anchor = FROM + chance.randrange(1_000 * DAY)
        period = periods.period_at(anchor, "month", 1, anchor + chance.randrange(1_000 * DAY), zone)
        at = chance.randrange(period.start, period.end + 1)
        amount = chance.randrange(-10**8, 10**8)
        charge = Charge(amount, period.start, period.end)
        _credit_and_rest(charge, at, grain, zone)
        if number % 8 == 0:
            price = billing.price(f"p{number}", abs(amount))
            catalogue = Catalogue(prices={price.id: price}, products={price.product: "P"}, grain=grain)
            calendar = lines.Calendar(anchor, zone, grain)
            far = chance.randrange(period.end, period.end + 90 * DAY)
            found = list(lines.stretches(catalogue, calendar, price.id, "eur", 1, at, far))
            assert [s.end for s in found[:-1]] == [s.start for s in found[1:]]
            assert (found[0].start, found[-1].end) == (at, far)
            assert all(each.amount == abs(amount) for each in found[1:-1])


def _credit_and_rest(charge: Charge, at: int, grain: Grain, zone: str) -> None:
    """What is given back is what the rest would cost; giving back twice never exceeds the charge."""
    credit = proration.unused_credit(charge, at, grain, zone)
    rest = proration.remaining_debit(charge, at, grain, zone)
    if charge.amount > 0:
        assert credit.amount == -rest.amount
        assert 0 <= -credit.amount <= charge.amount
        again = Charge(charge.amount, charge.start, charge.end, None, -credit.amount)
        assert -credit.amount - proration.unused_credit(again, charge.start, grain, zone).amount <= charge.amount
    used = proration.within(charge.start, at, charge.start, charge.end, grain, zone)
    assert (used.part + rest.share.part, used.whole) == (rest.share.whole, rest.share.whole)


def test_splits_sum_to_the_whole() -> None:
    """Of an amount over weights, of a discount over lines, of tax over lines, of credits over a line."""
    chance = random.Random(31)
    for _ in range(SPLITS):
        amounts = [chance.randrange(0, 10 ** chance.randrange(1, 8)) for _ in range(chance.randrange(1, 7))]
        whole = sum(amounts)
        _split(chance, amounts, whole)
        _discounted(chance, amounts, whole)
        _taxed(chance, amounts)


def _split(chance: random.Random, amounts: list[int], whole: int) -> None:
    total = chance.randrange(-10**9, 10**9)
    if whole:
        parts = money.split(total, amounts)
        assert sum(parts) == total
        assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, amounts, strict=True))


def _discounted(chance: random.Random, amounts: list[int], whole: int) -> None:
    percent = Decimal(chance.randrange(1, 10_001)) / 100
    fixed = chance.randrange(0, 2 * whole + 2)
    found = discounts.apply(
        [discounts.DiscountableLine(amount) for amount in amounts],
        [discounts.Discount("p", percent_off=percent), discounts.Discount("f", amount_off=fixed)],
    )
    by_discount = {"p": 0, "f": 0}
    for amount, taken in zip(amounts, found, strict=True):
        assert 0 <= discounts.total(taken) <= amount
        for each in taken:
            by_discount[each.discount] += each.amount
    off = money.round_half_away(Decimal(whole) * percent / 100)
    assert by_discount == {"p": off, "f": min(fixed, whole - off)}


def _taxed(chance: random.Random, amounts: list[int]) -> None:
    rates = [tax.Rate(f"r{n}", Decimal(chance.randrange(0, 400_000)) / 10_000, chance.random() < 0.4) for n in range(3)]
    taxable = [tax.TaxableLine(amount, tuple(chance.sample(rates, chance.randrange(0, 3)))) for amount in amounts]
    found = tax.calculate(taxable)
    assert sum(t.amount for line in found.lines for t in line) == sum(t.amount for t in found.rates)
    assert (found.inclusive, found.exclusive) == (
        sum(t.amount for t in found.rates if t.inclusive), sum(t.amount for t in found.rates if not t.inclusive),
    )  # fmt: skip
    _credited(chance, taxable, found)


def _credited(chance: random.Random, taxable: list[tax.TaxableLine], found: tax.Taxes) -> None:
    """Credited bit by bit, the lines of an invoice give back all that they were, tax and all."""
    lefts = credited.left_of([_line(n, *each) for n, each in enumerate(zip(taxable, found.lines, strict=True))], [])
    whole = [(left.parts.net, dict(left.parts.taxes)) for left in lefts]
    for _ in range(3):
        chosen = [(left, chance.randrange(1, left.amount + 1)) for left in lefts if left.amount > 0 and chance.random() < 0.7]
        for (left, _), parts in zip(chosen, credited.of_lines(chosen, "per_rate"), strict=True):
            left.take(parts)
    rest = [(left, left.amount) for left in lefts if left.amount > 0]
    for (left, _), parts in zip(rest, credited.of_lines(rest, "per_rate"), strict=True):
        left.take(parts)
    assert [(left.now.net, {id: tax for id, tax in left.now.taxes.items() if tax}) for left in lefts] == [
        (net, {id: tax for id, tax in taxes.items() if tax}) for net, taxes in whole
    ]


def _line(number: int, taxable: tax.TaxableLine, taxes: list[tax.Tax]) -> LineItem:
    inside = sum(each.amount for each in taxes if each.inclusive)
    return LineItem(
        id=f"il_{number}", amount=taxable.amount, currency="eur", invoice="in_1", livemode=False, period_start=FROM,
        period_end=FROM, subtotal=taxable.amount, net=taxable.amount - inside, tax=sum(each.amount for each in taxes),
        taxes=[
            TaxAmount(
                amount=each.amount,
                tax_behavior="inclusive" if each.inclusive else "exclusive",
                tax_rate_details=TaxRateDetails(tax_rate=each.rate),
            )
            for each in taxes
        ],
    )  # fmt: skip
