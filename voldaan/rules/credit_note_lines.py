"""The lines of a credit note: what a request says of each, held against what is left of the invoice, and their sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec.structs import replace

from voldaan.resources.billing import DiscountAmount, PretaxCreditAmount, TaxAmount, TaxRateDetails
from voldaan.resources.credit_notes import CreditNoteLine, NoteLine
from voldaan.resources.shipping_rates import Shipped
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credited, tax
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.credited import By, Left, Parts, off_by
from voldaan.rules.metadata import merged
from voldaan.rules.money import line_amount
from voldaan.rules.refusals import missing, refused
from voldaan.rules.shipping import is_shipping
from voldaan.rules.tax import Rounding


@dataclass(slots=True)
class Drawn:
    """The lines of a note, without ids yet, and what they come to. A note by amount alone has no lines."""

    net: int
    taxes: list[TaxAmount]
    inclusive: int                                   # of the taxes, those inside the subtotal
    subtotal: int
    pretax_credit_amounts: list[PretaxCreditAmount]
    lines: list[CreditNoteLine] = field(default_factory=list)
    shipping: Left | None = None                     # where something of the invoice's shipping is credited

    @property
    def tax(self) -> int:
        return sum(each.amount for each in self.taxes)

    @property
    def total(self) -> int:
        return self.net + self.tax

    @property
    def discount_amounts(self) -> list[DiscountAmount]:
        return discounts(self.pretax_credit_amounts)


def draw(
    lefts: Sequence[Left],
    wanted: Sequence[NoteLine],
    catalogue: Catalogue,
    rounding: Rounding,
    shipped: Left | None = None,
) -> Drawn:
    """The lines that a request asks for, taken off what is left, and all that is left of `shipped`, the invoice's shipping,
    if it asks for that. Raises Refused, blaming the line."""
    most = credited.total_left(lefts)
    goods = [left for left in lefts if not is_shipping(left.line)]
    mine = {left.line.id: left for left in goods}
    lines: dict[int, CreditNoteLine] = {}
    named = {place: want for place, want in enumerate(wanted) if want.type == "invoice_line_item"}
    chosen = [_chosen(mine, want, f"lines[{place}]") for place, want in named.items()]
    taken = credited.of_lines([*chosen, *([(shipped, shipped.amount)] if shipped else [])], rounding)
    if shipped is not None:
        shipped.take(taken.pop())
    for (place, want), (left, amount), part in zip(named.items(), chosen, taken, strict=True):
        _told_taxes(left, part, want, amount, f"lines[{place}]")
        left.take(part, want.quantity or 0)
        lines[place] = _of_invoice(left, want, amount, part, catalogue)
    for place, want in enumerate(wanted):
        if place not in named:
            lines[place] = _of_its_own(goods, want, catalogue, rounding, f"lines[{place}]")
    drawn = _summed(lefts, [lines[place] for place in range(len(wanted))])
    if drawn.total <= 0:
        raise refused("The total amount of a credit note must be positive.", "lines")
    if drawn.total > most:
        raise refused(beyond(drawn.total, most, lefts[0].line.currency), "lines")
    return drawn


def spread(lefts: Sequence[Left], total: int) -> Drawn:
    """A sum without lines, spread over all that is left. Raises Refused for more than that."""
    most = credited.total_left(lefts)
    if total > most:
        raise refused(beyond(total, most, lefts[0].line.currency if lefts else "usd"), "amount")
    for left, parts in zip(lefts, credited.spread(lefts, total), strict=True):
        left.take(parts)
    return _summed(lefts, [])


def beyond(total: int, most: int, currency: str) -> str:
    """Why a note is too much."""
    return (
        f"The credit note's amount ({shown(total, currency)}) is greater than what can still be credited of the invoice "
        f"({shown(max(most, 0), currency)})."
    )


# Lines of the invoice --------------------------------------------------------------------------------------------------


def _chosen(mine: dict[str, Left], want: NoteLine, here: str) -> tuple[Left, int]:
    """The line that is named, and how much of its amount is credited."""
    for name in ("description", "unit_amount", "unit_amount_decimal", "tax_rates"):
        if getattr(want, name):
            raise refused(f"`{name}` is only valid for lines of type `custom_line_item`.", f"{here}[{name}]")
    if want.invoice_line_item is None:
        raise missing(f"{here}[invoice_line_item]")
    left = mine.get(want.invoice_line_item)
    if left is None:
        raise refused(
            f"No such invoice line item on this invoice: '{want.invoice_line_item}'", f"{here}[invoice_line_item]",
            "resource_missing",
        )  # fmt: skip
    if left.named is not None:
        raise refused("A line of the invoice can be credited once in each credit note.", f"{here}[invoice_line_item]")
    if want.quantity is not None and want.amount is not None:
        raise refused("You may only specify one of these parameters: amount, quantity.", f"{here}[amount]")
    if want.quantity is None and want.amount is None:
        raise missing(f"{here}[amount]")
    by: By = "amount" if want.quantity is None else "quantity"
    if left.by not in (None, by):
        raise refused(f"This line was credited by {left.by} before, so it cannot be credited by {by}.", f"{here}[{by}]")
    left.named = by
    if want.quantity is not None:
        if want.quantity > left.quantity:
            raise refused(f"Only {max(left.quantity, 0)} of this line can still be credited.", f"{here}[quantity]")
        amount = credited.of_quantity(left, want.quantity)
    else:
        amount = want.amount or 0
    if not amount or (amount > 0) != (left.amount > 0) or abs(amount) > abs(left.amount):
        raise refused(f"Of this line {shown(left.amount, left.line.currency)} can still be credited.", f"{here}[{by}]")
    return left, amount


def _told_taxes(left: Left, part: Parts, want: NoteLine, amount: int, here: str) -> None:
    """Taxes that the request says itself, within what is left of them."""
    if not want.tax_amounts:
        return
    said = dict.fromkeys(left.parts.taxes, 0)
    for place, each in enumerate(want.tax_amounts):
        param = f"{here}[tax_amounts][{place}]"
        if each.tax_rate not in said:
            raise refused("The tax rate is not on this line of the invoice.", f"{param}[tax_rate]")
        said[each.tax_rate] += each.amount
        if said[each.tax_rate] > left.parts.taxes[each.tax_rate]:
            most = shown(left.parts.taxes[each.tax_rate], left.line.currency)
            raise refused(f"Of this tax {most} can still be credited.", f"{param}[amount]")
    part.taxes = said
    part.net += amount - credited.amount_of(left, part)
    if part.net < 0 or part.net > left.parts.net:
        raise refused("These taxes leave no part of the line that could be credited.", f"{here}[tax_amounts]")


def _of_invoice(left: Left, want: NoteLine, amount: int, part: Parts, catalogue: Catalogue) -> CreditNoteLine:
    line = left.line
    off = [replace(p, amount=part.off[off_by(p)]) for p in line.pretax_credit_amounts or [] if part.off.get(off_by(p))]
    unit = line.unit_amount_decimal if want.quantity is not None else None
    return CreditNoteLine(
        id="",
        amount=amount,
        credit_note="",
        description=line.description,
        discount_amount=sum(d.amount for d in discounts(off)),
        discount_amounts=discounts(off),
        invoice_line=line.id,
        livemode=False,
        metadata=merged({}, want.metadata),
        net=part.net,
        pretax_credit_amounts=off,
        quantity=want.quantity,
        tax=part.tax,
        tax_rates=catalogue.whole_rates(credited.rates_of(line)),
        taxes=[replace(each, amount=part.taxes[each.rate], taxable_amount=part.net) for each in line.taxes or []],
        type="invoice_line_item",
        unit_amount=None if unit is None or unit != int(unit) else int(unit),
        unit_amount_decimal=unit,
    )


# Lines of the note's own -----------------------------------------------------------------------------------------------


def _of_its_own(
    lefts: Sequence[Left], want: NoteLine, catalogue: Catalogue, rounding: Rounding, here: str
) -> CreditNoteLine:
    """A credit that no line of the invoice names. It has the taxes that it says, or none."""
    for name in ("amount", "invoice_line_item"):
        if getattr(want, name) is not None:
            raise refused(f"`{name}` is only valid for lines of type `invoice_line_item`.", f"{here}[{name}]")
    unit = want.unit_amount_decimal if want.unit_amount is None else Decimal(want.unit_amount)
    if unit is None:
        raise missing(f"{here}[unit_amount]")
    if want.quantity is None:
        raise missing(f"{here}[quantity]")
    amount = line_amount(unit, want.quantity)
    if amount <= 0:
        raise refused("A line of a credit note's own must be positive.", f"{here}[unit_amount]")
    rates = [catalogue.tax_rates[id] for id in (want.tax_rates or [each.tax_rate for each in want.tax_amounts or []])]
    told = _taxes_of(want, amount, catalogue, rounding)
    inclusive = sum(told[rate.id] for rate in rates if rate.inclusive)
    name = "tax_rates" if want.tax_rates else "tax_amounts"
    for place, rate in enumerate(rates):
        if told[rate.id] > credited.tax_left(lefts, rate.id):
            raise refused("There is not so much of this tax left to credit on the invoice.", f"{here}[{name}][{place}]")
    if amount - inclusive > credited.net_left(lefts) or amount < inclusive:
        raise refused("There is not so much left to credit on the invoice, without its tax.", f"{here}[unit_amount]")
    for left, parts in zip(lefts, credited.of_its_own(lefts, amount - inclusive, told), strict=True):
        left.take(parts)
    return CreditNoteLine(
        id="",
        amount=amount,
        credit_note="",
        description=want.description,
        livemode=False,
        metadata=merged({}, want.metadata),
        net=amount - inclusive,
        quantity=want.quantity,
        tax=sum(told.values()),
        tax_rates=[*rates],
        taxes=[_of_rate(rate, told[rate.id], amount - inclusive) for rate in rates],
        type="custom_line_item",
        unit_amount=None if unit != int(unit) else int(unit),
        unit_amount_decimal=unit,
    )


def _taxes_of(want: NoteLine, amount: int, catalogue: Catalogue, rounding: Rounding) -> dict[str, int]:
    """By rate, the tax that a line of the note's own says, or that its rates make."""
    if want.tax_amounts:
        said: dict[str, int] = {}
        for each in want.tax_amounts:
            said[each.tax_rate] = said.get(each.tax_rate, 0) + each.amount
        return said
    if not want.tax_rates:
        return {}
    taxed = tax.calculate([tax.TaxableLine(amount, catalogue.rates(want.tax_rates))], rounding)
    return {each.rate: each.amount for each in taxed.rates}


