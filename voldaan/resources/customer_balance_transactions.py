"""Customer balance transactions: why a customer's balance is what it is."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import Column, Expandable, Instant, Resource, Table
from voldaan.resources.params import Currency, ListParams, Metadata, Params, SignedAmount, Unset

BalanceTransactionType = Literal[
    "adjustment", "applied_to_invoice", "checkout_session_subscription_payment",
    "checkout_session_subscription_payment_canceled", "credit_note", "initial", "invoice_overpaid", "invoice_too_large",
    "invoice_too_small", "migration", "unapplied_from_invoice", "unspent_receiver_credit",
]  # fmt: skip


class CustomerBalanceTransaction(Resource, kw_only=True):
    """`amount` in minor units: negative adds credit, positive uses it up. `ending_balance` is the balance after it."""

    TABLE: ClassVar[Table] = Table("customer_balance_transactions", prefix="cbtxn")
    object: Literal["customer_balance_transaction"] = "customer_balance_transaction"
    amount: Annotated[int, Column()]
    checkout_session: Annotated[str | None, Expandable("checkout.session")] = None
    created: Annotated[Instant, Column("created_at")]
    credit_note: Annotated[str | None, Column("credit_note_id"), Expandable("credit_note")] = None
    currency: Annotated[str, Column()]
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    description: str | None = None
    ending_balance: Annotated[int, Column()]
    invoice: Annotated[str | None, Column("invoice_id"), Expandable("invoice")] = None
    livemode: bool
    metadata: dict[str, str] = {}
    type: Annotated[BalanceTransactionType, Column()]


class CustomerBalanceTransactionCreate(Params):
    amount: SignedAmount
    currency: Currency
    description: Annotated[str, Limit(max_length=350)] | Unset | None = None
    metadata: Metadata | Unset = {}


class CustomerBalanceTransactionUpdate(Params):
    description: Annotated[str, Limit(max_length=350)] | Unset | None = None
    metadata: Metadata | Unset = {}


class CustomerBalanceTransactionList(ListParams):
    invoice: str | None = None
