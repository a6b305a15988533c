"""Quotes: when one may be changed, and what it becomes. What it comes to is in rules/quote_amounts.py.

Sources: docs/behaviour-billing.md, "Quotes".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.invoices import Invoice
from voldaan.resources.quotes import Quote, QuoteAutomaticTax, QuoteLineItem
from voldaan.resources.subscription_schedules import (
    Phase,
    PhaseAddedItem,
    PhaseItem,
    PhaseItemEnd,
    PhaseItemPeriod,
    PhaseItemStart,
    ScheduleDefaults,
    ScheduleInvoiceSettings,
    SubscriptionSchedule,
)
from voldaan.resources.subscriptions import BillingMode
from voldaan.rules import automatic_tax, invoices, lines, periods, schedules, states
from voldaan.rules import subscriptions as beginning
from voldaan.rules.decision import Decision, Event, Refusal, Update
from voldaan.rules.quote_amounts import Offer, draft, invoice_item, price_id
from voldaan.rules.redeeming import Redeeming
from voldaan.rules.refusals import refused
from voldaan.rules.renewals import advance
from voldaan.rules.tax_provider import LOCATION

KEPT = 30 * 86_400  # how long an offer holds, unless it says otherwise


def tax_asked(enabled: bool) -> QuoteAutomaticTax:
    said = automatic_tax.enabled(enabled)
    return QuoteAutomaticTax(enabled=said.enabled, liability=said.liability, provider=said.provider)


# From state to state -----------------------------------------------------------------------------------------------------


def after(quote: Quote, trigger: str) -> Any:
    """The next state. Refuses what the present one does not allow."""
    status = states.advance(states.QUOTE, quote.status, trigger)
    if status is None:
        done = {"finalize": "finalized", "accept": "accepted", "cancel": "canceled"}[trigger]
        allowed = ", ".join(state for state, each in states.QUOTE if each == trigger)
        raise refused(f"The quote is {quote.status}. It must be in `{allowed}` status to be {done}.", None, "invalid_status")
    return status


def moved(quote: Quote, trigger: str, **values: Any) -> tuple[Quote, Decision]:
    """The quote in its next state, with these values."""
    status = after(quote, trigger)
    changed = replace(quote, status=status, **values)
    told = {"open": "finalized"}.get(status, status)
    over = [("quote.expire", quote.id)] if states.is_final(states.QUOTE, status) else []
    return changed, Decision(
        updates=[Update(changed, quote)], events=[Event(f"quote.{told}", changed)], due_cancelled=over
    )


def cannot_finalize(quote: Quote, items: Sequence[QuoteLineItem]) -> Refusal | None:
    if quote.customer is None:
        return Refusal("", "A customer is required to finalize a quote.", "customer")
    if not items:
        return Refusal("", "A quote needs at least one line item to be finalized.", "line_items")
    if not quote.automatic_tax.enabled or quote.automatic_tax.status == "complete":
        return None
    if quote.automatic_tax.status == "requires_location_inputs":
        return Refusal(LOCATION.code, LOCATION.message)
    return Refusal("taxes_calculation_failed", "The tax of this quote is not known. An invoice preview with its items says why.")


# What it becomes ---------------------------------------------------------------------------------------------------------


def invoice_of(offer: Offer) -> tuple[Invoice, Decision]:
    """An invoice for what is billed once: a draft for as long as a renewal's is."""
    facts, quote, customer, now, new_id = offer.facts, offer.quote, offer.customer, offer.now, offer.new_id
    decision = Decision()
    redeem = Redeeming(facts, decision, customer.id, now, new_id)
    invoice = draft(offer)
    invoice.discounts = redeem.all(quote.wanted, invoice=invoice.id)
    made = []
    for item in offer.items:
        id = new_id("ii")
        discounts = redeem.all(item.wanted, invoice_item=id)
        more = {"id": id, "invoice": invoice.id, "test_clock": customer.test_clock}
        made.append(invoice_item(offer, item, item.quantity or 0, discounts, **more))
    settings = quote.invoice_settings
    invoice.quote = quote.id
    invoice.metadata = quote.metadata
    invoice.description = settings.description
    invoice.footer = settings.footer or invoice.footer
    invoice.custom_fields = settings.custom_fields or invoice.custom_fields
    invoice.collection_method = quote.collection_method
    if quote.collection_method == "send_invoice":
        invoice.days_until_due = settings.days_until_due
        invoice.due_date = now + (settings.days_until_due or 0) * invoices.DAY
    invoice.auto_advance = True
    invoice.__post_init__()
    drawn = [lines.for_invoice_item(item, invoice.id, new_id) for item in made]
    invoices.complete(facts, invoice, drawn)
    own = beginning.own_currency(facts, customer, invoice.currency)
    decision.inserts += [invoice, *made, *drawn]
    decision.events += [Event("invoiceitem.created", item) for item in made]
    decision.events.append(Event("invoice.created", invoices.told(invoice)))
    return invoice, decision.add(own).add(advance(facts, invoice, now, new_id))


