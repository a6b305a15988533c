"""Balance transactions: every movement of the money that processors hold for us. Their sum is the balance."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import Column, Expandable, Hidden, Instant, Part, Resource, Table
from voldaan.resources.params import Currency, ListParams

BalanceTransactionType = Literal[
    "adjustment", "charge", "payment", "payment_failure_refund", "payment_refund", "payout", "payout_cancel",
    "payout_failure", "refund", "refund_failure", "stripe_fee",
]  # fmt: skip

# Stripe's finer or coarser names in reports.
REPORTING_CATEGORIES: dict[str, str] = {
    "adjustment": "other_adjustment",
    "charge": "charge",
    "payment": "charge",
    "payment_failure_refund": "charge_failure",
    "payment_refund": "refund",
    "payout": "payout",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "stripe_fee": "fee",
}


class FeeDetail(Part, kw_only=True):
    amount: int
    application: str | None = None
    currency: str
    description: str | None = None
    type: str = "stripe_fee"


class BalanceTransaction(Resource, kw_only=True):
    """net = amount - fee. It is pending until available_on, then available; its time is that of its clock."""

    TABLE: ClassVar[Table] = Table("balance_transactions", prefix="txn", state="status")
    object: Literal["balance_transaction"] = "balance_transaction"
    amount: Annotated[int, Column()]                                # minor units; negative when it leaves
    available_on: Annotated[Instant, Column()]
    balance_type: Literal["issuing", "payments", "refund_and_dispute_prefunding", "risk_reserved"] = "payments"
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    description: str | None = None
    exchange_rate: None = None
    fee: Annotated[int, Column()] = 0
    fee_details: list[FeeDetail] = []
    net: Annotated[int, Column()]
    reporting_category: str
    source: Annotated[str | None, Column("source_id"), Expandable("source")] = None
    status: Annotated[Literal["available", "pending"], Column()] = "pending"
    type: Annotated[BalanceTransactionType, Column()]

    clock: Annotated[str | None, Column("clock_id"), Hidden()] = None
    payout: Annotated[str | None, Column("payout_id"), Hidden()] = None  # the automatic payout that took it


class BalanceTransactionList(ListParams):
    """GET /v1/balance_transactions"""

    currency: Currency | None = None
    payout: str | None = None
    source: str | None = None
    type: str | None = None
