"""Invoice payments: which payment pays how much of which invoice."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Derived, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.billing import NotSupported
from voldaan.resources.params import Hash, ListParams


class InvoicePaymentSource(Part, kw_only=True):
    type: Literal["charge", "payment_intent", "payment_record"]
    charge: Annotated[str | UnsetType, Expandable("charge")] = UNSET
    payment_intent: Annotated[str | UnsetType, Expandable("payment_intent")] = UNSET
    payment_record: Annotated[str | UnsetType, Expandable("payment_record")] = UNSET


class InvoicePaymentTransitions(Part, kw_only=True):
    canceled_at: int | None = None
    paid_at: int | None = None


class InvoicePayment(Resource, kw_only=True):
    """Made with the invoice's payment intent at finalization (`is_default`), or by attach_payment."""

    TABLE: ClassVar[Table] = Table("invoice_payments", prefix="inpay", state="status")
    object: Literal["invoice_payment"] = "invoice_payment"
    amount_paid: Annotated[int | None, Column()] = None
    amount_requested: Annotated[int, Column()]
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    invoice: Annotated[str, Column("invoice_id"), Expandable("invoice")]
    is_default: Annotated[bool, Column()]
    livemode: bool
    payment: Annotated[InvoicePaymentSource | None, Derived()] = None
    status: Annotated[Literal["open", "paid", "canceled"], Column()] = "open"
    status_transitions: Annotated[InvoicePaymentTransitions, Derived()] = InvoicePaymentTransitions()

    payment_intent: Annotated[str, Column("payment_intent_id"), Hidden()]
    paid_at: Annotated[Instant | None, Column(), Hidden()] = None
    canceled_at: Annotated[Instant | None, Column(), Hidden()] = None

    def __post_init__(self) -> None:
        self.payment = InvoicePaymentSource(type="payment_intent", payment_intent=self.payment_intent)
        self.status_transitions = InvoicePaymentTransitions(canceled_at=self.canceled_at, paid_at=self.paid_at)


class PaymentFilter(Hash):
    type: Literal["payment_intent", "payment_record"]
    payment_intent: str | None = None
    payment_record: NotSupported = None


class InvoicePaymentList(ListParams):
    invoice: str | None = None
    payment: PaymentFilter | None = None
    status: Literal["open", "paid", "canceled"] | None = None

    FILTERS_WITHIN: ClassVar[dict[str, dict[str, str]]] = {"payment": {"payment_intent": "payment_intent_id", "type": ""}}
