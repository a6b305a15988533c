"""Subscriptions: what a customer has agreed to be billed for, again and again."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Derived,
    Embedded,
    Expandable,
    Hidden,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.billing import (
    AutomaticTaxParams,
    BillingThresholds,
    BillingThresholdsParams,
    CollectionMethod,
    CustomField,
    CustomFieldParams,
    Interval,
    IntervalParams,
    Liability,
    LiabilityParams,
    NotSupported,
    OneTimePriceData,
    PaymentMethodOptions,
    PaymentMethodOptionsParams,
)
from voldaan.resources.billing_schedules import BillingSchedule, BillingSchedules
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import (
    Currency,
    Hash,
    ListParams,
    Metadata,
    Params,
    Range,
    SearchParams,
    Timestamp,
    Unset,
    exclusive,
    refuse,
)
from voldaan.resources.pending_updates import HeldUpdate, PendingUpdate, shown
from voldaan.resources.subscription_items import ItemHash, PaymentBehavior, ProrationBehavior, SubscriptionItem
from voldaan.resources.tax_rates import TaxRate

SubscriptionStatus = Literal[
    "incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"
]  # fmt: skip
Feedback = Literal[
    "customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex", "too_expensive",
    "unused",
]  # fmt: skip
MissingPaymentMethod = Literal["cancel", "create_invoice", "pause"]
PausedBecause = Literal[
    "final_payment_failure", "first_payment_failure", "pause_requested", "system", "trial_end_without_payment_method"
]
MissingPaymentMethodAnchor = Literal["now", "unchanged"]


class SubscriptionAutomaticTax(Part, kw_only=True):
    enabled: bool = False
    disabled_reason: str | None = None
    liability: Liability | None = None


class AnchorConfig(Part, kw_only=True):
    day_of_month: int
    hour: int | None = None
    minute: int | None = None
    month: int | None = None
    second: int | None = None


class FlexibleBilling(Part, kw_only=True):
    proration_discounts: Literal["included", "itemized"] = "included"


class BillingMode(Part, kw_only=True):
    """classic credits at the item's present price, flexible what was debited (docs/behaviour-billing.md, "Billing mode")."""

    type: Literal["classic", "flexible"] = "flexible"
    flexible: FlexibleBilling | None = FlexibleBilling()
    updated_at: int | UnsetType = UNSET


class CancellationDetails(Part, kw_only=True):
    comment: str | None = None
    feedback: Feedback | None = None
    feedback_option: str | None = None
    reason: Literal["canceled_by_retention_policy", "cancellation_requested", "payment_disputed", "payment_failed"] | None = (
        None
    )


class SubscriptionInvoiceSettings(Part, kw_only=True):
    account_tax_ids: list[Annotated[str, Expandable("tax_id")]] | None = None
    custom_fields: list[CustomField] | None = None
    description: str | None = None
    footer: str | None = None
    issuer: Liability = Liability()


class ManagedPayments(Part, kw_only=True):
    enabled: bool


class PauseCollection(Part, kw_only=True):
    behavior: Literal["keep_as_draft", "mark_uncollectible", "void"]
    resumes_at: int | None = None


class SubscriptionPaymentSettings(Part, kw_only=True):
    payment_method_options: PaymentMethodOptions | None = None
    payment_method_types: list[str] | None = None
    save_default_payment_method: Literal["off", "on_subscription"] | None = "off"


class PendingInterval(Part, kw_only=True):
    interval: Interval
    interval_count: int


class TrialEndBehavior(Part, kw_only=True):
    missing_payment_method: MissingPaymentMethod = "create_invoice"
    billing_cycle_anchor: MissingPaymentMethodAnchor | None = None


class TrialSettings(Part, kw_only=True):
    end_behavior: TrialEndBehavior = TrialEndBehavior()


class PausedSubscription(Part, kw_only=True):
    type: PausedBecause


class Paused(Part, kw_only=True):
    transitioned_at: int
    subscription: PausedSubscription
    type: Literal["subscription"] = "subscription"


class SubscriptionStatusDetails(Part, kw_only=True):
    paused: Paused


