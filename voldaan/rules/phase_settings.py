"""What a phase says of its subscription, or else its schedule's default settings: all but items, discounts and trial.

Sources: docs/behaviour-billing.md, "Schedules".
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.billing import AutomaticTaxParams, CustomFieldParams
from voldaan.resources.subscription_schedules import Phase, ScheduleDefaults, ScheduleInvoiceSettings, SubscriptionSchedule
from voldaan.resources.subscriptions import (
    BillingModeParams,
    FlexibleParams,
    InvoiceSettingsParams,
    Subscription,
    SubscriptionCreate,
    SubscriptionInvoiceSettings,
)
from voldaan.rules import thresholds
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.phase_terms import merged_metadata


def with_defaults(phase: Phase, defaults: ScheduleDefaults) -> Phase:
    """The phase in which the default settings stand where it says nothing."""
    return replace(
        phase,
        automatic_tax=(defaults.automatic_tax or UNSET) if phase.automatic_tax is UNSET else phase.automatic_tax,
        billing_cycle_anchor=phase.billing_cycle_anchor or defaults.billing_cycle_anchor,
        billing_thresholds=phase.billing_thresholds or defaults.billing_thresholds,
        collection_method=phase.collection_method or defaults.collection_method,
        default_payment_method=phase.default_payment_method or defaults.default_payment_method,
        description=phase.description or defaults.description,
        invoice_settings=phase.invoice_settings or defaults.invoice_settings,
    )


def of_subscription(subscription: Subscription) -> ScheduleDefaults:
    """The default settings of a schedule for a subscription that there is: those that it has."""
    settings = subscription.invoice_settings
    return ScheduleDefaults(
        automatic_tax=subscription.automatic_tax,
        billing_thresholds=subscription.billing_thresholds,
        collection_method=subscription.collection_method,
        default_payment_method=subscription.default_payment_method,
        description=subscription.description,
        invoice_settings=ScheduleInvoiceSettings(
            account_tax_ids=settings.account_tax_ids,
            custom_fields=settings.custom_fields,
            days_until_due=subscription.days_until_due,
            description=settings.description,
            footer=settings.footer,
        ),
    )


def restarts(phase: Phase, defaults: ScheduleDefaults) -> bool:
    """Whether the billing cycle is counted from the start of the phase."""
    return (phase.billing_cycle_anchor or defaults.billing_cycle_anchor) == "phase_start"


def end_of(schedule: SubscriptionSchedule) -> int | None:
    """When the subscription ends with its schedule."""
    return schedule.agreed[-1].end_date if schedule.end_behavior == "cancel" else None


def asked(schedule: SubscriptionSchedule, phase: Phase, at: int) -> SubscriptionCreate:
    """What a request would say that begins the subscription with this phase."""
    phase = with_defaults(phase, schedule.default_settings)
    settings, mode = phase.invoice_settings or ScheduleInvoiceSettings(), schedule.billing_mode
    given: dict[str, Any] = {
        "collection_method": phase.collection_method or "charge_automatically",
        "default_payment_method": phase.default_payment_method,
        "description": phase.description,
        "metadata": merged_metadata({}, phase.metadata),
        "cancel_at": end_of(schedule),
    }
    if phase.automatic_tax is not UNSET and phase.automatic_tax.enabled:
        given["automatic_tax"] = AutomaticTaxParams(enabled=True)
    if given["collection_method"] == "send_invoice":
        given["days_until_due"] = settings.days_until_due
    if phase.start_date < at:
        given["backdate_start_date"] = phase.start_date
    if phase.billing_thresholds is not None:
        given["billing_thresholds"] = thresholds.asked(phase.billing_thresholds)
    if phase.trial_end is not None and phase.trial_end > at:
        given["trial_end"] = phase.trial_end
    flexible = FlexibleParams(proration_discounts=mode.flexible.proration_discounts) if mode.flexible else None
    return SubscriptionCreate(
        customer=schedule.customer,
        billing_mode=BillingModeParams(type=mode.type, flexible=flexible),
        invoice_settings=InvoiceSettingsParams(
            account_tax_ids=settings.account_tax_ids,
            custom_fields=[CustomFieldParams(name=f.name, value=f.value) for f in settings.custom_fields or ()],
            description=settings.description,
            footer=settings.footer,
        ),
        off_session=True,
        proration_behavior=phase.proration_behavior,
        **{name: value for name, value in given.items() if value is not None},
    )


def applied(
    catalogue: Catalogue, schedule: SubscriptionSchedule, phase: Phase, subscription: Subscription, at: int
) -> Subscription:
    """The subscription on the terms of a phase that it enters at `at`."""
    phase = with_defaults(phase, schedule.default_settings)
    settings = phase.invoice_settings or ScheduleInvoiceSettings()
    method, end = phase.collection_method or subscription.collection_method, end_of(schedule)
    values: dict[str, Any] = {
        "collection_method": method,
        "days_until_due": settings.days_until_due if method == "send_invoice" else None,
        "metadata": merged_metadata(subscription.metadata, phase.metadata),
        "automatic_tax": subscription.automatic_tax if phase.automatic_tax is UNSET else phase.automatic_tax,
        "billing_thresholds": phase.billing_thresholds,
        "default_tax_rates": catalogue.whole_rates(phase.default_tax_rates),
        "description": phase.description or subscription.description,
        "default_payment_method": phase.default_payment_method or subscription.default_payment_method,
    }
    if settings != ScheduleInvoiceSettings():
        values["invoice_settings"] = SubscriptionInvoiceSettings(
            account_tax_ids=settings.account_tax_ids,
            custom_fields=settings.custom_fields,
            description=settings.description,
            footer=settings.footer,
        )
    if end != subscription.cancel_at:
        values |= {"cancel_at": end, "cancel_at_period_end": False, "canceled_at": None if end is None else at}
    return replace(subscription, **values)
