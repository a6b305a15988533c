"""The balance of billing credits: the transactions that it consists of, and what they come to."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import Column, Derived, Expandable, Hidden, Instant, Part, Resource, Table
from voldaan.resources.billing import NotSupported
from voldaan.resources.credit_grants import Category, CreditAmount, Monetary, ScopeParams
from voldaan.resources.params import Hash, PageParams, Params

Movement = Literal[
    "credits_granted", "credits_application_invoice_voided", "credits_applied", "credits_expired", "credits_voided"
]
CREDITS: frozenset[str] = frozenset({"credits_granted", "credits_application_invoice_voided"})


class OnInvoice(Part, kw_only=True):
    invoice: Annotated[str, Expandable("invoice")]
    invoice_line_item: str


class CreditMovement(Part, kw_only=True):
    """What comes to the balance."""

    amount: CreditAmount
    credits_application_invoice_voided: OnInvoice | None = None
    type: str


class DebitMovement(Part, kw_only=True):
    """What goes from the balance."""

    amount: CreditAmount
    credits_applied: OnInvoice | None = None
    type: str


class CreditBalanceTransaction(Resource, kw_only=True):
    """One movement of a grant's balance: `value` minor units, to it or from it, as `movement` says."""

    TABLE: ClassVar[Table] = Table("credit_balance_transactions", prefix="cbtxn")
    object: Literal["billing.credit_balance_transaction"] = "billing.credit_balance_transaction"
    created: Annotated[Instant, Column("created_at")]
    credit: Annotated[CreditMovement | None, Derived()] = None
    credit_grant: Annotated[str, Column("credit_grant_id"), Expandable("billing.credit_grant")]
    debit: Annotated[DebitMovement | None, Derived()] = None
    effective_at: Annotated[Instant, Column()]
    livemode: bool
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None
    type: Annotated[Literal["credit", "debit"] | None, Derived()] = None
    movement: Annotated[Movement, Column(), Hidden()]
    value: Annotated[int, Column(), Hidden()]
    currency: Annotated[str, Column(), Hidden()]
    customer: Annotated[str, Column("customer_id"), Hidden()]
    category: Annotated[Category, Column(), Hidden()]  # the grant's
    invoice: Annotated[str | None, Column("invoice_id"), Hidden()] = None
    line: Annotated[str | None, Column("invoice_line_item_id"), Hidden()] = None

    def __post_init__(self) -> None:
        amount = CreditAmount(monetary=Monetary(currency=self.currency, value=self.value))
        where = OnInvoice(invoice=self.invoice, invoice_line_item=self.line or "") if self.invoice else None
        self.credit = self.debit = None
        if self.movement in CREDITS:
            self.type = "credit"
            self.credit = CreditMovement(amount=amount, credits_application_invoice_voided=where, type=self.movement)
        else:
            self.type = "debit"
            self.debit = DebitMovement(amount=amount, credits_applied=where, type=self.movement)


class CreditBalanceTransactionList(PageParams):
    credit_grant: str | None = None
    customer: str | None = None
    customer_account: NotSupported = None


class Balances(Part, kw_only=True):
    """In one currency: what can be used now, and what was recorded so far."""

    available_balance: CreditAmount
    ledger_balance: CreditAmount


class CreditBalanceSummary(Resource, kw_only=True):
    """Has no row and no id of its own: the sum of a customer's grants."""

    TABLE: ClassVar[Table] = Table("credit_grants", prefix="")
    object: Literal["billing.credit_balance_summary"] = "billing.credit_balance_summary"
    id: Annotated[str, Hidden()] = ""
    balances: list[Balances]
    customer: Annotated[str, Expandable("customer")]
    customer_account: str | None = None
    livemode: bool


class SummaryFilter(Hash):
    applicability_scope: ScopeParams | None = None
    credit_grant: str | None = None
    type: Literal["applicability_scope", "credit_grant"]


class CreditBalanceSummaryRetrieve(Params):
    customer: str | None = None
    customer_account: NotSupported = None
    filter: SummaryFilter
