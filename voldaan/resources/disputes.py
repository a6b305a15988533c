"""Disputes: the payer's bank takes the money back, and we may answer."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field

from voldaan.resources.balance_transactions import BalanceTransaction
from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Hash, ListParams, Metadata, Params, Unset

DisputeStatus = Literal[
    "appeal_needs_response", "appeal_under_review", "lost", "needs_response", "prevented", "under_review",
    "warning_closed", "warning_needs_response", "warning_under_review", "won",
]  # fmt: skip


class Evidence(Part, kw_only=True):
    access_activity_log: str | None = None
    billing_address: str | None = None
    cancellation_policy: str | None = None
    cancellation_policy_disclosure: str | None = None
    cancellation_rebuttal: str | None = None
    customer_communication: str | None = None
    customer_email_address: str | None = None
    customer_name: str | None = None
    customer_purchase_ip: str | None = None
    customer_signature: str | None = None
    duplicate_charge_documentation: str | None = None
    duplicate_charge_explanation: str | None = None
    duplicate_charge_id: str | None = None
    enhanced_evidence: dict[str, Any] = {}
    product_description: str | None = None
    receipt: str | None = None
    refund_policy: str | None = None
    refund_policy_disclosure: str | None = None
    refund_refusal_explanation: str | None = None
    service_date: str | None = None
    service_documentation: str | None = None
    shipping_address: str | None = None
    shipping_carrier: str | None = None
    shipping_date: str | None = None
    shipping_documentation: str | None = None
    shipping_tracking_number: str | None = None
    uncategorized_file: str | None = None
    uncategorized_text: str | None = None


class EvidenceDetails(Part, kw_only=True):
    due_by: int | None = None
    enhanced_eligibility: dict[str, Any] = {}
    has_evidence: bool = False
    past_due: bool = False
    submission_count: int = 0
    submission_method: Literal["manual", "not_submitted", "smart_disputes"] = "not_submitted"


class DisputeCard(Part, kw_only=True):
    brand: str
    case_type: Literal["block", "chargeback", "compliance", "inquiry", "resolution"] = "chargeback"
    network: str
    network_reason_code: str | None = None


class DisputeMethod(Part, kw_only=True):
    card: DisputeCard | UnsetType = UNSET
    type: Literal["amazon_pay", "card", "klarna", "paypal"]


class Dispute(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("disputes", prefix="dp", state="status")
    object: Literal["dispute"] = "dispute"
    amount: Annotated[int, Column()]                                # minor units
    balance_transactions: list[BalanceTransaction] = []
    charge: Annotated[str, Column("charge_id"), Expandable("charge")]
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    enhanced_eligibility_types: list[str] = []
    evidence: Evidence = field(default_factory=Evidence)
    evidence_details: EvidenceDetails = field(default_factory=EvidenceDetails)
    intended_submission_method: Literal["manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes"] | None = None
    is_charge_refundable: bool = False
    livemode: bool = False
    metadata: dict[str, str] = {}
    network_reason_code: str | UnsetType | None = UNSET
    payment_intent: Annotated[str | None, Column("payment_intent_id"), Expandable("payment_intent")] = None
    payment_method_details: DisputeMethod | UnsetType = UNSET
    reason: Annotated[str, Column()]
    status: Annotated[DisputeStatus, Column()]

    amount_withdrawn: Annotated[int, Column(), Hidden()] = 0        # gone from the balance and not come back
    clock: Annotated[str | None, Hidden()] = None
    customer: Annotated[str | None, Column("customer_id"), Hidden()] = None
    invoice: Annotated[str | None, Hidden()] = None
    processor: Annotated[str, Column(), Hidden()]
    processor_id: Annotated[str, Column(), Hidden()]                # the processor's name for the dispute


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────


class EvidenceParams(Hash):
    """Texts, and ids of files; all of them together may have 150,000 characters."""

    access_activity_log: str | Unset | None = None
    appeal: dict[str, Any] | Unset | None = None
    billing_address: str | Unset | None = None
    cancellation_policy: str | Unset | None = None
    cancellation_policy_disclosure: str | Unset | None = None
    cancellation_rebuttal: str | Unset | None = None
    customer_communication: str | Unset | None = None
    customer_email_address: str | Unset | None = None
    customer_name: str | Unset | None = None
    customer_purchase_ip: str | Unset | None = None
    customer_signature: str | Unset | None = None
    duplicate_charge_documentation: str | Unset | None = None
    duplicate_charge_explanation: str | Unset | None = None
    duplicate_charge_id: str | Unset | None = None
    enhanced_evidence: dict[str, Any] | Unset | None = None
    product_description: str | Unset | None = None
    receipt: str | Unset | None = None
    refund_policy: str | Unset | None = None
    refund_policy_disclosure: str | Unset | None = None
    refund_refusal_explanation: str | Unset | None = None
    service_date: str | Unset | None = None
    service_documentation: str | Unset | None = None
    shipping_address: str | Unset | None = None
    shipping_carrier: str | Unset | None = None
    shipping_date: str | Unset | None = None
    shipping_documentation: str | Unset | None = None
    shipping_tracking_number: str | Unset | None = None
    uncategorized_file: str | Unset | None = None
    uncategorized_text: str | Unset | None = None


class DisputeUpdate(Params):
    """POST /v1/disputes/{id}"""

    evidence: EvidenceParams | None = None
    intended_submission_method: Literal["manual", "prefer_manual", "prefer_smart_disputes", "smart_disputes"] | None = None
    metadata: Metadata | Unset | None = None
    submit: bool = True


class DisputeClose(Params):
    """POST /v1/disputes/{id}/close"""


class DisputeList(ListParams):
    """GET /v1/disputes"""

    charge: str | None = None
    payment_intent: str | None = None
