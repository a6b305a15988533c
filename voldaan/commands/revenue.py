"""Revenue recognition: due work at the end of every month that posts what the invoices have earned in it."""

from __future__ import annotations

from voldaan.ledger import revenue
from voldaan.rules.decision import Decision
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

PAGE = 5_000  # invoices that are read and posted at a time


async def recognise(tx: Transaction, subjects: list[str]) -> None:
    """Due work revenue.recognise. What is posted already for a month is not posted again."""
    for subject in subjects:
        month, clock = revenue.parse(subject)
        await _month(tx, month, clock)


async def _month(tx: Transaction, month: str, clock: str | None) -> None:
    start, end = revenue.bounds(month)
    after, goes_on = "", False
    while True:
        rows = await tx.all(
            query("revenue", "deferred"),
            after=after,
            since=start,
            until=end,
            clock=clock,
            fact=f"recognised:{month}",
            limit=PAGE,
        )
        facts = [
            revenue.Deferred(id, customer, currency, finalized, deferred, tuple(map(revenue.Schedule, *lines)))
            for id, customer, currency, finalized, deferred, *lines in rows
        ]
        decision = Decision(postings=[posting for fact in facts for posting in revenue.recognise(fact, month)])
        await write(tx, [decision])
        goes_on = goes_on or any(revenue.goes_on(fact, month) for fact in facts)
        if len(rows) < PAGE:
            break
        after = rows[-1][0]
    if goes_on:
        await write(tx, [Decision(due=[revenue.next_due(month, clock)])])
