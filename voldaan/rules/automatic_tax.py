"""Automatic tax on an invoice: the provider is asked, and its answer becomes the tax rates of the lines.

From there on nothing is special: rules/totals.py takes its rates from the lines, rounds and shares as for any tax, and credit
notes find the same rates. Decided when a draft is made or changed, and anew when it is finalized.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from voldaan.resources.billing import Liability
from voldaan.resources.customers import Customer, CustomerTax
from voldaan.resources.invoices import CustomerTaxId, Invoice, InvoiceAutomaticTax
from voldaan.resources.line_items import LineItem
from voldaan.resources.numbers import Number
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.subscriptions import SubscriptionAutomaticTax
from voldaan.resources.tax_rates import TaxRate
from voldaan.resources.tax_settings import TaxSettings
from voldaan.rules import tax_codes
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.refusals import refused
from voldaan.rules.shipping import is_shipping
from voldaan.rules.tax_location import Located, evidence, is_precise, locate
from voldaan.rules.tax_provider import (
    LOCAL,
    LOCATION,
    Taxes,
    TaxFound,
    TaxLine,
    TaxProvider,
    TaxQuery,
    TaxUnknown,
    fingerprint,
)

RATE_PREFIX = "txr_auto_"
AGAIN_MIN, AGAIN_MAX = 3600, 86_400  # seconds until a tax that was not known for a passing reason is asked for again
EXCLUSIVE_BY_CURRENCY = ("cad", "usd")  # docs.stripe.com/tax/products-prices-tax-codes-tax-behavior, "Infer by currency"

INACTIVE = TaxUnknown(
    "failed",
    "stripe_tax_inactive",
    "You must set the address of your head office (POST /v1/tax/settings) before tax can be calculated automatically.",
)
UNSPECIFIED = (
    "`tax_behavior` of {what} is unspecified. Set it to `inclusive` or `exclusive`, or give a default in the tax settings, in "
    "order to automatically compute tax."
)


@dataclass(slots=True)
class TaxFacts:
    """What a batch must know of tax, and finds. `made` are tax rates that nobody had needed before; they are kept with it."""

    settings: TaxSettings | None
    provider: TaxProvider
    livemode: bool
    provider_name: str = LOCAL
    made: list[TaxRate] = field(default_factory=list)
    answered: dict[str, tuple[TaxQuery, Taxes]] = field(default_factory=dict)  # by a provider over a network, by fingerprint
    needed: set[str] = field(default_factory=set)  # those of them that finalized invoices rest on


@dataclass(slots=True)
class Buyer:
    """Whose tax it is."""

    customer: Customer
    tax_ids: Sequence[CustomerTaxId]
    method: PaymentMethod | None


def standing(facts: TaxFacts, customer: Customer, at: int) -> CustomerTax:
    """What automatic tax would do for the customer at that instant: the hash that `expand=tax` shows."""
    located = locate(customer.address, customer.shipping)
    if located is None or not is_precise(located.address):
        return replace(customer.tax, automatic_tax="unrecognized_location")
    if facts.settings is None or facts.settings.head_office is None:
        return replace(customer.tax, automatic_tax="not_collecting")
    line = TaxLine(facts.settings.defaults.tax_code or tax_codes.DEFAULT, 0, False)
    answer = facts.provider.decide(
        TaxQuery(facts.settings.head_office.address, located.address, (), "none", customer.currency or "eur", at, (line,))
    )
    if isinstance(answer, TaxUnknown):
        return replace(customer.tax, automatic_tax="failed")
    collects = any(found.reason != "not_collecting" for taxes in answer for found in taxes)
    return replace(customer.tax, automatic_tax="supported" if collects else "not_collecting")


def enabled(is_enabled: bool) -> InvoiceAutomaticTax:
    """What an invoice says before anything is calculated."""
    if not is_enabled:
        return InvoiceAutomaticTax()
    return InvoiceAutomaticTax(enabled=True, liability=Liability(type="self"), provider="stripe")


def of_subscription(is_enabled: bool) -> SubscriptionAutomaticTax:
    """What a subscription says."""
    return SubscriptionAutomaticTax(enabled=is_enabled, liability=Liability(type="self") if is_enabled else None)


def check(facts: TaxFacts | None, default_tax_rates: Sequence[object]) -> None:
    """Refuses automatic tax where it cannot work: before the head office is known, and together with tax rates given by hand."""
    if facts is None or facts.settings is None or facts.settings.status != "active":
        raise Refused(Refusal(INACTIVE.code, INACTIVE.message, "automatic_tax[enabled]"))
    if default_tax_rates:
        raise refused("You cannot set `default_tax_rates` when automatic tax is enabled.", "default_tax_rates")


def check_place(customer: Customer, method: PaymentMethod | None) -> None:
    """Refuses automatic tax for a customer whose place nobody knows."""
    located = locate(customer.address, customer.shipping, method)
    if located is None or not is_precise(located.address):
        raise Refused(Refusal(LOCATION.code, LOCATION.message))


def apply(
    facts: TaxFacts | None, catalogue: Catalogue, invoice: Invoice, lines: Sequence[LineItem], buyer: Buyer, at: int
) -> None:
    """Gives these lines, which nobody else holds, the rates in force at the instant, and the invoice its status.

    Without an answer the lines have no rates, and the invoice says why; it cannot be finalized then (`refusal`). A line that
    was given tax rates by hand keeps them.
    """
    lines = [line for line in lines if line.tax_rates is None or is_automatic(line.tax_rates)]
    shipping = invoice.shipping_details or buyer.customer.shipping
    located = locate(buyer.customer.address, shipping, buyer.method)
    invoice.tax_evidence = {"at": at, **evidence(buyer.customer, shipping, buyer.method, located)}
    found = _rates(facts, catalogue, invoice, lines, buyer, located, at)
    if isinstance(found, TaxUnknown):
        invoice.automatic_tax = replace(invoice.automatic_tax, status=found.status)
        invoice.tax_failure = {"code": found.code, "message": found.message, **({"passing": True} if found.passing else {})}
        for line in lines:
            line.tax_rates = None
        return
    invoice.automatic_tax = replace(invoice.automatic_tax, status="complete")
    invoice.tax_failure = None
    for line, rates in zip(lines, found, strict=True):
        line.tax_rates = rates


def forget(invoice: Invoice, lines: Sequence[LineItem]) -> None:
    """Takes away what automatic tax had found, where it is off now."""
    for line in lines:
        if line.tax_rates is not None and is_automatic(line.tax_rates):
            line.tax_rates = None
    invoice.tax_failure = invoice.tax_evidence = None


def rest_on(facts: TaxFacts | None, invoice: Invoice) -> None:
    """A finalized invoice needs what its tax rests on, for ever."""
    answer = (invoice.tax_evidence or {}).get("answer")
    if facts is not None and answer is not None:
        facts.needed.add(answer)


def refusal(invoice: Invoice) -> Refusal | None:
    """Why an invoice with automatic tax cannot be finalized: its tax is not known."""
    failure = invoice.tax_failure
    if not invoice.automatic_tax.enabled or failure is None:
        return None
    return Refusal(failure["code"], failure["message"], "automatic_tax[enabled]" if failure["code"] == INACTIVE.code else None)


def again(invoice: Invoice, now: int) -> int | None:
    """When a draft that would advance by itself is finalized anew though its tax is not known: where what is in the way may
    pass, after an hour at first, then ever longer, daily in the end."""
    if not (invoice.tax_failure or {}).get("passing") or not invoice.auto_advance:
        return None
    pause = min(max(now - invoice.created, AGAIN_MIN), AGAIN_MAX)
    return max(now + pause, invoice.automatically_finalizes_at or 0)


def need(invoice: Invoice) -> None:
    """Refuses the request that asked for this invoice, if its tax is not known."""
    if no := refusal(invoice):
        raise Refused(no)


def error(no: Refusal) -> dict[str, Any]:
    """The refusal as an invoice keeps it: last_finalization_error."""
    return {"code": no.code, "message": no.message, "type": no.type} | ({"param": no.param} if no.param else {})


def is_automatic(rates: Sequence[str]) -> bool:
    """Whether automatic tax made these rates."""
    return bool(rates) and all(id.startswith(RATE_PREFIX) for id in rates)


def _rates(
    facts: TaxFacts | None,
    catalogue: Catalogue,
    invoice: Invoice,
    lines: Sequence[LineItem],
    buyer: Buyer,
    located: Located | None,
    at: int,
) -> list[list[str]] | TaxUnknown:
    """The ids of the tax rates of each line, or why they are not known. The invoice says who was asked, if it is not us."""
    if facts is None or facts.settings is None or facts.settings.head_office is None:
        return INACTIVE
    if located is None:
        return LOCATION
    asked = _lines(facts.settings, catalogue, invoice, lines)
    if isinstance(asked, TaxUnknown):
        return asked
    query = TaxQuery(
        seller=facts.settings.head_office.address,
        buyer=located.address,
        tax_ids=tuple((each.type, each.value or "") for each in buyer.tax_ids),
        exempt=buyer.customer.tax_exempt,
        currency=invoice.currency,
        at=at,
        lines=tuple(asked),
    )
    answer = facts.provider.decide(query)
    if facts.provider_name != LOCAL:
        key = fingerprint(query)
        invoice.automatic_tax = replace(invoice.automatic_tax, provider=facts.provider_name)
        invoice.tax_evidence = {**(invoice.tax_evidence or {}), "provider": facts.provider_name, "answer": key}
        if not isinstance(answer, TaxUnknown):
            facts.answered[key] = query, answer
    if isinstance(answer, TaxUnknown):
        return answer
    return [
        [_rate(facts, catalogue, each, one.inclusive, at) for each in taxes] for one, taxes in zip(asked, answer, strict=True)
    ]


def _lines(
    settings: TaxSettings, catalogue: Catalogue, invoice: Invoice, lines: Sequence[LineItem]
) -> list[TaxLine] | TaxUnknown:
    """The lines as a provider is asked about them."""
    found = []
    for line in lines:
        behavior = _behavior(settings, catalogue, line, invoice.currency)
        if behavior is None:
            what = f"the price {line.price}" if line.price else f"the invoice item {line.invoice_item or line.id}"
            what = "the shipping rate" if is_shipping(line) else what
            return TaxUnknown("failed", "tax_behavior_unspecified", UNSPECIFIED.format(what=what))
        code = line.tax_code or catalogue.tax_codes.get(line.product or "") or settings.defaults.tax_code or tax_codes.DEFAULT
        performed = catalogue.performed.get(line.product or "")
        found.append(TaxLine(code, line.amount, behavior == "inclusive", performed))
    return found


def _behavior(settings: TaxSettings, catalogue: Catalogue, line: LineItem, currency: str) -> str | None:
    """Whether the line's price holds the tax: its own word, its price's, or the settings'. None if nobody says."""
    price = catalogue.prices.get(line.price or "")
    for said in (line.tax_behavior, price.tax_behavior if price else None, settings.defaults.tax_behavior):
        if said in ("inclusive", "exclusive"):
            return said
        if said == "inferred_by_currency":
            return "exclusive" if currency in EXCLUSIVE_BY_CURRENCY else "inclusive"
    return None


