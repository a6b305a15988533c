"""Revenue recognition: every line is earned evenly over its period, by the second, and posted month by month.

What is earned so far is computed from the start each time and rounded once, so the months add up to the line exactly.
Months are calendar months of UTC. Amounts are minor units, instants epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from voldaan.ledger.chart import DEFERRED_REVENUE, REVENUE
from voldaan.ledger.journal import postings
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.rules.decision import Due, Posting
from voldaan.rules.money import divide


class Schedule(NamedTuple):
    """What a line earns, and over which time. What was used is earned when it is billed, and so is what a minimum brings:
    their time is over."""

    net: int
    start: int
    end: int
    usage: bool = False


class Deferred(NamedTuple):
    """An invoice with revenue to earn. `deferred` is what the ledger still holds of it."""

    invoice: str
    customer: str
    currency: str
    finalized_at: int
    deferred: int
    lines: tuple[Schedule, ...]


def schedules(invoice: Invoice) -> list[Schedule]:
    """What the lines of an invoice earn, and its shipping, which is for no time."""
    found = [schedule(line, line.net) for line in invoice.lines.data]
    if invoice.shipped is not None:
        found.append(Schedule(invoice.shipped.net, invoice.created, invoice.created))
    return found


def schedule(line: LineItem, net: int) -> Schedule:
    """What a line earns when `net` of it is left."""
    return Schedule(net, line.period_start, line.period_end, line.usage is not None or line.commitment is not None)


def earned(lines: Iterable[Schedule], at: int) -> int:
    """What the lines have earned until the instant: each its share of the time gone by, rounded by itself; usage, and what
    is for no time, all."""
    total = 0
    for net, start, end, usage in lines:
        if usage or start >= end or at >= end:
            total += net
        elif at > start:
            total += divide(net * (at - start), end - start)
    return total


def recognise(facts: Deferred, month: str) -> list[Posting]:
    """What an invoice earns in a month ("2026-01"); in the month it is finalized, also what it had earned before.

    Refunds, credit notes and write-offs may have taken part of what was deferred: the rest of the schedule shrinks in
    the same proportion.
    """
    start, end = bounds(month)
    net = sum(line.net for line in facts.lines)
    before = earned(facts.lines, start) if facts.finalized_at < start else at_once(facts.lines)
    amount = earned(facts.lines, end) - before
    left = net - before
    if facts.deferred != left:
        amount = divide(facts.deferred * amount, left) if left > 0 else facts.deferred
    legs = [(DEFERRED_REVENUE, REVENUE, amount)]
    return postings(
        facts.invoice,
        f"recognised:{month}",
        facts.currency,
        end - 1,
        legs,
        customer=facts.customer,
        invoice=facts.invoice,
    )


def at_once(lines: Iterable[Schedule]) -> int:
    """What was earned at finalization, because it is for no time, or for usage."""
    return sum(line.net for line in lines if line.usage or line.start >= line.end)


def credited(lines: Sequence[tuple[Schedule, int]], deferred: int, month: str | None) -> int:
    """How much of what a credit note takes back had been revenue: of each line in the proportion that it has earned.

    Each line with what is left of its net, and how much of that is credited now. `deferred` is what the ledger still
    holds of the invoice: less than the lines say, if refunds have taken of it. `month` is the last that was recognised.
    """
    unearned = [line.net - so_far(line, month) for line, _ in lines]
    part = sum(_share(left, now, line.net) for left, (line, now) in zip(unearned, lines, strict=True))
    if deferred != sum(unearned):
        part = _share(part, deferred, sum(unearned))
    return sum(now for _, now in lines) - part


def so_far(line: Schedule, month: str | None) -> int:
    """What a line has earned until the end of the last month that was recognised; None: of none."""
    if line.usage or line.start >= line.end:
        return line.net
    return 0 if month is None else earned([line], bounds(month)[1])


def _share(whole: int, part: int, of: int) -> int:
    if not of:
        return 0
    return divide(whole * part, of) if of > 0 else divide(-whole * part, -of)


def goes_on(facts: Deferred, month: str) -> bool:
    """Whether something is left to earn after the month."""
    _, end = bounds(month)
    return any(line.end > max(end, line.start) and line.net for line in facts.lines)


# Months ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def month_of(at: int) -> str:
    """ "2026-01"."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.year:04}-{moment.month:02}"


@lru_cache(maxsize=256)
def bounds(month: str) -> tuple[int, int]:
    """[start, end) of a month in epoch seconds."""
    year, number = int(month[:4]), int(month[5:7])
    following = (year, number + 1) if number < 12 else (year + 1, 1)
    return _first(year, number), _first(*following)


def due(at: int, clock: str | None) -> Due:
    """The work at the end of the month, one row for a book and one for each test clock."""
    month = month_of(at)
    return Due("revenue.recognise", subject(month, clock), bounds(month)[1], clock)


def next_due(month: str, clock: str | None) -> Due:
    return due(bounds(month)[1], clock)


def subject(month: str, clock: str | None) -> str:
    return f"{month}:{clock}" if clock else month


def parse(subject: str) -> tuple[str, str | None]:
    """The month and the test clock of a subject."""
    month, _, clock = subject.partition(":")
    return month, clock or None


def _first(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp())
