"""Invoice lines: what is said of an item, an invoice item or a proration, and what it costs before discounts and tax."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from voldaan.resources.base import UNSET
from voldaan.resources.basis import Basis
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.line_items import CreditedItems, LineItem
from voldaan.resources.prices import Interval, Price
from voldaan.resources.subscription_items import Debit, SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import periods, pricing, proration
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.ids import NewId


def price_id(item: SubscriptionItem) -> str:
    """The price of an item, whether or not it is there whole."""
    return item.price.id if isinstance(item.price, Price) else item.price


def rate_ids(rates: Sequence[TaxRate | str] | None) -> list[str]:
    """The ids of tax rates, whether or not they are there whole."""
    return [rate.id if isinstance(rate, TaxRate) else rate for rate in rates or ()]


def rated_by(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, at: int) -> str:
    """The price that an item is charged by for a time that begins then: its own, or what was agreed with the customer."""
    return catalogue.agreed(subscription.customer, price_id(item), at)


def is_metered(catalogue: Catalogue, price: str) -> bool:
    """Whether a price bills what a meter counted, after its period, instead of a quantity before it."""
    return catalogue.prices[price].recurring_usage_type == "metered"


def quantity(item: SubscriptionItem) -> int:
    return 1 if item.quantity is UNSET else item.quantity


def interval(catalogue: Catalogue, price: str) -> tuple[Interval, int]:
    """How often a recurring price is billed."""
    found = catalogue.prices[price]
    return found.recurring_interval or "month", found.recurring_interval_count or 1


def period_at(catalogue: Catalogue, subscription: Subscription, price: str, at: int) -> periods.Period:
    """The period of the subscription that holds the instant, as long as the price's interval."""
    every, count = interval(catalogue, price)
    return periods.period_at(subscription.billing_cycle_anchor, every, count, at, subscription.timezone)


class Calendar(NamedTuple):
    """How a subscription's time is counted: periods from an anchor in a time zone, shared by the second or by the day."""

    anchor: int
    zone: str
    grain: proration.Grain

    @classmethod
    def of(cls, catalogue: Catalogue, subscription: Subscription) -> Calendar:
        return cls(subscription.billing_cycle_anchor, subscription.timezone, catalogue.grain)


class Stretch(NamedTuple):
    """[start, end) of one period, what share of the period it is, and what that costs in minor units."""

    start: int
    end: int
    share: proration.Share
    amount: int


def amount(catalogue: Catalogue, subscription: Subscription, price: str, units: int, start: int, end: int) -> int:
    """What `units` cost for [start, end): the whole price for a whole period of the anchor, else its share of the time.

    A stretch over several periods costs each of them, rounded by itself as its own bill would be.
    """
    calendar = Calendar.of(catalogue, subscription)
    return sum(each.amount for each in stretches(catalogue, calendar, price, subscription.currency, units, start, end))


def stretches(
    catalogue: Catalogue, calendar: Calendar, price: str, currency: str, units: int, start: int, end: int
) -> Iterator[Stretch]:
    """[start, end) period by period, with what each costs."""
    terms = catalogue.terms(price, currency)
    every, count = interval(catalogue, price)
    while start < end:
        period = periods.period_at(calendar.anchor, every, count, start, calendar.zone)
        until = min(end, period.end)
        if start == period.start and until == period.end:
            yield Stretch(start, until, proration.Share(1, 1), pricing.amount(terms, units))
        else:
            share = proration.within(start, until, period.start, period.end, calendar.grain, calendar.zone)
            yield Stretch(start, until, share, pricing.amount(terms, units, share.part, share.whole))
        start = until


def is_whole(catalogue: Catalogue, subscription: Subscription, price: str, start: int, end: int) -> bool:
    """Whether [start, end) is one period of the subscription."""
    period = period_at(catalogue, subscription, price, start)
    return (period.start, period.end) == (start, end)


