"""Discounts: a coupon applied to one customer, subscription, item or invoice, for a stretch of time."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Hash, Params


class DiscountSource(Part, kw_only=True):
    coupon: Annotated[str | None, Expandable("coupon")]
    type: Literal["coupon"] = "coupon"


class Discount(Resource, kw_only=True):
    """In force from `start` until `end`; taken away early, its `end` is that moment. Epoch seconds; no end: for good."""

    TABLE: ClassVar[Table] = Table("discounts", prefix="di")
    object: Literal["discount"] = "discount"
    checkout_session: str | None = None
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    end: Annotated[Instant | None, Column("end_at")] = None
    invoice: Annotated[str | None, Column("invoice_id")] = None
    invoice_item: Annotated[str | None, Column("invoice_item_id")] = None
    promotion_code: Annotated[str | None, Column("promotion_code_id"), Expandable("promotion_code")] = None
    source: DiscountSource
    start: Annotated[Instant, Column("start_at")]
    subscription: Annotated[str | None, Column("subscription_id")] = None
    subscription_item: Annotated[str | None, Column("subscription_item_id")] = None
    coupon: Annotated[str | UnsetType, Column("coupon_id"), Hidden()] = UNSET  # source.coupon, for SQL


class DiscountParams(Hash):
    """One element of `discounts` in a request: exactly one of the three."""

    coupon: str | None = None
    discount: str | None = None
    promotion_code: str | None = None


class DiscountDelete(Params):
    pass
