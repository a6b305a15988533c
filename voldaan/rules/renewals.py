"""Renewal: what the end of a period means for a subscription: a trial is over, the next period is billed, or it ends.

Every instant is one of the subscription's own boundaries, however late the work is done: a worker that was off for two
periods bills two invoices. What a decision changes is put back into the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import (
    Paused,
    PausedSubscription,
    Subscription,
    SubscriptionStatusDetails,
    TrialEndBehavior,
)
from voldaan.rules import (
    billing_schedules,
    commitments,
    finalization,
    invoices,
    lines,
    metered,
    owing,
    periods,
    prebilling,
    states,
)
from voldaan.rules.billed_periods import billed_period
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.subscription_due import next_renewal, no_more_due

LOOK_AGAIN = 60  # seconds until a renewal is tried again that a held update is in the way of


def renew(facts: BillingFacts, subscription: Subscription, now: int, new_id: NewId) -> Decision:
    """The subscription at the end of its earliest period. Nothing, if nothing has ended or it renews no more."""
    at = subscription.current_period_end
    if subscription.status not in states.SUBSCRIPTION_RENEWS or at > now:
        return Decision()
    if subscription.held is not None:  # a payment of it is under way, or it is about to expire
        return Decision(due=[Due("subscription.renew", subscription.id, now + LOOK_AGAIN, subscription.test_clock)])
    if subscription.cancel_at_period_end or (subscription.cancel_at is not None and subscription.cancel_at <= at):
        return finish(facts, subscription, now, new_id)
    renewed = subscription
    if subscription.status == "trialing" and (subscription.trial_end or 0) <= at:
        behavior = _end_behavior(subscription)
        if behavior.missing_payment_method != "create_invoice" and not has_method(facts, subscription):
            if behavior.missing_payment_method == "cancel":
                return finish(facts, subscription, now, new_id)
            return _pause(facts, subscription, now)
        anchor = at if behavior.billing_cycle_anchor == "now" else subscription.billing_cycle_anchor
        renewed = replace(subscription, status="active", billing_cycle_anchor=anchor)
    return _bill(facts, subscription, renewed, at, now, new_id)


def finish(facts: BillingFacts, subscription: Subscription, now: int, new_id: NewId) -> Decision:
    """The subscription ends as was agreed; what still waits to be billed for it is billed, and its usage."""
    decision = owing.end_subscription(facts.parties, subscription, now, "cancellation_requested")
    return decision.add(final_invoice(facts, facts.parties.subscriptions[subscription.id], now, new_id))


def final_invoice(facts: BillingFacts, subscription: Subscription, now: int, new_id: NewId) -> Decision:
    """All that is left to bill: what waits, usage until now, and what was late. No invoice if that is nothing."""
    decision, id = Decision(), new_id("in")
    drawn, late = metered.late(facts, subscription, id, now, new_id, subscription.items.data)
    decision.add(late)
    for item in metered.metered_items(facts, subscription):
        billed = metered.line_of(facts, subscription, item, min(now, item.current_period_end), id, new_id)
        if billed is None:
            continue
        line, kept = billed
        decision.add(kept)
        if line.amount or line.quantity_decimal:
            drawn.append(line)
    if metered.is_watched(facts, subscription):
        decision.due.append(owing.settle_usage(subscription, now))
    taken = take_pending(facts, subscription)
    counted = [*drawn, *(lines.for_invoice_item(item, id, new_id) for item in taken)]
    owed, settled = commitments.settle(facts.commitments, subscription, counted, now, id, now, new_id, ends=True)
    drawn += owed
    decision.add(settled)
    if taken or drawn:
        decision.add(last_invoice(facts, subscription, taken, now, new_id, id=id, usage=drawn))
    return decision


def settle(facts: BillingFacts, subscription: Subscription, now: int, new_id: NewId) -> Decision:
    """The last look at the usage of a subscription that has ended."""
    id = new_id("in")
    drawn, decision = metered.late(facts, subscription, id, now, new_id, present=())
    owed, settled = commitments.settle(facts.commitments, subscription, drawn, now, id, now, new_id, ends=True)
    drawn += owed
    decision.add(settled)
    if drawn:
        decision.add(last_invoice(facts, subscription, [], now, new_id, id=id, usage=drawn))
    return decision


def last_invoice(
    facts: BillingFacts,
    subscription: Subscription,
    items: list[InvoiceItem],
    now: int,
    new_id: NewId,
    *,
    id: str | None = None,
    usage: Sequence[LineItem] = (),
    reason: str | None = None,
) -> Decision:
    """A draft for invoice items and lines of usage that would otherwise wait for a renewal. `reason` is its billing_reason."""
    customer = facts.parties.customers[subscription.customer]
    invoice = invoices.draft(
        facts,
        customer,
        id=id or new_id("in"),
        currency=subscription.currency,
        now=now,
        reason=reason or ("subscription_update" if subscription.ended_at is None else "subscription_cycle"),
        period_start=subscription.current_period_start,
        period_end=now,
        subscription=subscription,
    )
    invoice.discounts = discounts_of(facts, subscription)
    decision, swept = sweep(items, invoice, new_id)
    drawn = [*usage, *swept]
    invoices.complete(facts, invoice, drawn)
    invoice.auto_advance = True
    changed = replace(subscription, latest_invoice=invoice.id)
    facts.parties.subscriptions[subscription.id] = changed
    decision.add(drop_used_discounts(facts, changed, invoice, drawn, now))
    changed = facts.parties.subscriptions[subscription.id]
    decision.inserts += [invoice, *drawn]
    decision.updates.append(Update(changed, subscription))
    decision.events.append(Event("invoice.created", invoices.told(invoice)))
    return decision.add(advance(facts, invoice, now, new_id))


def advance(facts: BillingFacts, invoice: Invoice, now: int, new_id: NewId) -> Decision:
    """A draft is finalized when its time to be edited is over: at once, where the book gives none."""
    seconds = facts.account.settings_billing.draft_seconds
    if invoice.auto_advance and not seconds:
        return finalization.finalize(facts, invoice, now, new_id)[0]
    return Decision(due=invoices.scheduled(invoice, now, seconds))


def _bill(
    facts: BillingFacts, was: Subscription, renewed: Subscription, at: int, now: int, new_id: NewId
) -> Decision:
    """The draft invoice for the next period of every item whose period ends at `at`, and the subscription moved on."""
    customer = facts.parties.customers[was.customer]
    invoice = invoices.draft(
        facts,
        customer,
        id=new_id("in"),
        currency=was.currency,
        now=now,
        reason="subscription_cycle",
        period_start=was.current_period_start,
        period_end=at,
        subscription=renewed,
    )
    invoice.discounts = discounts_of(facts, renewed)
    drawn, decision = metered.late(facts, renewed, invoice.id, now, new_id, renewed.items.data)
    items: list[SubscriptionItem] = []
    billed: list[tuple[SubscriptionItem, LineItem]] = []
    for item in renewed.items.data:
        if item.current_period_end > at:
            items.append(item)
            continue
        moved = _moved_on(facts, renewed, item)
        items.append(moved)
        decision.updates.append(Update(moved, item))
        if lines.is_metered(facts.catalogue, lines.price_id(moved)):
            if usage := metered.line_of(facts, renewed, item, item.current_period_end, invoice.id, new_id):
                drawn.append(usage[0])
                decision.add(usage[1])
            continue
        start, paid = moved.current_period_start, prebilling.covered(item)
        moved.debits = prebilling.kept_ahead(item, start)
        for since, until in prebilling.spans(facts.catalogue, renewed, moved, paid):
            line = lines.for_item(facts.catalogue, renewed, moved, since, until, invoice=invoice.id, new_id=new_id)
            drawn.append(line)
            billed.append((moved, line))
        if paid == start:
            decision.inserts.append(billed_period(moved, invoice.id))
    swept, waiting = sweep(take_pending(facts, renewed), invoice, new_id)
    decision.add(swept)
    owed, settled = commitments.settle(facts.commitments, renewed, [*drawn, *waiting], at, invoice.id, now, new_id)
    drawn += owed
    decision.add(settled)
    empty = not drawn and not waiting
    invoices.complete(facts, invoice, drawn + waiting)
    for moved, line in billed:
        prebilling.debited(moved, line)
    invoice.auto_advance = renewed.status in states.SUBSCRIPTION_COLLECTS and not _keeps_drafts(renewed)

    renewed = replace(
        renewed,
        items=ListObject(data=items, url=was.items.url),
        current_period_start=max(item.current_period_start for item in items),
        current_period_end=min(item.current_period_end for item in items),
        billing_schedules=billing_schedules.not_over(renewed.billing_schedules, at),
        latest_invoice=was.latest_invoice if empty else invoice.id,
    )
    facts.parties.subscriptions[renewed.id] = renewed
    decision.due += next_renewal(facts.account.settings_billing, renewed, now)
    if empty:  # a trial of nothing but usage is over, or all of it was billed in advance
        decision.updates.append(Update(renewed, was))
        decision.events.append(Event("customer.subscription.updated", renewed, _previous(renewed, was)))
        return decision
    decision.add(drop_used_discounts(facts, renewed, invoice, drawn + waiting, now))
    renewed = facts.parties.subscriptions[renewed.id]
    decision.inserts += [invoice, *drawn, *waiting]
    decision.updates.append(Update(renewed, was))
    decision.events += [
        Event("invoice.created", invoices.told(invoice)),
        Event("customer.subscription.updated", renewed, _previous(renewed, was)),
    ]
    return decision.add(advance(facts, invoice, now, new_id))


def _moved_on(facts: BillingFacts, renewed: Subscription, item: SubscriptionItem) -> SubscriptionItem:
    """The item in its next period, at the price that follows, unless it was billed further ahead at the present one."""
    follows = item.next_price if prebilling.covered(item) == item.current_period_end else None
    price = follows or lines.price_id(item)
    every, count = lines.interval(facts.catalogue, price)
    start, end = periods.next_period(
        renewed.billing_cycle_anchor, every, count, item.current_period_end, renewed.timezone
    )
    if renewed.cancel_at is not None:
        end = min(end, renewed.cancel_at)
    moved = replace(item, current_period_start=start, current_period_end=end, usage_since=UNSET)
    return moved if follows is None else replace(moved, price=facts.catalogue.prices[price], next_price=None)


def _pause(facts: BillingFacts, subscription: Subscription, now: int) -> Decision:
    """A trial that ended without a payment method: nothing is billed until somebody resumes it."""
    details = SubscriptionStatusDetails(
        paused=Paused(
            transitioned_at=now, subscription=PausedSubscription(type="trial_end_without_payment_method")
        )
    )
    paused = replace(subscription, status="paused", status_details=details)
    facts.parties.subscriptions[paused.id] = paused
    return Decision(
        updates=[Update(paused, subscription)],
        events=[Event("customer.subscription.paused", paused), Event("customer.subscription.updated", paused, subscription)],
        due_cancelled=no_more_due(paused.id),
    )


# Pieces that creating and changing a subscription need too ---------------------------------------------------------------


def take_pending(facts: BillingFacts, subscription: Subscription) -> list[InvoiceItem]:
    """The invoice items that the subscription's next invoice takes up: its own, and those of no subscription."""
    waiting = facts.pending.get(subscription.customer)
    if not waiting:
        return []
    taken = [
        item
        for item in waiting
        if item.subscription in (None, subscription.id) and item.currency == subscription.currency
    ]
    facts.pending[subscription.customer] = [item for item in waiting if item not in taken]
    return sorted(taken, key=lambda item: item.id)


