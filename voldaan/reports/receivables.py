"""What customers owe, and how late they are with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

BUCKETS = ("Not due", "1–30 days", "31–60 days", "61–90 days", "91+ days")
SALES_DAYS = 90
DAY = 86_400


@dataclass(slots=True)
class Bucket:
    """Open invoices that are about equally late; the amount is what remains to be paid, in minor units."""

    name: str
    count: int = 0
    amount: int = 0


@dataclass(slots=True)
class Receivables:
    """One currency. `sales` is what was billed in the last 90 days, without voided invoices and what credit notes took
    back."""

    buckets: list[Bucket] = field(default_factory=lambda: [Bucket(name) for name in BUCKETS])
    sales: int = 0

    @property
    def amount(self) -> int:
        return sum(b.amount for b in self.buckets)

    @property
    def count(self) -> int:
        return sum(b.count for b in self.buckets)

    @property
    def overdue(self) -> int:
        return self.amount - self.buckets[0].amount

    @property
    def days_sales_outstanding(self) -> int | None:
        """Receivables ÷ sales × days, in tenths of a day; None without sales."""
        return self.amount * SALES_DAYS * 10 // self.sales if self.sales > 0 else None


async def receivables(tx: Transaction, now: int) -> dict[str, Receivables]:
    """What is open at `now`, by currency. An invoice without a due date is due when it is finalized."""
    found: dict[str, Receivables] = {}
    for currency, place, count, amount, sales in await tx.all(
        query("reports", "receivables"), now=now, start=now - SALES_DAYS * DAY
    ):
        figures = found.setdefault(currency, Receivables())
        figures.sales += sales
        if place is not None:
            figures.buckets[place].count, figures.buckets[place].amount = count, amount
    return found
