"""Everything that the overview shows, of one instant: a fixed number of queries over one snapshot of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from voldaan.reports import activity, mrr, payments, receivables
from voldaan.reports.activity import DueKind, PayoutRow, Told
from voldaan.reports.mrr import Recurring
from voldaan.reports.payments import Payments
from voldaan.reports.receivables import Receivables
from voldaan.reports.revenue import Ledger, RevenueMonth, ledgers, revenue
from voldaan.resources.accounts import Account
from voldaan.store.pool import Pool
from voldaan.store.queries import query
from voldaan.store.transaction import SCOPE, Transaction

NEWCOMER_DAYS = 30
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Clock:
    """What time it is for the account, in epoch seconds.

    An account lives on its test clocks when all its customers do: the newest of their times is its now. As soon as one
    customer lives in real time, it is the later of the two.
    """

    now: int
    clocks: int          # how many test clocks there are
    on_clock: bool       # whether `now` is a test clock's
    advancing: bool


@dataclass(frozen=True, slots=True)
class Customers:
    count: int
    newcomers: int       # of the last 30 days
    delinquent: int


@dataclass(frozen=True, slots=True)
class Overview:
    """By currency where it is about money; minor units."""

    clock: Clock
    ledgers: dict[str, Ledger]
    revenue: dict[str, list[RevenueMonth]]
    recurring: dict[str, Recurring]
    receivables: dict[str, Receivables]
    payments: dict[str, Payments]
    payouts: dict[str, list[PayoutRow]]
    next_payouts: dict[str, int]
    subscriptions: dict[str, dict[str, int]]
    customers: Customers
    due: list[DueKind]
    latest: list[Told]

    @property
    def currencies(self) -> list[str]:
        """All that occur, the most used first."""
        weight = {c: sum(a.debits for a in b.accounts) for c, b in self.ledgers.items()}
        named = {*self.ledgers, *self.recurring, *self.receivables, *self.payments, *self.payouts, *self.subscriptions}
        return sorted(named, key=lambda c: (-weight.get(c, 0), c))


@asynccontextmanager
async def snapshot(pool: Pool, account: Account, wall: int) -> AsyncIterator[Transaction]:
    """A transaction that only reads, and in which the world stands still."""
    async with pool.connection() as connection:
        await connection.execute("begin isolation level repeatable read read only")
        try:
            await connection.execute(SCOPE, (account.id,))
            yield Transaction(connection, account, wall, wall)
        finally:
            await connection.execute("rollback")


async def gather(tx: Transaction) -> Overview:
    """The whole overview, in fourteen queries whatever the size of the book."""
    clock = await business_time(tx)
    books = await ledgers(tx)
    due, next_payouts = await activity.due_work(tx)
    subscriptions: dict[str, dict[str, int]] = {}
    for currency, status, count in await tx.all(query("reports", "subscriptions_by_status")):
        subscriptions.setdefault(currency, {})[status] = count
    return Overview(
        clock=clock,
        ledgers=books,
        revenue=await revenue(tx, clock.now, books),
        recurring=await mrr.recurring(tx, clock.now),
        receivables=await receivables.receivables(tx, clock.now),
        payments=await payments.payments(tx, clock.now),
        payouts=await activity.payouts(tx),
        next_payouts=next_payouts,
        subscriptions=subscriptions,
        customers=Customers(*await tx.one(query("reports", "customers"), since=clock.now - NEWCOMER_DAYS * DAY)),
        due=due,
        latest=await activity.latest(tx),
    )


async def business_time(tx: Transaction) -> Clock:
    frozen, count, advancing, in_real_time = await tx.one(query("reports", "clocks"))
    on_clock = frozen is not None and (not in_real_time or frozen > tx.wall)
    return Clock(frozen if on_clock else tx.wall, count, on_clock, bool(advancing))
