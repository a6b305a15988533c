"""The balance: what processors hold, summed from balance transactions."""

from __future__ import annotations

from voldaan.resources.balance import Balance, BalanceAmount, BalanceRetrieve, SourceTypes
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction


async def retrieve(tx: Transaction, params: BalanceRetrieve) -> Balance:
    """GET /v1/balance"""
    return await balance_of(tx)


async def balance_of(tx: Transaction) -> Balance:
    """What can be paid out, and what will become available, in every currency there is."""
    sums = {(currency, status): net for currency, status, net in await tx.all(query("balance", "sums"))}
    currencies = sorted({currency for currency, _ in sums} | {tx.account.default_currency})
    return Balance(
        available=[_amount(sums.get((c, "available"), 0), c) for c in currencies],
        livemode=tx.account.livemode,
        pending=[_amount(sums.get((c, "pending"), 0), c) for c in currencies],
    )


def _amount(amount: int, currency: str) -> BalanceAmount:
    return BalanceAmount(amount=amount, currency=currency, source_types=SourceTypes(card=amount))
