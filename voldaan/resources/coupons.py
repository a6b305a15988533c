"""Coupons: how much is taken off, and for how long."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Hidden, Includable, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.numbers import Number
from voldaan.resources.params import (
    Currency,
    DecimalString,
    Hash,
    ListParams,
    Metadata,
    Params,
    PositiveAmount,
    Timestamp,
    Unset,
)

Duration = Literal["forever", "once", "repeating"]


class CouponAppliesTo(Part, kw_only=True):
    products: list[str]


class CouponCurrencyOption(Part, kw_only=True):
    amount_off: int


class Coupon(Resource, kw_only=True):
    """Either `amount_off` minor units of `currency`, or `percent_off`.

    `once` is for one invoice, `repeating` for the invoices of `duration_in_months`. `redeem_by` is in epoch seconds.
    """

    TABLE: ClassVar[Table] = Table("coupons", prefix="coupon", order="sort_key")
    object: Literal["coupon"] = "coupon"
    amount_off: Annotated[int | None, Column()] = None
    applies_to: Annotated[CouponAppliesTo | UnsetType, Includable()] = UNSET
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str | None, Column()] = None
    currency_options: Annotated[dict[str, CouponCurrencyOption], Includable()] = {}
    duration: Annotated[Duration, Column()]
    duration_in_months: int | None = None
    livemode: bool
    max_redemptions: Annotated[int | None, Column()] = None
    metadata: dict[str, str] = {}
    name: str | None = None
    percent_off: Number | None = None
    redeem_by: Annotated[Instant | None, Column("redeem_by")] = None
    times_redeemed: Annotated[int, Column()] = 0
    valid: Annotated[bool, Column()] = True
    sort_key: Annotated[str, Column(), Hidden()] = ""  # sorts by time, as ids of the caller's own do not
    deleted_at: Annotated[Instant | None, Column(), Hidden()] = None


class CouponAppliesToParams(Hash):
    products: list[str] | None = None


class CouponCurrencyOptionParams(Hash):
    amount_off: PositiveAmount


class CouponCreate(Params):
    amount_off: PositiveAmount | None = None
    applies_to: CouponAppliesToParams | None = None
    currency: Currency | None = None
    currency_options: dict[Currency, CouponCurrencyOptionParams] | None = None
    duration: Duration = "once"
    duration_in_months: Annotated[int, Limit(ge=1, le=120)] | None = None
    id: str | None = None
    max_redemptions: Annotated[int, Limit(ge=1)] | None = None
    metadata: Metadata | Unset = {}
    name: Annotated[str, Limit(max_length=40)] | Unset | None = None
    percent_off: DecimalString | None = None
    redeem_by: Timestamp | None = None


class CouponUpdate(Params):
    currency_options: dict[Currency, CouponCurrencyOptionParams] | None = None
    metadata: Metadata | Unset = {}
    name: Annotated[str, Limit(max_length=40)] | Unset | None = None


class CouponDelete(Params):
    pass


class CouponList(ListParams):
    pass
