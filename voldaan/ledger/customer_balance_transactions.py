"""What a change of a customer's balance means to the books, when nothing else explains it."""

from __future__ import annotations

from voldaan.ledger.chart import CUSTOMER_BALANCE, CUSTOMER_BALANCE_ADJUSTMENTS
from voldaan.ledger.journal import postings
from voldaan.resources.customer_balance_transactions import CustomerBalanceTransaction
from voldaan.rules.decision import Posting


def adjusted(transaction: CustomerBalanceTransaction) -> list[Posting]:
    """Credit that is granted is an expense and a debt to the customer; credit that is taken away reverses both."""
    return postings(
        transaction.id,
        "adjusted",
        transaction.currency,
        transaction.created,
        [(CUSTOMER_BALANCE_ADJUSTMENTS, CUSTOMER_BALANCE, -transaction.amount)],
        customer=transaction.customer,
    )
