"""Mandates: a payer's permission to debit."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Hash, Unset


class OnlineAcceptance(Part, kw_only=True):
    ip_address: str | None = None
    user_agent: str | None = None


class CustomerAcceptance(Part, kw_only=True):
    accepted_at: int | None = None
    offline: dict[str, Any] | UnsetType = UNSET
    online: OnlineAcceptance | UnsetType = UNSET
    type: Literal["offline", "online"] = "offline"


class MandateSepaDebit(Part, kw_only=True):
    reference: str
    url: str


class MandatePaymentMethodDetails(Part, kw_only=True):
    card: dict[str, Any] | UnsetType = UNSET
    sepa_debit: MandateSepaDebit | UnsetType = UNSET
    type: str
    us_bank_account: dict[str, Any] | UnsetType = UNSET


class MandateSingleUse(Part, kw_only=True):
    amount: int
    currency: str


class Mandate(Resource, kw_only=True):
    """Made when a payment or a setup with a debit is accepted; inactive once it is revoked."""

    TABLE: ClassVar[Table] = Table("mandates", prefix="mandate", state="status")
    object: Literal["mandate"] = "mandate"
    customer_acceptance: CustomerAcceptance = field(default_factory=CustomerAcceptance)
    livemode: bool = False
    multi_use: dict[str, Any] | UnsetType = UNSET
    payment_method: Annotated[str, Column("payment_method_id"), Expandable("payment_method")]
    payment_method_details: MandatePaymentMethodDetails
    single_use: MandateSingleUse | UnsetType = UNSET
    status: Annotated[Literal["active", "inactive", "pending"], Column()] = "active"
    type: Annotated[Literal["multi_use", "single_use"], Column()] = "multi_use"

    created: Annotated[Instant, Column("created_at"), Hidden()]
    processor_mandate: Annotated[str | None, Hidden()] = None       # the processor's name for it


# ── parameters of whatever makes one ────────────────────────────────────────────────────────────────────────────────


class OnlineAcceptanceParams(Hash):
    ip_address: str | None = None
    user_agent: str | None = None


class CustomerAcceptanceParams(Hash):
    accepted_at: int | None = None
    offline: Hash | None = None
    online: OnlineAcceptanceParams | None = None
    type: Literal["offline", "online"]


class MandateDataParams(Hash):
    customer_acceptance: CustomerAcceptanceParams


MandateData = MandateDataParams | Unset
