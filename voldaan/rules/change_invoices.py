"""What a change writes: the subscription, and the invoice for it if it is billed now. What changes is in rules/changes.py."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import (
    automatic_tax,
    finalization,
    invoices,
    lines,
    metered,
    pending_intervals,
    prebilling,
    states,
    thresholds,
)
from voldaan.rules.billed_periods import cuts
from voldaan.rules.crediting import Work
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.renewals import advance, discounts_of, sweep, take_pending
from voldaan.rules.subscription_due import next_renewal


def write_change(work: Work, changed: Subscription, *, anew: bool, waits: bool = False) -> Decision:
    """The change, and the invoice for it if it is billed now: for what waits, and `anew` for all items' new periods."""
    decision, facts = work.decision, work.facts
    changed = replace(changed, has_thresholds=thresholds.are_set(changed))
    decision.cuts += cuts(work.was.items.data, changed.items.data)
    facts.parties.subscriptions[changed.id] = changed
    facts.pending.setdefault(changed.customer, []).extend([*work.waiting, *work.change.extra])
    once = work.change.extra if changed.billing_mode.type == "classic" else []  # flexible: they wait for an invoice
    begins = [item for item in changed.items.data if anew and _begins_with_a_line(work, changed, item)]
    at_once = anew or (work.change.behavior == "always_invoice" and not work.turns)
    if not begins and not work.ahead and not (at_once and (work.waiting or once)):
        return _without_invoice(work, changed, waits)
    invoice = _draft(work, changed)
    billed = _billed(work, changed, begins, invoice.id)
    work.drawn += [line for _, line in billed]
    if not work.change.must_be_paid:
        drawn, late = metered.late(facts, changed, invoice.id, work.now, work.new_id, work.was.items.data)
        work.drawn += drawn
        decision.add(late)
    swept, waiting = sweep(_taken(work, changed), invoice, work.new_id)
    invoices.complete(facts, invoice, work.drawn + waiting)
    if work.change.reached:
        invoice.threshold_reason = thresholds.reason(work.change.reached, waiting)
    if not (work.change.drafts or work.change.unattended):  # nobody asks for what a schedule does: its draft waits
        automatic_tax.need(invoice)
    for item, line in billed:
        prebilling.debited(item, line)
    invoice.auto_advance = True
    changed = replace(changed, latest_invoice=invoice.id)
    if waits and invoices.is_charged(invoice):
        changed = replace(changed, resumes_with=invoice.id)
    elif waits:
        changed = replace(changed, status="active", status_details=UNSET)
    if work.change.collect == "later" and invoices.is_charged(invoice) and changed.status == "active":
        changed = replace(changed, status="past_due")
    facts.parties.subscriptions[changed.id] = changed
    _schedule(work, changed)
    decision.updates.append(Update(changed, work.was))
    decision.inserts += [invoice, *work.drawn, *waiting]
    decision.events += [
        Event("customer.subscription.updated", changed, work.was),
        Event("invoice.created", invoices.told(invoice)),
    ]
    decision.add(swept)
    if work.change.drafts:
        return decision.add(advance(facts, invoice, work.now, work.new_id))
    finalized, _ = finalization.finalize(facts, invoice, work.now, work.new_id, collect=work.change.collect)
    return decision.add(finalized)


def _without_invoice(work: Work, changed: Subscription, waits: bool) -> Decision:
    """The change alone; nothing, if it changes nothing. Where a payment would have been waited for, there is none to wait for."""
    if waits:
        changed = replace(changed, status="active", status_details=UNSET)
        work.facts.parties.subscriptions[changed.id] = changed
    if changed == work.was and not work.decision.updates:
        return work.decision
    _schedule(work, changed)
    work.decision.updates.append(Update(changed, work.was))
    work.decision.events.append(Event("customer.subscription.updated", changed, work.was))
    return work.decision


def _draft(work: Work, changed: Subscription) -> Invoice:
    """The invoice of the change, still without lines."""
    invoice = invoices.draft(
        work.facts,
        work.facts.parties.customers[changed.customer],
        id=work.new_id("in"),
        currency=changed.currency,
        now=work.now,
        reason="subscription_threshold" if work.change.reached else "subscription_update",
        period_start=work.was.current_period_start,
        period_end=work.now,
        subscription=changed,
    )
    invoice.discounts = discounts_of(work.facts, changed)
    if work.waiting and not work.change.reached:
        invoice.subscription_proration_date = work.change.at
        invoice.__post_init__()
    return invoice


def _billed(
    work: Work, changed: Subscription, begins: Sequence[SubscriptionItem], invoice: str
) -> list[tuple[SubscriptionItem, LineItem]]:
    """The lines of periods that begin now, and of those that are billed ahead. Those of usage, of which there is none yet, are
    drawn at once."""
    catalogue, billed = work.facts.catalogue, []
    for item in begins:
        if lines.is_metered(catalogue, lines.price_id(item)):
            work.drawn.append(metered.nothing_yet(work.facts, changed, item, invoice, work.new_id))
            continue
        line = lines.for_item(
            catalogue,
            changed,
            item,
            item.current_period_start,
            item.current_period_end,
            invoice=invoice,
            new_id=work.new_id,
            free=work.change.behavior == "none" and not _is_whole(work, changed, item),
        )
        billed.append((item, line))
        work.ahead.append((item, prebilling.ahead(catalogue, changed, item, item.current_period_end)))
    for item, found in work.ahead:
        for span in found:
            billed.append((item, lines.for_item(catalogue, changed, item, *span, invoice=invoice, new_id=work.new_id)))
    return billed


def _taken(work: Work, subscription: Subscription) -> list[InvoiceItem]:
    """The invoice items that the invoice of this change takes up. One that may be voided leaves alone what waited before."""
    if not work.change.must_be_paid:
        return take_pending(work.facts, subscription)
    own = [*work.waiting, *work.change.extra]
    waiting = work.facts.pending[subscription.customer]
    work.facts.pending[subscription.customer] = [item for item in waiting if item not in own]
    return own


def _begins_with_a_line(work: Work, subscription: Subscription, item: SubscriptionItem) -> bool:
    """Whether a new period of the item is billed, or told of, when it begins: usage is so in classic billing only."""
    return subscription.billing_mode.type == "classic" or not lines.is_metered(work.facts.catalogue, lines.price_id(item))


def _schedule(work: Work, changed: Subscription) -> None:
    """When it renews next, if that has moved or it begins to renew again."""
    was = work.was
    moved = changed.current_period_end != was.current_period_end or was.status not in states.SUBSCRIPTION_RENEWS
    if moved and changed.status in states.SUBSCRIPTION_RENEWS:
        work.decision.due_cancelled += [("subscription.renew", changed.id), ("invoice.upcoming", changed.id)]
        work.decision.due += next_renewal(work.facts.account.settings_billing, changed, work.now)
    if was.status == "paused" and changed.status in states.SUBSCRIPTION_RENEWS:
        work.decision.due += pending_intervals.due(changed)


def _is_whole(work: Work, subscription: Subscription, item: SubscriptionItem) -> bool:
    start, end = item.current_period_start, item.current_period_end
    return lines.is_whole(work.facts.catalogue, subscription, lines.price_id(item), start, end)
