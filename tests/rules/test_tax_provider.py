"""The protocol of tax providers: one with another idea of tax than the European Union's, and one over a network."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.rules.billing import START, facts, ids, price
from voldaan.resources.base import ListObject
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.shared import Address
from voldaan.resources.tax_calculations import TaxCustomer
from voldaan.resources.tax_settings import HeadOffice, TaxDefaults, TaxSettings
from voldaan.rules import automatic_tax, invoices
from voldaan.rules.automatic_tax import TaxFacts
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.tax_calculations import Asked, Part, calculate
from voldaan.rules.tax_provider import Recorded, TaxAnswer, TaxFound, TaxLine, TaxProvider, TaxQuery, fingerprint
from voldaan.taxes.remote import ask


class SalesTax:
    """The State of New York and the City of New York, each with a tax of its own; clothing is exempt from the city's."""

    def decide(self, query: TaxQuery) -> TaxAnswer:
        return [self.line(line) for line in query.lines]

    def line(self, line: TaxLine) -> tuple[TaxFound, ...]:
        state = TaxFound("US", Decimal("4"), "standard_rated", "NY", "state", "sales_tax", "Sales Tax", "New York")
        city = TaxFound("US", Decimal("4.5"), "standard_rated", "NY", "city", "sales_tax", "Sales Tax", "New York City")
        if line.code == "txcd_30011000":
            city = city._replace(percentage=Decimal(0), reason="product_exempt")
        return state, city


class Far:
    """The same over a network, which may be down."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.asked = 0

    async def ask(self, query: TaxQuery) -> TaxAnswer:
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            raise ConnectionError("no route to host")
        return SalesTax().decide(query)


def book(provider: TaxProvider) -> BillingFacts:
    """Anna lives in New York, and has a coat and a plan."""
    found = facts()
    found.parties.customers["cus_anna"].address = Address(country="US", state="NY", postal_code="10001")
    settings = TaxSettings(
        defaults=TaxDefaults(tax_behavior="exclusive"), head_office=HeadOffice(address=Address(country="US")), livemode=False,
        status="active",
    )  # fmt: skip
    found.catalogue.prices["coat"] = price("coat", 10_000)
    found.catalogue.tax_codes["prod_coat"] = "txcd_30011000"
    found.taxes = TaxFacts(settings, provider, livemode=False)
    return found


def bill(found: BillingFacts) -> Invoice:
    new_id = ids()
    invoice = invoices.draft(
        found, found.parties.customers["cus_anna"], id="in_1", currency="usd", now=START, reason="manual",
        period_start=START, period_end=START,
    )  # fmt: skip
    invoice.automatic_tax = automatic_tax.enabled(True)
    lines = [
        LineItem(id=new_id("il"), amount=amount, currency="usd", invoice="in_1", livemode=False, subtotal=amount, price=name,
                 product=f"prod_{name}", period_start=START, period_end=START)
        for name, amount in (("pro", 3333), ("coat", 10_000))
    ]  # fmt: skip
    invoice.lines = ListObject(data=lines, url="")
    invoices.complete(found, invoice, lines)
    return invoice


def check_new_york(invoice: Invoice, found: BillingFacts) -> None:
    assert invoice.automatic_tax.status == "complete"
    rates = [found.catalogue.tax_rates[t.tax_rate_details.tax_rate] for t in invoice.total_taxes or [] if t.tax_rate_details]
    told = [
        (rate.jurisdiction, rate.jurisdiction_level, str(rate.percentage), each.amount, each.taxability_reason)
        for rate, each in zip(rates, invoice.total_taxes or [], strict=True)
    ]
    assert sorted(told) == [
        ("New York", "state", "4", 533, "standard_rated"),
        ("New York City", "city", "0", 0, "product_exempt"),
        ("New York City", "city", "4.5", 150, "standard_rated"),
    ]
    assert invoice.total == 13_333 + 533 + 150


def test_a_provider_may_have_several_taxes_on_a_line() -> None:
    found = book(SalesTax())
    check_new_york(bill(found), found)


def test_taxes_of_one_name_and_percentage_are_told_apart_in_calculations_as_on_invoices() -> None:
    class Even(SalesTax):
        def line(self, line: TaxLine) -> tuple[TaxFound, ...]:
            state, city = super().line(line)
            return state, city._replace(percentage=state.percentage)

    found = book(Even())
    found.catalogue.tax_codes.clear()
    invoice = bill(found)
    buyer = TaxCustomer(address=Address(country="US"), address_source="billing", ip_address=None, tax_ids=[])
    parts = [Part(line.amount, "txcd_10000000", "exclusive", line.id) for line in invoice.lines.data]
    asked = Asked(seller=Address(country="US"), customer=None, details=buyer, currency="usd", at=START, lines=parts)
    made = calculate(Even(), asked, START, ids(), livemode=False)
    assert [tax.amount for tax in made.tax_breakdown] == [tax.amount for tax in invoice.total_taxes or []] == [533, 533]
    lines: Any = made.line_items
    for line, billed in zip(lines.data, invoice.lines.data, strict=True):
        assert [tax.jurisdiction.display_name for tax in line.tax_breakdown] == ["New York", "New York City"]
        assert [tax.amount for tax in line.tax_breakdown] == [tax.amount for tax in billed.taxes or []]


def test_a_remote_provider_is_asked_between_two_decisions() -> None:
    far = Far()
    waiting = Recorded({})
    invoice = bill(book(waiting))
    assert (invoice.automatic_tax.status, invoice.total, invoice.total_taxes) == ("failed", 13_333, [])
    assert automatic_tax.refusal(invoice) is not None
    answers = asyncio.run(ask(far, waiting.unanswered * 2))
    assert far.asked == 1
    again = Recorded(answers)
    found = book(again)
    check_new_york(bill(found), found)
    assert again.unanswered == []


def test_a_provider_that_is_down_leaves_the_tax_unknown() -> None:
    waiting = Recorded({})
    bill(book(waiting))
    answers = asyncio.run(ask(Far(fails=True), waiting.unanswered))
    invoice = bill(book(Recorded(answers)))
    assert invoice.automatic_tax.status == "failed"
    assert "ConnectionError" in (invoice.tax_failure or {})["message"]


@pytest.mark.parametrize(("later", "same"), [(3600, True), (86_400, False)])
def test_a_question_is_the_same_within_a_day(later: int, same: bool) -> None:
    here = Address(country="US")
    query = TaxQuery(here, here, (), "none", "usd", START, (TaxLine("txcd_10000000", 100, False),))
    assert (fingerprint(query) == fingerprint(query._replace(at=START + later))) is same
    assert fingerprint(query) != fingerprint(query._replace(currency="eur"))
