"""The trial balance: what was debited and credited to each ledger account, read from the postings."""

from __future__ import annotations

from dataclasses import dataclass

from voldaan.ledger.chart import CHART, DEBIT_NORMAL
from voldaan.rules.money import format_amount
from voldaan.store.pool import Pool
from voldaan.store.queries import query


@dataclass(frozen=True, slots=True)
class Balance:
    """One ledger account in one currency; minor units."""

    account: str
    currency: str
    debits: int
    credits: int

    @property
    def normal(self) -> int:
        """The balance on the account's own side."""
        return self.debits - self.credits if CHART[self.account] in DEBIT_NORMAL else self.credits - self.debits

    def shown(self, amount: int) -> str:
        return format_amount(amount, self.currency).split(" ")[0]


async def trial_balance(pool: Pool, account: str) -> list[Balance]:
    """All ledger accounts with postings, in the chart's order."""
    async with pool.connection() as connection:
        cursor = await connection.execute(query("ledger", "trial_balance"), {"account": account})
        rows = await cursor.fetchall()
    order = list(CHART)
    balances = [Balance(name, currency, int(debits), int(credits)) for name, currency, debits, credits in rows]
    return sorted(balances, key=lambda b: (b.currency, order.index(b.account)))
