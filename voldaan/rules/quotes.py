"""Quotes: what an offer comes to, when it may be changed, and what it becomes. Amounts are minor units.

An offer is priced by the functions that bill: its lines are those of an invoice that nobody writes.
Sources: docs/behaviour-billing.md, "Quotes".
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.customers import Customer
from voldaan.resources.invoices import Invoice
from voldaan.resources.prices import Price
from voldaan.resources.quotes import (
    Quote,
    QuoteAutomaticTax,
    QuoteComputed,
    QuoteLineItem,
    QuoteRecurring,
    QuoteTotalDetails,
    QuoteUpfront,
)
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
from voldaan.rules import automatic_tax, invoice_items, invoices, lines, periods, phase_terms, schedules, states
from voldaan.rules import subscriptions as beginning
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Event, Refusal, Update
from voldaan.rules.ids import NewId
from voldaan.rules.phase_terms import Redeeming
from voldaan.rules.refusals import refused
from voldaan.rules.renewals import advance
from voldaan.rules.tax_provider import LOCATION

KEPT = 30 * 86_400  # how long an offer holds, unless it says otherwise


def price_id(item: QuoteLineItem) -> str:
    return item.price.id if isinstance(item.price, Price) else item.price or ""


def recurs(facts: BillingFacts, item: QuoteLineItem) -> bool:
    return facts.catalogue.prices[price_id(item)].recurring is not None


# What it comes to -------------------------------------------------------------------------------------------------------


def computed(
    facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], customer: Customer, now: int, new_id: NewId
) -> tuple[Quote, list[QuoteLineItem], list[QuoteLineItem]]:
    """The quote with its amounts, its lines with theirs, and the lines as the first invoice will have them."""
    if not items:
        nothing = {"amount_subtotal": 0, "amount_total": 0, "computed": QuoteComputed(), "total_details": QuoteTotalDetails()}
        return replace(quote, **nothing), [], []
    whole = _invoice(facts, quote, items, customer, now, new_id)
    later = (quote.subscription_data.effective_date or 0) > now
    first = [] if later else list(items)
    free = {item.id for item in first if quote.subscription_data.trial_period_days and recurs(facts, item)}
    upfront = _invoice(facts, quote, first, customer, now, new_id, free)
    changed = replace(
        quote,
        amount_subtotal=_subtotal(whole),
        amount_total=whole.total,
        automatic_tax=replace(quote.automatic_tax, status=whole.automatic_tax.status),
        total_details=_details(whole),
        computed=QuoteComputed(
            recurring=_recurring(facts, quote, items, customer, now, new_id),
            upfront=QuoteUpfront(
                amount_subtotal=_subtotal(upfront), amount_total=upfront.total, total_details=_details(upfront)
            ),
        ),
    )
    billed = [replace(item, id=new_id("li"), upfront=True) for item in first]
    return changed, _with_amounts(items, whole), _with_amounts(billed, upfront)


def _invoice(
    facts: BillingFacts,
    quote: Quote,
    items: Sequence[QuoteLineItem],
    customer: Customer,
    now: int,
    new_id: NewId,
    free: set[str] | frozenset[str] = frozenset(),
    discounts: set[str] | None = None,
) -> Invoice:
    """One period of these items, as an invoice would bill it; those of `free` for nothing. Written nowhere."""
    invoice = invoices.draft(
        facts, customer, id=new_id("in"), currency=quote.currency or "", now=now, reason="quote_accept",
        period_start=now, period_end=now,
    )  # fmt: skip
    invoice.default_tax_rates = phase_terms.whole_rates(facts.catalogue, quote.default_tax_rates)
    invoice.discounts = [id for id in quote.discounts if discounts is None or id in discounts]
    invoice.automatic_tax = automatic_tax.enabled(quote.automatic_tax.enabled)
    drawn = []
    for item in items:
        counted = lines.is_metered(facts.catalogue, price_id(item)) or item.id in free
        made = invoice_items.make(
            facts.catalogue,
            id=new_id("ii"),
            customer=customer.id,
            currency=invoice.currency,
            livemode=quote.livemode,
            now=now,
            quantity=Decimal(0 if counted else item.quantity or 0),
            price=price_id(item),
            discounts=[id for id in item.discounts if discounts is None or id in discounts],
            tax_rates=phase_terms.whole_rates(facts.catalogue, item.tax_rates),
        )
        drawn.append(lines.for_invoice_item(made, invoice.id, new_id))
    invoices.complete(facts, invoice, drawn, now)
    return invoice


def _recurring(
    facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], customer: Customer, now: int, new_id: NewId
) -> QuoteRecurring | None:
    again = [item for item in items if recurs(facts, item)]
    if not again:
        return None
    every, count = lines.interval(facts.catalogue, price_id(again[0]))
    catalogue = facts.catalogue
    endless = {
        id
        for id, discount in catalogue.discounts.items()
        if (coupon := catalogue.coupons.get(discount.source.coupon or "")) and coupon.duration == "forever"
    }
    invoice = _invoice(facts, quote, again, customer, now, new_id, discounts=endless)
    return QuoteRecurring(
        amount_subtotal=_subtotal(invoice),
        amount_total=invoice.total,
        interval=every,
        interval_count=count,
        total_details=_details(invoice),
    )


def _subtotal(invoice: Invoice) -> int:
    return sum(line.amount for line in invoice.lines.data)


def _details(invoice: Invoice) -> QuoteTotalDetails:
    return QuoteTotalDetails(amount_discount=sum(line.discount for line in invoice.lines.data), amount_tax=invoice.tax)


def _with_amounts(items: Sequence[QuoteLineItem], invoice: Invoice) -> list[QuoteLineItem]:
    return [
        replace(
            item,
            amount_subtotal=line.amount,
            amount_discount=line.discount,
            amount_tax=line.tax,
            amount_total=line.net + line.tax,
        )
        for item, line in zip(items, invoice.lines.data, strict=True)
    ]


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


def invoice_of(
    facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], customer: Customer, now: int, new_id: NewId
) -> tuple[Invoice, Decision]:
    """An invoice for what is billed once: a draft for as long as a renewal's is."""
    decision = Decision()
    redeem = Redeeming(facts, decision, customer.id, now, new_id)
    id = new_id("in")
    redeemed = redeem.all(quote.wanted, invoice=id)
    made = [
        invoice_items.make(
            facts.catalogue,
            id=(item_id := new_id("ii")),
            customer=customer.id,
            currency=quote.currency or "",
            livemode=quote.livemode,
            now=now,
            quantity=Decimal(item.quantity or 0),
            price=price_id(item),
            discounts=redeem.all(item.wanted, invoice_item=item_id),
            invoice=id,
            tax_rates=phase_terms.whole_rates(facts.catalogue, item.tax_rates),
            test_clock=customer.test_clock,
        )
        for item in items
    ]
    invoice = invoices.draft(
        facts, customer, id=id, currency=quote.currency or "", now=now, reason="quote_accept", period_start=now, period_end=now
    )
    settings = quote.invoice_settings
    invoice.quote = quote.id
    invoice.discounts = redeemed
    invoice.default_tax_rates = phase_terms.whole_rates(facts.catalogue, quote.default_tax_rates)
    invoice.automatic_tax = automatic_tax.enabled(quote.automatic_tax.enabled)
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
    drawn = [lines.for_invoice_item(item, id, new_id) for item in made]
    invoices.complete(facts, invoice, drawn)
    own = beginning.own_currency(facts, customer, invoice.currency)
    decision.inserts += [invoice, *made, *drawn]
    decision.events += [Event("invoiceitem.created", item) for item in made]
    decision.events.append(Event("invoice.created", invoices.told(invoice)))
    return invoice, decision.add(own).add(advance(facts, invoice, now, new_id))


