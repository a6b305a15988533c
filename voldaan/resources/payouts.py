"""Payouts: from the balance to one's own bank account."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import Column, Expandable, Hidden, Instant, Part, Resource, Table
from voldaan.resources.params import (
    Currency,
    ListParams,
    Metadata,
    Params,
    PositiveAmount,
    Range,
    Timestamp,
    Unset,
)
from voldaan.resources.payment_intents import Descriptor

PayoutStatus = Literal["canceled", "failed", "in_transit", "paid", "pending"]


class TraceId(Part, kw_only=True):
    status: str
    value: str | None = None


class Payout(Resource, kw_only=True):
    """pending until the bank has it, in_transit until it arrives. A paid payout can still fail."""

    TABLE: ClassVar[Table] = Table("payouts", prefix="po", state="status")
    object: Literal["payout"] = "payout"
    amount: Annotated[int, Column()]                                # minor units
    application_fee: str | None = None
    application_fee_amount: int | None = None
    arrival_date: Annotated[Instant, Column("arrival_at")]
    automatic: Annotated[bool, Column()] = False
    balance_transaction: Annotated[str | None, Expandable("balance_transaction")] = None
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    description: str | None = None
    destination: Annotated[str | None, Column("destination_id")] = None
    failure_balance_transaction: Annotated[str | None, Expandable("balance_transaction")] = None
    failure_code: str | None = None
    failure_message: str | None = None
    livemode: bool = False
    metadata: dict[str, str] | None = {}
    method: str = "standard"
    original_payout: Annotated[str | None, Expandable("payout")] = None
    payout_method: str | None = None
    reconciliation_status: Literal["completed", "in_progress", "not_applicable"] = "not_applicable"
    reversed_by: Annotated[str | None, Expandable("payout")] = None
    source_type: str = "card"
    statement_descriptor: str | None = None
    status: Annotated[PayoutStatus, Column()] = "pending"
    trace_id: TraceId | None = None
    type: Literal["bank_account", "card"] = "bank_account"

    attempt: Annotated[str | None, Hidden()] = None
    clock: Annotated[str | None, Column("clock_id"), Hidden()] = None


class PayoutCreate(Params):
    """POST /v1/payouts"""

    amount: PositiveAmount
    currency: Currency
    description: str | None = None
    destination: str | None = None
    metadata: Metadata | None = None
    method: Literal["instant", "standard"] | None = None
    payout_method: str | None = None
    source_type: Literal["bank_account", "card", "fpx"] | None = None
    statement_descriptor: Descriptor | None = None


class PayoutUpdate(Params):
    """POST /v1/payouts/{id}"""

    metadata: Metadata | Unset | None = None


class PayoutCancel(Params):
    """POST /v1/payouts/{id}/cancel"""


class PayoutReverse(Params):
    """POST /v1/payouts/{id}/reverse"""

    metadata: Metadata | None = None


class PayoutList(ListParams):
    """GET /v1/payouts"""

    arrival_date: Timestamp | Range | None = None
    destination: str | None = None
    status: str | None = None
