"""Subscriptions: how one begins, ends, is resumed, and which of its fields may simply be set.

What a change of items, periods or anchor costs is in rules/changes.py; the end of a period in rules/renewals.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from voldaan.resources.base import UNSET, ListObject, UnsetType
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import (
    automatic_tax,
    billing_schedules,
    finalization,
    invoices,
    lines,
    metered,
    pending_intervals,
    periods,
    prebilling,
    thresholds,
)
from voldaan.rules.billed_periods import billed_period
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import refused
from voldaan.rules.renewals import (
    advance,
    discounts_of,
    drop_used_discounts,
    sweep,
    take_pending,
)
from voldaan.rules.subscription_due import cancellation, next_renewal, trial_warning
from voldaan.rules.subscription_fields import anchor_config, billing_mode, cancel_at_of, check_not_too_far, simple
from voldaan.rules.subscription_items import NewItem

DAY = 86_400
NO_METHOD = (
    "This customer has no attached payment source or default payment method. Please consider adding a default payment "
    "method. For more information, visit "
    "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)


@dataclass(slots=True)
class Beginning:
    """A new subscription with everything that its request names looked up. `extra` is billed once, with the first."""

    id: str
    params: SubscriptionCreate
    customer: Customer
    currency: str
    items: list[NewItem]
    discounts: list[str] = field(default_factory=list)
    ignores_customers_discount: bool = False
    default_tax_rates: list[TaxRate | str] = field(default_factory=list)
    extra: list[InvoiceItem] = field(default_factory=list)
    schedule: str | None = None  # which begins it
    unattended: bool = False     # nobody is there to pay, so its first invoice is as a renewal's


def begin(facts: BillingFacts, new: Beginning, now: int, new_id: NewId) -> Decision:
    """The subscription, its first invoice, and what happens by itself from now on."""
    params = new.params
    start = now if params.backdate_start_date is None else params.backdate_start_date
    if start > now:
        raise refused("`backdate_start_date` must be in the past.", "backdate_start_date")
    trial_end = _trial_end(params, facts.catalogue, new.items, now)
    zone = zone_of(facts, new.customer)
    anchor = _anchor(params, facts.catalogue, new.items, start, now, trial_end, zone)
    items = [_item(facts.catalogue, new, each, start, now, anchor, trial_end, zone) for each in new.items]
    ends = [item.current_period_end for item in items]
    if params.cancel_at == "max_billed_until" and params.billing_schedules:
        raise refused("`max_billed_until` can be set once the subscription is billed in advance.", "cancel_at")
    cancel_at = cancel_at_of(params.cancel_at, ends)
    if cancel_at is not None and cancel_at <= now:
        raise refused("`cancel_at` must be in the future.", "cancel_at")
    check_not_too_far(cancel_at, now, "cancel_at")
    if cancel_at is not None:
        items = [replace(item, current_period_end=min(item.current_period_end, cancel_at)) for item in items]
    earliest = min(item.current_period_end for item in items)
    subscription = Subscription(
        id=new.id,
        billing_cycle_anchor=anchor,
        billing_cycle_anchor_config=anchor_config(params),
        billing_mode=billing_mode(params.billing_mode),
        cancel_at=earliest if params.cancel_at_period_end else cancel_at,
        cancel_at_period_end=params.cancel_at_period_end,
        canceled_at=now if params.cancel_at_period_end or cancel_at is not None else None,
        created=now,
        currency=new.currency,
        customer=new.customer.id,
        default_tax_rates=new.default_tax_rates,
        description=params.description,
        discounts=new.discounts,
        ignores_customers_discount=new.ignores_customers_discount,
        items=ListObject(data=items, url=f"/v1/subscription_items?subscription={new.id}"),
        livemode=facts.account.livemode,
        must_be_paid=params.payment_behavior == "error_if_incomplete",
        schedule=new.schedule,
        start_date=start,
        status="trialing" if trial_end else "incomplete",
        test_clock=new.customer.test_clock,
        timezone=zone,
        trial_end=trial_end,
        trial_start=now if trial_end else None,
        current_period_start=max(item.current_period_start for item in items),
        current_period_end=earliest,
    )
    subscription = pending_intervals.agreed(simple(subscription, params), params.pending_invoice_item_interval, now)
    subscription.has_thresholds = thresholds.are_set(subscription)
    asked = billing_schedules.Asked(facts.catalogue, subscription, items, trial_end or subscription.current_period_start, now)
    subscription.billing_schedules = billing_schedules.given(asked, params.billing_schedules, new_id)
    return _first_invoice(facts, new, subscription, now, new_id)


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
    trial = subscription.status == "trialing"
    announced, billed, decision = _first_lines(facts, new, subscription, invoice.id, new_id)
    extra = [replace(item, invoice=invoice.id) for item in new.extra]
    drawn = announced + [line for _, line in billed] + [lines.for_invoice_item(item, invoice.id, new_id) for item in extra]
    swept, waiting = sweep(take_pending(facts, subscription), invoice, new_id)
    if not drawn and not waiting:
        return decision.add(_without_invoice(facts, customer, subscription, now))
    invoices.complete(facts, invoice, drawn + waiting)
    if not new.unattended:
        automatic_tax.need(invoice)
    for item, line in billed:
        prebilling.debited(item, line)

    sends = subscription.collection_method == "send_invoice"
    invoice.auto_advance = True
    if not trial:
        at_once = sends or new.unattended or not invoices.is_charged(invoice)
        subscription.status = "active" if at_once else "incomplete"
    subscription.latest_invoice = invoice.id
    facts.parties.subscriptions[subscription.id] = subscription
    must_pay = subscription.status == "incomplete" and params.payment_behavior != "default_incomplete"
    if must_pay and invoices.payment_method(facts, invoice) is None:
        raise refused(NO_METHOD, code="resource_missing")
    decision.inserts[:0] = [subscription, *subscription.items.data]
    decision.inserts += [invoice, *extra, *drawn, *waiting]
    decision.add(own_currency(facts, customer, subscription.currency)).add(swept)
    due, warned = trial_warning(subscription, now)
    decision.events += [Event("customer.subscription.created", subscription), *warned]
    decision.events.append(Event("invoice.created", invoices.told(invoice)))
    decision.due += [*due, *next_renewal(facts.account.settings_billing, subscription, now), *cancellation(subscription)]
    decision.due += pending_intervals.due(subscription)
    decision.add(_asked_for(facts, new, subscription, invoice, now, new_id))
    begun = facts.parties.subscriptions[subscription.id]
    decision.add(drop_used_discounts(facts, begun, invoice, drawn + waiting, now))
    if (left := facts.parties.subscriptions[subscription.id]) is not begun:
        decision.updates.append(Update(left, begun))
    return decision


def _first_lines(
    facts: BillingFacts, new: Beginning, subscription: Subscription, invoice: str, new_id: NewId
) -> tuple[list[LineItem], list[tuple[SubscriptionItem, LineItem]], Decision]:
    """Lines that announce usage, the items' lines for their first periods and what is billed ahead, and the periods so billed."""
    catalogue, trial, decision = facts.catalogue, subscription.status == "trialing", Decision()
    announced: list[LineItem] = []
    billed: list[tuple[SubscriptionItem, LineItem]] = []
    for item in subscription.items.data:
        if lines.is_metered(catalogue, lines.price_id(item)):
            if subscription.billing_mode.type == "classic":
                announced.append(metered.nothing_yet(facts, subscription, item, invoice, new_id))
            continue
        begins, ends = item.current_period_start, item.current_period_end
        if not trial:
            begins = min(begins, subscription.start_date)
        whole = lines.is_whole(catalogue, subscription, lines.price_id(item), begins, ends)
        line = lines.for_item(
            catalogue,
            subscription,
            item,
            begins,
            ends,
            invoice=invoice,
            new_id=new_id,
            trial=trial,
            free=not whole and new.params.proration_behavior == "none",
        )
        billed.append((item, line))
        decision.inserts.append(billed_period(item, invoice))
        for span in prebilling.ahead(catalogue, subscription, item, ends) if not trial else ():
            billed.append((item, lines.for_item(catalogue, subscription, item, *span, invoice=invoice, new_id=new_id)))
    return announced, billed, decision


