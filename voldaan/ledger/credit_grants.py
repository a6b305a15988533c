"""Billing credits in the books: what was bought in advance is owed until it is used; what was given is owed to nobody.

The sale of paid credits is revenue of its own invoice, or of another system: granting them puts it off. Promotional
credits lower what a line earns, as a discount does, and so have no postings.
"""

from __future__ import annotations

from voldaan.ledger.chart import CREDIT_BREAKAGE, CREDIT_REVENUE, CREDIT_SALES, PREPAID_CREDITS
from voldaan.ledger.journal import postings
from voldaan.resources.credit_balance import CreditBalanceTransaction, Movement
from voldaan.rules.decision import Posting

LEGS: dict[Movement, tuple[str, str]] = {
    "credits_granted": (CREDIT_SALES, PREPAID_CREDITS),
    "credits_voided": (PREPAID_CREDITS, CREDIT_SALES),
    "credits_applied": (PREPAID_CREDITS, CREDIT_REVENUE),      # usage is billed when it is over: earned at once
    "credits_application_invoice_voided": (CREDIT_REVENUE, PREPAID_CREDITS),
    "credits_expired": (PREPAID_CREDITS, CREDIT_BREAKAGE),
}


def moved(transaction: CreditBalanceTransaction) -> list[Posting]:
    """The posting of one movement of a grant's balance; none for credits that were given."""
    if transaction.category != "paid":
        return []
    debit, credit = LEGS[transaction.movement]
    return postings(
        transaction.id,
        transaction.movement,
        transaction.currency,
        transaction.created,
        [(debit, credit, transaction.value)],
        customer=transaction.customer,
        invoice=transaction.invoice,
    )
