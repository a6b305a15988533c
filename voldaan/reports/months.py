"""Calendar months in UTC, written "2026-03"."""

from __future__ import annotations

from datetime import UTC, datetime


def month_of(instant: int) -> str:
    """The month that an instant (epoch seconds) falls in."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m")


def months_until(instant: int, count: int) -> list[str]:
    """`count` months, the last of them the instant's."""
    year, month = (int(part) for part in month_of(instant).split("-"))
    last = year * 12 + month - 1
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(last - count + 1, last + 1)]


def first_instant(month: str) -> int:
    """When a month begins, in epoch seconds."""
    year, number = (int(part) for part in month.split("-"))
    return int(datetime(year, number, 1, tzinfo=UTC).timestamp())