def subscription_of(
    facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], now: int, new_id: NewId
) -> tuple[str, Decision]:
    """The subscription that begins now, as the quote's schedule would begin it, with what is billed once."""
    decision = Decision()
    offered = schedule_of(facts, quote, items, now, new_id)
    new = schedules.as_agreed(facts, offered, offered.agreed[0], now, new_id, decision)
    return new.id, decision.add(beginning.begin(facts, new, now, new_id))


def schedule_of(
    facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], now: int, new_id: NewId
) -> SubscriptionSchedule:
    """The schedule that begins its one phase at the effective date, or now, and lets go after the first period."""
    data, settings = quote.subscription_data, quote.invoice_settings
    start = max(data.effective_date or now, now)
    every, count = lines.interval(facts.catalogue, price_id(next(item for item in items if recurs(facts, item))))
    zone = beginning.zone_of(facts, facts.parties.customers[quote.customer or ""])
    phase = _phase(facts, quote, items, start, periods.add_interval(start, every, count, 1, zone))
    phase = replace(phase, end_date=max(phase.end_date, phase.trial_end or 0))
    return SubscriptionSchedule(
        id=new_id("sub_sched"),
        agreed=[phase],
        billing_mode=_mode(quote),
        created=now,
        customer=quote.customer or "",
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


def _phase(facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], start: int, end: int) -> Phase:
    """What the quote offers, as the terms of a phase."""
    data = quote.subscription_data
    days = data.trial_period_days
    again = [item for item in items if recurs(facts, item)]
    once = [item for item in items if not recurs(facts, item)]
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
            for item in once
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
            for item in again
        ],
        metadata=data.metadata,
        start_date=start,
        trial_end=start + days * invoices.DAY if days else None,
    )


def _mode(quote: Quote) -> BillingMode:
    mode = quote.subscription_data.billing_mode
    return BillingMode(type=mode.type, flexible=None if mode.flexible is UNSET else mode.flexible)
