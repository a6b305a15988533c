"""Billing periods: every boundary is computed from the anchor, never from the boundary before it.

Instants are epoch seconds. Period n is the half-open interval [boundary n, boundary n + 1); boundary 0 is the anchor
and n may be negative, so periods tile time without gap or overlap. A day of month that a month lacks falls back to its
last day and returns in the next longer month. Sources: docs/behaviour-rules.md, "Periods".

UTC is plain calendar arithmetic. Any other IANA zone keeps the wall clock of the anchor: a period may be an hour longer
or shorter where the clocks change. A wall time that a change skips lies as far behind the change as it would have been;
a wall time that comes twice means its first coming. A local day that a zone skipped altogether has no length.
"""

from calendar import timegm
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

Interval = Literal["day", "week", "month", "year"]

DAY = 86_400
BEYOND = 1 << 62  # later than any instant of the calendar, which ends with the year 9999
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
MONTHS = {"month": 1, "year": 12}
DAYS = {"day": 1, "week": 7}
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Period(NamedTuple):
    """The n-th period after the anchor, [start, end) in epoch seconds."""

    n: int
    start: int
    end: int


def add_interval(anchor: int, interval: Interval, count: int, n: int, zone: str = "UTC") -> int:
    """The n-th boundary: the anchor moved by n times count intervals, in epoch seconds. Boundary 0 is the anchor."""
    if zone != "UTC":
        return _local_boundary(anchor, interval, count, n, zone) if n else anchor
    if days := DAYS.get(interval):
        return anchor + days * DAY * count * n
    day, clock = divmod(anchor, DAY)
    month, day_of_month = _month_of(day)
    return _day_in(month + MONTHS[interval] * count * n, day_of_month) * DAY + clock


