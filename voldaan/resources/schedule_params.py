"""What requests say of subscription schedules."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.billing import (
    AutomaticTaxParams,
    BillingThresholdsParams,
    CollectionMethod,
    CustomFieldParams,
    DurationParams,
    LiabilityParams,
    NotSupported,
    RecurringPriceData,
)
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import Currency, Hash, ListParams, Metadata, Params, Range, Timestamp, Unset, exclusive
from voldaan.resources.pause_schedules import PauseScheduleChanges, PauseSchedules
from voldaan.resources.subscription_items import ItemThresholdsParams, ProrationBehavior
from voldaan.resources.subscription_schedules import EndBehavior, PhaseAnchor
from voldaan.resources.subscriptions import AddInvoiceItem, BillingModeParams

PHASES_MAX = 10  # current and future ones
ADDED_MAX = 20


class PhaseStartParams(Hash):
    type: Literal["max_item_period_start", "phase_start", "timestamp"]
    timestamp: Timestamp | None = None


class PhaseEndParams(Hash):
    type: Literal["min_item_period_end", "phase_end", "timestamp"]
    timestamp: Timestamp | None = None


class PhaseItemPeriodParams(Hash):
    end: PhaseEndParams
    start: PhaseStartParams


class PhaseAddedItemParams(AddInvoiceItem):
    """Billed once, on the phase's next invoice; its period may be the phase's."""

    period: PhaseItemPeriodParams | None = None  # type: ignore[assignment]


class PhaseItemParams(Hash):
    billing_thresholds: ItemThresholdsParams | Unset | None = None
    discounts: list[DiscountParams] | Unset | None = None
    metadata: Metadata = {}
    plan: str | None = None
    price: str | None = None
    price_data: RecurringPriceData | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    tax_rates: list[str] | Unset | None = None
    trial_offer: NotSupported = None

    _one_price = exclusive("price", "price_data")


class ScheduleInvoiceSettingsParams(Hash):
    account_tax_ids: list[str] | Unset | None = None
    custom_fields: Annotated[list[CustomFieldParams], Field(max_length=4)] | Unset | None = None
    days_until_due: Annotated[int, Field(ge=0, le=3650)] | None = None
    description: str | Unset | None = None
    footer: str | Unset | None = None
    issuer: LiabilityParams | None = None


class ScheduleDefaultsParams(Hash):
    """What holds in every phase that says nothing else."""

    application_fee_percent: NotSupported = None
    automatic_tax: AutomaticTaxParams | None = None
    billing_cycle_anchor: PhaseAnchor | None = None
    billing_thresholds: BillingThresholdsParams | Unset | None = None
    collection_method: CollectionMethod | None = None
    default_payment_method: str | None = None
    description: Annotated[str, Field(max_length=500)] | Unset | None = None
    invoice_settings: ScheduleInvoiceSettingsParams | None = None
    on_behalf_of: NotSupported = None
    transfer_data: NotSupported = None


class PhaseParams(ScheduleDefaultsParams):
    """A phase of a new schedule: its start follows from the one before."""

    add_invoice_items: Annotated[list[PhaseAddedItemParams], Field(max_length=ADDED_MAX)] = []
    currency: Currency | None = None
    default_tax_rates: list[str] | Unset | None = None
    discounts: list[DiscountParams] | Unset | None = None
    duration: DurationParams | None = None
    end_date: Timestamp | None = None
    items: Annotated[list[PhaseItemParams], Field(min_length=1, max_length=20)]
    metadata: Metadata = {}
    proration_behavior: ProrationBehavior = "create_prorations"
    trial: bool | None = None
    trial_end: Timestamp | None = None

    _one_end = exclusive("duration", "end_date")


class PhaseChangeParams(PhaseParams):
    """A phase of an update: `now` ends the present phase, and begins the next."""

    end_date: Timestamp | Literal["now"] | None = None  # type: ignore[assignment]
    start_date: Timestamp | Literal["now"] | None = None
    trial_end: Timestamp | Literal["now"] | None = None  # type: ignore[assignment]


class ScheduleWrite(Params):
    default_settings: ScheduleDefaultsParams | None = None
    end_behavior: EndBehavior = "release"
    metadata: Metadata | Unset = {}


class SubscriptionScheduleCreate(ScheduleWrite):
    billing_mode: BillingModeParams | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    from_subscription: str | None = None
    pause_schedules: PauseSchedules | None = None
    phases: Annotated[list[PhaseParams], Field(max_length=PHASES_MAX)] = []
    start_date: Timestamp | Literal["now"] | None = None


class SubscriptionScheduleUpdate(ScheduleWrite):
    pause_schedules: PauseScheduleChanges | Unset | None = None
    phases: list[PhaseChangeParams] | None = None
    proration_behavior: ProrationBehavior = "create_prorations"


class PreviewSchedule(Hash):
    """A schedule that may be made, or the changes to the one that `schedule` names."""

    billing_mode: BillingModeParams | None = None
    end_behavior: EndBehavior | None = None
    pause_schedules: PauseScheduleChanges | None = None
    phases: list[PhaseChangeParams] = []
    proration_behavior: ProrationBehavior = "create_prorations"


class SubscriptionScheduleCancel(Params):
    invoice_now: bool = True
    prorate: bool = True


class SubscriptionScheduleRelease(Params):
    preserve_cancel_date: bool = False


class SubscriptionScheduleList(ListParams):
    canceled_at: Timestamp | Range | None = None
    completed_at: Timestamp | Range | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    released_at: Timestamp | Range | None = None
    scheduled: bool | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "customer_account": "",
        "scheduled": "(t.status = 'not_started') = %(scheduled)s",
    }
