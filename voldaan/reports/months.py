"""Calendar months in UTC, written "2026-03"."""

from __future__ import annotations

from datetime import UTC, datetime


def month_of(instant: int) -> str:
    """The month that an instant (epoch seconds) falls in."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m")


def months_until(instant: int, count: int) -> list[str]:
    """`count` months, the last of them the instant's; at the very beginning of a month it is the one that has just ended.

    What happens at that very instant is counted with the last month: see `within`.
    """
    last = _number(month_of(instant - 1))
    return [_name(number) for number in range(last - count + 1, last + 1)]


def within(months: list[str], month: str) -> int | None:
    """The place of a month among these; None before them. What is later belongs to the last."""
    return None if month < months[0] else months.index(min(month, months[-1]))


def ends_at(month: str) -> int:
    """When a month ends, in epoch seconds: the next one's beginning."""
    return first_instant(_name(_number(month) + 1))


def _number(month: str) -> int:
    year, number = (int(part) for part in month.split("-"))
    return year * 12 + number - 1


def _name(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"


def first_instant(month: str) -> int:
    """When a month begins, in epoch seconds."""
    year, number = (int(part) for part in month.split("-"))
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp())
