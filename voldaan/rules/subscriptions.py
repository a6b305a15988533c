"""Subscriptions: how one begins, ends, is resumed, and which of its fields may simply be set.

What a change of items, periods or anchor costs is in rules/changes.py; the end of a period in rules/renewals.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import ListObject, UnsetType
from voldaan.resources.billing import CustomField
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.line_items import LineItem
from voldaan.resources.prices import Price
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import (
    AnchorConfig,
    BillingMode,
    FlexibleBilling,
    Subscription,
    SubscriptionCreate,
    SubscriptionInvoiceSettings,
    SubscriptionPaymentSettings,
    SubscriptionWrite,
    TrialEndBehavior,
    TrialSettings,
)
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import invoices, lines, periods
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.invoices import BillingFacts
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.rules.renewals import (
    billed_period,
    discounts_of,
    drop_used_discounts,
    next_renewal,
    sweep,
    take_pending,
    trial_warning,
)

DAY = 86_400
NO_METHOD = (
    "This customer has no attached payment source or default payment method. Please consider adding a default payment "
    "method. For more information, visit "
    "https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority."
)


@dataclass(slots=True)
class NewItem:
    """An item of a request with what it names looked up."""

    id: str
    price: str
    quantity: int | UnsetType
    discounts: list[str] = field(default_factory=list)
    tax_rates: list[TaxRate | str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Beginning:
    """A new subscription with everything that its request names looked up. `extra` is billed once, with the first."""

    id: str
    params: SubscriptionCreate
    customer: Customer
    currency: str
    items: list[NewItem]
    discounts: list[str] = field(default_factory=list)
    default_tax_rates: list[TaxRate | str] = field(default_factory=list)
    extra: list[InvoiceItem] = field(default_factory=list)


def begin(facts: BillingFacts, new: Beginning, now: int, new_id: NewId) -> Decision:
    """The subscription, its first invoice, and what happens by itself from now on."""
    params = new.params
    start = now if params.backdate_start_date is None else params.backdate_start_date
    trial_end = _trial_end(params, facts.catalogue, new.items, now)
    anchor = _anchor(params, facts.catalogue, new.items, start, now, trial_end)
    items = [_item(facts.catalogue, new, each, start, now, anchor, trial_end) for each in new.items]
    ends = [item.current_period_end for item in items]
    cancel_at = _cancel_at(params.cancel_at, ends)
    if cancel_at is not None and cancel_at <= now:
        raise refused("`cancel_at` must be in the future.", "cancel_at")
    if cancel_at is not None:
        items = [replace(item, current_period_end=min(item.current_period_end, cancel_at)) for item in items]
    earliest = min(item.current_period_end for item in items)
    subscription = Subscription(
        id=new.id,
        billing_cycle_anchor=anchor,
        billing_cycle_anchor_config=_anchor_config(params),
        billing_mode=_billing_mode(params),
        cancel_at=earliest if params.cancel_at_period_end else cancel_at,
        cancel_at_period_end=params.cancel_at_period_end,
        canceled_at=now if params.cancel_at_period_end or cancel_at is not None else None,
        created=now,
        currency=new.currency,
        customer=new.customer.id,
        default_tax_rates=new.default_tax_rates,
        description=params.description,
        discounts=new.discounts,
        items=ListObject(data=items, url=f"/v1/subscription_items?subscription={new.id}"),
        livemode=facts.account.livemode,
        must_be_paid=params.payment_behavior == "error_if_incomplete",
        start_date=start,
        status="trialing" if trial_end else "incomplete",
        test_clock=new.customer.test_clock,
        trial_end=trial_end,
        trial_start=now if trial_end else None,
        current_period_start=max(item.current_period_start for item in items),
        current_period_end=earliest,
    )
    return _first_invoice(facts, new, simple(subscription, params), now, new_id)


def _first_invoice(
    facts: BillingFacts, new: Beginning, subscription: Subscription, now: int, new_id: NewId
) -> Decision:
    params, customer = new.params, new.customer
    invoice = invoices.draft(
        facts,
        customer,
        id=new_id("in"),
        currency=subscription.currency,
        now=now,
        reason="subscription_create",
        period_start=now,
        period_end=now,
        subscription=subscription,
    )
    invoice.discounts = discounts_of(facts, subscription)
    decision = Decision()
    trial = subscription.status == "trialing"
    billed: list[tuple[SubscriptionItem, LineItem]] = []
    for item in subscription.items.data:
        begins, ends = item.current_period_start, item.current_period_end
        if not trial:
            begins = min(begins, subscription.start_date)
        whole = lines.is_whole(facts.catalogue, lines.price_id(item), subscription.billing_cycle_anchor, begins, ends)
        line = lines.for_item(
            facts.catalogue,
            subscription,
            item,
            begins,
            ends,
            invoice=invoice.id,
            new_id=new_id,
            trial=trial,
            free=not whole and params.proration_behavior == "none",
        )
        billed.append((item, line))
        decision.inserts.append(billed_period(item, invoice.id))
    extra = [replace(item, invoice=invoice.id) for item in new.extra]
    drawn = [line for _, line in billed] + [lines.for_invoice_item(item, invoice.id, new_id) for item in extra]
    swept, waiting = sweep(take_pending(facts, subscription, now), invoice, new_id)
    invoices.complete(facts, invoice, drawn + waiting)
    for item, line in billed:
        item.debits = [lines.debit(line)]

    sends = subscription.collection_method == "send_invoice"
    invoice.auto_advance = True
    if not trial:
        subscription.status = "active" if sends or not invoices.is_charged(invoice) else "incomplete"
    subscription.latest_invoice = invoice.id
    facts.parties.subscriptions[subscription.id] = subscription
    must_pay = subscription.status == "incomplete" and params.payment_behavior != "default_incomplete"
    if must_pay and invoices.payment_method(facts, invoice) is None:
        raise refused(NO_METHOD, code="resource_missing")
    decision.inserts[:0] = [subscription, *subscription.items.data]
    decision.inserts += [invoice, *extra, *drawn, *waiting]
    decision.add(_own_currency(facts, customer, subscription.currency)).add(swept)
    due, warned = trial_warning(subscription, now)
    decision.events += [Event("customer.subscription.created", subscription), *warned]
    decision.events.append(Event("invoice.created", invoices.told(invoice)))
    decision.due += [*due, next_renewal(subscription), *cancellation(subscription)]
    if sends and invoice.total:
        decision.due += invoices.scheduled(invoice, now, facts.account.settings_billing.draft_seconds)
    else:
        if subscription.status == "incomplete":
            limit = now + facts.account.settings_billing.incomplete_seconds
            decision.due.append(Due("subscription.expire", subscription.id, limit, subscription.test_clock))
        collect: invoices.Collect = "off_session" if params.off_session else "on_session"
        if params.payment_behavior == "default_incomplete":
            collect = "later"
        finalized, _ = invoices.finalize(facts, invoice, now, new_id, collect=collect)
        decision.add(finalized)
    return decision.add(drop_used_discounts(facts, facts.parties.subscriptions[subscription.id], now))


def _own_currency(facts: BillingFacts, customer: Customer, currency: str) -> Decision:
    """A customer is billed in the currency of the first thing that bills."""
    if customer.currency is not None:
        return Decision()
    changed = replace(customer, currency=currency)
    facts.parties.customers[customer.id] = changed
    return Decision(updates=[Update(changed, customer)], events=[Event("customer.updated", changed, customer)])


# Periods ---------------------------------------------------------------------------------------------------------------


def _item(
    catalogue: Catalogue, new: Beginning, each: NewItem, start: int, now: int, anchor: int, trial_end: int | None
) -> SubscriptionItem:
    period = periods.period_at(anchor, *lines.interval(catalogue, each.price), now)
    return SubscriptionItem(
        id=each.id,
        subscription=new.id,
        price=catalogue.prices[each.price],
        quantity=each.quantity,
        created=now,
        current_period_start=now if trial_end else max(period.start, start),
        current_period_end=trial_end or period.end,
        discounts=each.discounts,
        tax_rates=each.tax_rates,
        metadata=each.metadata,
    )


def _trial_end(params: SubscriptionCreate, catalogue: Catalogue, items: Sequence[NewItem], now: int) -> int | None:
    if params.trial_end == "now":
        return None
    if params.trial_end is not None:
        if params.trial_end <= now:
            raise refused("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
        return params.trial_end
    days = params.trial_period_days
    if days is None and params.trial_from_plan:
        days = max((catalogue.prices[item.price].recurring_trial_period_days or 0 for item in items), default=0)
    return now + days * DAY if days else None


def _anchor(
    params: SubscriptionCreate,
    catalogue: Catalogue,
    items: Sequence[NewItem],
    start: int,
    now: int,
    trial_end: int | None,
) -> int:
    """Where the periods are counted from: what was asked for, the end of the trial, or the start."""
    shortest = min((lines.interval(catalogue, item.price) for item in items), key=_length)
    if config := params.billing_cycle_anchor_config:
        if shortest[0] in ("day", "week"):
            raise refused(
                "`billing_cycle_anchor_config` can only be used with monthly or yearly prices.",
                "billing_cycle_anchor_config",
            )
        return periods.anchor_from_config(
            now, *shortest, config.day_of_month, config.month, config.hour, config.minute, config.second
        )
    anchor = params.billing_cycle_anchor
    if anchor is None:
        return trial_end or start
    earliest = trial_end or now
    if anchor < earliest:
        raise refused("`billing_cycle_anchor` must not be before the subscription begins.", "billing_cycle_anchor")
    if anchor > periods.add_interval(earliest, *shortest, 1):
        raise refused(
            f"`billing_cycle_anchor` cannot be later than next natural billing date "
            f"({periods.add_interval(earliest, *shortest, 1)}) for the plan.",
            "billing_cycle_anchor",
        )
    return anchor


def _length(interval: tuple[periods.Interval, int]) -> int:
    """Days, near enough to tell which interval is the shorter one."""
    return {"day": 1, "week": 7, "month": 30, "year": 365}[interval[0]] * interval[1]


def _cancel_at(given: Any, ends: Sequence[int]) -> int | None:
    """An instant, or the end of the first or the last of the items' periods."""
    if given in (None, ""):
        return None
    if given == "min_period_end":
        return min(ends)
    if given in ("max_period_end", "max_billed_until"):
        return max(ends)
    return int(given)


