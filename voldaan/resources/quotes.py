"""Quotes: an offer that a customer can accept, and that then becomes an invoice, a subscription or a schedule."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

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
    AutomaticTaxParams,
    Behavior,
    CollectionMethod,
    CustomField,
    CustomFieldParams,
    Interval,
    IntervalParams,
    Liability,
    LiabilityParams,
    NotSupported,
)
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import (
    Currency,
    DecimalString,
    Hash,
    Metadata,
    PageParams,
    Params,
    Timestamp,
    Unset,
    exclusive,
)
from voldaan.resources.prices import Price
from voldaan.resources.subscription_schedules import PhaseDiscount
from voldaan.resources.subscriptions import BillingModeParams, FlexibleBilling

QuoteStatus = Literal["draft", "open", "accepted", "canceled"]
Text = Annotated[str, Field(max_length=500)]


class QuoteAutomaticTax(Part, kw_only=True):
    enabled: bool = False
    liability: Liability | None = None
    provider: str | None = None
    status: Literal["complete", "failed", "requires_location_inputs"] | None = None


class QuoteTotalDetails(Part, kw_only=True):
    amount_discount: int = 0
    amount_shipping: int | None = 0
    amount_tax: int = 0


class QuoteRecurring(Part, kw_only=True):
    """What is billed each interval, with the discounts that never end."""

    amount_subtotal: int
    amount_total: int
    interval: Interval
    interval_count: int
    total_details: QuoteTotalDetails = QuoteTotalDetails()


class QuoteUpfront(Part, kw_only=True):
    """What is billed when the quote is accepted."""

    amount_subtotal: int = 0
    amount_total: int = 0
    total_details: QuoteTotalDetails = QuoteTotalDetails()


class QuoteComputed(Part, kw_only=True):
    recurring: QuoteRecurring | None = None
    upfront: QuoteUpfront = QuoteUpfront()


class FromQuote(Part, kw_only=True):
    is_revision: bool
    quote: Annotated[str, Expandable("quote")]


class QuoteInvoiceSettings(Part, kw_only=True):
    custom_fields: list[CustomField] | None = None
    days_until_due: int | None = None
    description: str | None = None
    footer: str | None = None
    issuer: Liability = Liability()


class QuoteStatusTransitions(Part, kw_only=True):
    accepted_at: int | None = None
    canceled_at: int | None = None
    finalized_at: int | None = None


class QuoteBillingMode(Part, kw_only=True):
    type: Literal["classic", "flexible"] = "flexible"
    flexible: FlexibleBilling | UnsetType = UNSET  # of flexible billing alone


class QuoteSubscriptionData(Part, kw_only=True):
    billing_mode: QuoteBillingMode = QuoteBillingMode(flexible=FlexibleBilling())
    description: str | None = None
    effective_date: int | None = None
    metadata: dict[str, str] | None = {}
    trial_period_days: int | None = None


class QuoteLineItem(Resource, kw_only=True):
    """One price of a quote; `upfront`: as the first invoice will have it. Amounts are minor units."""

    TABLE: ClassVar[Table] = Table("quote_line_items", prefix="li", newest_first=False)
    object: Literal["item"] = "item"
    adjustable_quantity: dict[str, Any] | None = None
    amount_discount: int = 0
    amount_subtotal: int = 0
    amount_tax: int = 0
    amount_total: int = 0
    currency: str
    description: str | None = None
    metadata: dict[str, str] | None = {}
    price: Annotated[Price | str | None, Embedded("price")] = None
    quantity: int | None = None

    quote: Annotated[str, Column("quote_id"), Hidden()]
    upfront: Annotated[bool, Column(), Hidden()] = False
    wanted: Annotated[list[PhaseDiscount], Hidden()] = []  # what is redeemed when the quote is accepted
    discounts: Annotated[list[str], Hidden()] = []         # and what shows it until then
    tax_rates: Annotated[list[str], Hidden()] = []


class Quote(Resource, kw_only=True):
    """`wanted` is redeemed when the quote is accepted; until then `discounts` show what it will take off."""

    TABLE: ClassVar[Table] = Table("quotes", prefix="qt", state="status")
    object: Literal["quote"] = "quote"
    amount_subtotal: int = 0
    amount_total: Annotated[int, Column()] = 0
    application: str | None = None
    application_fee_amount: int | None = None
    application_fee_percent: float | None = None
    automatic_tax: QuoteAutomaticTax = QuoteAutomaticTax()
    collection_method: CollectionMethod = "charge_automatically"
    computed: QuoteComputed = QuoteComputed()
    created: Annotated[Instant, Column("created_at")]
    currency: str | None = None
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    default_tax_rates: list[Annotated[str, Expandable("tax_rate")]] = []
    description: str | None = None
    discounts: list[Annotated[str, Expandable("discount")]] = []
    expires_at: Annotated[Instant, Column()]
    footer: str | None = None
    from_quote: FromQuote | None = None
    header: str | None = None
    invoice: Annotated[str | None, Column("invoice_id"), Expandable("invoice")] = None
    invoice_settings: QuoteInvoiceSettings = QuoteInvoiceSettings()
    line_items: Annotated[
        ListObject[QuoteLineItem] | UnsetType,
        Includable(),
        Children("item", by="quote", url="/v1/quotes/{id}/line_items", order="id", condition="not upfront"),
    ] = UNSET
    livemode: bool
    metadata: dict[str, str] = {}
    number: Annotated[str | None, Column()] = None
    on_behalf_of: str | None = None
    status: Annotated[QuoteStatus, Column()] = "draft"
    status_transitions: Annotated[QuoteStatusTransitions, Derived()] = QuoteStatusTransitions()
    subscription: Annotated[str | None, Column("subscription_id"), Expandable("subscription")] = None
    subscription_data: QuoteSubscriptionData = QuoteSubscriptionData()
    subscription_schedule: Annotated[str | None, Column("subscription_schedule_id"), Expandable("subscription_schedule")] = None
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None
    total_details: QuoteTotalDetails = QuoteTotalDetails()
    transfer_data: dict[str, Any] | None = None

    accepted_at: Annotated[Instant | None, Column(), Hidden()] = None
    canceled_at: Annotated[Instant | None, Column(), Hidden()] = None
    finalized_at: Annotated[Instant | None, Column(), Hidden()] = None
    sequence: Annotated[int | None, Column(), Hidden()] = None  # of the customer's quotes; all revisions of one share it
    revision: Annotated[int | None, Column(), Hidden()] = None
    wanted: Annotated[list[PhaseDiscount], Hidden()] = []

    def __post_init__(self) -> None:
        self.status_transitions = QuoteStatusTransitions(
            accepted_at=self.accepted_at, canceled_at=self.canceled_at, finalized_at=self.finalized_at
        )


# Parameters ----------------------------------------------------------------------------------------------------------


class QuotePriceData(Hash):
    """A price made for this line alone; without `recurring` it is billed once."""

    currency: Currency
    product: str
    recurring: IntervalParams | None = None
    tax_behavior: Behavior = "unspecified"
    unit_amount: int | None = None
    unit_amount_decimal: DecimalString | None = None

    _one = exclusive("unit_amount", "unit_amount_decimal")


class QuoteLineParams(Hash):
    discounts: list[DiscountParams] | Unset | None = None
    price: str | None = None
    price_data: QuotePriceData | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    tax_rates: list[str] | Unset | None = None

    _one_price = exclusive("price", "price_data")


class QuoteLineChange(QuoteLineParams):
    """With `id` a line that exists: what is not said of it stays. Lines that are not named go."""

    id: str | None = None


class QuoteInvoiceSettingsParams(Hash):
    custom_fields: Annotated[list[CustomFieldParams], Field(max_length=4)] | Unset | None = None
    days_until_due: Annotated[int, Field(ge=0, le=3650)] | None = None
    description: str | Unset | None = None
    footer: str | Unset | None = None
    issuer: LiabilityParams | None = None


class QuoteSubscriptionDataChange(Hash):
    description: Text | Unset | None = None
    effective_date: Timestamp | Literal["current_period_end"] | Unset | None = None
    metadata: Metadata = {}
    trial_period_days: Annotated[int, Field(ge=0, le=730)] | Unset | None = None


class QuoteSubscriptionDataParams(QuoteSubscriptionDataChange):
    billing_mode: BillingModeParams | None = None


class FromQuoteParams(Hash):
    is_revision: bool = False
    quote: str


class QuoteWrite(Params):
    """What both a new and a changed quote may say."""

    application_fee_amount: NotSupported = None
    application_fee_percent: NotSupported = None
    automatic_tax: AutomaticTaxParams | None = None
    collection_method: CollectionMethod | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    default_tax_rates: list[str] | Unset | None = None
    description: Text | Unset | None = None
    discounts: list[DiscountParams] | Unset | None = None
    expires_at: Timestamp | None = None
    footer: Text | Unset | None = None
    header: Annotated[str, Field(max_length=50)] | Unset | None = None
    invoice_settings: QuoteInvoiceSettingsParams | None = None
    metadata: Metadata | Unset = {}
    on_behalf_of: NotSupported = None
    transfer_data: NotSupported = None


class QuoteCreate(QuoteWrite):
    from_quote: FromQuoteParams | None = None
    line_items: list[QuoteLineParams] = []
    subscription_data: QuoteSubscriptionDataParams | None = None
    test_clock: str | None = None


class QuoteUpdate(QuoteWrite):
    line_items: list[QuoteLineChange] | None = None
    subscription_data: QuoteSubscriptionDataChange | None = None


class QuoteFinalize(Params):
    expires_at: Timestamp | None = None


class QuoteAccept(Params):
    pass


class QuoteCancel(Params):
    pass


class QuotePdf(Params):
    pass


class QuoteList(PageParams):
    customer: str | None = None
    customer_account: NotSupported = None
    status: QuoteStatus | None = None
    test_clock: str | None = None

    FILTERS: ClassVar[dict[str, str]] = {"customer_account": ""}


class QuoteLineList(PageParams):
    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"upfront": "not t.upfront"}


class QuoteUpfrontList(PageParams):
    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"upfront": "t.upfront"}

