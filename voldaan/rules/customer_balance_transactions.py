"""The customer's balance: what the business owes the customer beside any invoice, or the customer the business.

Minor units of the customer's currency; negative is credit for the customer. Every change leaves a transaction behind.
"""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.customer_balance_transactions import BalanceTransactionType, CustomerBalanceTransaction
from voldaan.resources.customers import Customer
from voldaan.rules.decision import Refusal


def refusal(customer: Customer, currency: str, param: str = "currency") -> Refusal | None:
    """Why the customer's balance cannot change in `currency`; None if it can. A customer has one currency."""
    if customer.currency in (None, currency):
        return None
    return Refusal(
        "",
        "You cannot combine currencies on a single customer. "
        f"This customer has a balance or billing in {customer.currency}, not in {currency}.",
        param,
    )


def move(
    customer: Customer,
    amount: int,
    type: BalanceTransactionType,
    *,
    id: str,
    at: int,
    currency: str,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    invoice: str | None = None,
    credit_note: str | None = None,
) -> tuple[Customer, CustomerBalanceTransaction]:
    """The customer with `amount` added to the balance, and the transaction that says so. The caller holds the lock."""
    balance = customer.balance + amount
    changed = replace(
        customer, balance=balance, currency=currency, invoice_credit_balance={currency: balance} if balance else {}
    )
    return changed, CustomerBalanceTransaction(
        id=id,
        amount=amount,
        created=at,
        credit_note=credit_note,
        currency=currency,
        customer=customer.id,
        description=description,
        ending_balance=balance,
        invoice=invoice,
        livemode=customer.livemode,
        metadata=metadata or {},
        type=type,
    )