def cancellation(subscription: Subscription) -> list[Due]:
    """When a subscription ends by itself between two renewals."""
    at = subscription.cancel_at
    if at is None or subscription.cancel_at_period_end:
        return []
    return [Due("subscription.cancel", subscription.id, at, subscription.test_clock)]


# Fields that are simply set --------------------------------------------------------------------------------------------


def simple(subscription: Subscription, params: SubscriptionWrite) -> Subscription:
    """The subscription with the fields that concern nothing else."""
    given = params.model_fields_set
    values: dict[str, Any] = {}
    if "metadata" in given:
        values["metadata"] = merged(subscription.metadata, params.metadata)
    if params.default_payment_method is not None:
        values["default_payment_method"] = params.default_payment_method
    if "collection_method" in given or "days_until_due" in given:
        values |= _collection(subscription, params)
    if params.invoice_settings is not None:
        values["invoice_settings"] = _invoice_settings(subscription.invoice_settings, params)
    if params.payment_settings is not None:
        values["payment_settings"] = _payment_settings(subscription.payment_settings, params)
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
    if given.save_default_payment_method is not None:
        values["save_default_payment_method"] = given.save_default_payment_method
    return replace(was or SubscriptionPaymentSettings(), **values)


def _anchor_config(params: SubscriptionCreate) -> AnchorConfig | None:
    config = params.billing_cycle_anchor_config
    return AnchorConfig(**config.model_dump()) if config else None


