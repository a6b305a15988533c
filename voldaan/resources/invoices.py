"""Invoices: what a customer owes for a period, from draft to paid."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Derived,
    Embedded,
    Expandable,
    Hidden,
    Includable,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.billing import (
    CollectionMethod,
    CustomField,
    DiscountAmount,
    InvoicePaymentMethodOptions,
    Liability,
    PretaxCreditAmount,
    TaxAmount,
)
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.line_items import LineItem
from voldaan.resources.shared import Address, Shipping
from voldaan.resources.shipping_rates import Shipped, ShippingCost, cost_of
from voldaan.resources.tax_rates import TaxRate

InvoiceStatus = Literal["draft", "open", "void", "paid", "uncollectible"]
BillingReason = Literal[
    "automatic_pending_invoice_item_invoice", "manual", "quote_accept", "subscription", "subscription_create",
    "subscription_cycle", "subscription_threshold", "subscription_update", "upcoming",
]  # fmt: skip
UncollectibleReason = Literal[
    "max_payment_attempts", "payment_not_received", "subscription_canceled", "subscription_paused", "user_forgiven"
]


class InvoiceAutomaticTax(Part, kw_only=True):
    enabled: bool = False
    disabled_reason: str | None = None
    liability: Liability | None = None
    provider: str | None = None
    status: Literal["complete", "failed", "requires_location_inputs"] | None = None


class ConfirmationSecret(Part, kw_only=True):
    client_secret: str
    type: Literal["payment_intent"] = "payment_intent"


class CustomerTaxId(Part, kw_only=True):
    type: str
    value: str | None


class FromInvoice(Part, kw_only=True):
    action: str
    invoice: Annotated[str, Expandable("invoice")]


class QuoteDetails(Part, kw_only=True):
    quote: str


class InvoiceSubscription(Part, kw_only=True):
    """The subscription's metadata as they were when the invoice was finalized."""

    metadata: dict[str, str] | None = None
    subscription: Annotated[str, Expandable("subscription")]
    subscription_proration_date: int | UnsetType = UNSET


class InvoiceParent(Part, kw_only=True):
    quote_details: QuoteDetails | None = None
    subscription_details: InvoiceSubscription | None = None
    type: Literal["quote_details", "subscription_details"] = "subscription_details"


class InvoicePaymentSettings(Part, kw_only=True):
    default_mandate: str | None = None
    payment_method_options: InvoicePaymentMethodOptions | None = None
    payment_method_types: list[str] | None = None


class RenderingPdf(Part, kw_only=True):
    page_size: Literal["a4", "auto", "letter"] | None = None


class Rendering(Part, kw_only=True):
    amount_tax_display: str | None = None
    pdf: RenderingPdf | None = None
    template: str | None = None
    template_version: int | None = None


class Uncollectible(Part, kw_only=True):
    reason: UncollectibleReason | None


class InvoiceStatusDetails(Part, kw_only=True):
    uncollectible: Uncollectible | UnsetType = UNSET


class StatusTransitions(Part, kw_only=True):
    finalized_at: int | None = None
    marked_uncollectible_at: int | None = None
    paid_at: int | None = None
    voided_at: int | None = None


class ThresholdReasonItem(Part, kw_only=True):
    line_item_ids: list[str]
    usage_gte: int


class ThresholdReason(Part, kw_only=True):
    """Which billing thresholds an invoice was made for."""

    amount_gte: int | None = None
    item_reasons: list[ThresholdReasonItem] = []


