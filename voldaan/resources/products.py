"""Products: what is sold. What it costs stands in its prices."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.numbers import Number
from voldaan.resources.params import (
    Amount,
    Currency,
    DecimalString,
    Hash,
    ListParams,
    Metadata,
    Params,
    SearchParams,
    Unset,
)
from voldaan.resources.prices import (
    CurrencyOptionParams,
    CustomUnitAmountParams,
    Interval,
    ProductDataTaxDetails,
    TaxBehavior,
)


class MarketingFeature(Part, kw_only=True):
    name: str | UnsetType = UNSET


class PackageDimensions(Part, kw_only=True):
    """Inches and ounces."""

    height: Number
    length: Number
    weight: Number
    width: Number


class ProductTaxDetails(Part, kw_only=True):
    performance_location: str | None = None
    tax_code: str | None = None


class Product(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("products", prefix="prod", order="sort_key")
    object: Literal["product"] = "product"
    active: Annotated[bool, Column()] = True
    created: Annotated[Instant, Column("created_at")]
    default_price: Annotated[str | None, Column("default_price_id"), Expandable("price")] = None
    description: str | None = None
    images: list[str] = []
    livemode: bool
    marketing_features: list[MarketingFeature] = []
    metadata: dict[str, str] = {}
    name: Annotated[str, Column()]
    package_dimensions: PackageDimensions | None = None
    shippable: Annotated[bool | None, Column()] = None
    statement_descriptor: str | UnsetType | None = UNSET
    tax_code: Annotated[str | None, Expandable("tax_code")] = None
    tax_details: ProductTaxDetails | None = None
    type: Annotated[Literal["good", "service"], Column()] = "service"
    unit_label: str | UnsetType | None = UNSET
    updated: Annotated[Instant, Column("updated_at")]
    url: Annotated[str | None, Column()] = None
    sort_key: Annotated[str, Column(), Hidden()] = ""  # sorts by time, as ids of the caller's own do not
    deleted_at: Annotated[Instant | None, Column(), Hidden()] = None


class MarketingFeatureParams(Hash):
    name: Annotated[str, Limit(max_length=80)]


class PackageDimensionsParams(Hash):
    height: DecimalString
    length: DecimalString
    weight: DecimalString
    width: DecimalString


class DefaultPriceRecurringParams(Hash):
    interval: Interval
    interval_count: Annotated[int, Limit(ge=1)] = 1


class DefaultPriceData(Hash):
    """The first price, made together with its product."""

    currency: Currency
    currency_options: dict[Currency, CurrencyOptionParams] | None = None
    custom_unit_amount: CustomUnitAmountParams | None = None
    metadata: Metadata | Unset = {}
    recurring: DefaultPriceRecurringParams | None = None
    tax_behavior: TaxBehavior | None = None
    unit_amount: Amount | None = None
    unit_amount_decimal: DecimalString | None = None


Images = Annotated[list[str], Limit(max_length=8)]
MarketingFeatures = Annotated[list[MarketingFeatureParams], Limit(max_length=15)]


class ProductCreate(Params):
    active: bool = True
    default_price_data: DefaultPriceData | None = None
    description: str | Unset | None = None
    id: str | None = None
    images: Images | Unset | None = None
    marketing_features: MarketingFeatures | Unset | None = None
    metadata: Metadata | Unset = {}
    name: str
    package_dimensions: PackageDimensionsParams | Unset | None = None
    shippable: bool | None = None
    statement_descriptor: str | Unset | None = None
    tax_code: str | Unset | None = None
    tax_details: ProductDataTaxDetails | Unset | None = None
    type: Literal["good", "service"] = "service"
    unit_label: Annotated[str, Limit(max_length=12)] | Unset | None = None
    url: str | Unset | None = None


class ProductUpdate(Params):
    active: bool | None = None
    default_price: str | Unset | None = None
    description: str | Unset | None = None
    images: Images | Unset | None = None
    marketing_features: MarketingFeatures | Unset | None = None
    metadata: Metadata | Unset = {}
    name: str | None = None
    package_dimensions: PackageDimensionsParams | Unset | None = None
    shippable: bool | None = None
    statement_descriptor: str | Unset | None = None
    tax_code: str | Unset | None = None
    tax_details: ProductDataTaxDetails | Unset | None = None
    unit_label: Annotated[str, Limit(max_length=12)] | Unset | None = None
    url: str | Unset | None = None


class ProductDelete(Params):
    pass


class ProductList(ListParams):
    active: bool | None = None
    ids: list[str] | None = None
    shippable: bool | None = None
    type: Literal["good", "service"] | None = None
    url: str | None = None

    FILTERS: ClassVar[dict[str, str]] = {"ids": "t.id = any(%(ids)s)"}


class ProductSearch(SearchParams):
    pass
