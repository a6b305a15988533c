"""What a batch must know of prices, products, tax rates and discounts, each read once and converted once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from voldaan.resources.base import UNSET
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount
from voldaan.resources.prices import Price
from voldaan.resources.promotion_codes import PromotionCode
from voldaan.resources.shared import Address
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import discounts as discounting
from voldaan.rules import tax
from voldaan.rules.coupons import amount_off
from voldaan.rules.money import exponent
from voldaan.rules.prices import terms
from voldaan.rules.pricing import PriceTerms
from voldaan.rules.proration import Grain

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "brl": "R$", "aud": "A$", "cad": "CA$", "nzd": "NZ$"}


@dataclass(slots=True)
class Catalogue:
    """By id. A discount that is not here does not count."""

    prices: dict[str, Price] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)  # id -> name
    tax_codes: dict[str, str] = field(default_factory=dict)  # product -> tax code, where it has one
    performed: dict[str, Address] = field(default_factory=dict)  # product -> where it takes place, where it is performed
    tax_rates: dict[str, TaxRate] = field(default_factory=dict)
    discounts: dict[str, Discount] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    promotion_codes: dict[str, PromotionCode] = field(default_factory=dict)
    grain: Grain = "second"  # by which the book shares the time of a period

    # By customer and price: what is charged in its place, since when and until when (None: without end).
    agreements: dict[tuple[str, str], list[tuple[int, int | None, str]]] = field(default_factory=dict)

    _terms: dict[tuple[str, str], PriceTerms] = field(default_factory=dict)
    _captions: dict[tuple[str, str], str] = field(default_factory=dict)
    _rates: dict[str, tax.Rate] = field(default_factory=dict)
    _discounts: dict[tuple[str, str], discounting.Discount] = field(default_factory=dict)

    def terms(self, price: str, currency: str) -> PriceTerms:
        """What a price costs in a currency."""
        found = self._terms.get((price, currency))
        if found is None:
            found = self._terms[(price, currency)] = terms(self.prices[price], currency)
        return found

    def agreed(self, customer: str, price: str, at: int) -> str:
        """The price that this customer is charged where others are charged `price`."""
        if not self.agreements:
            return price
        for start, end, override in self.agreements.get((customer, price), ()):
            if start <= at and (end is None or at < end):
                return override
        return price

    def unit_amount(self, price: str, currency: str) -> Decimal | None:
        """The price of one unit, as a line shows it; None for tiers and packages."""
        found = self.terms(price, currency)
        if found.billing_scheme != "per_unit" or found.transform_quantity is not None:
            return None
        return Decimal(found.unit_amount_decimal)

    def name(self, price: str) -> str:
        """What the price is for."""
        product = self.prices[price].product
        return self.products.get(product, product)

    def caption(self, price: str, currency: str) -> str:
        """ "Pro (at €31.00 / month)"."""
        found = self._captions.get((price, currency))
        if found is None:
            found = self._captions[(price, currency)] = self._caption(price, currency)
        return found

    def whole_rates(self, rates: Iterable[TaxRate | str] | None) -> list[TaxRate | str]:
        """These tax rates, or their ids, as they stand in the catalogue; an id that is not there stays one."""
        ids = (rate if isinstance(rate, str) else rate.id for rate in rates or ())
        return [self.tax_rates.get(id, id) for id in ids]

    def rates(self, ids: Iterable[str]) -> tuple[tax.Rate, ...]:
        """Tax rates in the form that tax is computed with."""
        return tuple([self._rates.get(id) or self._rate(id) for id in ids])

    def discount(self, id: str, currency: str) -> discounting.Discount | None:
        """A discount in the form that lines are discounted with; None if it takes nothing off in this currency."""
        found = self._discounts.get((id, currency))
        if found is not None:
            return found
        row = self.discounts.get(id)
        coupon = self.coupons.get(row.source.coupon or "") if row else None
        if row is None or coupon is None:
            return None
        off = amount_off(coupon, currency)
        if coupon.percent_off is None and off is None:
            return None
        products = None if coupon.applies_to is UNSET else frozenset(coupon.applies_to.products)
        found = self._discounts[(id, currency)] = discounting.Discount(
            id=id,
            percent_off=coupon.percent_off,
            amount_off=None if coupon.percent_off is not None else off,
            duration=coupon.duration,
            start=row.start,
            end=row.end,
            products=products,
        )
        return found

    def active(self, ids: Iterable[str], currency: str, period_start: int) -> list[discounting.Discount]:
        """Those of these discounts that count on an invoice for a period that starts then, in their order."""
        found = (self.discount(id, currency) for id in ids)
        return [d for d in found if d is not None and discounting.is_active(d, period_start)]

    def in_force(self, id: str, currency: str) -> discounting.Discount | None:
        """A discount as it was while it counted, whatever has become of it since."""
        found = self.discount(id, currency)
        return None if found is None else dataclasses.replace(found, duration="forever", start=0, end=None)

    def with_in_force(self, ids: Iterable[str], currency: str) -> Catalogue:
        """The same catalogue, in which these discounts count."""
        kept = {(id, currency): found for id in ids if (found := self.in_force(id, currency)) is not None}
        return dataclasses.replace(self, _discounts=self._discounts | kept)

    def _rate(self, id: str) -> tax.Rate:
        row = self.tax_rates[id]
        found = self._rates[id] = tax.Rate(id, row.percentage, row.inclusive)
        return found

    def _caption(self, price: str, currency: str) -> str:
        name, unit, recurring = self.name(price), self.unit_amount(price, currency), self.prices[price].recurring
        if unit is None or recurring is None:
            return name
        every = recurring.interval if recurring.interval_count == 1 else f"every {recurring.interval_count} {recurring.interval}s"
        return f"{name} (at {shown(unit, currency)} / {every})"


def shown(amount: Decimal | int, currency: str) -> str:
    """An amount of minor units for a line's description: €31.00, CHF 0.0025."""
    decimals = exponent(currency)
    value = f"{Decimal(amount).scaleb(-decimals):,f}"
    whole, _, fraction = value.partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    number = f"{whole}.{fraction}" if fraction else whole
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency.upper()} {number}"