class Subscription(Resource, kw_only=True):
    """An agreement to bill. Its items say what and when; its status says whether the customer has paid for it."""

    TABLE: ClassVar[Table] = Table("subscriptions", prefix="sub", state="status")
    object: Literal["subscription"] = "subscription"
    application: str | None = None
    application_fee_percent: float | None = None
    automatic_tax: SubscriptionAutomaticTax = SubscriptionAutomaticTax()
    billing_cycle_anchor: Annotated[Instant, Column("billing_cycle_anchor_at")]
    billing_cycle_anchor_config: AnchorConfig | None = None
    billing_mode: BillingMode = BillingMode()
    billing_schedules: list[BillingSchedule] = []
    billing_thresholds: BillingThresholds | None = None
    cancel_at: Annotated[Instant | None, Column()] = None
    cancel_at_period_end: Annotated[bool, Column()] = False
    canceled_at: Annotated[Instant | None, Column()] = None
    cancellation_details: CancellationDetails | None = CancellationDetails()
    collection_method: Annotated[CollectionMethod, Column()] = "charge_automatically"
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    days_until_due: int | None = None
    default_payment_method: Annotated[str | None, Column("default_payment_method_id"), Expandable("payment_method")] = None
    default_source: Annotated[str | None, Expandable("source")] = None
    default_tax_rates: Annotated[list[TaxRate | str] | None, Embedded("tax_rate")] = []
    description: str | None = None
    discounts: list[Annotated[str, Expandable("discount")]] = []
    ended_at: Annotated[Instant | None, Column()] = None
    invoice_settings: SubscriptionInvoiceSettings = SubscriptionInvoiceSettings()
    items: Annotated[
        ListObject[SubscriptionItem],
        Children(
            "subscription_item",
            by="subscription",
            url="/v1/subscription_items?subscription={id}",
            embedded=100,
            order="id",
        ),
    ]
    latest_invoice: Annotated[str | None, Column("latest_invoice_id"), Expandable("invoice")] = None
    livemode: bool
    managed_payments: ManagedPayments | None = None
    metadata: dict[str, str] = {}
    next_pending_invoice_item_invoice: Annotated[Instant | None, Column("next_pending_invoice_item_invoice_at")] = None
    on_behalf_of: str | None = None
    pause_collection: PauseCollection | None = None
    payment_settings: SubscriptionPaymentSettings | None = SubscriptionPaymentSettings()
    pending_invoice_item_interval: PendingInterval | None = None
    pending_setup_intent: Annotated[str | None, Expandable("setup_intent")] = None
    pending_update: Annotated[PendingUpdate | None, Derived()] = None
    schedule: Annotated[str | None, Column("schedule_id"), Expandable("subscription_schedule")] = None
    start_date: Annotated[Instant, Column("started_at")]
    status: Annotated[SubscriptionStatus, Column()]
    status_details: SubscriptionStatusDetails | UnsetType = UNSET
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None
    transfer_data: dict[str, Any] | None = None
    trial_end: Annotated[Instant | None, Column("trial_end_at")] = None
    trial_settings: TrialSettings | None = TrialSettings()
    trial_start: Annotated[Instant | None, Column("trial_start_at")] = None

    timezone: Annotated[str, Hidden()] = "UTC"  # whose calendar its periods are counted by, for as long as it lives
    held: Annotated[HeldUpdate | None, Hidden()] = None  # the change that waits for its invoice to be paid
    # error_if_incomplete: a first payment that fails ends it at once, as if it had never been.
    must_be_paid: Annotated[bool, Hidden()] = False
    has_thresholds: Annotated[bool, Column(), Hidden()] = False  # of its own or of items: its usage is looked at as it comes
    ignores_customers_discount: Annotated[bool, Hidden()] = False  # only its own count, be they none at all
    resumes_with: Annotated[str | None, Hidden()] = None  # the invoice whose payment ends the pause
    # Of its items: the earliest end and the latest start. What is due next, and what lists filter by.
    current_period_start: Annotated[Instant, Column("current_period_start_at"), Hidden()]
    current_period_end: Annotated[Instant, Column("current_period_end_at"), Hidden()]

    def __post_init__(self) -> None:
        self.pending_update = None if self.held is None else shown(self.held)


