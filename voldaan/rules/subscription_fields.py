"""What a request may say of a subscription: fields that concern nothing else, and its end.

Its items are in rules/subscription_items.py. Everything that costs money is in rules/subscriptions.py, rules/changes.py and
rules/renewals.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.billing import CardOptions, CustomField, PaymentMethodOptions, PaymentMethodOptionsParams
from voldaan.resources.subscriptions import (
    AnchorConfig,
    BillingMode,
    BillingModeParams,
    CancellationDetails,
    FlexibleBilling,
    Subscription,
    SubscriptionCreate,
    SubscriptionInvoiceSettings,
    SubscriptionPaymentSettings,
    SubscriptionUpdate,
    SubscriptionWrite,
    TrialEndBehavior,
    TrialSettings,
)
from voldaan.rules import automatic_tax, thresholds
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused

FIVE_YEARS = 5 * 366 * 86_400


def simple(subscription: Subscription, params: SubscriptionWrite) -> Subscription:
    """The subscription with the fields that concern nothing else."""
    given = params.model_fields_set
    values: dict[str, Any] = {}
    if "metadata" in given:
        values["metadata"] = merged(subscription.metadata, params.metadata)
    if "billing_thresholds" in given:
        values["billing_thresholds"] = thresholds.given(subscription.billing_thresholds, params.billing_thresholds)
    if params.default_payment_method is not None:
        values["default_payment_method"] = params.default_payment_method
    if "collection_method" in given or "days_until_due" in given:
        values |= _collection(subscription, params)
    if params.invoice_settings is not None:
        values["invoice_settings"] = _invoice_settings(subscription.invoice_settings, params)
    if params.payment_settings is not None:
        values["payment_settings"] = _payment_settings(subscription.payment_settings, params)
    if params.automatic_tax is not None:
        values["automatic_tax"] = automatic_tax.of_subscription(params.automatic_tax.enabled)
    if params.trial_settings is not None:
        behavior = params.trial_settings.end_behavior
        values["trial_settings"] = TrialSettings(
            end_behavior=TrialEndBehavior(
                missing_payment_method=behavior.missing_payment_method, billing_cycle_anchor=behavior.billing_cycle_anchor
            )
        )
    return replace(subscription, **values) if values else subscription


def _collection(subscription: Subscription, params: SubscriptionWrite) -> dict[str, Any]:
    method = params.collection_method if "collection_method" in params.model_fields_set else subscription.collection_method
    days = params.days_until_due if params.days_until_due is not None else subscription.days_until_due
    check_days_until_due(method, days, params.days_until_due, "days_until_due")
    return {"collection_method": method, "days_until_due": days if method == "send_invoice" else None}


def check_days_until_due(method: str | None, days: int | None, said: int | None, param: str) -> None:
    """Refuses an invoice that is sent without them, and to say them of one that is not. `days` are those in force."""
    if method == "send_invoice" and days is None:
        raise refused("You must set `days_until_due` if the collection method is `send_invoice`.", param, "parameter_missing")
    if method != "send_invoice" and said is not None:
        raise refused("You can only set `days_until_due` if the collection method is `send_invoice`.", param)


def _invoice_settings(was: SubscriptionInvoiceSettings, params: SubscriptionWrite) -> SubscriptionInvoiceSettings:
    given = params.invoice_settings
    assert given is not None
    values = {name: getattr(given, name) or None for name in given.model_fields_set if name not in ("issuer", "custom_fields")}
    if "custom_fields" in given.model_fields_set:
        fields = given.custom_fields or []
        values["custom_fields"] = [CustomField(name=f.name, value=f.value) for f in fields] or None
    return replace(was, **values)


def _payment_settings(was: SubscriptionPaymentSettings | None, params: SubscriptionWrite) -> SubscriptionPaymentSettings:
    given = params.payment_settings
    assert given is not None
    values: dict[str, Any] = {}
    if given.payment_method_types is not None:
        values["payment_method_types"] = given.payment_method_types or None
    if given.payment_method_options is not None:
        values["payment_method_options"] = method_options(given.payment_method_options)
    if given.save_default_payment_method is not None:
        values["save_default_payment_method"] = given.save_default_payment_method
    return replace(was or SubscriptionPaymentSettings(), **values)


def method_options(given: PaymentMethodOptionsParams) -> PaymentMethodOptions:
    """What is told to one kind of payment method only."""
    card = given.card or None
    return PaymentMethodOptions(
        card=CardOptions(
            mandate_options=card.mandate_options or UNSET,
            network=card.network,
            request_three_d_secure=card.request_three_d_secure,
        )
        if card
        else None,
        customer_balance=given.customer_balance or None,
        sepa_debit=given.sepa_debit or None,
    )


def anchor_config(params: SubscriptionCreate) -> AnchorConfig | None:
    config = params.billing_cycle_anchor_config
    return AnchorConfig(**config.model_dump()) if config else None


def billing_mode(mode: BillingModeParams | None) -> BillingMode:
    """What a request says of it; flexible if it says nothing."""
    if mode is None:
        return BillingMode()
    if mode.type == "classic":
        return BillingMode(type="classic", flexible=None)
    discounts = mode.flexible.proration_discounts if mode.flexible else "included"
    return BillingMode(flexible=FlexibleBilling(proration_discounts=discounts))


# The end -------------------------------------------------------------------------------------------------------------


def cancel_at_of(given: Any, ends: Sequence[int]) -> int | None:
    """An instant, or the end of the first or the last of the items' periods."""
    if given in (None, ""):
        return None
    if given == "min_period_end":
        return min(ends)
    if given in ("max_period_end", "max_billed_until"):
        return max(ends)
    return int(given)


def ending(subscription: Subscription, params: SubscriptionUpdate, now: int) -> Subscription:
    """The subscription with what the request says of its end. Taking the end back takes the cancellation back."""
    given = params.model_fields_set
    if "cancel_at" not in given and "cancel_at_period_end" not in given:
        return subscription
    ends = [item.current_period_end for item in subscription.items.data]
    at = cancel_at_of(params.cancel_at, ends)
    if at is not None and at <= now:
        raise refused("`cancel_at` must be in the future.", "cancel_at")
    check_not_too_far(at, now, "cancel_at")
    at_period_end = params.cancel_at_period_end if "cancel_at_period_end" in given else False
    if at_period_end:
        at = min(ends)
    elif "cancel_at" not in given and not subscription.cancel_at_period_end:
        return subscription
    details = subscription.cancellation_details or CancellationDetails()
    return replace(
        subscription,
        cancel_at=at,
        cancel_at_period_end=at_period_end,
        canceled_at=None if at is None else now,
        cancellation_details=replace(details, reason=None if at is None else "cancellation_requested"),
    )


def check_not_too_far(at: int | None, now: int, param: str) -> None:
    """Refuses an instant more than five years ahead, as the live API does."""
    if at is not None and at > now + FIVE_YEARS:
        raise refused("Invalid timestamp: can be no more than five years in the future.", param)
