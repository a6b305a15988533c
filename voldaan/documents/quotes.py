"""A quote on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voldaan.documents import sheets
from voldaan.resources.accounts import Account
from voldaan.resources.customers import Customer
from voldaan.resources.prices import Price
from voldaan.resources.quotes import Quote, QuoteLineItem, QuoteTotalDetails
from voldaan.resources.shared import Address
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_rates import TaxRate
from voldaan.web.amounts import day, money

STATES = {"draft": "Draft", "accepted": "Accepted", "canceled": "Canceled"}


def sheet(
    account: Account,
    address: Address | None,
    quote: Quote,
    items: Sequence[QuoteLineItem],
    customer: Customer,
    tax_ids: Sequence[TaxId],
    rates: Mapping[str, TaxRate],
) -> dict[str, Any]:
    """Who offers what to whom until when, and what it comes to: at first, and each time after that."""
    currency = quote.currency or account.default_currency
    zone = customer.timezone or account.settings_billing.timezone
    data = quote.subscription_data
    facts = [("Date", day(quote.finalized_at or quote.created, zone)), ("Valid until", day(quote.expires_at, zone))]
    if data.effective_date:
        facts.append(("Begins", day(data.effective_date, zone)))
    if data.trial_period_days:
        facts.append(("Trial", f"{data.trial_period_days} days"))
    return sheets.sheet(
        kind="Quote",
        number=quote.number,
        state=STATES.get(quote.status),
        issuer=sheets.issuer(account, address),
        recipient=sheets.recipient(customer, tax_ids),
        facts=facts,
        heading=quote.header,
        text=quote.description,
        lines=[_line(item, currency, quote, rates) for item in items],
        sums=_sums(quote, currency),
        footer=quote.footer,
    )


def _line(item: QuoteLineItem, currency: str, quote: Quote, rates: Mapping[str, TaxRate]) -> dict[str, Any]:
    price = item.price if isinstance(item.price, Price) else None
    named = [rates[id] for id in item.tax_rates or quote.default_tax_rates if id in rates]
    said = [_rhythm(price), *(f"{rate.display_name} {rate.percentage:f}%" for rate in named)]
    if item.amount_discount:
        said.append(f"{money(item.amount_discount, currency)} discount")
    return sheets.line(
        item.description or "Item", " · ".join(part for part in said if part) or None, item.quantity,
        _unit(price, currency), item.amount_subtotal, currency,
    )  # fmt: skip


def _rhythm(price: Price | None) -> str | None:
    if price is None or price.recurring is None:
        return None
    every, count = price.recurring.interval, price.recurring.interval_count
    said = f"Each {every}" if count == 1 else f"Every {count} {every}s"
    return f"{said}, by usage" if price.recurring.usage_type == "metered" else said


def _unit(price: Price | None, currency: str) -> str:
    """The price of one; nothing for a price in tiers."""
    if price is None or price.billing_scheme == "tiered" or price.currency != currency:
        return ""
    return sheets.unit_price(price.unit_amount_decimal, currency)


def _sums(quote: Quote, currency: str) -> list[dict[str, Any]]:
    upfront, recurring = quote.computed.upfront, quote.computed.recurring
    first = "To pay at first" if recurring else None
    found = [sheets.sums(first, _rows(upfront.amount_subtotal, upfront.total_details, upfront.amount_total), currency)]
    if recurring is not None:
        count = recurring.interval_count
        each = f"Then each {recurring.interval}" if count == 1 else f"Then every {count} {recurring.interval}s"
        rows = _rows(recurring.amount_subtotal, recurring.total_details, recurring.amount_total)
        found.append(sheets.sums(each, rows, currency))
    return found


def _rows(subtotal: int, details: QuoteTotalDetails, total: int) -> list[tuple[str, int, bool]]:
    rows = [("Subtotal", subtotal, False)]
    if details.amount_discount:
        rows.append(("Discount", -details.amount_discount, False))
    if details.amount_tax:
        included = total == subtotal - details.amount_discount
        rows.append(("Tax, included" if included else "Tax", details.amount_tax, False))
    return [*rows, ("Total", total, True)]
