"""What the ledger says: its accounts, where the cash is, and revenue by month, earned and deferred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voldaan.ledger import chart
from voldaan.reports.months import ends_at, first_instant, months_until, within
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

# Revenue accounts as they add up to the net figure: a credit to any of them raises it, a debit lowers it.
EARNING: frozenset[str] = frozenset(n for n, kind in chart.CHART.items() if kind in ("revenue", "contra_revenue"))
CASH = (chart.PROCESSOR_AVAILABLE, chart.PROCESSOR_PENDING, chart.PAYOUTS_IN_TRANSIT, chart.BANK, chart.EXTERNAL_CASH)


@dataclass(frozen=True, slots=True)
class LedgerAccount:
    """One account of the chart in one currency, in minor units."""

    name: str
    kind: str
    debits: int
    credits: int

    @property
    def balance(self) -> int:
        """On the account's normal side: what an asset holds, a liability owes, revenue earned."""
        signed = self.debits - self.credits
        return signed if self.kind in chart.DEBIT_NORMAL else -signed


@dataclass(frozen=True, slots=True)
class Ledger:
    """All accounts with postings in one currency, in the chart's order."""

    accounts: list[LedgerAccount] = field(default_factory=list)

    def balance(self, name: str) -> int:
        return next((a.balance for a in self.accounts if a.name == name), 0)

    @property
    def debits(self) -> int:
        return sum(a.debits for a in self.accounts)

    @property
    def credits(self) -> int:
        return sum(a.credits for a in self.accounts)

    @property
    def balanced(self) -> bool:
        return self.debits == self.credits

    @property
    def cash(self) -> int:
        """Everything that is or will be in the bank, whatever holds it now."""
        return sum(self.balance(name) for name in CASH)


@dataclass(slots=True)
class RevenueMonth:
    """A month's revenue in minor units: `gross` recognised, `reversed` by refunds, disputes, voids, write-offs and credit
    notes; `deferred` is what was billed and not yet earned at its end. What a month earns is recognised when it ends."""

    month: str
    ended: bool = False
    gross: int = 0
    reversed: int = 0
    deferred: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.reversed


async def ledgers(tx: Transaction) -> dict[str, Ledger]:
    """The ledger by currency."""
    found: dict[str, list[LedgerAccount]] = {}
    for currency, name, debits, credits in await tx.all(query("reports", "ledger_balances")):
        found.setdefault(currency, []).append(LedgerAccount(name, chart.CHART.get(name, "unknown"), debits, credits))
    order = {name: place for place, name in enumerate(chart.CHART)}
    return {c: Ledger(sorted(accounts, key=lambda a: order.get(a.name, len(order)))) for c, accounts in found.items()}


async def revenue(
    tx: Transaction, now: int, books: Mapping[str, Ledger], count: int = 12
) -> dict[str, list[RevenueMonth]]:
    """Revenue by currency and month, up to the month of `now`."""
    names = months_until(now, count)
    rows = await tx.all(
        query("reports", "postings_by_month"),
        start=first_instant(names[0]),
        accounts=[*sorted(EARNING), chart.DEFERRED_REVENUE],
    )
    found = {currency: [RevenueMonth(name, ends_at(name) <= now) for name in names] for currency in books}
    added: dict[str, list[int]] = {currency: [0] * count for currency in books}  # to deferred revenue
    for currency, name, debit, credit, amount in rows:
        place = within(names, name)
        if place is None:
            continue
        month = found[currency][place]
        for account, signed in ((credit, amount), (debit, -amount)):
            if account == chart.DEFERRED_REVENUE:
                added[currency][place] += signed
            elif account == chart.REVENUE:
                month.gross += signed
            elif account in EARNING:
                month.reversed -= signed
    for currency, months in found.items():
        standing = books[currency].balance(chart.DEFERRED_REVENUE)
        for month, change in zip(reversed(months), reversed(added[currency]), strict=True):
            month.deferred = standing
            standing -= change
    return found
