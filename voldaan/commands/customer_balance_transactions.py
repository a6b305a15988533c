"""The customer's balance: credit granted or taken away by the business. Invoices change it in their own commands."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import clocks, customers
from voldaan.ledger import customer_balance_transactions as ledger
from voldaan.resources.customer_balance_transactions import (
    CustomerBalanceTransaction,
    CustomerBalanceTransactionCreate,
    CustomerBalanceTransactionUpdate,
)
from voldaan.resources.customers import Customer
from voldaan.rules import customer_balance_transactions as rules
from voldaan.rules.decision import Decision, Event, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def create(
    tx: Transaction, params: CustomerBalanceTransactionCreate, customer: str
) -> CustomerBalanceTransaction:
    """Adds to the balance: a negative amount is credit for the customer."""
    was = await customers.living(tx, customer, lock=True)
    await clocks.now_for(tx, was.test_clock)
    if params.amount == 0:
        raise refused("The amount must not be zero.", "amount")
    if no := rules.refusal(was, params.currency):
        raise Refused(no)
    after, transaction = rules.move(
        was,
        params.amount,
        "adjustment",
        id=new_id("cbtxn"),
        at=tx.now,
        currency=params.currency,
        description=params.description or None,
        metadata=merged({}, params.metadata),
    )
    event = Event("customer.updated", after, was)
    await write(tx, [Decision(updates=[Update(after, was)], events=[event]), recorded(transaction)])
    return transaction


async def update(
    tx: Transaction, params: CustomerBalanceTransactionUpdate, id: str, customer: str
) -> CustomerBalanceTransaction:
    """Another description or other metadata; the amount stays."""
    was = await _of_customer(tx, id, customer)
    after = replace(was, metadata=merged(was.metadata, params.metadata))
    if "description" in params.model_fields_set:
        after = replace(after, description=params.description or None)
    await write(tx, [Decision(updates=[Update(after, was)])])
    return after


def adjustment(customer: Customer, amount: int, currency: str, at: int) -> tuple[Customer, Decision]:
    """The customer with `amount` added to the balance, and what records it apart from the customer's own row."""
    after, transaction = rules.move(customer, amount, "adjustment", id=new_id("cbtxn"), at=at, currency=currency)
    return after, recorded(transaction)


def recorded(transaction: CustomerBalanceTransaction) -> Decision:
    """The transaction with its postings."""
    return Decision(inserts=[transaction], postings=ledger.adjusted(transaction))


async def _of_customer(tx: Transaction, id: str, customer: str) -> CustomerBalanceTransaction:
    transaction = await tx.need(CustomerBalanceTransaction, id, lock=True)
    if transaction.customer != customer:
        raise Missing("customer_balance_transaction", id)
    return transaction
