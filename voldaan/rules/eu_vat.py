"""The tax provider that comes with the program: value added tax of the European Union, from a table of rates.

Out of the union nothing is collected, or, where the seller is registered, only by rates that the seller gives. What has no rate
is not known, and so not billed: never zero percent for want of a rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from voldaan.resources.numbers import plain
from voldaan.resources.tax_rates import TaxType
from voldaan.rules import tax_codes, territories, vat_rates
from voldaan.rules.countries import EUROPEAN_UNION
from voldaan.rules.place_of_supply import Place, Registration, Sale, place
from voldaan.rules.tax_location import is_precise
from voldaan.rules.tax_provider import LOCATION, Reason, TaxAnswer, TaxFound, TaxLine, TaxQuery, TaxUnknown

ZERO = Decimal(0)
FINEST = Decimal("0.0001")  # percent: the decimals that a rate may have


class GivenRate(NamedTuple):
    """A rate that the seller gives for [start, end): for one tax code, or for all that has none of its own."""

    country: str
    state: str | None
    code: str | None
    percentage: Decimal
    reason: Reason
    start: int
    end: int | None = None
    name: str = "VAT"
    tax_type: TaxType | None = "vat"


class EuropeanVat:
    """Decides from registrations, the table, and what the seller gives."""

    def __init__(
        self, registrations: Sequence[Registration], rates: vat_rates.Rates, given: Sequence[GivenRate] = ()
    ) -> None:
        self.registrations = registrations
        self.rates = rates
        self.given = given

    def decide(self, query: TaxQuery) -> TaxAnswer:
        """One tax a line: that of the place where the sale is taxed."""
        buyer = query.buyer
        if buyer.country is None or not is_precise(buyer):
            return LOCATION
        found = [None if tax_codes.is_shipping(line.code) else self._line(query, line, buyer.country) for line in query.lines]
        goods = [
            (abs(line.amount), taxed)
            for line, taxed in zip(query.lines, found, strict=True)
            if isinstance(taxed, TaxFound) and tax_codes.kind(line.code) == "goods" and line.performed is None
        ]
        taxes: list[tuple[TaxFound, ...]] = []
        for line, own in zip(query.lines, found, strict=True):
            taxed = own or self._shipping(query, line, buyer.country, goods)
            if isinstance(taxed, TaxUnknown):
                return taxed
            taxes.append((taxed,))
        return taxes

    def _shipping(
        self, query: TaxQuery, line: TaxLine, country: str, goods: Sequence[tuple[int, TaxFound]]
    ) -> TaxFound | TaxUnknown:
        """Sending is a part of what is sent: taxed as the goods are, or at the average of their rates, weighted by amounts.

        What goes without goods, out of the union, or at a rate of the seller's own is taxed by its own code.
        """
        paid = [each for each in goods if each[0]] or goods
        taxes = list(dict.fromkeys(taxed for _, taxed in paid))
        if not taxes or taxes[0].country not in EUROPEAN_UNION:
            return self._line(query, line, country)
        given = self._given(taxes[0], line.code, query.at)
        if given is not None and given.code is not None:
            return self._line(query, line, country)
        weight = sum(amount for amount, _ in paid)
        if len(taxes) == 1 or not weight:
            return taxes[0]
        shares = sum((amount * taxed.percentage for amount, taxed in paid), ZERO)
        average = plain((shares / weight).quantize(FINEST, ROUND_HALF_UP))
        return max(taxes, key=lambda taxed: taxed.percentage)._replace(percentage=average, reason="proportionally_rated")

    def _line(self, query: TaxQuery, line: TaxLine, country: str) -> TaxFound | TaxUnknown:
        buyer = query.buyer
        there = territories.country(country)
        where = place(
            Sale(
                seller=territories.country(query.seller.country or ""),
                buyer=there,
                kind=tax_codes.kind(line.code),
                at=query.at,
                outside=territories.is_outside(country, buyer.postal_code),
                state=territories.region(there, buyer.postal_code) if there in EUROPEAN_UNION else buyer.state,
                business=any(type == "eu_vat" and not value.upper().startswith("XI") for type, value in query.tax_ids),
                exempt=query.exempt,
                performed=territories.country(line.performed.country or "") if line.performed else None,
            ),
            self.registrations,
        )
        if where.untaxed is not None:
            return _found(where, ZERO, where.untaxed)
        if own := self._given(where, line.code, query.at):
            return _found(where, own.percentage, own.reason)._replace(name=own.name, tax_type=own.tax_type)
        standard = None if where.state else vat_rates.standard(self.rates, where.country, query.at)
        if standard is None:
            named = where.country if where.state is None else f"{where.country}-{where.state}"
            return TaxUnknown(
                "failed",
                "taxes_calculation_failed",
                f"The tax rate of {named} is not known at this date. Give one with POST /voldaan/tax_rules.",
            )
        return _found(where, standard, "standard_rated")

    def _given(self, where: Place | TaxFound, code: str, at: int) -> GivenRate | None:
        """The seller's own rate: the region's before the country's, the code's before that for all."""
        fits = [
            rate
            for rate in self.given
            if rate.country == where.country
            and rate.state in (None, where.state)
            and rate.code in (None, code)
            and rate.start <= at
            and (rate.end is None or at < rate.end)
        ]
        return max(fits, key=lambda rate: (rate.state is not None, rate.code is not None, rate.start), default=None)


def _found(where: Place, percentage: Decimal, reason: Reason) -> TaxFound:
    name, tax_type = NAMES.get(where.country, VAT if where.country in EUROPEAN_UNION else ("Tax", None))
    return TaxFound(
        country=where.country,
        percentage=percentage,
        reason=reason,
        state=where.state,
        level="country" if where.state is None else "state",
        tax_type=tax_type,
        name=name,
        sourcing=where.sourcing,
    )


# What the tax is called, in the union and out of it.
VAT: tuple[str, TaxType | None] = ("VAT", "vat")
NAMES: dict[str, tuple[str, TaxType | None]] = {
    "AU": ("GST", "gst"), "CA": ("GST", "gst"), "CH": ("VAT", "vat"), "GB": ("VAT", "vat"), "IN": ("GST", "gst"),
    "NO": ("VAT", "vat"), "NZ": ("GST", "gst"), "SG": ("GST", "gst"), "US": ("Sales tax", "sales_tax"),
}  # fmt: skip
