"""What an invoice comes to: discounts off its lines, what credits pay, taxes on the rest, and the sums. Minor units.

A line's `amount` is before discounts and exclusive tax. The subtotal has the discounts of the lines' own in it already;
the total has all discounts and all tax (docs/behaviour-billing.md, "Invoice amounts").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from voldaan.resources.billing import DiscountAmount, PretaxCreditAmount, TaxAmount, TaxRateDetails
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credit_grants, credits_used, given_taxes, itemizing, shipping
from voldaan.rules import discounts as discounting
from voldaan.rules import tax as taxing
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.credits_used import Payable, Paying, Use


def compute(
    invoice: Invoice,
    goods: Sequence[LineItem],
    shipped: LineItem | None,
    catalogue: Catalogue,
    at: int,
    rounding: taxing.Rounding = "per_rate",
    paying: Paying | None = None,
) -> list[tuple[LineItem, Use]]:
    """Fills in discounts, billing credits, taxes and sums of this invoice and these lines, which nobody else holds yet.

    `shipped` is the invoice's shipping as a line (rules/shipping.py), taxed and summed with the others, but for the
    subtotal. `at` says which discounts are in force, `paying` what billing credits pay of the goods, which is returned.
    What is due is the total until finalization looks at the balance.
    """
    lines = goods if shipped is None else [*goods, shipped]
    taken, by_line = _discounts(invoice, lines, catalogue, at)
    credits = [*paying(_payable(goods, taken, catalogue)), []] if paying is not None else None  # none pay for shipping
    taxes = given_taxes.put_in(
        _taxes(invoice, lines, taken, credits, catalogue, rounding), lines, catalogue.tax_rates
    )
    exempt = _reason(invoice)
    net = tax = 0
    discounted: dict[str, int] = {}
    uses: list[tuple[LineItem, Use]] = []
    for index, line in enumerate(lines):
        off = 0
        line.discount_amounts, line.pretax_credit_amounts = [], []
        if taken is not None:
            line.discount_amounts = [DiscountAmount(amount=d.amount, discount=d.discount) for d in taken[index]]
            line.pretax_credit_amounts = [PretaxCreditAmount(amount=d.amount, discount=d.discount) for d in taken[index]]
            for each in taken[index]:
                discounted[each.discount] = discounted.get(each.discount, 0) + each.amount
                off += each.amount
        if line.proration and invoice.discounts and itemizing.taken_of(line) is None:
            line.discount_amounts = _included(invoice, catalogue, at)
        after = line.amount - off
        line.discount = off
        if credits is not None:
            uses += [(line, use) for use in credits[index]]
            after -= credits_used.total(credits[index])
            line.pretax_credit_amounts += _paid_with(credits[index])
        line.tax, line.net, line.taxes = 0, after, []
        if taxes is not None:
            line.taxes = [_shown(each, exempt, catalogue) for each in taxes.lines[index]]
            inclusive = sum(each.amount for each in taxes.lines[index] if each.inclusive) + taxes.backed_out[index]
            line.net = after - inclusive
            line.tax = sum(each.amount for each in taxes.lines[index])
        net += line.net
        tax += line.tax
    invoice.subtotal = sum(line.amount - own for line, own in zip(goods, by_line, strict=False))
    invoice.total_excluding_tax = net
    invoice.tax = tax
    invoice.total = net + tax
    invoice.total_discount_amounts = [DiscountAmount(amount=a, discount=d) for d, a in discounted.items()]
    invoice.total_pretax_credit_amounts = [PretaxCreditAmount(amount=a, discount=d) for d, a in discounted.items()]
    invoice.total_pretax_credit_amounts += _paid_with([use for _, use in uses])
    invoice.total_taxes = [] if taxes is None else [_shown(each, exempt, catalogue) for each in taxes.rates]
    lowered = bool(invoice.discounts or uses)
    inside = _inside(invoice, goods, by_line, taxes, catalogue, rounding, lowered)
    invoice.subtotal_excluding_tax = invoice.subtotal - inside
    shipping.keep(invoice, shipped, catalogue.tax_rates)
    return uses


def _included(invoice: Invoice, catalogue: Catalogue, at: int) -> list[DiscountAmount]:
    """The invoice's discounts as a proration shows them that has them in its amount: each takes nothing more off."""
    return [DiscountAmount(amount=0, discount=d.id) for d in catalogue.active(invoice.discounts, invoice.currency, at)]


def _payable(
    lines: Sequence[LineItem], taken: list[list[discounting.DiscountAmount]] | None, catalogue: Catalogue
) -> list[Payable]:
    """What credits could pay: what discounts leave of lines of subscription items that a meter counts for."""
    found = []
    for index, line in enumerate(lines):
        price = catalogue.prices.get(credits_used.payable_price(line) or "")
        counted = price is not None and credit_grants.is_counted(price)
        off = discounting.total(taken[index]) if taken is not None else 0
        found.append(Payable(line.amount - off, line.price if counted else None))
    return found