# Parameters ----------------------------------------------------------------------------------------------------------


class ItemPeriodEnd(Hash):
    type: Literal["min_item_period_end", "timestamp"]
    timestamp: Timestamp | None = None


class ItemPeriodStart(Hash):
    type: Literal["max_item_period_start", "now", "timestamp"]
    timestamp: Timestamp | None = None


class ItemPeriodParams(Hash):
    end: ItemPeriodEnd
    start: ItemPeriodStart


class AddInvoiceItem(Hash):
    """Something billed once, on the invoice that this request makes."""

    discountable: bool | None = None
    discounts: list[DiscountParams] | None = None
    metadata: Metadata = {}
    period: ItemPeriodParams | None = None
    price: str | None = None
    price_data: OneTimePriceData | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    tax_rates: list[str] | Unset | None = None

    _one_price = exclusive("price", "price_data")


class AnchorConfigParams(Hash):
    day_of_month: Annotated[int, Field(ge=1, le=31)]
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    minute: Annotated[int, Field(ge=0, le=59)] | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    second: Annotated[int, Field(ge=0, le=59)] | None = None


class FlexibleParams(Hash):
    proration_discounts: Literal["included", "itemized"] = "included"


class BillingModeParams(Hash):
    type: Literal["classic", "flexible"]
    flexible: FlexibleParams | None = None

    @model_validator(mode="after")
    def _of_flexible(self) -> BillingModeParams:
        if self.type == "classic" and self.flexible is not None:
            message = "You can only specify `billing_mode[flexible]` when `billing_mode[type]` is `flexible`."
            raise refuse("", message, param="flexible")
        return self


class InvoiceSettingsParams(Hash):
    account_tax_ids: list[str] | Unset | None = None
    custom_fields: list[CustomFieldParams] | Unset | None = None
    description: str | Unset | None = None
    footer: str | Unset | None = None
    issuer: LiabilityParams | None = None


class SubscriptionPaymentSettingsParams(Hash):
    payment_method_options: PaymentMethodOptionsParams | None = None
    payment_method_types: list[str] | Unset | None = None
    save_default_payment_method: Literal["off", "on_subscription"] | None = None


class TrialEndBehaviorParams(Hash):
    missing_payment_method: MissingPaymentMethod = "create_invoice"
    billing_cycle_anchor: MissingPaymentMethodAnchor | None = None


class TrialSettingsParams(Hash):
    end_behavior: TrialEndBehaviorParams


class SubscriptionItemCreateHash(ItemHash):
    metadata: Metadata = {}


class SubscriptionItemChange(ItemHash):
    """An item of an update: with `id` it changes or goes (`deleted`), without it is new."""

    id: str | None = None
    deleted: bool = False
    clear_usage: bool = False  # no effect: a meter's usage is the customer's, not the item's
    metadata: Metadata | Unset = {}


class AnchorParams(Hash):
    type: Literal["now", "unchanged"]


class CancellationDetailsParams(Hash):
    comment: str | Unset | None = None
    feedback: Feedback | Unset | None = None
    feedback_option: NotSupported = None


class PauseCollectionParams(Hash):
    behavior: Literal["keep_as_draft", "mark_uncollectible", "void"]
    resumes_at: Timestamp | None = None


CancelAt = Literal["max_billed_until", "max_period_end", "min_period_end"]


class SubscriptionWrite(Params):
    """What both a new and a changed subscription may say."""

    add_invoice_items: list[AddInvoiceItem] = []
    application_fee_percent: NotSupported = None
    automatic_tax: AutomaticTaxParams | None = None
    billing_schedules: BillingSchedules | Unset | None = None
    billing_thresholds: BillingThresholdsParams | Unset | None = None
    cancel_at_period_end: bool = False
    collection_method: CollectionMethod = "charge_automatically"
    days_until_due: Annotated[int, Field(ge=0, le=3650)] | None = None
    default_payment_method: str | None = None
    default_tax_rates: list[str] | Unset | None = None
    discounts: list[DiscountParams] | Unset | None = None
    invoice_settings: InvoiceSettingsParams | None = None
    metadata: Metadata | Unset = {}
    off_session: bool = False
    on_behalf_of: NotSupported = None
    payment_behavior: PaymentBehavior = "allow_incomplete"
    payment_settings: SubscriptionPaymentSettingsParams | None = None
    pending_invoice_item_interval: IntervalParams | Unset | None = None
    proration_behavior: ProrationBehavior = "create_prorations"
    transfer_data: NotSupported = None
    trial_end: Timestamp | Literal["now"] | None = None
    trial_from_plan: bool = False
    trial_settings: TrialSettingsParams | None = None


