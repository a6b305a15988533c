"""Tax calculations: a provider's answer put to the same arithmetic as an invoice's taxes. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from voldaan.resources.base import ListObject
from voldaan.resources.shared import Address
from voldaan.resources.tax_calculations import (
    BreakdownRate,
    CalculationBreakdown,
    CalculationRate,
    Jurisdiction,
    LineBreakdown,
    ShipFrom,
    TaxCalculation,
    TaxCalculationLineItem,
    TaxCustomer,
    TaxedBehavior,
    TaxShippingCost,
    written,
)
from voldaan.rules import tax
from voldaan.rules.automatic_tax import rate_id
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.ids import NewId
from voldaan.rules.tax_provider import Exempt, TaxFound, TaxLine, TaxProvider, TaxQuery, TaxUnknown

DAY = 86_400
LASTS = 90 * DAY  # docs.stripe.com/tax/custom
TAX_DATE_MAX = 31 * DAY  # before and after: docs.stripe.com/api/tax/calculations/create
EXEMPT: dict[str, Exempt] = {"none": "none", "customer_exempt": "exempt", "reverse_charge": "reverse"}


class Part(NamedTuple):
    """Something that is sold in a calculation: a line, or what sending it costs."""

    amount: int
    code: str
    behavior: TaxedBehavior
    reference: str | None = None
    quantity: int = 1
    product: str | None = None
    metadata: dict[str, str] | None = None
    performance_location: str | None = None
    performed: Address | None = None

    @property
    def is_inclusive(self) -> bool:
        return self.behavior == "inclusive"


@dataclass(slots=True)
class Asked:
    """A calculation that is asked for, with everything that it names looked up."""

    seller: Address
    customer: str | None
    details: TaxCustomer
    currency: str
    at: int
    lines: list[Part]
    shipping: Part | None = None
    ship_from: Address | None = None
    evidence: dict[str, object] | None = None


def calculate(provider: TaxProvider, asked: Asked, now: int, new_id: NewId, *, livemode: bool) -> TaxCalculation:
    """The calculation, with its lines. Refuses what the provider cannot say."""
    parts = [*asked.lines, *([asked.shipping] if asked.shipping else [])]
    found = _ask(provider, asked, parts)
    rates = [{rate_id(each, part.is_inclusive): each for each in some} for part, some in zip(parts, found, strict=True)]
    taxes = tax.calculate([
        tax.TaxableLine(
            part.amount, tuple(tax.Rate(id, each.percentage, part.is_inclusive) for id, each in own.items())
        )
        for part, own in zip(parts, rates, strict=True)
    ])  # fmt: skip
    known = {id: each for own in rates for id, each in own.items()}
    id = new_id("taxcalc")
    breakdowns = [[_of_line(own[each.rate], each) for each in some] for own, some in zip(rates, taxes.lines, strict=True)]
    sums = [sum(each.amount for each in some) for some in breakdowns]
    lines = [
        _line(part, breakdown, total, calculation=id, id=new_id("tax_li"), livemode=livemode)
        for part, breakdown, total in zip(asked.lines, breakdowns, sums, strict=False)
    ]
    shipping = None
    if asked.shipping is not None:
        shipping = TaxShippingCost(
            amount=asked.shipping.amount,
            amount_tax=sums[-1],
            tax_behavior=asked.shipping.behavior,
            tax_breakdown=breakdowns[-1],
            tax_code=asked.shipping.code,
        )
    return TaxCalculation(
        id=id,
        amount_total=sum(part.amount for part in parts) + taxes.exclusive,
        created=now,
        currency=asked.currency,
        customer=asked.customer,
        customer_details=asked.details,
        evidence=dict(asked.evidence or {}),
        expires_at=now + LASTS,
        line_items=ListObject(data=lines, url=f"/v1/tax/calculations/{id}/line_items"),
        livemode=livemode,
        ship_from_details=ShipFrom(address=asked.ship_from) if asked.ship_from else None,
        shipping_cost=shipping,
        tax_amount_exclusive=taxes.exclusive,
        tax_amount_inclusive=taxes.inclusive,
        tax_breakdown=[_of_all(known[each.rate], each) for each in taxes.rates],
        tax_date=asked.at,
    )


def _ask(provider: TaxProvider, asked: Asked, parts: Sequence[Part]) -> list[tuple[TaxFound, ...]]:
    answer = provider.decide(
        TaxQuery(
            seller=asked.seller,
            buyer=asked.details.address or Address(),
            tax_ids=tuple((each.type, each.value) for each in asked.details.tax_ids),
            exempt=EXEMPT[asked.details.taxability_override],
            currency=asked.currency,
            at=asked.at,
            lines=tuple(TaxLine(part.code, part.amount, part.is_inclusive, part.performed) for part in parts),
        )
    )
    if isinstance(answer, TaxUnknown):
        param = "customer_details[address]" if answer.status == "requires_location_inputs" else None
        raise Refused(Refusal(answer.code, answer.message, param))
    return answer


def _line(
    part: Part, breakdown: list[LineBreakdown], total: int, *, calculation: str, id: str, livemode: bool
) -> TaxCalculationLineItem:
    return TaxCalculationLineItem(
        id=id,
        amount=part.amount,
        amount_tax=total,
        calculation=calculation,
        livemode=livemode,
        metadata=part.metadata,
        performance_location=part.performance_location,
        product=part.product,
        quantity=part.quantity,
        reference=part.reference or id,
        tax_behavior=part.behavior,
        tax_breakdown=breakdown,
        tax_code=part.code,
    )


def _of_line(found: TaxFound, one: tax.Tax) -> LineBreakdown:
    rate = BreakdownRate(display_name=found.name, percentage_decimal=written(found.percentage), tax_type=found.tax_type)
    return LineBreakdown(
        amount=one.amount,
        jurisdiction=Jurisdiction(
            country=found.country, display_name=found.jurisdiction or found.country, level=found.level, state=found.state
        ),
        sourcing=found.sourcing,
        tax_rate_details=rate if found.percentage else None,
        taxability_reason=found.reason,
        taxable_amount=one.taxable_amount if found.percentage else 0,
    )


def _of_all(found: TaxFound, one: tax.Tax) -> CalculationBreakdown:
    return CalculationBreakdown(
        amount=one.amount,
        inclusive=one.inclusive,
        tax_rate_details=CalculationRate(
            country=found.country,
            percentage_decimal=written(found.percentage),
            rate_type="percentage" if found.percentage else None,
            state=found.state,
            tax_type=found.tax_type,
        ),
        taxability_reason=found.reason,
        taxable_amount=one.taxable_amount if found.percentage else 0,
    )
