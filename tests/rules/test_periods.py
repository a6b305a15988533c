"""Periods: boundaries, stubs, zones. Cases in periods.txt; what must hold for every anchor below."""

from calendar import monthrange, timegm
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.rules.table import Row, instant, names, rows, written
from voldaan.rules import periods
from voldaan.rules.periods import Interval


def every(cell: str) -> tuple[Interval, int]:
    count, interval = cell.split()
    return cast(Interval, interval), int(count)


def boundaries(row: Row) -> None:
    expected = names(row["first boundaries after the anchor"])
    anchor, zone = instant(row["anchor"]), row["zone"]
    found = [periods.add_interval(anchor, *every(row["every"]), n, zone) for n in range(1, len(expected) + 1)]
    assert [written(at) for at in found] == expected
    assert periods.add_interval(anchor, *every(row["every"]), 0, zone) == anchor


def period(row: Row) -> None:
    found = periods.period_at(instant(row["anchor"]), *every(row["every"]), instant(row["at"]), row["zone"])
    assert (found.n, written(found.start), written(found.end)) == (row.number("n"), row["start"], row["end"])


def next_(row: Row) -> None:
    found = periods.next_period(instant(row["anchor"]), *every(row["every"]), instant(row["ended at"]), row["zone"])
    assert [written(at) for at in found] == [row["start"], row["end"]]


def later(row: Row) -> None:
    found = periods.later(instant(row["start"]), *every(row["every"]), instant(row["anchor"]), row["zone"])
    assert ("beyond" if found == periods.BEYOND else written(found)) == row["end"]


def config(row: Row) -> None:
    now, month, time = instant(row["now"]), row.get("month"), row.get("time")
    clock = [int(part) for part in time.split(":")] if time else [None, None, None]
    interval, count = every(row["every"])
    anchor = periods.anchor_from_config(
        now, interval, count, row.number("day"), int(month) if month else None, *clock, zone=row["zone"]
    )
    assert written(anchor) == row["anchor"]
    around = periods.period_at(anchor, interval, count, now, row["zone"])
    first_full = around.start if around.start == now else around.end
    assert written(first_full) == row["first full period from"]


def days(row: Row) -> None:
    assert periods.days_until(instant(row["from"]), instant(row["to"]), row["zone"]) == row.number("days")


def midnight(row: Row) -> None:
    assert written(periods.day_start(instant(row["at"]), row["zone"])) == row["start of the day"]


def peer(row: Row) -> None:
    anchor, expected = instant(row["anchor"]), names(row["boundaries"])
    found = [periods.add_interval(anchor, *every(row["every"]), n, row["zone"]) for n in range(1, len(expected) + 1)]
    assert [written(at) for at in found] == expected


def first(row: Row) -> None:
    """The first billing day of a subscription that bills on a day of the month, in its own month if yearly."""
    start, (interval, count) = instant(row["start"]), every(row["every"])
    month = int(row["start"][5:7]) if interval == "year" else None
    anchor = periods.anchor_from_config(start, interval, count, row.number("billing day"), month)
    around = periods.period_at(anchor, interval, count, start)
    assert written(start if around.start == start else around.end) == row["first billed on"]


CHECKS = {
    "peer": peer,
    "first": first,
    "later": later,
    "stub": next_,
    "boundaries": boundaries,
    "period": period,
    "next": next_,
    "config": config,
    "days": days,
    "midnight": midnight,
}


@pytest.mark.parametrize("row", rows("periods.txt"), ids=str)
def test_periods(row: Row) -> None:
    CHECKS[row.rule.split()[0]](row)


ZONES = ("UTC", "Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca")
anchors = st.builds(
    lambda year, month, day, clock: timegm((year, month, min(day, monthrange(year, month)[1]), 0, 0, 0)) + clock,
    st.integers(1999, 2060),
    st.integers(1, 12),
    st.integers(28, 31),
    st.integers(0, periods.DAY - 1),
)
intervals = st.sampled_from(cast(list[Interval], ["day", "week", "month", "year"]))


@given(anchors, intervals, st.integers(1, 12), st.sampled_from(ZONES), st.integers(-150, 150))
def test_periods_tile_time(anchor: int, interval: Interval, count: int, zone: str, n: int) -> None:
    start = periods.add_interval(anchor, interval, count, n, zone)
    end = periods.add_interval(anchor, interval, count, n + 1, zone)
    assert start <= end
    if start < end:
        assert periods.period_at(anchor, interval, count, start, zone) == (n, start, end)
        assert periods.period_at(anchor, interval, count, end - 1, zone) == (n, start, end)
    assert periods.next_period(anchor, interval, count, end, zone)[1] > end


@given(anchors, intervals, st.integers(1, 13), st.sampled_from(ZONES), st.integers(-(10**9), 10**9))
@example(1325196000, "day", 1, "Pacific/Apia", 0)
def test_every_instant_lies_in_exactly_one_period(anchor: int, interval: Interval, count: int, zone: str, away: int) -> None:
    n, start, end = periods.period_at(anchor, interval, count, anchor + away, zone)
    assert start <= anchor + away < end
    assert periods.period_at(anchor, interval, count, end, zone).n > n


@given(anchors)
def test_no_drift_in_four_hundred_years(anchor: int) -> None:
    """The Gregorian calendar repeats after 146,097 days, and so must a monthly anchor."""
    cycle = 146_097 * periods.DAY
    for n in range(-3, 4):
        later = periods.add_interval(anchor, "month", 1, n + 4800)
        assert later - periods.add_interval(anchor, "month", 1, n) == cycle


@given(anchors, st.integers(-300, 300))
def test_utc_agrees_with_the_zone_database(anchor: int, n: int) -> None:
    """The integer path and the wall clock path are two ways to the same boundary."""
    for interval in cast(list[Interval], ["day", "week", "month", "year"]):
        by_wall_clock = periods.add_interval(anchor, interval, 1, n, "Etc/UTC")
        assert periods.add_interval(anchor, interval, 1, n) == by_wall_clock


@given(anchors, st.sampled_from(ZONES), st.integers(1, 240))
def test_a_zone_keeps_the_wall_clock(anchor: int, zone: str, n: int) -> None:
    """Each boundary shows the anchor's time of day, unless the clock skipped it that day."""
    tz = ZoneInfo(zone)
    boundary = datetime.fromtimestamp(periods.add_interval(anchor, "month", 1, n, zone), tz)
    wanted = datetime.fromtimestamp(anchor, tz).time()
    naive = datetime.combine(boundary.date(), wanted)
    skipped = naive.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) != naive
    assert boundary.time() == wanted or skipped


def test_the_utc_path_never_asks_the_zone_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> ZoneInfo:
        raise AssertionError(name)

    monkeypatch.setattr(periods, "_zone", refuse)
    anchor = instant("2026-01-31")
    for interval in cast(list[Interval], ["day", "week", "month", "year"]):
        assert periods.next_period(anchor, interval, 1, periods.add_interval(anchor, interval, 1, 5))[1] > anchor
    assert periods.anchor_from_config(anchor, "month", 1, 31) == periods.day_start(anchor)
    assert periods.days_until(anchor, anchor) == 0
