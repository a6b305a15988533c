"""Coupons: what may be asked for, whether one can still be redeemed, and what redeeming does to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.coupons import (
    Coupon,
    CouponAppliesTo,
    CouponCreate,
    CouponCurrencyOption,
    CouponCurrencyOptionParams,
    CouponUpdate,
)
from voldaan.resources.discounts import Discount, DiscountSource
from voldaan.resources.numbers import Number, plain
from voldaan.rules.decision import Refusal
from voldaan.rules.discounts import ends_at
from voldaan.rules.ids import NewId
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import exclusive, missing, refused


def make(params: CouponCreate, *, id: str, sort_key: str, at: int, livemode: bool) -> Coupon:
    """The coupon that these parameters describe."""
    _check_value(params)
    if params.duration == "repeating" and params.duration_in_months is None:
        raise missing("duration_in_months")
    if params.duration != "repeating" and params.duration_in_months is not None:
        raise refused("`duration_in_months` can only be set when `duration` is `repeating`.", "duration_in_months")
    if params.redeem_by is not None and params.redeem_by <= at:
        raise refused("`redeem_by` must be in the future.", "redeem_by")
    products = params.applies_to.products if params.applies_to else None
    return Coupon(
        id=id,
        amount_off=params.amount_off,
        applies_to=CouponAppliesTo(products=products) if products else UNSET,
        created=at,
        currency=params.currency if params.amount_off else None,
        currency_options=_options(params),
        duration=params.duration,
        duration_in_months=params.duration_in_months,
        livemode=livemode,
        max_redemptions=params.max_redemptions,
        metadata=merged({}, params.metadata),
        name=params.name or None,
        percent_off=Number(plain(params.percent_off)) if params.percent_off is not None else None,
        redeem_by=params.redeem_by,
        sort_key=sort_key,
    )


def update(coupon: Coupon, params: CouponUpdate) -> Coupon:
    """The coupon after an update. What it takes off never changes: discounts rely on it."""
    changed = replace(coupon, metadata=merged(coupon.metadata, params.metadata))
    if "name" in params.model_fields_set:
        changed = replace(changed, name=params.name or None)
    if params.currency_options is not None:
        if coupon.currency is None:
            raise refused("Only a coupon with `amount_off` can have `currency_options`.", "currency_options")
        more = _other_currencies(coupon.currency, params.currency_options)
        for currency, option in more.items():
            if currency in coupon.currency_options and coupon.currency_options[currency] != option:
                raise refused(
                    f"The coupon takes off another amount in {currency} already.", f"currency_options[{currency}]"
                )
        changed = replace(changed, currency_options={**coupon.currency_options, **more})
    return changed


def refusal(coupon: Coupon, now: int, param: str) -> Refusal | None:
    """Why the coupon cannot be redeemed at `now`; None if it can."""
    if coupon.redeem_by is not None and now >= coupon.redeem_by:
        return Refusal("coupon_expired", f"Coupon expired: {coupon.id}", param)
    if coupon.max_redemptions is not None and coupon.times_redeemed >= coupon.max_redemptions:
        return Refusal(
            "coupon_expired",
            f"This coupon has been redeemed the maximum number of times: {coupon.max_redemptions}",
            param,
        )
    return None


def redeemed(coupon: Coupon, times: int = 1) -> Coupon:
    """The coupon after it was redeemed `times` more."""
    count = coupon.times_redeemed + times
    used_up = coupon.max_redemptions is not None and count >= coupon.max_redemptions
    return replace(coupon, times_redeemed=count, valid=coupon.valid and not used_up)


def discount(coupon: Coupon, now: int, new_id: NewId, **owner: Any) -> Discount:
    """The discount that redeeming the coupon at `now` makes; `owner` names what it is on."""
    return Discount(
        id=new_id("di"),
        end=ends_at(now, coupon.duration, coupon.duration_in_months),
        source=DiscountSource(coupon=coupon.id),
        start=now,
        coupon=coupon.id,
        **owner,
    )


def amount_off(coupon: Coupon, currency: str) -> int | None:
    """Minor units of `currency` that the coupon takes off; None if it is a percentage or not offered in it."""
    if coupon.amount_off is None or currency == coupon.currency:
        return coupon.amount_off
    option = coupon.currency_options.get(currency)
    return option.amount_off if option else None


def _check_value(params: CouponCreate) -> None:
    if params.percent_off is not None and params.amount_off is not None:
        raise exclusive("percent_off", "amount_off")
    if params.percent_off is not None:
        if not Decimal(0) < params.percent_off <= 100:
            raise refused("`percent_off` must be greater than 0 and at most 100.", "percent_off")
        if params.currency_options:
            raise refused("Only a coupon with `amount_off` can have `currency_options`.", "currency_options")
        return
    if params.amount_off is None:
        raise refused("You must provide either `percent_off` or `amount_off`.", "percent_off", "parameter_missing")
    if params.currency is None:
        raise missing("currency")


def _options(params: CouponCreate) -> dict[str, CouponCurrencyOption]:
    if params.amount_off is None or params.currency is None:
        return {}
    own = {params.currency: CouponCurrencyOption(amount_off=params.amount_off)}
    return {**own, **_other_currencies(params.currency, params.currency_options or {})}


def _other_currencies(own: str, given: dict[str, CouponCurrencyOptionParams]) -> dict[str, CouponCurrencyOption]:
    if own in given:
        raise refused(f"`currency_options` repeats the currency of the coupon, {own}.", f"currency_options[{own}]")
    return {currency: CouponCurrencyOption(amount_off=option.amount_off) for currency, option in given.items()}