def for_item(
    catalogue: Catalogue,
    subscription: Subscription,
    item: SubscriptionItem,
    start: int,
    end: int,
    *,
    invoice: str,
    new_id: NewId,
    trial: bool = False,
    free: bool = False,
) -> LineItem:
    """An item's price for its period [start, end). A trial costs nothing, and neither does a stub that is not charged."""
    price, units, currency = rated_by(catalogue, subscription, item, start), quantity(item), subscription.currency
    if trial:
        basis: Basis | None = Basis(kind="trial")
        cost, said = 0, f"Trial period for {catalogue.name(price)}"
    elif free:
        basis = Basis(kind="free")
        cost, said = 0, f"Time on {catalogue.name(price)} from {day(start)} until {day(end)}"
    else:
        cost = amount(catalogue, subscription, price, units, start, end)
        said = f"{units} × {catalogue.caption(price, currency)}"
        basis = None if is_whole(catalogue, subscription, price, start, end) else _of_time(catalogue, subscription, start, end)
    own = rate_ids(item.tax_rates)
    return LineItem(
        id=new_id("il"),
        amount=cost,
        basis=basis,
        currency=currency,
        description=said,
        discounts=item.discounts,
        invoice=invoice,
        livemode=subscription.livemode,
        metadata=subscription.metadata,
        quantity_decimal=Decimal(units),
        subscription=subscription.id,
        subtotal=cost,
        period_start=start,
        period_end=end,
        price=price,
        product=catalogue.prices[price].product,
        subscription_item=item.id,
        unit_amount_decimal=Decimal(0) if trial or free else catalogue.unit_amount(price, currency),
        tax_rates=own or None,
    )


def for_invoice_item(item: InvoiceItem, invoice: str, new_id: NewId) -> LineItem:
    """The line that an invoice item becomes."""
    own = [tax.rate for tax in item.taxes_given] if item.taxes_given else rate_ids(item.tax_rates)
    return LineItem(
        id=new_id("il"),
        amount=item.amount,
        basis=item.basis,
        currency=item.currency,
        description=item.description,
        discountable=item.discountable,
        discounts=item.discounts or [],
        invoice=invoice,
        livemode=item.livemode,
        metadata=item.metadata,
        quantity_decimal=item.quantity_decimal,
        subscription=item.subscription,
        subtotal=item.amount,
        period_start=item.period_start,
        period_end=item.period_end,
        price=item.price,
        product=item.product,
        subscription_item=item.subscription_item,
        invoice_item=item.id,
        proration=item.proration,
        unit_amount_decimal=item.unit_amount_decimal,
        credited=_credited(item),
        tax_rates=own or None,
        tax_behavior=item.tax_behavior,
        tax_code=item.tax_code,
        taxes_given=item.taxes_given,
        usage=item.usage,
    )


def _of_time(catalogue: Catalogue, subscription: Subscription, start: int, end: int) -> Basis:
    calendar = Calendar.of(catalogue, subscription)
    return Basis(
        kind="time", start=start, end=end, anchor=calendar.anchor, grain=calendar.grain, zone=calendar.zone
    )


def debit(line: LineItem, *, ahead: bool = False) -> Debit:
    """What the line charged for its period, maybe `ahead` of it, and a change may give back."""
    return Debit(
        line=line.id,
        invoice=line.invoice,
        amount=line.amount - line.discount,
        off=list(line.discount_amounts or []),
        start=line.period_start,
        end=line.period_end,
        ahead=ahead,
    )


def unused(catalogue: Catalogue, price: str, units: int, at: int) -> str:
    """ "Unused time on 2 × Pro after 15 Jan 2026"."""
    return f"Unused time on {_counted(catalogue, price, units)} after {day(at)}"


def remaining(catalogue: Catalogue, price: str, units: int, at: int) -> str:
    return f"Remaining time on {_counted(catalogue, price, units)} after {day(at)}"


def _counted(catalogue: Catalogue, price: str, units: int) -> str:
    name = catalogue.name(price)
    return name if units == 1 else f"{units} × {name}"


def _credited(item: InvoiceItem) -> CreditedItems | None:
    details = item.proration_details
    if details is UNSET or details.credited_items is None:
        return None
    lines = details.credited_items.invoice_line_item_details
    if lines is UNSET:
        return None
    return CreditedItems(invoice=lines.invoice, invoice_line_items=lines.invoice_line_items)


def day(at: int) -> str:
    """ "15 Jan 2026"."""
    return datetime.fromtimestamp(at, UTC).strftime("%d %b %Y")
