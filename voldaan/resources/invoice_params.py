"""What requests say of invoices."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.billing import (
    AutomaticTaxParams,
    Behavior,
    CollectionMethod,
    CustomFieldParams,
    LiabilityParams,
    NotSupported,
    OneTimePriceData,
    PaymentMethodOptionsParams,
    PeriodParams,
)
from voldaan.resources.billing_schedules import BillingSchedules
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.invoices import InvoiceStatus
from voldaan.resources.params import (
    Amount,
    Currency,
    DecimalString,
    Hash,
    ListParams,
    Metadata,
    Params,
    Range,
    SearchParams,
    SignedAmount,
    Timestamp,
    Unset,
    exclusive,
)
from voldaan.resources.schedule_params import PreviewSchedule
from voldaan.resources.shared import AddressParams, ShippingParams
from voldaan.resources.shipping_rates import ShippingCostParams
from voldaan.resources.subscription_items import ProrationBehavior
from voldaan.resources.subscriptions import BillForParams, BillingModeParams, CancelAt, SubscriptionItemChange
from voldaan.resources.tax_ids import TaxIdData


class InvoicePaymentSettingsParams(Hash):
    default_mandate: str | Unset | None = None
    payment_method_options: PaymentMethodOptionsParams | None = None
    payment_method_types: list[str] | Unset | None = None


class RenderingPdfParams(Hash):
    page_size: Literal["a4", "auto", "letter"] | None = None


class RenderingParams(Hash):
    amount_tax_display: Literal["exclude_tax", "include_inclusive_tax"] | Unset | None = None
    pdf: RenderingPdfParams | None = None
    template: str | None = None
    template_version: Annotated[int, Field(ge=1)] | Unset | None = None


class InvoiceWrite(Params):
    """What both a new and a changed draft may say."""

    account_tax_ids: list[str] | Unset | None = None
    application_fee_amount: NotSupported = None
    auto_advance: bool = False
    automatic_tax: AutomaticTaxParams | None = None
    automatically_finalizes_at: Timestamp | None = None
    collection_method: CollectionMethod = "charge_automatically"
    custom_fields: Annotated[list[CustomFieldParams], Field(max_length=4)] | Unset | None = None
    days_until_due: Annotated[int, Field(ge=0, le=3650)] | None = None
    default_payment_method: str | None = None
    description: str | Unset | None = None
    discounts: list[DiscountParams] | Unset | None = None
    due_date: Timestamp | None = None
    footer: str | Unset | None = None
    issuer: LiabilityParams | None = None
    metadata: Metadata | Unset = {}
    on_behalf_of: NotSupported = None
    payment_settings: InvoicePaymentSettingsParams | None = None
    rendering: RenderingParams | None = None
    shipping_cost: ShippingCostParams | Unset | None = None
    shipping_details: ShippingParams | Unset | None = None
    statement_descriptor: Annotated[str, Field(max_length=22)] | None = None
    transfer_data: NotSupported = None

    _one_due = exclusive("days_until_due", "due_date")


class FromInvoiceParams(Hash):
    action: Literal["revision"]
    invoice: str


class InvoiceCreate(InvoiceWrite):
    currency: Currency | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    default_source: NotSupported = None
    default_tax_rates: list[str] | None = None
    effective_at: Timestamp | None = None
    from_invoice: FromInvoiceParams | None = None
    number: Annotated[str, Field(max_length=26)] | None = None
    pending_invoice_items_behavior: Literal["exclude", "include"] = "exclude"
    subscription: str | None = None


class InvoiceUpdate(InvoiceWrite):
    default_source: NotSupported = None
    default_tax_rates: list[str] | Unset | None = None
    effective_at: Timestamp | Unset | None = None
    number: Annotated[str, Field(max_length=26)] | Unset | None = None


class InvoiceDelete(Params):
    pass


class InvoiceFinalize(Params):
    auto_advance: bool | None = None


class InvoicePay(Params):
    forgive: bool = False
    mandate: NotSupported = None
    off_session: bool = True
    paid_out_of_band: bool = False
    payment_method: str | None = None
    source: NotSupported = None


class InvoiceVoid(Params):
    pass


class InvoiceMarkUncollectible(Params):
    pass


class InvoiceSend(Params):
    pass


class InvoiceAttachPayment(Params):
    payment_intent: str | None = None
    payment_record: NotSupported = None


class InvoiceList(ListParams):
    collection_method: CollectionMethod | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    due_date: Timestamp | Range | None = None
    status: InvoiceStatus | None = None
    subscription: str | None = None

    FILTERS: ClassVar[dict[str, str]] = {"customer_account": ""}


class InvoiceSearch(SearchParams):
    pass


# Preview -------------------------------------------------------------------------------------------------------------


class PreviewTax(Hash):
    ip_address: str | Unset | None = None


class PreviewCustomer(Hash):
    """A customer that need not exist."""

    address: AddressParams | Unset | None = None
    shipping: ShippingParams | Unset | None = None
    tax: PreviewTax | None = None
    tax_exempt: Literal["exempt", "none", "reverse"] | Unset | None = None
    tax_ids: list[TaxIdData] = []


class PreviewItem(Hash):
    """An invoice item that is added, or with `invoiceitem` changed, for the preview alone."""

    amount: SignedAmount | None = None
    currency: Currency | None = None
    description: str | None = None
    discountable: bool | None = None
    discounts: list[DiscountParams] | Unset | None = None
    invoiceitem: str | None = None
    metadata: Metadata | Unset = {}
    period: PeriodParams | None = None
    price: str | None = None
    price_data: OneTimePriceData | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    quantity_decimal: DecimalString | None = None
    tax_behavior: Behavior | None = None
    tax_code: str | Unset | None = None
    tax_rates: list[str] | Unset | None = None
    unit_amount: Amount | None = None
    unit_amount_decimal: DecimalString | None = None


class PreviewAnchor(Hash):
    type: Literal["now", "timestamp", "unchanged"]
    timestamp: Timestamp | None = None


class PreviewPause(Hash):
    """Without `invoicing_behavior` nothing is asked about."""

    bill_for: BillForParams | None = None
    invoicing_behavior: Literal["invoice", "pending_invoice_item"] | None = None
    type: Literal["subscription"] = "subscription"


class PreviewSubscription(Hash):
    """A subscription to begin, or the changes to the one that `subscription` names."""

    billing_cycle_anchor: PreviewAnchor | None = None
    billing_mode: BillingModeParams | None = None
    billing_schedules: BillingSchedules | Unset | None = None
    cancel_at: Timestamp | CancelAt | Unset | None = None
    cancel_at_period_end: bool | None = None
    cancel_now: bool = False
    default_tax_rates: list[str] | Unset | None = None
    items: list[SubscriptionItemChange] = []
    metadata: Metadata | Unset = {}
    pause: PreviewPause | None = None
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Timestamp | None = None
    resume_at: Literal["now"] | None = None
    start_date: Timestamp | None = None
    trial_end: Timestamp | Literal["now"] | None = None


class InvoiceCreatePreview(Params):
    automatic_tax: AutomaticTaxParams | None = None
    currency: Currency | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    customer_details: PreviewCustomer | None = None
    discounts: list[DiscountParams] | Unset | None = None
    invoice_items: list[PreviewItem] = []
    issuer: LiabilityParams | None = None
    on_behalf_of: NotSupported = None
    preview_mode: Literal["next", "recurring"] = "next"
    schedule: str | None = None
    schedule_details: PreviewSchedule | None = None
    subscription: str | None = None
    subscription_details: PreviewSubscription | None = None

    _one_customer = exclusive("customer", "customer_details")
    _one_subject = exclusive("schedule", "subscription")
    _one_change = exclusive("schedule_details", "subscription_details")


