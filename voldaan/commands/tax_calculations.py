"""Tax calculations: made, shown while they last."""

from __future__ import annotations

from typing import Any

from voldaan.commands import automatic_tax, customers
from voldaan.resources.customers import Customer
from voldaan.resources.params import Params
from voldaan.resources.products import Product
from voldaan.resources.shared import Address
from voldaan.resources.tax_calculations import (
    CalculationLineParams,
    CustomerDetailsParams,
    TaxCalculation,
    TaxCalculationCreate,
    TaxCalculationTaxId,
    TaxCustomer,
)
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_locations import TaxLocation
from voldaan.resources.tax_settings import TaxSettings
from voldaan.rules import automatic_tax as tax_rules
from voldaan.rules import tax_calculations as rules
from voldaan.rules import tax_codes
from voldaan.rules.customers import check_country
from voldaan.rules.decision import Decision
from voldaan.rules.refusals import exclusive, missing, refused
from voldaan.rules.tax_location import Located, evidence, locate
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: TaxCalculationCreate) -> TaxCalculation:
    """POST /v1/tax/calculations"""
    facts = await automatic_tax.load(tx)
    tax_rules.check(facts, [])
    settings = facts.settings
    assert settings is not None
    assert settings.head_office is not None
    at = tx.now if params.tax_date is None else params.tax_date
    if abs(at - tx.now) > rules.TAX_DATE_MAX:
        raise refused("`tax_date` must be within 31 days of now.", "tax_date")
    customer, details, spoke = await _customer(tx, params)
    asked = rules.Asked(
        seller=settings.head_office.address,
        customer=customer.id if customer else None,
        details=details,
        currency=params.currency,
        at=at,
        lines=await _lines(tx, params, settings),
        shipping=_shipping(params),
        ship_from=_ship_from(params, settings.head_office.address),
        evidence=spoke,
    )
    calculation = rules.calculate(facts.provider, asked, tx.now, new_id, livemode=tx.account.livemode)
    lines: Any = calculation.line_items
    await write(tx, [Decision(inserts=[calculation, *lines.data])])
    return calculation


async def retrieve(tx: Transaction, params: Params, id: str) -> TaxCalculation:
    """GET /v1/tax/calculations/{id}, while it lasts"""
    return await living(tx, id)


async def living(tx: Transaction, id: str, param: str | None = None) -> TaxCalculation:
    """The calculation, if it has not expired. Raises Missing."""
    found = await tx.need(TaxCalculation, id, param=param)
    if found.expires_at is not None and found.expires_at <= tx.now:
        raise Missing("tax.calculation", id, param)
    return found


async def _customer(
    tx: Transaction, params: TaxCalculationCreate
) -> tuple[Customer | None, TaxCustomer, dict[str, object]]:
    """Whom it is for: a customer as known, or one that is described."""
    if params.customer is not None and params.customer_details is not None:
        raise exclusive("customer", "customer_details")
    if params.customer is not None:
        customer = await customers.living(tx, params.customer, param="customer")
        located = locate(customer.address, customer.shipping)
        ids = await tx.select(TaxId, "t.customer_id = %(customer)s", customer=customer.id)
        override: Any = {"exempt": "customer_exempt", "reverse": "reverse_charge"}.get(customer.tax_exempt, "none")
        known = TaxCustomer(
            address=located.address if located else None,
            address_source=_source(located),
            ip_address=customer.tax.ip_address,
            tax_ids=[TaxCalculationTaxId(type=each.type, value=each.value) for each in ids],
            taxability_override=override,
        )
        return customer, known, evidence(customer, customer.shipping, None, located)
    if params.customer_details is None:
        raise missing("customer_details")
    described = _described(params.customer_details)
    spoke = {"used": described.address_source, "ip_address": described.ip_address}
    return None, described, {**spoke, "country": described.address.country if described.address else None}


def _source(located: Located | None) -> Any:
    if located is None:
        return None
    return "shipping" if located.source == "shipping_destination" else "billing"


def _described(given: CustomerDetailsParams) -> TaxCustomer:
    if given.address is not None:
        check_country(given.address.country, "customer_details[address][country]")
        if given.address_source is None:
            raise missing("customer_details[address_source]")
    return TaxCustomer(
        address=given.address.address() if given.address else None,
        address_source=given.address_source,
        ip_address=given.ip_address,
        tax_ids=[TaxCalculationTaxId(type=each.type, value=each.value) for each in given.tax_ids],
        taxability_override=given.taxability_override,
    )


async def _lines(tx: Transaction, params: TaxCalculationCreate, settings: TaxSettings) -> list[rules.Part]:
    products = await tx.get(Product, [line.product for line in params.line_items])
    stages = {id: p.tax_details.performance_location for id, p in products.items() if p.tax_details}
    places = await tx.get(TaxLocation, [*(line.performance_location for line in params.line_items), *stages.values()])
    seen: set[str] = set()
    found = []
    for number, line in enumerate(params.line_items):
        here = f"line_items[{number}]"
        product = products.get(line.product or "")
        if line.product is not None and (product is None or product.deleted_at is not None):
            raise Missing("product", line.product, f"{here}[product]")
        if line.performance_location is not None and line.performance_location not in places:
            raise Missing("tax.location", line.performance_location, f"{here}[performance_location]")
        if line.reference in seen:
            raise refused("References of line items must be unique.", f"{here}[reference]")
        if line.reference is not None:
            seen.add(line.reference)
        where = line.performance_location or stages.get(line.product or "")
        place = places.get(where or "")
        found.append(
            rules.Part(
                amount=line.amount,
                code=_code(line, product, settings, f"{here}[tax_code]"),
                behavior=line.tax_behavior,
                reference=line.reference,
                quantity=line.quantity,
                product=line.product,
                metadata=line.metadata or {},
                performance_location=where,
                performed=place.address if place else None,
            )
        )
    return found


def _code(line: CalculationLineParams, product: Product | None, settings: TaxSettings, param: str) -> str:
    """The line's own tax code, the product's, or the settings'."""
    if line.tax_code is not None:
        tax_codes.check(line.tax_code, param)
        return line.tax_code
    return (product.tax_code if product else None) or settings.defaults.tax_code or tax_codes.DEFAULT


def _shipping(params: TaxCalculationCreate) -> rules.Part | None:
    cost = params.shipping_cost
    if cost is None:
        return None
    if cost.amount is None:
        raise missing("shipping_cost[amount]")
    if cost.tax_code is not None:
        tax_codes.check(cost.tax_code, "shipping_cost[tax_code]")
    return rules.Part(cost.amount, cost.tax_code or tax_codes.SHIPPING, cost.tax_behavior)


def _ship_from(params: TaxCalculationCreate, office: Address) -> Address | None:
    if params.ship_from_details is None:
        return None
    address = params.ship_from_details.address.address()
    if address.country != office.country:
        raise refused(
            "Goods that are sent from another country than the head office's are not supported.",
            "ship_from_details[address][country]",
        )
    return address
