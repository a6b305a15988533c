"""Subscription schedules: what a subscription will become, phase by phase, agreed in advance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec.structs import replace

from voldaan.resources.base import UNSET, Column, Derived, Embedded, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.billing import BillingThresholds, CollectionMethod, CustomField, Liability
from voldaan.resources.pause_schedules import PauseSchedule
from voldaan.resources.render import shown
from voldaan.resources.subscription_items import ItemThresholds, ProrationBehavior
from voldaan.resources.subscriptions import BillingMode, SubscriptionAutomaticTax
from voldaan.resources.tax_rates import TaxRate

ScheduleStatus = Literal["not_started", "active", "completed", "released", "canceled"]
PhaseAnchor = Literal["automatic", "phase_start"]
EndBehavior = Literal["cancel", "release"]


class PhaseDiscount(Part, kw_only=True):
    """What is redeemed when the phase begins, or a discount that goes on."""

    coupon: Annotated[str | None, Expandable("coupon")] = None
    discount: Annotated[str | None, Expandable("discount")] = None
    promotion_code: Annotated[str | None, Expandable("promotion_code")] = None


class PhaseItem(Part, kw_only=True):
    billing_thresholds: ItemThresholds | None = None
    discounts: list[PhaseDiscount] = []
    metadata: dict[str, str] | None = {}
    plan: Annotated[str, Expandable("plan")]
    price: Annotated[str, Expandable("price")]
    quantity: int | UnsetType = UNSET
    tax_rates: list[TaxRate | str] | None = []


class PhaseItemStart(Part, kw_only=True):
    type: Literal["max_item_period_start", "phase_start", "timestamp"] = "max_item_period_start"
    timestamp: int | UnsetType = UNSET


class PhaseItemEnd(Part, kw_only=True):
    type: Literal["min_item_period_end", "phase_end", "timestamp"] = "min_item_period_end"
    timestamp: int | UnsetType = UNSET


class PhaseItemPeriod(Part, kw_only=True):
    start: PhaseItemStart = PhaseItemStart()
    end: PhaseItemEnd = PhaseItemEnd()


class PhaseAddedItem(Part, kw_only=True):
    """Billed once, on the phase's next invoice."""

    discountable: bool | None = True
    discounts: list[PhaseDiscount] = []
    metadata: dict[str, str] | None = {}
    period: PhaseItemPeriod = PhaseItemPeriod()
    price: Annotated[str, Expandable("price")]
    quantity: int | None = 1
    tax_rates: list[TaxRate | str] | None = []


class ScheduleInvoiceSettings(Part, kw_only=True):
    account_tax_ids: list[Annotated[str, Expandable("tax_id")]] | None = None
    custom_fields: list[CustomField] | None = None
    days_until_due: int | None = None
    description: str | None = None
    footer: str | None = None
    issuer: Liability = Liability()


class Phase(Part, kw_only=True):
    """The terms of [start_date, end_date). What is null here is said by the schedule's default settings."""

    add_invoice_items: list[PhaseAddedItem] = []
    application_fee_percent: float | None = None
    automatic_tax: SubscriptionAutomaticTax | UnsetType = UNSET
    billing_cycle_anchor: PhaseAnchor | None = None
    billing_thresholds: BillingThresholds | None = None
    collection_method: CollectionMethod | None = None
    currency: str
    default_payment_method: Annotated[str | None, Expandable("payment_method")] = None
    default_tax_rates: list[TaxRate | str] | None = []
    description: str | None = None
    discounts: list[PhaseDiscount] = []
    end_date: int
    ignores_customers_discount: bool | UnsetType = UNSET  # ours: of `agreed` alone; True where `discounts` was said to be ""
    invoice_settings: ScheduleInvoiceSettings | None = None
    items: list[PhaseItem]
    metadata: dict[str, str] | None = {}
    on_behalf_of: str | None = None
    proration_behavior: ProrationBehavior = "create_prorations"
    start_date: int
    transfer_data: dict[str, Any] | None = None
    trial: bool | UnsetType = UNSET
    trial_end: int | None = None


class CurrentPhase(Part, kw_only=True):
    start_date: int
    end_date: int


class ScheduleDefaults(Part, kw_only=True):
    application_fee_percent: float | None = None
    automatic_tax: SubscriptionAutomaticTax | None = SubscriptionAutomaticTax()
    billing_cycle_anchor: PhaseAnchor = "automatic"
    billing_thresholds: BillingThresholds | None = None
    collection_method: CollectionMethod | None = "charge_automatically"
    default_payment_method: Annotated[str | None, Expandable("payment_method")] = None
    description: str | None = None
    invoice_settings: ScheduleInvoiceSettings = ScheduleInvoiceSettings()
    on_behalf_of: str | None = None
    transfer_data: dict[str, Any] | None = None


class SubscriptionSchedule(Resource, kw_only=True):
    """`agreed` are the phases as they are stored, with the ids of tax rates; `phases` is what the API shows of them."""

    TABLE: ClassVar[Table] = Table("subscription_schedules", prefix="sub_sched", state="status")
    object: Literal["subscription_schedule"] = "subscription_schedule"
    application: str | None = None
    billing_mode: BillingMode = BillingMode()
    canceled_at: Annotated[Instant | None, Column()] = None
    completed_at: Annotated[Instant | None, Column()] = None
    created: Annotated[Instant, Column("created_at")]
    current_phase: CurrentPhase | None = None
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    default_settings: ScheduleDefaults = ScheduleDefaults()
    end_behavior: Annotated[EndBehavior, Column()] = "release"
    livemode: bool
    metadata: dict[str, str] | None = {}
    pause_schedules: list[PauseSchedule] = []
    phases: Annotated[list[Phase], Derived()] = []
    released_at: Annotated[Instant | None, Column()] = None
    released_subscription: Annotated[str | None, Column("released_subscription_id")] = None
    status: Annotated[ScheduleStatus, Column()]
    subscription: Annotated[str | None, Column("subscription_id"), Expandable("subscription")] = None
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None

    agreed: Annotated[list[Phase], Hidden()]
    tax_rates: Annotated[list[TaxRate | str], Embedded("tax_rate"), Hidden()] = []  # all that the phases name
    next_at: Annotated[Instant | None, Column(), Hidden()] = None  # when the next phase begins, or the last one ends

    def __post_init__(self) -> None:
        rates = {rate.id: shown(rate) for rate in self.tax_rates if isinstance(rate, TaxRate)}
        self.phases = [_shown(phase, rates) for phase in self.agreed]


def _shown(phase: Phase, rates: Mapping[str, Any]) -> Phase:
    """The phase with whole tax rates, and without what is ours alone."""
    if not rates and phase.ignores_customers_discount is UNSET:
        return phase

    def whole(ids: list[TaxRate | str] | None) -> list[TaxRate | str]:
        return [rates.get(id, id) if isinstance(id, str) else id for id in ids or ()]

    return replace(
        phase,
        default_tax_rates=whole(phase.default_tax_rates),
        ignores_customers_discount=UNSET,
        items=[replace(item, tax_rates=whole(item.tax_rates)) for item in phase.items],
        add_invoice_items=[replace(item, tax_rates=whole(item.tax_rates)) for item in phase.add_invoice_items],
    )