def _rate(facts: TaxFacts, catalogue: Catalogue, found: TaxFound, inclusive: bool, at: int) -> str:
    """The id of the tax rate that says this, which is made if there is none yet."""
    id = rate_id(found, inclusive)
    if id not in catalogue.tax_rates:
        rate = rate_of(found, inclusive, id=id, at=at, livemode=facts.livemode)
        catalogue.tax_rates[id] = rate
        facts.made.append(rate)
    return id


@lru_cache(maxsize=4096)
def rate_id(found: TaxFound, inclusive: bool) -> str:
    """The id of the tax rate that says this: one for all sales that it is used on, so it is made of what it says."""
    said = [str(each) for each in (*found._replace(sourcing="destination"), inclusive)]
    return RATE_PREFIX + hashlib.sha256(repr(said).encode()).hexdigest()[:24]


def rate_of(found: TaxFound, inclusive: bool, *, id: str, at: int, livemode: bool) -> TaxRate:
    """A tax as a tax rate. Not active: nobody can put it on anything by hand."""
    percentage = Number(found.percentage)
    return TaxRate(
        id=id,
        active=False,
        country=found.country,
        created=at,
        description=f"{found.name} {found.country}",
        display_name=found.name,
        effective_percentage=percentage,
        inclusive=inclusive,
        jurisdiction=found.jurisdiction or (f"{found.country}-{found.state}" if found.state else found.country),
        jurisdiction_level=found.level,
        livemode=livemode,
        percentage=percentage,
        rate_type="percentage" if found.percentage != Decimal(0) else None,
        state=found.state,
        tax_type=found.tax_type,
        taxability_reason=found.reason,
    )
