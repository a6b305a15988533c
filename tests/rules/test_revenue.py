"""What lines earn: each month its share, to the cent, and nothing twice or back and forth."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voldaan.ledger import revenue
from voldaan.ledger.revenue import Deferred, Schedule


def day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def earned(lines: list[Schedule], finalized: int, months: list[str]) -> list[int]:
    """At finalization, then month by month, as the ledger would have it."""
    found = [revenue.at_once(lines)]
    deferred = sum(line.net for line in lines) - found[0]
    for month in months:
        posted = revenue.recognise(Deferred("in_1", "cus_1", "eur", finalized, deferred, tuple(lines)), month)
        found.append(sum(p.amount if p.credit == "revenue" else -p.amount for p in posted))
        deferred -= found[-1]
    assert deferred == sum(line.net for line in lines) - sum(found)
    return found


MONTHS = ["2027-04", "2027-05", "2027-06"]
TIME = Schedule(6100, day("2027-04-01"), day("2027-06-01"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([TIME], [0, 3000, 3100, 0]),
        ([Schedule(500, day("2027-05-10"), day("2027-05-10"))], [500, 0, 0, 0]),          # a moment that is still to come
        ([Schedule(500, day("2027-05-10"), day("2027-05-10")), TIME], [500, 3000, 3100, 0]),
        ([Schedule(500, day("2027-08-10"), day("2027-08-10")), TIME], [500, 3000, 3100, 0]),
        ([Schedule(500, day("2027-03-01"), day("2027-03-01")), TIME], [500, 3000, 3100, 0]),
        ([Schedule(700, day("2027-05-01"), day("2027-06-01"), True), TIME], [700, 3000, 3100, 0]),
    ],
)  # fmt: skip
def test_a_moment_is_earned_once_and_time_by_the_second(lines: list[Schedule], expected: list[int]) -> None:
    assert earned(lines, day("2027-04-01"), MONTHS) == expected


def test_a_moment_to_come_keeps_no_month_waiting() -> None:
    line = Schedule(500, day("2027-08-10"), day("2027-08-10"))
    assert not revenue.goes_on(Deferred("in_1", "cus_1", "eur", day("2027-04-01"), 0, (line,)), "2027-04")
