"""Prices: what one unit of a product costs, once or every interval."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Includable, Instant, Part, Resource, Table, UnsetType
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

BillingScheme = Literal["per_unit", "tiered"]
Interval = Literal["day", "week", "month", "year"]
TaxBehavior = Literal["exclusive", "inclusive", "unspecified"]
TiersMode = Literal["graduated", "volume"]
UsageType = Literal["licensed", "metered"]


class PriceTier(Part, kw_only=True):
    """Up to and including `up_to` units; the last tier's is null. Minor units; the decimals have up to twelve places."""

    flat_amount: int | None = None
    flat_amount_decimal: Decimal | None = None
    unit_amount: int | None = None
    unit_amount_decimal: Decimal | None = None
    up_to: int | None = None


class CustomUnitAmount(Part, kw_only=True):
    """The buyer says how much, within these bounds."""

    maximum: int | None = None
    minimum: int | None = None
    preset: int | None = None


class PriceCurrencyOption(Part, kw_only=True):
    """The same price in another currency."""

    custom_unit_amount: CustomUnitAmount | None = None
    tax_behavior: TaxBehavior | None = None
    tiers: list[PriceTier] | UnsetType = UNSET
    unit_amount: int | None = None
    unit_amount_decimal: Decimal | None = None


class Recurring(Part, kw_only=True):
    interval: Interval
    interval_count: int = 1
    meter: str | None = None
    trial_period_days: int | None = None
    usage_type: UsageType = "licensed"


class PriceTransformQuantity(Part, kw_only=True):
    """Packages: the quantity is divided, and the result rounded to whole packages."""

    divide_by: int
    round: Literal["down", "up"]


class Price(Resource, kw_only=True):
    """`unit_amount` is null when it is not a whole number of minor units; `unit_amount_decimal` always says it.

    The hidden columns repeat `recurring` for SQL and for the plan, which is a second reading of the same row.
    """

    TABLE: ClassVar[Table] = Table("prices", prefix="price", order="sort_key")
    object: Literal["price"] = "price"
    active: Annotated[bool, Column()] = True
    billing_scheme: BillingScheme = "per_unit"
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    currency_options: Annotated[dict[str, PriceCurrencyOption] | UnsetType, Includable()] = UNSET
    custom_unit_amount: CustomUnitAmount | None = None
    livemode: bool
    lookup_key: Annotated[str | None, Column()] = None
    metadata: dict[str, str] = {}
    nickname: str | None = None
    product: Annotated[str, Column("product_id"), Expandable("product")]
    recurring: Recurring | None = None
    tax_behavior: TaxBehavior | None = "unspecified"
    tiers: Annotated[list[PriceTier] | UnsetType, Includable()] = UNSET
    tiers_mode: TiersMode | None = None
    transform_quantity: Annotated[PriceTransformQuantity | None, Column()] = None
    type: Annotated[Literal["one_time", "recurring"], Column()]
    unit_amount: Annotated[int | None, Column()] = None
    unit_amount_decimal: Annotated[Decimal | None, Column()] = None
    recurring_interval: Annotated[Interval | None, Column("interval"), Hidden()] = None
    recurring_interval_count: Annotated[int | None, Column("interval_count"), Hidden()] = None
    recurring_usage_type: Annotated[UsageType | None, Column("usage_type"), Hidden()] = None
    recurring_meter: Annotated[str | None, Column("meter_id"), Hidden()] = None
    recurring_trial_period_days: Annotated[int | None, Column("trial_period_days"), Hidden()] = None
    sort_key: Annotated[str, Column(), Hidden()] = ""  # sorts by time, as ids of the caller's own do not
    deleted_at: Annotated[Instant | None, Column(), Hidden()] = None


class TierParams(Hash):
    flat_amount: Amount | None = None
    flat_amount_decimal: DecimalString | None = None
    unit_amount: Amount | None = None
    unit_amount_decimal: DecimalString | None = None
    up_to: Literal["inf"] | Annotated[int, Limit(ge=1)]


class CustomUnitAmountParams(Hash):
    enabled: bool
    maximum: Amount | None = None
    minimum: Amount | None = None
    preset: Amount | None = None


class CurrencyOptionParams(Hash):
    custom_unit_amount: CustomUnitAmountParams | None = None
    tax_behavior: TaxBehavior | None = None
    tiers: list[TierParams] | None = None
    unit_amount: Amount | None = None
    unit_amount_decimal: DecimalString | None = None


class RecurringParams(Hash):
    interval: Interval
    interval_count: Annotated[int, Limit(ge=1)] = 1
    meter: str | None = None
    trial_period_days: Annotated[int, Limit(ge=1, le=730)] | None = None
    usage_type: UsageType = "licensed"


class TransformQuantityParams(Hash):
    divide_by: Annotated[int, Limit(ge=1)]
    round: Literal["down", "up"]


class ProductDataTaxDetails(Hash):
    performance_location: str | None = None
    tax_code: str | Unset | None = None


class ProductData(Hash):
    """A product made together with its first price."""

    active: bool = True
    id: str | None = None
    metadata: Metadata | Unset = {}
    name: str
    statement_descriptor: str | None = None
    tax_code: str | None = None
    tax_details: ProductDataTaxDetails | None = None
    unit_label: Annotated[str, Limit(max_length=12)] | None = None


class PriceCreate(Params):
    active: bool = True
    billing_scheme: BillingScheme = "per_unit"
    currency: Currency
    currency_options: dict[Currency, CurrencyOptionParams] | None = None
    custom_unit_amount: CustomUnitAmountParams | None = None
    lookup_key: Annotated[str, Limit(max_length=200)] | None = None
    metadata: Metadata | Unset = {}
    nickname: str | Unset | None = None
    product: str | None = None
    product_data: ProductData | None = None
    recurring: RecurringParams | None = None
    tax_behavior: TaxBehavior | None = None
    tiers: list[TierParams] | None = None
    tiers_mode: TiersMode | None = None
    transfer_lookup_key: bool = False
    transform_quantity: TransformQuantityParams | None = None
    unit_amount: Amount | None = None
    unit_amount_decimal: DecimalString | None = None


class PriceUpdate(Params):
    active: bool | None = None
    currency_options: dict[Currency, CurrencyOptionParams] | Unset | None = None
    lookup_key: Annotated[str, Limit(max_length=200)] | Unset | None = None
    metadata: Metadata | Unset = {}
    nickname: str | Unset | None = None
    tax_behavior: TaxBehavior | None = None
    transfer_lookup_key: bool = False


class RecurringFilter(Hash):
    interval: Interval | None = None
    meter: str | None = None
    usage_type: UsageType | None = None


class PriceList(ListParams):
    active: bool | None = None
    currency: Currency | None = None
    lookup_keys: Annotated[list[str], Limit(max_length=10)] | None = None
    product: str | None = None
    recurring: RecurringFilter | None = None
    type: Literal["one_time", "recurring"] | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "lookup_keys": "t.lookup_key = any(%(lookup_keys)s)",
        "recurring.interval": "t.interval = %(recurring_interval)s",
        "recurring.meter": "t.meter_id = %(recurring_meter)s",
        "recurring.usage_type": "t.usage_type = %(recurring_usage_type)s",
    }


class PriceSearch(SearchParams):
    pass
