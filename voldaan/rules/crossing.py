"""A billing threshold is reached: what was used so far is billed before the period is over, or a new period begins.

What becomes of the usage is in rules/metered.py, so the rest of the period costs what it would have cost without.
"""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice, ThresholdReason
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import changes, invoices, metered, thresholds
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, Debits
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.renewals import advance, discounts_of, drop_used_discounts, sweep, take_pending


def cross(facts: BillingFacts, was: Subscription, debits: Debits, now: int, new_id: NewId) -> Decision:
    """The invoice of a threshold that is reached. Nothing, if none is: what was billed already is not counted again."""
    if not thresholds.is_looked_at(was, now):
        return Decision()
    waiting = list(facts.pending.get(was.customer, ()))
    taken = take_pending(facts, was)
    invoice, drawn, decision = _unbilled(facts, was, taken, now, new_id)
    found = thresholds.reached(was, invoice, drawn)
    if found is not None and not resets(was):
        return _billed(facts, was, invoice, drawn, thresholds.reason(found, drawn), decision, now, new_id)
    facts.pending[was.customer] = waiting
    return Decision() if found is None else _begun_anew(facts, was, taken, debits, now, new_id)


def _begun_anew(
    facts: BillingFacts, was: Subscription, taken: list[InvoiceItem], debits: Debits, now: int, new_id: NewId
) -> Decision:
    """A new period begins, with what a change of the anchor bills. What is used in this very second is in the new period, so
    where it takes that to reach the threshold, this is done a second later."""
    invoice, drawn, _ = _unbilled(facts, was, taken, now, new_id, until_now=True)
    found = thresholds.reached(was, invoice, drawn)
    if found is None:
        return Decision(due=[thresholds.due(was.id, "again", now + 1, was.test_clock)])
    change = Change(at=now, anchor="now", debits=debits, drafts=True, collect="off_session", reached=found)
    return changes.apply(facts, was, was, change, now, new_id)


def resets(subscription: Subscription) -> bool:
    """Whether a new period begins when a threshold is reached."""
    own = subscription.billing_thresholds
    return own is not None and bool(own.reset_billing_cycle_anchor)


def _unbilled(
    facts: BillingFacts,
    subscription: Subscription,
    taken: list[InvoiceItem],
    now: int,
    new_id: NewId,
    *,
    until_now: bool = False,
) -> tuple[Invoice, list[LineItem], Decision]:
    """A draft with all that is not billed yet, its lines, and what they bill."""
    invoice = invoices.draft(
        facts,
        facts.parties.customers[subscription.customer],
        id=new_id("in"),
        currency=subscription.currency,
        now=now,
        reason="subscription_threshold",
        period_start=subscription.current_period_start,
        period_end=now,
        subscription=subscription,
    )
    invoice.discounts = discounts_of(facts, subscription)
    drawn, decision = metered.late(facts, subscription, invoice.id, now, new_id, subscription.items.data)
    for item in metered.metered_items(facts, subscription):
        until = now if until_now else item.current_period_end
        billed = metered.line_of(facts, subscription, item, until, invoice.id, new_id)
        if billed is None:
            continue
        line, kept = billed
        if line.amount or line.quantity_decimal:
            drawn.append(replace(line, period_end=now))
            decision.add(kept)
    swept, waited = sweep(taken, invoice, new_id)
    drawn += waited
    invoices.complete(facts, invoice, drawn)
    return invoice, drawn, decision.add(swept)


def _billed(
    facts: BillingFacts,
    was: Subscription,
    invoice: Invoice,
    drawn: list[LineItem],
    reason: ThresholdReason,
    decision: Decision,
    now: int,
    new_id: NewId,
) -> Decision:
    """The draft is the subscription's latest invoice; its periods stay as they are."""
    invoice.threshold_reason = reason
    invoice.auto_advance = True
    facts.parties.subscriptions[was.id] = replace(was, latest_invoice=invoice.id)
    decision.add(drop_used_discounts(facts, facts.parties.subscriptions[was.id], invoice, drawn, now))
    changed = facts.parties.subscriptions[was.id]
    decision.inserts += [invoice, *drawn]
    decision.updates.append(Update(changed, was))
    decision.events += [
        Event("invoice.created", invoices.told(invoice)),
        Event("customer.subscription.updated", changed, was),
    ]
    return decision.add(advance(facts, invoice, now, new_id))
