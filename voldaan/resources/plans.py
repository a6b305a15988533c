"""Plans: how recurring prices were called and shaped before there were prices. A second reading of the same rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Includable, Instant, Resource, Table, UnsetType
from voldaan.resources.params import Amount, Currency, DecimalString, ListParams, Metadata, Params, Unset
from voldaan.resources.prices import (
    BillingScheme,
    Interval,
    PriceTier,
    PriceTransformQuantity,
    ProductData,
    TierParams,
    TiersMode,
    TransformQuantityParams,
    UsageType,
)


class Plan(Resource, kw_only=True):
    """Read from `prices`, never written: commands/plans.py writes the price."""

    TABLE: ClassVar[Table] = Table("prices", prefix="plan", order="sort_key")
    object: Literal["plan"] = "plan"
    active: Annotated[bool, Column()] = True
    amount: Annotated[int | None, Column("unit_amount")] = None
    amount_decimal: Annotated[Decimal | None, Column("unit_amount_decimal")] = None
    billing_scheme: BillingScheme = "per_unit"
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    interval: Annotated[Interval, Column()]
    interval_count: Annotated[int, Column()]
    livemode: bool
    metadata: dict[str, str] = {}
    meter: Annotated[str | None, Column("meter_id")] = None
    nickname: str | None = None
    product: Annotated[str | None, Column("product_id"), Expandable("product")] = None
    tiers: Annotated[list[PriceTier] | UnsetType, Includable()] = UNSET
    tiers_mode: TiersMode | None = None
    transform_usage: Annotated[PriceTransformQuantity | None, Column("transform_quantity")] = None
    trial_period_days: Annotated[int | None, Column()] = None
    usage_type: Annotated[UsageType, Column()] = "licensed"
    deleted_at: Annotated[Instant | None, Column(), Hidden()] = None


class PlanCreate(Params):
    active: bool = True
    amount: Amount | None = None
    amount_decimal: DecimalString | None = None
    billing_scheme: BillingScheme = "per_unit"
    currency: Currency
    id: str | None = None
    interval: Interval
    interval_count: Annotated[int, Limit(ge=1)] = 1
    metadata: Metadata | Unset = {}
    meter: str | None = None
    nickname: str | Unset | None = None
    product: ProductData | str | None = None
    tiers: list[TierParams] | None = None
    tiers_mode: TiersMode | None = None
    transform_usage: TransformQuantityParams | None = None
    trial_period_days: Annotated[int, Limit(ge=0, le=730)] | None = None
    usage_type: UsageType = "licensed"


class PlanUpdate(Params):
    active: bool | None = None
    metadata: Metadata | Unset = {}
    nickname: str | Unset | None = None
    product: str | None = None
    trial_period_days: Annotated[int, Limit(ge=0, le=730)] | Unset | None = None


class PlanDelete(Params):
    pass


class PlanList(ListParams):
    active: bool | None = None
    product: str | None = None

    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"type": "t.type = 'recurring'"}
