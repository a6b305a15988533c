"""What an offer comes to: priced by the functions that bill, as an invoice that nobody writes. Amounts are minor units.

Sources: docs/behaviour-billing.md, "Quotes".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.prices import Price
from voldaan.resources.quotes import Quote, QuoteComputed, QuoteLineItem, QuoteRecurring, QuoteTotalDetails, QuoteUpfront
from voldaan.rules import automatic_tax, invoice_items, invoices, lines
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.ids import NewId


@dataclass(frozen=True, slots=True)
class Offer:
    """A quote with its lines, to whom it is made, and when it is looked at."""

    facts: BillingFacts
    quote: Quote
    items: Sequence[QuoteLineItem]
    customer: Customer
    now: int
    new_id: NewId

    @property
    def recurring(self) -> list[QuoteLineItem]:
        """The lines that are billed each interval."""
        return [item for item in self.items if recurs(self.facts, item)]

    @property
    def once(self) -> list[QuoteLineItem]:
        """The lines that are billed once."""
        return [item for item in self.items if not recurs(self.facts, item)]


def price_id(item: QuoteLineItem) -> str:
    """The id of the line's price, whether or not that is there whole."""
    return item.price.id if isinstance(item.price, Price) else item.price or ""


def recurs(facts: BillingFacts, item: QuoteLineItem) -> bool:
    """Whether the line is billed each interval."""
    return facts.catalogue.prices[price_id(item)].recurring is not None


def computed(offer: Offer) -> tuple[Quote, list[QuoteLineItem], list[QuoteLineItem]]:
    """The quote with its amounts, its lines with theirs, and the lines as the first invoice will have them."""
    quote, items = offer.quote, offer.items
    if not items:
        nothing = {"amount_subtotal": 0, "amount_total": 0, "computed": QuoteComputed(), "total_details": QuoteTotalDetails()}
        return replace(quote, **nothing), [], []
    whole = _invoice(offer, items)
    later = (quote.subscription_data.effective_date or 0) > offer.now
    first = [] if later else list(items)
    free = {item.id for item in offer.recurring} if quote.subscription_data.trial_period_days else set()
    upfront = _invoice(offer, first, free=free)
    changed = replace(
        quote,
        amount_subtotal=_subtotal(whole),
        amount_total=whole.total,
        automatic_tax=replace(quote.automatic_tax, status=whole.automatic_tax.status),
        total_details=_details(whole),
        computed=QuoteComputed(
            recurring=_recurring(offer),
            upfront=QuoteUpfront(
                amount_subtotal=_subtotal(upfront), amount_total=upfront.total, total_details=_details(upfront)
            ),
        ),
    )
    billed = [replace(item, id=offer.new_id("li"), upfront=True) for item in first]
    return changed, _with_amounts(items, whole), _with_amounts(billed, upfront)


def draft(offer: Offer) -> Invoice:
    """An invoice for what is offered, without its lines and discounts."""
    quote = offer.quote
    made = invoices.draft(
        offer.facts, offer.customer, id=offer.new_id("in"), currency=quote.currency or "", now=offer.now, reason="quote_accept",
        period_start=offer.now, period_end=offer.now,
    )  # fmt: skip
    made.default_tax_rates = offer.facts.catalogue.whole_rates(quote.default_tax_rates)
    made.automatic_tax = automatic_tax.enabled(quote.automatic_tax.enabled)
    return made


def invoice_item(offer: Offer, item: QuoteLineItem, quantity: int, discounts: Sequence[str], **given: Any) -> InvoiceItem:
    """So many of a line of the quote, as an invoice item."""
    return invoice_items.make(
        offer.facts.catalogue,
        customer=offer.customer.id,
        currency=offer.quote.currency or "",
        livemode=offer.quote.livemode,
        now=offer.now,
        quantity=Decimal(quantity),
        price=price_id(item),
        discounts=list(discounts),
        tax_rates=offer.facts.catalogue.whole_rates(item.tax_rates),
        **given,
    )


def _invoice(
    offer: Offer, items: Sequence[QuoteLineItem], *, free: Collection[str] = (), discounts: Collection[str] | None = None
) -> Invoice:
    """One period of these items, as an invoice would bill it; those of `free` for nothing, and with these discounts alone."""

    def counting(ids: Sequence[str]) -> list[str]:
        return [id for id in ids if discounts is None or id in discounts]

    invoice = draft(offer)
    invoice.discounts = counting(offer.quote.discounts)
    drawn = []
    for item in items:
        counted = lines.is_metered(offer.facts.catalogue, price_id(item))
        quantity = 0 if counted or item.id in free else item.quantity or 0
        made = invoice_item(offer, item, quantity, counting(item.discounts), id=offer.new_id("ii"))
        drawn.append(lines.for_invoice_item(made, invoice.id, offer.new_id))
    invoices.complete(offer.facts, invoice, drawn, offer.now)
    return invoice


def _recurring(offer: Offer) -> QuoteRecurring | None:
    """What comes each interval, with the discounts that never end."""
    again, catalogue = offer.recurring, offer.facts.catalogue
    if not again:
        return None
    every, count = lines.interval(catalogue, price_id(again[0]))
    endless = {
        id
        for id, discount in catalogue.discounts.items()
        if (coupon := catalogue.coupons.get(discount.source.coupon or "")) and coupon.duration == "forever"
    }
    invoice = _invoice(offer, again, discounts=endless)
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
