"""Promotion codes: what a customer types in to have a coupon, and who may."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Includable, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.billing import NotSupported
from voldaan.resources.params import Currency, Hash, ListParams, Metadata, Params, PositiveAmount, Timestamp, Unset


class Promotion(Part, kw_only=True):
    coupon: Annotated[str | None, Expandable("coupon")]
    type: Literal["coupon"] = "coupon"


class MinimumAmount(Part, kw_only=True):
    minimum_amount: int


class PromotionCodeRestrictions(Part, kw_only=True):
    """`minimum_amount` in minor units of `minimum_amount_currency`, and in others by `currency_options`."""

    currency_options: Annotated[dict[str, MinimumAmount] | UnsetType, Includable()] = UNSET
    first_time_transaction: bool = False
    minimum_amount: int | None = None
    minimum_amount_currency: str | None = None


class PromotionCode(Resource, kw_only=True):
    """Active as long as it, and its coupon, can be redeemed. Epoch seconds."""

    TABLE: ClassVar[Table] = Table("promotion_codes", prefix="promo")
    object: Literal["promotion_code"] = "promotion_code"
    active: Annotated[bool, Column()] = True
    code: Annotated[str, Column()]
    created: Annotated[Instant, Column("created_at")]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    expires_at: Annotated[Instant | None, Column()] = None
    livemode: bool
    max_redemptions: Annotated[int | None, Column()] = None
    metadata: dict[str, str] | None = {}
    promotion: Promotion
    restrictions: PromotionCodeRestrictions = PromotionCodeRestrictions()
    times_redeemed: Annotated[int, Column()] = 0
    coupon: Annotated[str, Column("coupon_id"), Hidden()]  # promotion.coupon, for SQL
    code_key: Annotated[str, Column(), Hidden()]           # the code in small letters: of the active ones there is one


class PromotionParams(Hash):
    coupon: str | None = None
    type: Literal["coupon"]


class MinimumAmountParams(Hash):
    minimum_amount: PositiveAmount | None = None


class RestrictionsParams(Hash):
    currency_options: dict[Currency, MinimumAmountParams] | None = None
    first_time_transaction: bool = False
    minimum_amount: PositiveAmount | None = None
    minimum_amount_currency: Currency | None = None


class RestrictionsUpdate(Hash):
    currency_options: dict[Currency, MinimumAmountParams] | None = None


class PromotionCodeCreate(Params):
    active: bool = True
    code: Annotated[str, Limit(max_length=500)] | None = None
    customer: str | None = None
    customer_account: NotSupported = None
    expires_at: Timestamp | None = None
    max_redemptions: Annotated[int, Limit(ge=1)] | None = None
    metadata: Metadata | Unset = {}
    promotion: PromotionParams
    restrictions: RestrictionsParams | None = None


class PromotionCodeUpdate(Params):
    active: bool | None = None
    metadata: Metadata | Unset = {}
    restrictions: RestrictionsUpdate | None = None


class PromotionCodeList(ListParams):
    active: bool | None = None
    code: str | None = None
    coupon: str | None = None
    customer: str | None = None
    customer_account: NotSupported = None

    FILTERS: ClassVar[dict[str, str]] = {"code": "t.code_key = lower(%(code)s)"}
