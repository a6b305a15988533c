"""Tax calculations: what tax a sale would bear, for sellers who bill by other means than invoices. Minor units."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Hidden,
    Includable,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.billing import NotSupported
from voldaan.resources.params import Currency, Hash, Metadata, PageParams, Params, SignedAmount, Timestamp
from voldaan.resources.shared import Address, AddressParams
from voldaan.resources.tax_ids import TaxIdData, TaxIdType
from voldaan.resources.tax_rates import FlatAmount, TaxType

TaxedBehavior = Literal["exclusive", "inclusive"]
Sourcing = Literal["destination", "origin", "performance"]


class TaxCalculationTaxId(Part, kw_only=True):
    type: TaxIdType | Literal["unknown"]
    value: str


class TaxCustomer(Part, kw_only=True):
    """Whom the tax was calculated for."""

    address: Address | None
    address_source: Literal["billing", "shipping"] | None
    ip_address: str | None
    tax_ids: list[TaxCalculationTaxId]
    taxability_override: Literal["customer_exempt", "none", "reverse_charge"] = "none"


class Jurisdiction(Part, kw_only=True):
    country: str
    display_name: str
    level: Literal["city", "country", "county", "district", "state"]
    state: str | None


class BreakdownRate(Part, kw_only=True):
    display_name: str
    percentage_decimal: str
    tax_type: TaxType | None


class LineBreakdown(Part, kw_only=True):
    """One tax on one line."""

    amount: int
    jurisdiction: Jurisdiction
    sourcing: Sourcing
    tax_rate_details: BreakdownRate | None
    taxability_reason: str
    taxable_amount: int


class CalculationRate(Part, kw_only=True):
    country: str | None
    flat_amount: FlatAmount | None = None
    percentage_decimal: str
    rate_type: Literal["flat_amount", "percentage"] | None
    state: str | None
    tax_type: TaxType | None


class CalculationBreakdown(Part, kw_only=True):
    """One tax on all lines."""

    amount: int
    inclusive: bool
    tax_rate_details: CalculationRate
    taxability_reason: str
    taxable_amount: int


class TaxShippingCost(Part, kw_only=True):
    amount: int
    amount_tax: int
    shipping_rate: str | UnsetType = UNSET
    tax_behavior: TaxedBehavior
    tax_breakdown: list[LineBreakdown] | UnsetType = UNSET
    tax_code: str


class ShipFrom(Part, kw_only=True):
    address: Address


class TaxCalculationLineItem(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("tax_calculation_line_items", prefix="tax_li", newest_first=False)
    object: Literal["tax.calculation_line_item"] = "tax.calculation_line_item"
    amount: int
    amount_tax: int
    livemode: bool
    metadata: dict[str, str] | None = None
    performance_location: str | None = None
    product: str | None = None
    quantity: int = 1
    reference: str
    tax_behavior: TaxedBehavior
    tax_breakdown: Annotated[list[LineBreakdown] | UnsetType | None, Includable()] = UNSET
    tax_code: str
    calculation: Annotated[str, Column("calculation_id"), Hidden()]


class TaxCalculation(Resource, kw_only=True):
    """Never changes; it can be made a transaction of until it expires. `evidence` is what spoke for the customer's place."""

    TABLE: ClassVar[Table] = Table("tax_calculations", prefix="taxcalc")
    object: Literal["tax.calculation"] = "tax.calculation"
    amount_total: int
    currency: Annotated[str, Column()]
    customer: Annotated[str | None, Column("customer_id")] = None
    customer_details: TaxCustomer
    expires_at: Annotated[Instant | None, Column()]
    line_items: Annotated[
        ListObject[TaxCalculationLineItem] | UnsetType | None,
        Includable(),
        Children("tax.calculation_line_item", by="calculation", url="/v1/tax/calculations/{id}/line_items", order="id"),
    ] = UNSET
    livemode: bool
    ship_from_details: ShipFrom | None = None
    shipping_cost: TaxShippingCost | None = None
    tax_amount_exclusive: int
    tax_amount_inclusive: int
    tax_breakdown: list[CalculationBreakdown]
    tax_date: int
    created: Annotated[Instant, Column("created_at"), Hidden()]
    evidence: Annotated[dict[str, Any], Hidden()] = {}


class TaxAddressParams(AddressParams):
    """An address that says at least in which country it is."""

    country: str  # type: ignore[assignment]


class CustomerDetailsParams(Hash):
    address: TaxAddressParams | None = None
    address_source: Literal["billing", "shipping"] | None = None
    ip_address: str | None = None
    tax_ids: list[TaxIdData] = []
    taxability_override: Literal["customer_exempt", "none", "reverse_charge"] = "none"


class CalculationLineParams(Hash):
    amount: SignedAmount
    metadata: Metadata | None = None
    performance_location: str | None = None
    product: str | None = None
    quantity: Annotated[int, Limit(ge=1)] = 1
    reference: Annotated[str, Limit(max_length=500)] | None = None
    tax_behavior: TaxedBehavior = "exclusive"
    tax_code: str | None = None


class ShipFromParams(Hash):
    address: TaxAddressParams


class ShippingCostParams(Hash):
    amount: SignedAmount | None = None
    shipping_rate: NotSupported = None
    tax_behavior: TaxedBehavior = "exclusive"
    tax_code: str | None = None


class TaxCalculationCreate(Params):
    currency: Currency
    customer: str | None = None
    customer_details: CustomerDetailsParams | None = None
    line_items: Annotated[list[CalculationLineParams], Limit(min_length=1)]
    ship_from_details: ShipFromParams | None = None
    shipping_cost: ShippingCostParams | None = None
    tax_date: Timestamp | None = None


class TaxLineItemList(PageParams):
    pass


def written(percentage: Decimal) -> str:
    """A percentage as text: "19.0", "25.5"."""
    text = format(percentage, "f")
    return text if "." in text else f"{text}.0"