class Invoice(Resource, kw_only=True):
    """Minor units. A draft may change; from finalization on, amounts and lines stand for ever.

    amount_remaining = amount_due - amount_paid; amount_due = what is to be collected after the customer's balance and
    the credit notes before payment. The hidden columns are what SQL asks for; `parent` and `status_transitions` are
    derived from them.
    """

    TABLE: ClassVar[Table] = Table("invoices", prefix="in", state="status")
    object: Literal["invoice"] = "invoice"
    account_country: str | None = None
    account_name: str | None = None
    account_tax_ids: list[Annotated[str, Expandable("tax_id")]] | None = None
    amount_due: Annotated[int, Column()] = 0
    amount_overpaid: Annotated[int, Column()] = 0
    amount_paid: Annotated[int, Column()] = 0
    amount_paid_off_stripe: Annotated[int, Column("amount_paid_out_of_band")] = 0
    amount_remaining: Annotated[int, Column()] = 0
    amount_shipping: int = 0
    application: str | None = None
    attempt_count: Annotated[int, Column()] = 0
    attempted: Annotated[bool, Column()] = False
    auto_advance: Annotated[bool, Column()] = False
    automatic_tax: InvoiceAutomaticTax = InvoiceAutomaticTax()
    automatically_finalizes_at: Annotated[Instant | None, Column()] = None
    billing_reason: Annotated[BillingReason | None, Column()] = None
    collection_method: Annotated[CollectionMethod, Column()] = "charge_automatically"
    confirmation_secret: Annotated[ConfirmationSecret | UnsetType | None, Includable()] = UNSET
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    custom_fields: list[CustomField] | None = None
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    customer_address: Address | None = None
    customer_email: str | None = None
    customer_name: str | None = None
    customer_phone: str | None = None
    customer_shipping: Shipping | None = None
    customer_tax_exempt: Literal["exempt", "none", "reverse"] | None = "none"
    customer_tax_ids: list[CustomerTaxId] | None = []
    default_payment_method: Annotated[str | None, Column("default_payment_method_id"), Expandable("payment_method")] = None
    default_source: Annotated[str | None, Expandable("source")] = None
    default_tax_rates: Annotated[list[TaxRate | str], Embedded("tax_rate")] = []
    deleted: Literal[True] | UnsetType = UNSET
    description: str | None = None
    discounts: list[Annotated[str, Expandable("discount")]] = []
    due_date: Annotated[Instant | None, Column("due_at")] = None
    effective_at: Annotated[Instant | None, Column()] = None
    ending_balance: Annotated[int | None, Column()] = None
    footer: str | None = None
    from_invoice: FromInvoice | None = None
    hosted_invoice_url: str | None = None
    invoice_pdf: str | None = None
    issuer: Liability = Liability()
    last_finalization_error: dict[str, Any] | None = None
    latest_revision: Annotated[str | None, Expandable("invoice")] = None
    lines: Annotated[
        ListObject[LineItem], Children("line_item", by="invoice", url="/v1/invoices/{id}/lines", order="id")
    ]
    livemode: bool
    metadata: dict[str, str] | None = {}
    next_payment_attempt: Annotated[Instant | None, Column("next_payment_attempt_at")] = None
    number: Annotated[str | None, Column()] = None
    on_behalf_of: str | None = None
    parent: Annotated[InvoiceParent | None, Derived()] = None
    payment_settings: InvoicePaymentSettings = InvoicePaymentSettings()
    payments: Annotated[
        ListObject[InvoicePayment] | UnsetType,
        Includable(),
        Children("invoice_payment", by="invoice", url="/v1/invoice_payments?invoice={id}", order="id"),
    ] = UNSET
    period_end: Annotated[Instant, Column("period_end_at")]
    period_start: Annotated[Instant, Column("period_start_at")]
    post_payment_credit_notes_amount: Annotated[int, Column()] = 0
    pre_payment_credit_notes_amount: Annotated[int, Column()] = 0
    receipt_number: str | None = None
    rendering: Rendering | None = None
    shipping_cost: Annotated[ShippingCost | None, Derived()] = None
    shipping_details: Shipping | None = None
    starting_balance: Annotated[int, Column()] = 0
    statement_descriptor: str | None = None
    status: Annotated[InvoiceStatus | None, Column()] = "draft"
    status_details: InvoiceStatusDetails | UnsetType = UNSET
    status_transitions: Annotated[StatusTransitions, Derived()] = StatusTransitions()
    subtotal: Annotated[int, Column()] = 0
    subtotal_excluding_tax: Annotated[int | None, Column()] = 0
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None
    threshold_reason: ThresholdReason | UnsetType = UNSET
    total: Annotated[int, Column()] = 0
    total_discount_amounts: list[DiscountAmount] | None = []
    total_excluding_tax: Annotated[int | None, Column()] = 0
    total_pretax_credit_amounts: list[PretaxCreditAmount] | None = []
    total_taxes: list[TaxAmount] | None = []
    webhooks_delivered_at: int | None = None

    subscription: Annotated[str | None, Column("subscription_id"), Hidden()] = None
    subscription_metadata: Annotated[dict[str, str] | None, Hidden()] = None
    quote: Annotated[str | None, Hidden()] = None  # that was accepted
    subscription_proration_date: Annotated[int | None, Hidden()] = None
    tax: Annotated[int, Column(), Hidden()] = 0
    applied_balance: Annotated[int, Column(), Hidden()] = 0  # from the customer's balance: positive paid, negative billed
    finalized_at: Annotated[Instant | None, Column(), Hidden()] = None
    marked_uncollectible_at: Annotated[Instant | None, Column(), Hidden()] = None
    paid_at: Annotated[Instant | None, Column(), Hidden()] = None
    voided_at: Annotated[Instant | None, Column(), Hidden()] = None
    days_until_due: Annotated[int | None, Hidden()] = None  # counted from finalization; gives due_date
    first_failed_at: Annotated[int | None, Hidden()] = None  # where the schedule of retries starts
    shipped: Annotated[Shipped | None, Hidden()] = None  # what shipping_cost is made of
    shipping_tax_rates: Annotated[list[TaxRate | str], Embedded("tax_rate"), Hidden()] = []
    credited_tax: Annotated[int, Hidden()] = 0        # by credit notes that stand: of the tax,
    credited_revenue: Annotated[int, Hidden()] = 0    # and of what had been revenue already
    tax_failure: Annotated[dict[str, Any] | None, Hidden()] = None   # why automatic tax is not known
    tax_evidence: Annotated[dict[str, Any] | None, Hidden()] = None  # what spoke for the customer's place, and at which instant
    futile_method: Annotated[str | None, Hidden()] = None    # a payment method that need not be tried again
    silent_step_at: Annotated[int | None, Hidden()] = None   # the schedule's next date, while there is nothing to try with

    def __post_init__(self) -> None:
        self.status_transitions = StatusTransitions(
            finalized_at=self.finalized_at,
            marked_uncollectible_at=self.marked_uncollectible_at,
            paid_at=self.paid_at,
            voided_at=self.voided_at,
        )
        self.shipping_cost = None if self.shipped is None else cost_of(self.shipped, self.shipping_tax_rates)
        self.parent = None
        if self.quote and not self.subscription:
            self.parent = InvoiceParent(type="quote_details", quote_details=QuoteDetails(quote=self.quote))
        if self.subscription:
            date = self.subscription_proration_date
            self.parent = InvoiceParent(
                subscription_details=InvoiceSubscription(
                    metadata=self.subscription_metadata,
                    subscription=self.subscription,
                    subscription_proration_date=UNSET if date is None else date,
                )
            )