def sweep(items: list[InvoiceItem], invoice: Invoice, new_id: NewId) -> tuple[Decision, list[LineItem]]:
    """The items are the invoice's from now on, each as one line."""
    decision, drawn = Decision(), []
    for item in items:
        drawn.append(lines.for_invoice_item(item, invoice.id, new_id))
        decision.updates.append(Update(replace(item, invoice=invoice.id), item))
    return decision, drawn


def discounts_of(facts: BillingFacts, subscription: Subscription) -> list[str]:
    """The discounts on a subscription's whole invoices: its own, else the customer's, unless it shall not inherit that."""
    if subscription.discounts or subscription.ignores_customers_discount:
        return subscription.discounts
    discount = facts.parties.customers[subscription.customer].discount
    return [discount.id] if discount else []


def drop_used_discounts(
    facts: BillingFacts, subscription: Subscription, invoice: Invoice, drawn: Sequence[LineItem], now: int
) -> Decision:
    """Takes away the discounts for one invoice that this one, with its lines, has used, and those whose months are over."""
    customer = facts.parties.customers[subscription.customer]
    every = {*discounts_of(facts, subscription), *(d for item in subscription.items.data for d in item.discounts)}
    if not every:
        return Decision()
    counted = [line for line in drawn if line.discountable]  # on prorations alone nothing is used
    used = {*(invoice.discounts if counted else ()), *(d for line in counted for d in line.discounts)}
    gone = {id for id in every if _is_over(facts, id, now) or (id in used and _is_for_once(facts, id))}
    decision = Decision()
    if not gone:
        return decision
    for id in sorted(gone):
        discount = facts.catalogue.discounts[id]
        ended = replace(discount, end=max(now, discount.start))
        decision.updates.append(Update(ended, discount))
        decision.events.append(Event("customer.discount.deleted", ended))
    items = []
    for item in subscription.items.data:
        kept = [d for d in item.discounts if d not in gone]
        changed = item if kept == item.discounts else replace(item, discounts=kept)
        if changed is not item:
            decision.updates.append(Update(changed, item))
        items.append(changed)
    facts.parties.subscriptions[subscription.id] = replace(
        subscription,
        discounts=[d for d in subscription.discounts if d not in gone],
        items=ListObject(data=items, url=subscription.items.url),
    )
    if customer.discount and customer.discount.id in gone:
        without = replace(customer, discount=None)
        facts.parties.customers[customer.id] = without
        decision.updates.append(Update(without, customer))
    return decision


