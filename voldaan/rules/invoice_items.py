"""Invoice items: what may be said of one, and what it comes to. Amounts are minor units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.invoice_items import InvoiceItem, InvoiceItemHash
from voldaan.resources.line_items import LineHash, LineItem
from voldaan.resources.prices import Price
from voldaan.rules import pricing
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.decision import Refusal
from voldaan.rules.metadata import merged
from voldaan.rules.money import is_within_maximum, line_amount, maximum_amount
from voldaan.rules.refusals import missing, refused

FROZEN = ("amount", "quantity", "quantity_decimal", "pricing", "price_data", "unit_amount_decimal", "discounts")


def make(
    catalogue: Catalogue,
    *,
    id: str,
    customer: str,
    currency: str,
    livemode: bool,
    now: int,
    quantity: Decimal = Decimal(1),
    price: str | None = None,
    amount: int | None = None,
    unit_amount: Decimal | None = None,
    period: tuple[int, int] | None = None,
    **given: Any,
) -> InvoiceItem:
    """An item from a price, a unit amount or an amount. Without a period it is for the moment it is made."""
    start, end = period or (now, now)
    item = InvoiceItem(
        id=id,
        amount=0,
        created=now,
        currency=currency,
        customer=customer,
        livemode=livemode,
        period_start=start,
        period_end=end,
        quantity_decimal=quantity,
        **given,
    )
    return priced(catalogue, item, price=price, amount=amount, unit_amount=unit_amount)


def priced(
    catalogue: Catalogue,
    item: InvoiceItem,
    *,
    price: str | None = None,
    amount: int | None = None,
    unit_amount: Decimal | None = None,
) -> InvoiceItem:
    """The item with the amount that this price, amount or unit amount gives it for its quantity."""
    return within_limits(_priced(catalogue, item, price, amount, unit_amount))


def within_limits(item: InvoiceItem) -> InvoiceItem:
    """Refuses an amount with more digits than its currency takes."""
    if not is_within_maximum(item.amount, item.currency):
        most = shown(maximum_amount(item.currency), item.currency)
        raise refused(f"Amount must be no more than {most}", "amount", "amount_too_large")
    return item


def _priced(
    catalogue: Catalogue, item: InvoiceItem, price: str | None, amount: int | None, unit_amount: Decimal | None
) -> InvoiceItem:
    units = item.quantity_decimal
    if price is not None:
        terms = catalogue.terms(price, item.currency)
        return replace(
            item,
            amount=pricing.amount(terms, int(units) if units == int(units) else units),
            price=price,
            product=catalogue.prices[price].product,
            unit_amount_decimal=catalogue.unit_amount(price, item.currency),
            description=item.description or catalogue.name(price),
        )
    if unit_amount is not None:
        return replace(
            item, amount=line_amount(unit_amount, units), unit_amount_decimal=unit_amount, price=None, product=None
        )
    if amount is None:
        raise missing("amount")
    return replace(
        item, amount=amount, unit_amount_decimal=None, price=None, product=None, quantity_decimal=Decimal(1)
    )


def plain(was: InvoiceItem | LineItem, params: InvoiceItemHash | LineHash) -> dict[str, Any]:
    """The fields of an item, or of a line, that concern nothing else, as a request says them."""
    given = params.model_fields_set
    values: dict[str, Any] = {}
    if "description" in given:
        values["description"] = params.description
    if params.discountable is not None:
        values["discountable"] = params.discountable
    if "metadata" in given:
        values["metadata"] = merged(was.metadata, params.metadata)
    if params.period is not None:
        values |= {"period_start": params.period.start, "period_end": params.period.end}
    return values


def check_price(price: Price, currency: str, param: str) -> None:
    """Refuses a price that cannot be billed once."""
    if price.type == "recurring":
        raise refused(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.", param
        )
    if not price.active:
        raise refused("The price specified is inactive. This field only accepts active prices.", param)
    if price.custom_unit_amount is not None:
        raise refused("The price specified lets the customer choose the amount, which an invoice cannot.", param)
    check_currency(price, currency, param)


def check_currency(price: Price, currency: str, param: str) -> None:
    """Refuses a price that is not offered in this currency."""
    options = {} if price.currency_options is UNSET else price.currency_options
    if currency != price.currency and currency not in options:
        raise refused(
            f"The price specified only supports `{price.currency}`. This doesn't match the expected currency: "
            f"`{currency}`.",
            param,
        )


def not_editable(item: InvoiceItem, invoice_status: str | None, given: set[str]) -> Refusal | None:
    """Why an item cannot be changed so; None if it can. What a finalized invoice holds stands for ever."""
    if invoice_status not in (None, "draft"):
        return Refusal("invoice_not_editable", "This invoice item is part of an invoice that is no longer editable.")
    if item.proration and (frozen := sorted(given.intersection(FROZEN))):
        return Refusal("", f"You cannot change `{frozen[0]}` of a proration.", frozen[0])
    return None


def of_proration(
    *,
    id: str,
    amount: int,
    description: str,
    start: int,
    end: int,
    quantity: int,
    price: str,
    catalogue: Catalogue,
    now: int,
    **given: Any,
) -> InvoiceItem:
    """An item that evens out a change in the middle of a period. Its discounts are in the amount, or stand beside it."""
    return InvoiceItem(
        id=id,
        amount=amount,
        created=now,
        description=description,
        discountable=False,
        period_start=start,
        period_end=end,
        price=price,
        product=catalogue.prices[price].product,
        proration=True,
        quantity_decimal=Decimal(quantity),
        unit_amount_decimal=catalogue.unit_amount(price, given["currency"]),
        **given,
    )
