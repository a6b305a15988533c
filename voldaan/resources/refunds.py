"""Refunds: money given back, at once or after some days, and sometimes returned."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Currency, ListParams, Metadata, PageParams, Params, PositiveAmount, Unset
from voldaan.resources.payment_methods import NotServed

RefundStatus = Literal["canceled", "failed", "pending", "requires_action", "succeeded"]


class CardDestination(Part, kw_only=True):
    reference: str | UnsetType = UNSET
    reference_status: str | UnsetType = UNSET
    reference_type: str | UnsetType = UNSET
    type: Literal["pending", "refund", "reversal"] = "refund"


class DestinationDetails(Part, kw_only=True):
    card: CardDestination | UnsetType = UNSET
    sepa_debit: dict[str, Any] | UnsetType = UNSET
    type: str


class Refund(Resource, kw_only=True):
    """Its amount counts as refunded from the moment it is asked for, until it fails."""

    TABLE: ClassVar[Table] = Table("refunds", prefix="re", state="status")
    object: Literal["refund"] = "refund"
    amount: Annotated[int, Column()]                                # minor units
    balance_transaction: Annotated[str | None, Expandable("balance_transaction")] = None
    charge: Annotated[str | None, Column("charge_id"), Expandable("charge")] = None
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    description: str | UnsetType = UNSET
    destination_details: DestinationDetails | UnsetType = UNSET
    failure_balance_transaction: Annotated[str | UnsetType, Expandable("balance_transaction")] = UNSET
    failure_reason: str | UnsetType = UNSET
    instructions_email: str | UnsetType = UNSET
    metadata: dict[str, str] | None = {}
    next_action: dict[str, Any] | UnsetType = UNSET
    payment_intent: Annotated[str | None, Column("payment_intent_id"), Expandable("payment_intent")] = None
    payment_method: Annotated[str | None, Expandable("payment_method")] = None
    pending_reason: Literal["charge_pending", "insufficient_funds", "processing"] | UnsetType = UNSET
    presentment_details: dict[str, Any] | UnsetType = UNSET
    reason: Literal["duplicate", "expired_uncaptured_charge", "fraudulent", "requested_by_customer"] | None = None
    receipt_number: str | None = None
    source_transfer_reversal: str | None = None
    status: Annotated[RefundStatus | None, Column()] = "pending"
    transfer_reversal: str | None = None

    attempt: Annotated[str | None, Hidden()] = None
    clock: Annotated[str | None, Hidden()] = None
    invoice: Annotated[str | None, Hidden()] = None
    noted: Annotated[int, Hidden()] = 0              # how much of it belongs to credit notes


class RefundCreate(Params):
    """POST /v1/refunds, and POST /v1/charges/{charge}/refunds"""

    amount: PositiveAmount | None = None
    charge: str | None = None
    currency: Currency | None = None
    customer: NotServed = None
    instructions_email: str | None = None
    metadata: Metadata | Unset | None = None
    origin: NotServed = None
    payment_intent: str | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    refund_application_fee: NotServed = None
    reverse_transfer: NotServed = None


class RefundUpdate(Params):
    """POST /v1/refunds/{id}"""

    metadata: Metadata | Unset | None = None


class RefundCancel(Params):
    """POST /v1/refunds/{id}/cancel"""


class RefundList(ListParams):
    """GET /v1/refunds"""

    charge: str | None = None
    payment_intent: str | None = None


class ChargeRefundList(PageParams):
    """GET /v1/charges/{charge}/refunds"""
