"""Promotion codes: made, changed, expired. Redeeming one makes a discount: commands/discounts.py."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from msgspec.structs import replace

from voldaan.commands import customers
from voldaan.resources.coupons import Coupon
from voldaan.resources.promotion_codes import PromotionCode, PromotionCodeCreate, PromotionCodeUpdate
from voldaan.rules import promotion_codes as rules
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.refusals import refused
from voldaan.store.ids import ALPHABET, new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

CODE_LETTERS = ALPHABET[:36]  # digits and capitals
CODE_LENGTH = 8


async def create(tx: Transaction, params: PromotionCodeCreate) -> PromotionCode:
    """A code for a coupon; one of ours if the caller has none."""
    if params.promotion.coupon is None:
        raise refused("You must pass promotion.coupon when passing promotion", "promotion.coupon")
    if params.customer is not None:
        await customers.living(tx, params.customer, param="customer")
    await _one_at_a_time(tx)
    coupon = await _coupon(tx, params.promotion.coupon, "promotion[coupon]")
    if params.active and not coupon.valid:
        raise refused("The coupon can no longer be redeemed.", "promotion[coupon]")
    code = rules.make(
        params, coupon, params.code or _new_code(), id=new_id("promo"), at=tx.now, livemode=tx.account.livemode
    )
    await _need_free(tx, code)
    due = [Due("promotion_code.expire", code.id, code.expires_at)] if code.expires_at is not None else []
    await write(tx, [Decision(inserts=[code], events=[Event("promotion_code.created", code)], due=due)])
    return code


async def update(tx: Transaction, params: PromotionCodeUpdate, id: str) -> PromotionCode:
    """The code with other metadata, more currencies, made inactive or active again."""
    if params.active:
        await _one_at_a_time(tx)
    coupon = await tx.need(Coupon, (await tx.need(PromotionCode, id)).coupon, lock=True)
    was = await tx.need(PromotionCode, id, lock=True)
    code = rules.update(was, params, coupon, tx.now)
    if code == was:
        return was
    if code.active and not was.active:
        await _need_free(tx, code)
    await write(tx, [changed(code, was)])
    return code


async def expire(tx: Transaction, ids: list[str]) -> None:
    """Handler of promotion_code.expire: from now on these cannot be redeemed."""
    codes = await tx.get(PromotionCode, ids, lock=True)
    over = [c for c in codes.values() if c.active and c.expires_at is not None and c.expires_at <= tx.now]
    await write(tx, [changed(replace(c, active=False), c) for c in over])


async def of_coupons_that_ended(tx: Transaction, coupons: Iterable[str], known: Iterable[str] = ()) -> Decision:
    """No code of these coupons is active any more. The coupons are locked; `known` are codes that the caller changes."""
    ids = sorted(coupons)
    decision = Decision()
    if ids:
        where = "t.coupon_id = any(%(ids)s) and t.active and not t.id = any(%(known)s)"
        for was in await tx.select(PromotionCode, where, "t.id for no key update", ids=ids, known=list(known)):
            decision.add(changed(replace(was, active=False), was))
    return decision


def changed(code: PromotionCode, was: PromotionCode) -> Decision:
    """What writes a changed code, and tells of it."""
    return Decision(updates=[Update(code, was)], events=[Event("promotion_code.updated", code, was)])


async def _one_at_a_time(tx: Transaction) -> None:
    """Codes of a book become active one after the other, for one without a customer must meet no other at all."""
    await tx.one(query("promotion_codes", "lock_book"))


async def _need_free(tx: Transaction, code: PromotionCode) -> None:
    """Refuses a code that some customer could already type in for another."""
    if code.active and await tx.one(
        query("promotion_codes", "holder"), key=code.code_key, customer=code.customer, id=code.id
    ):
        raise refused(f"An active promotion code with `code: {code.code}` already exists.")


async def _coupon(tx: Transaction, id: str, param: str) -> Coupon:
    coupon = await tx.need(Coupon, id, lock=True, param=param)
    if coupon.deleted_at is not None:
        raise Missing("coupon", id, param)
    return coupon


def _new_code() -> str:
    """One of 2.8 million million."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