def _billing_mode(params: SubscriptionCreate) -> BillingMode:
    mode = params.billing_mode
    if mode is None:
        return BillingMode()
    if mode.type == "classic":
        return BillingMode(type="classic", flexible=None)
    discounts = mode.flexible.proration_discounts if mode.flexible else "included"
    return BillingMode(flexible=FlexibleBilling(proration_discounts=discounts))


# What may be subscribed to ---------------------------------------------------------------------------------------------


def check_items(prices: Sequence[Price], params: Sequence[str], currency: str, mode: str) -> None:
    """Refuses prices that do not recur, are off, metered, twice there, or do not go together. `params` names each."""
    if not prices:
        raise refused("Missing required param: items.", "items", "parameter_missing")
    seen: set[str] = set()
    for price, param in zip(prices, params, strict=True):
        if price.recurring is None:
            raise refused(
                "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
                param,
            )
        if price.recurring.usage_type == "metered":
            raise refused("Metered prices are not supported by this version of Voldaan.", param)
        if not price.active:
            raise refused("The price specified is inactive. This field only accepts active prices.", param)
        if price.id in seen:
            raise refused(f"Cannot add multiple subscription items with the same plan: {price.id}", param)
        seen.add(price.id)
    terms = {(p.recurring.interval, p.recurring.interval_count) for p in prices if p.recurring}
    if mode == "classic" and len(terms) > 1:
        raise refused(
            "Currency and interval fields must match across all plans on this subscription. Found mismatch in interval "
            "field.",
            params[0],
        )