def subscription_of(offer: Offer) -> tuple[str, Decision]:
    """The subscription that begins now, as the quote's schedule would begin it, with what is billed once."""
    offered = schedule_of(offer)
    new, decision = schedules.as_agreed(offer.facts, offered, offered.agreed[0], offer.now, offer.new_id)
    return new.id, decision.add(beginning.begin(offer.facts, new, offer.now, offer.new_id))


def schedule_of(offer: Offer) -> SubscriptionSchedule:
    """The schedule that begins its one phase at the effective date, or now, and lets go after the first period."""
    quote = offer.quote
    data, settings = quote.subscription_data, quote.invoice_settings
    start = max(data.effective_date or offer.now, offer.now)
    every, count = lines.interval(offer.facts.catalogue, price_id(offer.recurring[0]))
    zone = beginning.zone_of(offer.facts, offer.customer)
    phase = _phase(offer, start, periods.add_interval(start, every, count, 1, zone))
    phase = replace(phase, end_date=max(phase.end_date, phase.trial_end or 0))
    return SubscriptionSchedule(
        id=offer.new_id("sub_sched"),
        agreed=[phase],
        billing_mode=_mode(quote),
        created=offer.now,
        customer=offer.customer.id,
        default_settings=ScheduleDefaults(
            automatic_tax=automatic_tax.of_subscription(quote.automatic_tax.enabled),
            collection_method=quote.collection_method,
            description=data.description,
            invoice_settings=ScheduleInvoiceSettings(
                custom_fields=settings.custom_fields,
                days_until_due=settings.days_until_due,
                description=settings.description,
                footer=settings.footer,
            ),
        ),
        livemode=quote.livemode,
        metadata=data.metadata,
        next_at=start,
        status="not_started",
        test_clock=quote.test_clock,
    )


def _phase(offer: Offer, start: int, end: int) -> Phase:
    """What the quote offers, as the terms of a phase."""
    quote, data = offer.quote, offer.quote.subscription_data
    days = data.trial_period_days
    moment = PhaseItemPeriod(
        start=PhaseItemStart(type="timestamp", timestamp=start), end=PhaseItemEnd(type="timestamp", timestamp=start)
    )
    return Phase(
        add_invoice_items=[
            PhaseAddedItem(
                price=price_id(item),
                quantity=item.quantity,
                discounts=item.wanted,
                period=moment,
                tax_rates=list(item.tax_rates),
            )
            for item in offer.once
        ],
        currency=quote.currency or "",
        default_tax_rates=list(quote.default_tax_rates),
        discounts=quote.wanted,
        end_date=end,
        ignores_customers_discount=True,  # it is no part of the offer
        items=[
            PhaseItem(
                plan=price_id(item),
                price=price_id(item),
                quantity=UNSET if item.quantity is None else item.quantity,
                discounts=item.wanted,
                tax_rates=list(item.tax_rates),
            )
            for item in offer.recurring
        ],
        metadata=data.metadata,
        start_date=start,
        trial_end=start + days * invoices.DAY if days else None,
    )


def _mode(quote: Quote) -> BillingMode:
    mode = quote.subscription_data.billing_mode
    return BillingMode(type=mode.type, flexible=None if mode.flexible is UNSET else mode.flexible)
