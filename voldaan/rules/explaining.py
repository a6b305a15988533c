"""An invoice's arithmetic, line by line, and the equations that prove it: each side computed by itself.

What is stated is compared with what the functions that made the invoice give now. A line that somebody has set by hand is
what it was set to.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from voldaan.resources.basis import Basis
from voldaan.resources.billing import DiscountAmount, Period, TaxAmount
from voldaan.resources.explanations import (
    Equation,
    InvoiceExplanation,
    LineExplanation,
    ShownDiscount,
    ShownShare,
    ShownStretch,
    ShownTax,
    ShownTier,
    ShownUsage,
    ShownWhole,
)
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.rules import credits_used, invoices, itemizing, shipping, totals
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.proration import Share
from voldaan.rules.recomputing import Charged, Recomputed, again, with_discounts
from voldaan.rules.tax import Rounding

ROUNDINGS: tuple[Rounding, ...] = ("per_rate", "per_line")


@dataclass(slots=True)
class Explained:
    """An invoice with all of its lines, and what they were made of. `debited`: see recomputing.again."""

    invoice: Invoice
    catalogue: Catalogue
    debited: Mapping[str, Charged]
    rounding: Rounding


def explain(facts: Explained) -> InvoiceExplanation:
    """The arithmetic of the invoice. `holds` is whether all of it does."""
    invoice, own = facts.invoice, list(facts.invoice.lines.data)
    computed = {line.id: again(line, facts.catalogue, facts.debited) for line in own}
    anew, rounding = summed_as_stated(facts, [with_discounts(line, computed[line.id]) for line in own])
    equations: list[Equation] = []
    for line, twin in zip(own, anew.lines.data, strict=True):
        equations += _of_line(line, twin, computed[line.id])
    equations += _of_shipping(invoice, anew) + _of_invoice(invoice, own, anew)
    return InvoiceExplanation(
        id=invoice.id,
        invoice=invoice.id,
        status=invoice.status,
        currency=invoice.currency,
        tax_rounding=rounding,
        holds=all(equation.holds for equation in equations),
        lines=[_line(line, computed[line.id], facts.catalogue) for line in own],
        equations=equations,
    )


def summed(invoice: Invoice, own: Sequence[LineItem], catalogue: Catalogue, rounding: Rounding) -> Invoice:
    """A copy of the invoice with copies of these lines, with discounts, taxes and sums computed from their amounts.

    The discounts that were taken are in force, whatever has become of them since.
    """
    twin = copy.copy(invoice)
    found = [line for line in invoice.lines.data if itemizing.taken_of(line) is None]  # others bring their discounts along
    taken = {each.discount for line in found for each in line.discount_amounts or [] if each.amount}
    twin.discounts = [id for id in invoice.discounts if id in taken]
    twins = [copy.copy(line) for line in own]
    for line in twins:
        line.discounts = [id for id in line.discounts if id in taken]
    catalogue = catalogue.with_in_force(taken, invoice.currency)
    paid = credits_used.paid_before(invoice.lines.data)
    totals.compute(twin, twins, shipping.line_of(twin), catalogue, invoice.created, rounding, paid)
    twin.lines = type(invoice.lines)(data=twins, url=invoice.lines.url)
    return twin


def summed_as_stated(facts: Explained, own: Sequence[LineItem]) -> tuple[Invoice, Rounding]:
    """Taxes were rounded as the book did then, which may have changed its mind since."""
    first = facts.rounding
    for rounding in (first, *(other for other in ROUNDINGS if other != first)):
        found = summed(facts.invoice, own, facts.catalogue, rounding)
        if found.tax == facts.invoice.tax and [t.tax for t in found.lines.data] == [line.tax for line in own]:
            return found, rounding
    return summed(facts.invoice, own, facts.catalogue, first), first


# Equations ---------------------------------------------------------------------------------------------------------------


def _of_line(line: LineItem, twin: LineItem, computed: Recomputed) -> list[Equation]:
    found = [_equal("line_amount", "the amount is what it is made of", line.amount, computed.amount, line.id)]
    for stated, anew in _side_by_side(line.discount_amounts or [], twin.discount_amounts or []):
        found.append(_equal("line_discount", "the discount is what its coupon takes off", stated, anew, line.id))
    for stated, anew in _taxes_side_by_side(line.taxes or [], twin.taxes or []):
        found.append(_equal("line_tax", "the tax is its rate on what is taxable", stated, anew, line.id))
    off = sum(each.amount for each in line.discount_amounts or [])
    inside = sum(tax.amount for tax in line.taxes or [] if tax.tax_behavior == "inclusive")
    credits = credits_used.of_line(line)
    net = twin.net if _is_exempt(line) else line.amount - off - credits - inside  # exempt: without the tax inside
    found.append(_equal("line_net", "amount less discounts, billing credits and the tax inside it", line.net, net, line.id))
    if credits:
        paid = credits_used.of_line(twin)
        found.append(_equal("line_credits", "billing credits pay no more than discounts leave", credits, paid, line.id))
    return found


def _of_shipping(invoice: Invoice, anew: Invoice) -> list[Equation]:
    """Shipping is what its rate said, and bears the tax of its rates; nothing where there is none."""
    was, now = invoice.shipped, anew.shipped
    if was is None or now is None:
        return []
    found = [_equal("shipping", "shipping is what its rate says", invoice.amount_shipping, was.amount)]
    for stated, computed in _taxes_side_by_side(was.taxes, now.taxes):
        found.append(_equal("shipping_tax", "the tax on shipping is its rate on what is taxable", stated, computed))
    found.append(_equal("shipping_net", "shipping less the tax inside it", was.net, now.net))
    return found


def _of_invoice(invoice: Invoice, own: Sequence[LineItem], anew: Invoice) -> list[Equation]:
    discounts = sum(each.amount for line in own for each in line.discount_amounts or [])
    shown = sum(each.amount for each in invoice.total_discount_amounts or [])
    taxes = sum(tax.amount for tax in invoice.total_taxes or [])
    shipped = (invoice.shipped.net, invoice.shipped.tax) if invoice.shipped else (0, 0)
    net = sum(x.net for x in own) + shipped[0]
    found = [
        _equal("subtotal", "the lines less their own discounts", invoice.subtotal, anew.subtotal),
        _equal("discounts", "what is taken off the invoice is taken off its lines", shown, discounts),
        _equal(
            "credits",
            "what billing credits pay of the invoice they pay of its lines",
            credits_used.shown(invoice.total_pretax_credit_amounts),
            sum(credits_used.of_line(line) for line in own),
        ),
        _equal("total_excluding_tax", "the net amounts of lines and shipping", invoice.total_excluding_tax or 0, net),
        _equal("tax", "the taxes of the rates are those of lines and shipping", taxes, sum(x.tax for x in own) + shipped[1]),
        _equal("total", "net amounts and taxes", invoice.total, (invoice.total_excluding_tax or 0) + taxes),
    ]
    if invoice.status == "draft":
        return found
    due, ending = invoices.due_of(invoice, invoice.starting_balance)
    found += [
        _equal(
            "amount_due",
            "the total after the customer's balance, less what was credited before it was paid",
            invoice.amount_due,
            due - invoice.pre_payment_credit_notes_amount,
        ),
        _equal("ending_balance", "what of the balance is left", invoice.ending_balance or 0, ending),
    ]
    if invoice.status == "void":
        return found
    paid = min(invoice.amount_paid, invoice.amount_due)
    left = invoice.amount_due - paid
    found.append(_equal("amount_remaining", "what is due less what was paid", invoice.amount_remaining, left))
    return found


def _equal(name: str, says: str, left: int, right: int, line: str | None = None) -> Equation:
    return Equation(name=name, says=says, left=left, right=right, holds=left == right, line=line)


def _side_by_side(stated: Sequence[DiscountAmount], anew: Sequence[DiscountAmount]) -> list[tuple[int, int]]:
    right = {each.discount: each.amount for each in anew}
    left = {each.discount: each.amount for each in stated}
    return [(left.get(id, 0), right.get(id, 0)) for id in left | right]


def _taxes_side_by_side(stated: Sequence[TaxAmount], anew: Sequence[TaxAmount]) -> list[tuple[int, int]]:
    left, right = ({tax.rate: tax.amount for tax in taxes} for taxes in (stated, anew))
    return [(left.get(id, 0), right.get(id, 0)) for id in left | right]


def _is_exempt(line: LineItem) -> bool:
    return any(tax.taxability_reason in ("customer_exempt", "reverse_charge") for tax in line.taxes or [])


# What is shown of a line ---------------------------------------------------------------------------------------------------


def _line(line: LineItem, computed: Recomputed, catalogue: Catalogue) -> LineExplanation:
    basis = line.basis
    unit = basis.grain if basis is not None else "second"
    return LineExplanation(
        line=line.id,
        description=line.description,
        made_of=computed.made_of,
        period=Period(start=line.period_start, end=line.period_end),
        price=line.price,
        quantity=line.quantity_decimal,
        unit_amount_decimal=_unit_amount(line, catalogue),
        tiers=[
            ShownTier(
                up_to=None if t.tier.up_to is None else Decimal(t.tier.up_to),
                unit_amount_decimal=Decimal(t.tier.unit_amount_decimal),
                flat_amount_decimal=Decimal(t.tier.flat_amount_decimal),
                quantity=t.quantity,
                amount=t.amount,
            )
            for t in computed.tiers
        ],
        stretches=[
            ShownStretch(start=s.start, end=s.end, share=_share(s.share, unit), amount=s.amount) for s in computed.stretches
        ],
        share=_share(computed.share, unit) if computed.share else None,
        of=_whole(basis, computed),
        usage=_usage(line),
        amount=line.amount,
        discounts=[_discount(each, line.currency, catalogue) for each in line.discount_amounts or []],
        credits=credits_used.of_line(line),
        taxes=[_tax(tax, line, catalogue) for tax in line.taxes or []],
        net=line.net,
    )


def _unit_amount(line: LineItem, catalogue: Catalogue) -> Decimal | None:
    if line.price is not None and line.price in catalogue.prices:
        return catalogue.unit_amount(line.price, line.currency)
    return line.unit_amount_decimal


def _share(share: Share, unit: Literal["second", "day"]) -> ShownShare:
    return ShownShare(part=share.part, whole=share.whole, unit=unit)


def _whole(basis: Basis | None, computed: Recomputed) -> ShownWhole | None:
    if basis is None or computed.whole is None:
        return None
    return ShownWhole(
        period=Period(start=basis.start or 0, end=basis.end or 0),
        gross=computed.whole.gross,
        discounts=computed.whole.discounts,
        amount=computed.whole.amount,
        credited_before=basis.credited,
        source=basis.source,
    )


def _usage(line: LineItem) -> ShownUsage | None:
    usage = line.usage
    if usage is None:
        return None
    period = Period(start=usage.start, end=usage.end)
    return ShownUsage(meter=usage.meter, period=period, quantity=usage.quantity, billed_before=usage.before)


def _discount(taken: DiscountAmount, currency: str, catalogue: Catalogue) -> ShownDiscount:
    row, found = catalogue.discounts.get(taken.discount), catalogue.in_force(taken.discount, currency)
    return ShownDiscount(
        discount=taken.discount,
        coupon=row.source.coupon if row else None,
        percent_off=found.percent_off if found else None,
        amount_off=found.amount_off if found else None,
        amount=taken.amount,
    )


def _tax(tax: TaxAmount, line: LineItem, catalogue: Catalogue) -> ShownTax:
    rate = catalogue.tax_rates.get(tax.rate)
    exact = None
    if rate is not None and tax.taxable_amount is not None and not line.taxes_given and not _is_exempt(line):
        inside = [t for t in line.taxes or [] if t.tax_behavior == "inclusive"]
        if tax.tax_behavior == "exclusive":
            exact = Decimal(tax.taxable_amount) * rate.percentage / 100
        else:
            every = sum(catalogue.tax_rates[t.rate].percentage for t in inside)
            exact = Decimal(line.amount - line.discount) * rate.percentage / (100 + every)
    return ShownTax(
        tax_rate=tax.rate,
        percentage=rate.percentage if rate else None,
        inclusive=tax.tax_behavior == "inclusive",
        taxable_amount=tax.taxable_amount,
        exact=None if exact is None else exact.quantize(Decimal("0.000001")),
        amount=tax.amount,
    )