# Sums ------------------------------------------------------------------------------------------------------------------


def _summed(lefts: Sequence[Left], lines: list[CreditNoteLine]) -> Drawn:
    net = inclusive = subtotal = 0
    taxes: dict[str, TaxAmount] = {}
    off: dict[str, PretaxCreditAmount] = {}
    shipping: Left | None = None
    for left in lefts:
        now, line = left.now, left.line
        net += now.net
        if is_shipping(line):
            shipping = left if now.net or now.tax or now.left_out else None
        else:
            subtotal += credited.amount_of(left, now)
            inclusive += sum(now.taxes.get(id, 0) for id in left.inclusive)
        for each in line.pretax_credit_amounts or []:
            id = off_by(each)
            amount = now.off.get(id, 0)
            off[id] = replace(each, amount=amount + (off[id].amount if id in off else 0))
            subtotal -= amount if id in line.discounts else 0
        for levied in line.taxes or []:
            if levied.rate in now.taxes:
                amount, taxable = now.taxes[levied.rate], now.net
                known = taxes.get(levied.rate)
                if known is not None:
                    amount, taxable = amount + known.amount, taxable + (known.taxable_amount or 0)
                taxes[levied.rate] = replace(levied, amount=amount, taxable_amount=taxable)
    return Drawn(net, list(taxes.values()), inclusive, subtotal, [p for p in off.values() if p.amount], lines, shipping)


def shipped(left: Left, whole: Shipped) -> Shipped:
    """What a note takes back of the shipping, of which the invoice has charged the `whole`."""
    now = left.now
    taxes = [replace(t, amount=now.taxes[t.rate], taxable_amount=now.net) for t in whole.taxes if t.rate in now.taxes]
    return Shipped(
        rate=whole.rate,
        name=whole.name,
        amount=credited.amount_of(left, now),
        net=now.net,
        tax=now.tax,
        taxes=taxes,
        left_out=now.left_out,
    )


def discounts(off: Iterable[PretaxCreditAmount]) -> list[DiscountAmount]:
    """Of what came off before tax, the discounts."""
    return [DiscountAmount(amount=p.amount, discount=p.discount) for p in off if p.discount]


def _of_rate(rate: TaxRate, amount: int, taxable: int) -> TaxAmount:
    return TaxAmount(
        amount=amount,
        tax_behavior="inclusive" if rate.inclusive else "exclusive",
        tax_rate_details=TaxRateDetails(tax_rate=rate.id),
        taxable_amount=taxable,
    )