def has_method(facts: BillingFacts, subscription: Subscription) -> bool:
    """Whether there is something to collect from; an invoice that is sent needs nothing."""
    if subscription.collection_method == "send_invoice":
        return True
    customer = facts.parties.customers[subscription.customer]
    return any(id in facts.methods for id in invoices.method_ids(None, subscription, customer))


def _is_over(facts: BillingFacts, id: str, now: int) -> bool:
    discount = facts.catalogue.discounts.get(id)
    return discount is not None and discount.end is not None and discount.end <= now


def _is_for_once(facts: BillingFacts, id: str) -> bool:
    discount = facts.catalogue.discounts.get(id)
    coupon = facts.catalogue.coupons.get(discount.source.coupon or "") if discount else None
    return coupon is not None and coupon.duration == "once"


def _end_behavior(subscription: Subscription) -> TrialEndBehavior:
    return subscription.trial_settings.end_behavior if subscription.trial_settings else TrialEndBehavior()


def _keeps_drafts(subscription: Subscription) -> bool:
    paused = subscription.pause_collection
    return paused is not None and paused.behavior == "keep_as_draft"


def _previous(renewed: Subscription, was: Subscription) -> dict[str, Any]:
    """previous_attributes of a renewal, made without comparing what never changes in one."""
    previous: dict[str, Any] = {"items": was.items, "latest_invoice": was.latest_invoice}
    for name in ("status", "billing_cycle_anchor", "discounts"):
        before = getattr(was, name)
        if before != getattr(renewed, name):
            previous[name] = before
    return previous
