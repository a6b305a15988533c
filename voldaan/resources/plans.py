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
    Price,
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


def plan_of(price: Price) -> Plan:
    """The recurring price as it was called before there were prices. Raises ValueError for a price that does not recur."""
    recurring = price.recurring
    if recurring is None:
        raise ValueError(f"{price.id} does not recur")
    return Plan(
        id=price.id,
        active=price.active,
        amount=price.unit_amount,
        amount_decimal=price.unit_amount_decimal,
        billing_scheme=price.billing_scheme,
        created=price.created,
        currency=price.currency,
        interval=recurring.interval,
        interval_count=recurring.interval_count,
        livemode=price.livemode,
        metadata=price.metadata,
        meter=recurring.meter,
        nickname=price.nickname,
        product=price.product,
        tiers=price.tiers,
        tiers_mode=price.tiers_mode,
        transform_usage=price.transform_quantity,
        trial_period_days=recurring.trial_period_days,
        usage_type=recurring.usage_type,
        deleted_at=price.deleted_at,
    )


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