@lru_cache(maxsize=4_096)  # a renewal asks three times
def period_at(anchor: int, interval: Interval, count: int, at: int, zone: str = "UTC") -> Period:
    """The period that contains the instant: the last boundary not after it, and the first boundary after it."""
    if zone != "UTC":
        return _local_period_at(anchor, interval, count, at, zone)
    if days := DAYS.get(interval):
        length = days * DAY * count
        n = (at - anchor) // length
        return Period(n, anchor + n * length, anchor + (n + 1) * length)

    months = MONTHS[interval] * count
    day, clock = divmod(anchor, DAY)
    month, day_of_month = _month_of(day)
    n = (_month_of(at // DAY)[0] - month) // months
    boundary = _day_in(month + months * n, day_of_month) * DAY + clock
    if boundary > at:
        return Period(n - 1, _day_in(month + months * (n - 1), day_of_month) * DAY + clock, boundary)
    return Period(n, boundary, _day_in(month + months * (n + 1), day_of_month) * DAY + clock)


def later(start: int, interval: Interval, count: int, anchor: int, zone: str = "UTC") -> int:
    """So many intervals after the start: by the anchor's boundaries where it is one of them, else by its own date. BEYOND,
    where the calendar ends before that."""
    try:
        period = period_at(anchor, interval, 1, start, zone)
        if period.start == start:
            return add_interval(anchor, interval, 1, period.n + count, zone)
        return add_interval(start, interval, count, 1, zone)
    except (ValueError, OverflowError):
        return BEYOND


def length(rhythm: tuple[Interval, int]) -> int:
    """Days, near enough to tell which of two rhythms is the shorter one."""
    interval, count = rhythm
    return {"day": 1, "week": 7, "month": 30, "year": 365}[interval] * count


def next_period(anchor: int, interval: Interval, count: int, end: int, zone: str = "UTC") -> tuple[int, int]:
    """What follows a period that ended: from there to the next boundary, so a stub realigns with the anchor."""
    return end, period_at(anchor, interval, count, end, zone).end


def anchor_from_config(
    now: int,
    interval: Interval,
    count: int,
    day_of_month: int,
    month: int | None = None,
    hour: int | None = None,
    minute: int | None = None,
    second: int | None = None,
    zone: str = "UTC",
) -> int:
    """The anchor of a billing_cycle_anchor_config: the next time the calendar shows these values, not before now.

    The time of day defaults to that of now. The anchor lies in a month that has the day, so that "31" stays the last
    day of every month; it may therefore be several periods ahead, and the first full period starts at the first
    boundary not before now. A day that no month of the cycle has (30 February) becomes the longest there is.
    Only for monthly and yearly intervals.
    """
    today, clock = _local_day(now, zone)
    parts = zip((hour, minute, second), (clock // 3600, clock // 60 % 60, clock % 60), strict=True)
    hour, minute, second = (current if given is None else given for given, current in parts)
    clock = (hour * 60 + minute) * 60 + second

    def on(month_number: int) -> int:
        return _instant(_day_in(month_number, day_of_month), clock, zone)

    first = _month_of(today)[0]
    if month is not None:
        first += month - 1 - first % 12
    if on(first) < now:
        first += 1 if month is None else 12
    cycle = [first + MONTHS[interval] * count * n for n in range(48)]
    longest = min(day_of_month, max(map(_length, cycle)))
    return on(next(number for number in cycle if _length(number) >= longest))


def days_until(start: int, end: int, zone: str = "UTC") -> int:
    """Calendar days from the date of one instant to the date of another in the zone; negative when end is earlier."""
    return _local_day(end, zone)[0] - _local_day(start, zone)[0]


def day_start(at: int, zone: str = "UTC") -> int:
    """The first second of the instant's date in the zone."""
    return _instant(_local_day(at, zone)[0], 0, zone)


# Below, a "day" is the number of days since 1970-01-01, a "month number" is year * 12 + month - 1.


# The next two are asked for the same few hundred days and months over and over: a billing run is of one day.


@lru_cache(maxsize=65_536)
def _month_of(day: int) -> tuple[int, int]:
    """The month number and the day of month of a day."""
    current = date.fromordinal(day + EPOCH_ORDINAL)
    return current.year * 12 + current.month - 1, current.day


@lru_cache(maxsize=65_536)
def _day_in(month_number: int, day_of_month: int) -> int:
    """The day that is this day of the month, or the month's last one."""
    year, month = divmod(month_number, 12)
    return date(year, month + 1, min(day_of_month, _length(month_number))).toordinal() - EPOCH_ORDINAL


def _length(month_number: int) -> int:
    """How many days the month has."""
    year, month = divmod(month_number, 12)
    leap = month == 1 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return LENGTHS[month] + leap


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    """The zone. Raises zoneinfo.ZoneInfoNotFoundError for a name the tz database lacks."""
    return ZoneInfo(name)


def _local_day(at: int, zone: str) -> tuple[int, int]:
    """The date and the second of the day that a clock in the zone shows."""
    if zone == "UTC":
        return divmod(at, DAY)
    local = datetime.fromtimestamp(at, _zone(zone))
    return local.toordinal() - EPOCH_ORDINAL, (local.hour * 60 + local.minute) * 60 + local.second


def _instant(day: int, clock: int, zone: str) -> int:
    """The instant at which a clock in the zone shows this day and second of the day."""
    if zone == "UTC":
        return day * DAY + clock
    wall = datetime(1970, 1, 1, tzinfo=_zone(zone)) + timedelta(days=day, seconds=clock)
    return timegm(wall.utctimetuple())


def _local_boundary(anchor: int, interval: Interval, count: int, n: int, zone: str) -> int:
    day, clock = _local_day(anchor, zone)
    if days := DAYS.get(interval):
        return _instant(day + days * count * n, clock, zone)
    month, day_of_month = _month_of(day)
    return _instant(_day_in(month + MONTHS[interval] * count * n, day_of_month), clock, zone)


def _local_period_at(anchor: int, interval: Interval, count: int, at: int, zone: str) -> Period:
    """As in UTC, then one or two boundaries on: the zone's clock may run ahead of UTC's, or behind it."""
    n = period_at(anchor, interval, count, at).n
    while (start := add_interval(anchor, interval, count, n, zone)) > at:
        n -= 1
    while (end := add_interval(anchor, interval, count, n + 1, zone)) <= at:
        n, start = n + 1, end
    return Period(n, start, end)
