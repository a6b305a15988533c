"""What a request may say of a subscription: fields that concern nothing else, its end, its items, and what is refused.

Everything that costs money is in rules/subscriptions.py, rules/changes.py and rules/renewals.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET, UnsetType
from voldaan.resources.billing import CardOptions, CustomField, PaymentMethodOptions, PaymentMethodOptionsParams
from voldaan.resources.prices import Price
from voldaan.resources.subscription_items import ItemThresholds, SubscriptionItem, SubscriptionItemUpdate
from voldaan.resources.subscriptions import (
    AnchorConfig,
    BillingMode,
    BillingModeParams,
    CancellationDetails,
    FlexibleBilling,
    Subscription,
    SubscriptionCreate,
    SubscriptionInvoiceSettings,
    SubscriptionItemChange,
    SubscriptionPaymentSettings,
    SubscriptionUpdate,
    SubscriptionWrite,
    TrialEndBehavior,
    TrialSettings,
)
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import automatic_tax, pricing, thresholds
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.invoice_items import check_currency
from voldaan.rules.metadata import merged
from voldaan.rules.money import is_within_maximum, maximum_amount
from voldaan.rules.refusals import refused

FIVE_YEARS = 5 * 366 * 86_400


@dataclass(slots=True)
class NewItem:
    """An item of a request with what it names looked up."""

    id: str
    price: str
    quantity: int | UnsetType
    discounts: list[str] = field(default_factory=list)
    tax_rates: list[TaxRate | str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    thresholds: ItemThresholds | None = None


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
    if method == "charge_automatically":
        if params.days_until_due is not None:
            raise refused(
                "You can only set `days_until_due` if the collection method is `send_invoice`.", "days_until_due"
            )
        return {"collection_method": method, "days_until_due": None}
    if days is None:
        raise refused(
            "You must set `days_until_due` if the collection method is `send_invoice`.", "days_until_due", "parameter_missing"
        )
    return {"collection_method": method, "days_until_due": days}


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


# The end, and what an update keeps ----------------------------------------------------------------------------------


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


def kept(item: SubscriptionItem, wanted: NewItem, params: SubscriptionItemChange | SubscriptionItemUpdate) -> NewItem:
    """What is asked of an item that exists: what is not said stays as it is."""
    given = params.model_fields_set
    keeps = params.quantity is None and UNSET not in (item.quantity, wanted.quantity)  # usage has no quantity to keep
    keeps_threshold = "billing_thresholds" not in given and wanted.quantity is UNSET
    return NewItem(
        id=item.id,
        price=wanted.price,
        quantity=item.quantity if keeps else wanted.quantity,
        discounts=wanted.discounts if "discounts" in given else item.discounts,
        tax_rates=wanted.tax_rates if "tax_rates" in given else list(item.tax_rates or []),
        metadata=merged(item.metadata, params.metadata) if "metadata" in given else item.metadata,
        thresholds=item.billing_thresholds if keeps_threshold else wanted.thresholds,
    )


# What may be subscribed to ---------------------------------------------------------------------------------------------


def check_items(prices: Sequence[Price], params: Sequence[str], currency: str, mode: str) -> None:
    """Refuses prices that do not recur, are off, twice there, or do not go together. `params` names each."""
    if not prices:
        raise refused("Missing required param: items.", "items", "parameter_missing")
    seen: set[str] = set()
    for price, param in zip(prices, params, strict=True):
        if price.recurring is None:
            raise refused(
                "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
                param,
            )
        if not price.active:
            raise refused("The price specified is inactive. This field only accepts active prices.", param)
        if price.id in seen:
            raise refused(f"Cannot add multiple subscription items with the same plan: {price.id}", param)
        check_currency(price, currency, param)
        seen.add(price.id)
    terms = {(p.recurring.interval, p.recurring.interval_count) for p in prices if p.recurring}
    if mode == "classic" and len(terms) > 1:
        raise refused(
            "Currency and interval fields must match across all plans on this subscription. Found mismatch in interval "
            "field.",
            params[0],
        )


def check_amounts(catalogue: Catalogue, items: Sequence[NewItem], currency: str, params: Sequence[str]) -> None:
    """Refuses a quantity whose bill would have more digits than the currency takes."""
    for item, param in zip(items, params, strict=True):
        if item.quantity is UNSET:
            continue
        cost = pricing.amount(catalogue.terms(item.price, currency), item.quantity)
        if not is_within_maximum(cost, currency):
            raise refused(f"Amount must be no more than {shown(maximum_amount(currency), currency)}", param, "amount_too_large")


def check_not_too_far(at: int | None, now: int, param: str) -> None:
    """Refuses an instant more than five years ahead, as the live API does."""
    if at is not None and at > now + FIVE_YEARS:
        raise refused("Invalid timestamp: can be no more than five years in the future.", param)