def _paid_with(uses: Sequence[Use]) -> list[PretaxCreditAmount]:
    return [
        PretaxCreditAmount(amount=u.amount, credit_balance_transaction=u.transaction, type="credit_balance_transaction")
        for u in uses
    ]


def _discounts(
    invoice: Invoice, lines: Sequence[LineItem], catalogue: Catalogue, at: int
) -> tuple[list[list[discounting.DiscountAmount]] | None, list[int]]:
    """What each discount takes off each line (None: there are none), and per line what its own take off."""
    itemized = {place: given for place, line in enumerate(lines) if (given := itemizing.taken_of(line))}
    if not invoice.discounts and not itemized and not any(line.discounts for line in lines):
        return None, [0] * len(lines)
    currency = invoice.currency
    own = [tuple(catalogue.active(line.discounts, currency, at)) for line in lines]
    discountable = [
        discounting.DiscountableLine(line.amount, discounts, line.product, line.discountable)
        for line, discounts in zip(lines, own, strict=True)
    ]
    taken = discounting.apply(discountable, catalogue.active(invoice.discounts, currency, at))
    ids = [{d.id for d in discounts} for discounts in own]
    for place, given in itemized.items():  # a proration brings its discounts with it
        taken[place] = [discounting.DiscountAmount(each.discount, each.amount) for each in given if each.amount]
        ids[place] = {each.discount for each in given}
    by_line = [
        sum(each.amount for each in amounts if each.discount in mine)
        for amounts, mine in zip(taken, ids, strict=True)
    ]
    return taken, by_line


def _taxes(
    invoice: Invoice,
    lines: Sequence[LineItem],
    taken: list[list[discounting.DiscountAmount]] | None,
    credits: list[list[Use]] | None,
    catalogue: Catalogue,
    rounding: taxing.Rounding,
) -> taxing.Taxes | None:
    rates = _rates(invoice, lines)
    if not any(rates):
        return None
    taxable = [
        taxing.TaxableLine(
            line.amount
            - (discounting.total(taken[index]) if taken is not None else 0)
            - (credits_used.total(credits[index]) if credits is not None else 0),
            catalogue.rates(rates[index]),
        )
        for index, line in enumerate(lines)
    ]
    return taxing.calculate(taxable, rounding, _reason(invoice) is not None)


def _rates(invoice: Invoice, lines: Sequence[LineItem]) -> list[Sequence[str]]:
    """Per line: its own tax rates, or else the invoice's; none where its taxes were given."""
    default = [rate.id if isinstance(rate, TaxRate) else rate for rate in invoice.default_tax_rates]
    return [() if line.taxes_given else default if line.tax_rates is None else line.tax_rates for line in lines]


def _inside(
    invoice: Invoice,
    lines: Sequence[LineItem],
    by_line: list[int],
    taxes: taxing.Taxes | None,
    catalogue: Catalogue,
    rounding: taxing.Rounding,
    lowered: bool,
) -> int:
    """The tax inside the subtotal, which knows nothing of what the invoice's own discounts and credits take off."""
    if taxes is None:
        return 0
    if not lowered:
        found = taxes.lines[: len(lines)]
        return sum(t.amount for each in found for t in each if t.inclusive) + sum(taxes.backed_out[: len(lines)])
    rates, given = _rates(invoice, lines), given_taxes.inside(lines, catalogue.tax_rates)
    if not any(rate.inclusive for each in rates for rate in catalogue.rates(each)):
        return given
    before = [
        taxing.TaxableLine(line.amount - by_line[index], catalogue.rates(rates[index])) for index, line in enumerate(lines)
    ]
    again = taxing.calculate(before, rounding, _reason(invoice) is not None)
    return given + again.inclusive + sum(again.backed_out)


Reason = Literal["customer_exempt", "reverse_charge"]


def _reason(invoice: Invoice) -> Reason | None:
    """Why the customer pays no tax; None if there is no such reason."""
    if invoice.customer_tax_exempt == "exempt":
        return "customer_exempt"
    return "reverse_charge" if invoice.customer_tax_exempt == "reverse" else None


def _shown(tax: taxing.Tax, exempt: Reason | None, catalogue: Catalogue) -> TaxAmount:
    return TaxAmount(
        amount=tax.amount,
        tax_behavior="inclusive" if tax.inclusive else "exclusive",
        tax_rate_details=TaxRateDetails(tax_rate=tax.rate),
        taxability_reason=exempt or catalogue.tax_rates[tax.rate].taxability_reason or "not_available",
        taxable_amount=tax.taxable_amount,
    )