class SubscriptionCreate(SubscriptionWrite):
    customer: str
    customer_account: NotSupported = None
    items: list[SubscriptionItemCreateHash] = []
    backdate_start_date: Timestamp | None = None
    billing_cycle_anchor: Timestamp | None = None
    billing_cycle_anchor_config: AnchorConfigParams | None = None
    billing_mode: BillingModeParams | None = None
    cancel_at: Timestamp | CancelAt | None = None
    currency: Currency | None = None
    default_source: NotSupported = None
    description: Annotated[str, Field(max_length=500)] | None = None
    trial_period_days: Annotated[int, Field(ge=0, le=730)] | None = None

    _one_anchor = exclusive("billing_cycle_anchor", "billing_cycle_anchor_config")
    _one_trial = exclusive("trial_end", "trial_period_days")


class SubscriptionUpdate(SubscriptionWrite):
    items: list[SubscriptionItemChange] = []
    billing_cycle_anchor: AnchorParams | None = None
    cancel_at: Timestamp | CancelAt | Unset | None = None
    cancellation_details: CancellationDetailsParams | None = None
    default_source: NotSupported = None
    description: Annotated[str, Field(max_length=500)] | Unset | None = None
    pause_collection: PauseCollectionParams | Unset | None = None
    proration_date: Timestamp | None = None


class SubscriptionCancel(Params):
    cancellation_details: CancellationDetailsParams | None = None
    invoice_now: bool = False
    prorate: bool = False


class SubscriptionResume(Params):
    billing_cycle_anchor: AnchorParams | None = None
    payment_behavior: Literal["resume_on_payment_attempt", "resume_on_payment_success"] = "resume_on_payment_attempt"
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Timestamp | None = None


class UnusedTimeParams(Hash):
    type: Literal["item_current_period_start", "none", "now"]


class OutstandingUsageParams(Hash):
    type: Literal["none", "now"]


class BillForParams(Hash):
    outstanding_usage_through: OutstandingUsageParams | None = None
    unused_time_from: UnusedTimeParams | None = None


class SubscriptionPause(Params):
    """By default what is left of the periods is given back, as items that wait for the next invoice."""

    bill_for: BillForParams | None = None
    invoicing_behavior: Literal["invoice", "pending_invoice_item"] = "pending_invoice_item"
    type: Literal["subscription"] = "subscription"


class SubscriptionMigrate(Params):
    billing_mode: BillingModeParams


class AutomaticTaxFilter(Hash):
    enabled: bool


class SubscriptionList(ListParams):
    """Without `status`, canceled and expired ones are left out."""

    automatic_tax: AutomaticTaxFilter | None = None
    collection_method: CollectionMethod | None = None
    current_period_end: Timestamp | Range | None = None
    current_period_start: Timestamp | Range | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    plan: str | None = None
    price: str | None = None
    status: SubscriptionStatus | Literal["all", "ended"] | None = None
    test_clock: str | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "automatic_tax.enabled": "coalesce((t.doc -> 'automatic_tax' ->> 'enabled')::boolean, false)"
        " = %(automatic_tax_enabled)s",
        "customer_account": "",
        "plan": "exists (select from subscription_items i where i.account_id = t.account_id"
        " and i.subscription_id = t.id and i.price_id = %(plan)s)",
        "price": "exists (select from subscription_items i where i.account_id = t.account_id"
        " and i.subscription_id = t.id and i.price_id = %(price)s)",
        "status": "case %(status)s when 'all' then true when 'ended' then t.status in ('canceled', 'incomplete_expired')"
        " else t.status = %(status)s end",
    }
    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"status": "t.status not in ('canceled', 'incomplete_expired')"}


class SubscriptionSearch(SearchParams):
    pass
