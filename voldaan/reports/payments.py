"""Tries to take money: how many succeed, why they fail, and what is recovered of what failed.

*Success rate*: payments that succeeded ÷ tries that were answered. *Recovery* (Stripe's definition): of recurring
payments, without the first invoice after a trial, those whose first try was declined; recovered when the invoice was
paid after all, by whatever means.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voldaan.reports.months import first_instant, months_until, within
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

RECENT_DAYS = 90
DAY = 86_400


@dataclass(slots=True)
class Tally:
    """How many, and how much in minor units."""

    count: int = 0
    amount: int = 0

    def add(self, count: int, amount: int) -> None:
        self.count += count
        self.amount += amount


@dataclass(slots=True)
class PaymentMonth:
    """Tries of one month, by how they ended."""

    month: str
    succeeded: Tally = field(default_factory=Tally)
    declined: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class Payments:
    """One currency. All but `months` is about the last 90 days."""

    months: list[PaymentMonth]
    succeeded: Tally = field(default_factory=Tally)
    declined: Tally = field(default_factory=Tally)
    open: Tally = field(default_factory=Tally)
    codes: dict[str, Tally] = field(default_factory=dict)
    recovered: Tally = field(default_factory=Tally)     # failed at first, paid after all
    retrying: Tally = field(default_factory=Tally)      # failed at first, still tried
    lost: Tally = field(default_factory=Tally)          # failed at first and given up

    @property
    def answered(self) -> int:
        return self.succeeded.count + self.declined.count

    @property
    def failed_first(self) -> Tally:
        """Recurring payments whose first try was declined."""
        parts = (self.recovered, self.retrying, self.lost)
        return Tally(sum(p.count for p in parts), sum(p.amount for p in parts))

    @property
    def top_codes(self) -> list[tuple[str, Tally]]:
        """Decline codes, the most frequent first."""
        return sorted(self.codes.items(), key=lambda code: (-code[1].count, -code[1].amount, code[0]))


async def payments(tx: Transaction, now: int, count: int = 12) -> dict[str, Payments]:
    """By currency: months up to that of `now`, and the last 90 days."""
    names = months_until(now, count)
    recent_from = now - RECENT_DAYS * DAY
    rows = await tx.all(query("reports", "payment_attempts"), start=first_instant(names[0]), recent=recent_from)
    found: dict[str, Payments] = {}

    def of(currency: str) -> Payments:
        return found.setdefault(currency, Payments([PaymentMonth(name) for name in names]))

    for currency, month, recent, end, code, tries, amount in rows:
        figures = of(currency)
        place = within(names, month)
        if end != "open" and place is not None:
            getattr(figures.months[place], end).add(tries, amount)
        if recent:
            getattr(figures, end).add(tries, amount)
        if recent and end == "declined":
            figures.codes.setdefault(code, Tally()).add(tries, amount)
    for currency, end, tries, amount in await tx.all(query("reports", "recovery"), recent=recent_from):
        getattr(of(currency), end).add(tries, amount)
    return found
