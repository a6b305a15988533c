"""Taxes that the seller has computed, with a service of their own or by hand: amounts that stand as they were given.

Each has a tax rate that says what it is, made of what was said, so that the same is found again; nobody can put it on anything
by itself. Amounts are minor units. Source: docstrings of `tax_amounts` of invoice lines (docs/behaviour-billing.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal

from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import GivenTax, LineItem, TaxAmountParams
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import tax_rates
from voldaan.rules.refusals import refused
from voldaan.rules.tax import Tax, Taxes

PREFIX = "txr_given_"
MOST = 10


def check(draft: Invoice, given: Sequence[TaxAmountParams], param: str) -> None:
    """Refuses amounts where taxes are computed here, too many of them, and rates that say no such percentage."""
    rated = draft.default_tax_rates or any(line.tax_rates and not line.taxes_given for line in draft.lines.data)
    if draft.automatic_tax.enabled or rated:
        raise refused(
            "You cannot set tax amounts if any line item has tax rates, or if the invoice has default tax rates or uses "
            "automatic tax.",
            param,
        )
    if len(given) > MOST:
        raise refused(f"You can specify up to {MOST} tax amounts.", param)


def rate(want: TaxAmountParams, *, at: int, livemode: bool) -> TaxRate:
    """The tax rate that says this. Not active: nobody can put it on anything by hand."""
    said = want.tax_rate_data
    percentage = tax_rates.percentage(said.percentage)
    country = tax_rates.country(said.country)
    words = {**said.model_dump(), "percentage": str(percentage), "country": country, "reason": want.taxability_reason}
    return TaxRate(
        id=PREFIX + hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest()[:24],
        active=False,
        country=country,
        created=at,
        description=said.description,
        display_name=said.display_name,
        effective_percentage=percentage,
        inclusive=said.inclusive,
        jurisdiction=said.jurisdiction,
        jurisdiction_level=said.jurisdiction_level,
        livemode=livemode,
        percentage=percentage,
        rate_type="percentage" if percentage != Decimal(0) else None,
        state=said.state,
        tax_type=said.tax_type,
        taxability_reason=want.taxability_reason,
    )


def put_in(taxes: Taxes | None, lines: Sequence[LineItem], rates: Mapping[str, TaxRate]) -> Taxes | None:
    """The taxes that were computed, and those that were given beside them."""
    if not any(line.taxes_given for line in lines):
        return taxes
    per_line = [list(each) for each in taxes.lines] if taxes else [[] for _ in lines]
    sums: dict[str, Tax] = {}
    for own, line in zip(per_line, lines, strict=True):
        for each in line.taxes_given or ():
            found = Tax(each.rate, each.amount, each.taxable_amount, rates[each.rate].inclusive)
            own.append(found)
            was = sums.get(each.rate)
            sums[each.rate] = found if was is None else _summed(was, found)
    inside = sum(tax.amount for tax in sums.values() if tax.inclusive)
    on_top = sum(tax.amount for tax in sums.values() if not tax.inclusive)
    if taxes is None:
        return Taxes(per_line, list(sums.values()), inside, on_top, [0] * len(lines))
    rated = [*taxes.rates, *sums.values()]
    return Taxes(per_line, rated, taxes.inclusive + inside, taxes.exclusive + on_top, taxes.backed_out)


def inside(lines: Sequence[LineItem], rates: Mapping[str, TaxRate]) -> int:
    """How much given tax stands inside the amounts of these lines."""
    return sum(each.amount for line in lines for each in line.taxes_given or () if rates[each.rate].inclusive)


def of_line(wanted: Sequence[TaxAmountParams], rates: Sequence[TaxRate]) -> list[GivenTax]:
    """What a line keeps of the amounts that were given for it, each with its rate."""
    return [
        GivenTax(amount=want.amount, rate=rate.id, taxable_amount=want.taxable_amount)
        for want, rate in zip(wanted, rates, strict=True)
    ]


def _summed(a: Tax, b: Tax) -> Tax:
    return a._replace(amount=a.amount + b.amount, taxable_amount=a.taxable_amount + b.taxable_amount)
