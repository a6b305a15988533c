"""Coupons: made, renamed, deleted, expired. Redeeming one makes a discount: commands/discounts.py."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import promotion_codes
from voldaan.resources.base import UNSET
from voldaan.resources.coupons import Coupon, CouponCreate, CouponDelete, CouponUpdate
from voldaan.resources.params import Params
from voldaan.resources.products import Product
from voldaan.rules import coupons as rules
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.products import check_id
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

ID_DIGITS = 8  # short enough to be typed in


async def retrieve(tx: Transaction, params: Params, id: str) -> Coupon:
    """GET /v1/coupons/{coupon}; a deleted one is gone."""
    return await living(tx, id)


async def create(tx: Transaction, params: CouponCreate) -> Coupon:
    """A coupon under the caller's id or a short one of ours."""
    if params.id is not None:
        check_id(params.id)
        if await tx.get(Coupon, [params.id]):
            raise refused("Coupon already exists.", "id", "resource_already_exists")
    coupon = rules.make(
        params,
        id=params.id or new_id("coupon")[-ID_DIGITS:],
        sort_key=new_id("at"),
        at=tx.now,
        livemode=tx.account.livemode,
    )
    if coupon.applies_to is not UNSET:
        await _need_products(tx, coupon.applies_to.products)
    due = [Due("coupon.expire", coupon.id, coupon.redeem_by)] if coupon.redeem_by is not None else []
    await write(tx, [Decision(inserts=[coupon], events=[Event("coupon.created", coupon)], due=due)])
    return coupon


async def update(tx: Transaction, params: CouponUpdate, id: str) -> Coupon:
    """The coupon with another name, more currencies or other metadata."""
    was = await living(tx, id, lock=True)
    coupon = rules.update(was, params)
    if coupon != was:
        await write(tx, [_updated(coupon, was)])
    return coupon


async def delete(tx: Transaction, params: CouponDelete, id: str) -> Coupon:
    """The deleted coupon. Who has redeemed it keeps the discount; its promotion codes are not active any more."""
    was = await living(tx, id, lock=True)
    coupon = replace(was, valid=False, deleted_at=tx.now)
    gone = Decision(
        updates=[Update(coupon, was)],
        events=[Event("coupon.deleted", was)],
        due_cancelled=[("coupon.expire", id)],
    )
    await write(tx, [gone, await promotion_codes.of_coupons_that_ended(tx, [id])])
    return coupon


async def expire(tx: Transaction, ids: list[str]) -> None:
    """Handler of coupon.expire: from now on these cannot be redeemed."""
    coupons = await tx.get(Coupon, ids, lock=True)
    over = [c for c in coupons.values() if c.valid and c.redeem_by is not None and c.redeem_by <= tx.now]
    ended = await promotion_codes.of_coupons_that_ended(tx, [c.id for c in over])
    await write(tx, [*(_updated(replace(c, valid=False), c) for c in over), ended])


async def living(tx: Transaction, id: str, *, lock: bool = False, param: str | None = None) -> Coupon:
    """The coupon of this id. Raises Missing for a deleted one too, blaming `param` if the id came as a parameter."""
    coupon = await tx.need(Coupon, id, lock=lock, param=param)
    if coupon.deleted_at is not None:
        raise Missing("coupon", id, param)
    return coupon


def _updated(coupon: Coupon, was: Coupon) -> Decision:
    event = Event("coupon.updated", coupon, was)
    return Decision(updates=[Update(coupon, was)], events=[event])


async def _need_products(tx: Transaction, ids: Sequence[str]) -> None:
    """Raises Missing for the first product that is not there."""
    found = await tx.get(Product, ids)
    for number, id in enumerate(ids):
        if id not in found or found[id].deleted_at is not None:
            raise Missing("product", id, f"applies_to[products][{number}]")