def _asked_for(
    facts: BillingFacts, new: Beginning, subscription: Subscription, invoice: Invoice, now: int, new_id: NewId
) -> Decision:
    """How the first invoice goes on: as a draft that may still be edited, or finalized at once and asked to be paid."""
    settings, params = facts.account.settings_billing, new.params
    if new.unattended and invoice.total:
        return advance(facts, invoice, now, new_id)
    if subscription.collection_method == "send_invoice" and invoice.total:
        return Decision(due=invoices.scheduled(invoice, now, settings.draft_seconds))
    decision = Decision()
    if subscription.status == "incomplete":
        limit = now + settings.incomplete_seconds
        decision.due.append(Due("subscription.expire", subscription.id, limit, subscription.test_clock))
    collect: finalization.Collect = "off_session" if params.off_session else "on_session"
    if params.payment_behavior == "default_incomplete":
        collect = "later"
    finalized, _ = finalization.finalize(facts, invoice, now, new_id, collect=collect)
    return decision.add(finalized)


def _without_invoice(facts: BillingFacts, customer: Customer, subscription: Subscription, now: int) -> Decision:
    """A subscription of nothing but usage: there is nothing to bill yet, and nothing to wait for."""
    if subscription.status == "incomplete":
        subscription.status = "active"
    facts.parties.subscriptions[subscription.id] = subscription
    decision = own_currency(facts, customer, subscription.currency)
    due, warned = trial_warning(subscription, now)
    decision.inserts += [subscription, *subscription.items.data]
    decision.events += [Event("customer.subscription.created", subscription), *warned]
    decision.due += [*due, *next_renewal(facts.account.settings_billing, subscription, now), *cancellation(subscription)]
    return decision


def own_currency(facts: BillingFacts, customer: Customer, currency: str) -> Decision:
    """A customer is billed in the currency of the first thing that bills."""
    if customer.currency is not None:
        return Decision()
    changed = replace(customer, currency=currency)
    facts.parties.customers[customer.id] = changed
    return Decision(updates=[Update(changed, customer)], events=[Event("customer.updated", changed, customer)])


def zone_of(facts: BillingFacts, customer: Customer) -> str:
    """By whose calendar a new subscription's periods are counted."""
    return customer.timezone or facts.account.settings_billing.timezone


# Periods ---------------------------------------------------------------------------------------------------------------


def _item(
    catalogue: Catalogue, new: Beginning, each: NewItem, start: int, now: int, anchor: int, trial_end: int | None, zone: str
) -> SubscriptionItem:
    period = periods.period_at(anchor, *lines.interval(catalogue, each.price), now, zone)
    usage_since: int | UnsetType = UNSET
    if lines.is_metered(catalogue, each.price) and (trial_end or start < period.start):
        usage_since = trial_end or start  # a trial is free; what was used before, in a period that is over, is not
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
        billing_thresholds=each.thresholds,
        usage_since=usage_since,
    )


def _trial_end(params: SubscriptionCreate, catalogue: Catalogue, items: Sequence[NewItem], now: int) -> int | None:
    if params.trial_end == "now":
        return None
    if params.trial_end is not None:
        if params.trial_end <= now:
            raise refused("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
        check_not_too_far(params.trial_end, now, "trial_end")
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
    zone: str,
) -> int:
    """Where the periods are counted from: what was asked for, the end of the trial, or the start."""
    shortest = min((lines.interval(catalogue, item.price) for item in items), key=periods.length)
    if config := params.billing_cycle_anchor_config:
        if shortest[0] in ("day", "week"):
            raise refused(
                "`billing_cycle_anchor_config` can only be used with monthly or yearly prices.",
                "billing_cycle_anchor_config",
            )
        return periods.anchor_from_config(
            now, *shortest, config.day_of_month, config.month, config.hour, config.minute, config.second, zone
        )
    anchor = params.billing_cycle_anchor
    if anchor is None:
        return trial_end or start
    earliest = trial_end or now
    if anchor < earliest:
        raise refused("`billing_cycle_anchor` must not be before the subscription begins.", "billing_cycle_anchor")
    if anchor > (natural := periods.add_interval(earliest, *shortest, 1, zone)):
        raise refused(
            f"`billing_cycle_anchor` cannot be later than next natural billing date ({natural}) for the plan.",
            "billing_cycle_anchor",
        )
    return anchor
