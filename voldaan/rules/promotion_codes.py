"""Promotion codes: what may be asked for, who may redeem one, and what redeeming does to it.

Amounts are minor units. Sources: docs/behaviour-billing.md, "Promotion codes".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from msgspec.structs import replace

from voldaan.resources.base import UNSET, UnsetType
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount
from voldaan.resources.promotion_codes import (
    MinimumAmount,
    MinimumAmountParams,
    Promotion,
    PromotionCode,
    PromotionCodeCreate,
    PromotionCodeRestrictions,
    PromotionCodeUpdate,
    RestrictionsParams,
)
from voldaan.rules.coupons import amount_off
from voldaan.rules.decision import Refusal
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import missing, refused

CODE = re.compile(r"[a-zA-Z0-9\-_]+")
FARTHEST = 5 * 365 * 86_400  # seconds from now
NOT_ACTIVE = "This promotion code is inactive."
ONLY_THEIRS = "This promotion code cannot be redeemed by this customer."
EXPIRED = "This promotion code has expired."
USED_UP = "This promotion code cannot be redeemed because it has been used the maximum number of times."
NOT_FIRST = "This promotion code cannot be redeemed because the associated customer has prior transactions."
NOBODY = "This promotion code can only be redeemed for the first transaction of a customer: name the customer."
TOO_LITTLE = (
    "This promotion code cannot be redeemed because the associated purchase does not meet the minimum amount requirement."
)
MAY_CHANGE = (
    "This promotion code cannot be redeemed on a subscription update because it uses the `minimum_amount` restriction and "
    "the amount may change."
)


def make(params: PromotionCodeCreate, coupon: Coupon, code: str, *, id: str, at: int, livemode: bool) -> PromotionCode:
    """The promotion code that these parameters describe. Refuses what its coupon does not allow."""
    if params.expires_at is not None:
        _check_expiry(params.expires_at, coupon, at)
    most = params.max_redemptions
    if most is not None and coupon.max_redemptions is not None and most > coupon.max_redemptions:
        raise refused(
            f"`max_redemptions` must not be greater than the coupon's, which is {coupon.max_redemptions}.", "max_redemptions"
        )
    if not CODE.fullmatch(code):
        pattern = r"(/\A[a-zA-Z0-9\-_]+\z/ does not match for the value "
        raise refused(f"This value must match the regex pattern. {pattern}{code}).", "code")
    return PromotionCode(
        id=id,
        active=params.active and coupon.valid,
        code=code,
        code_key=code.lower(),
        coupon=coupon.id,
        created=at,
        customer=params.customer,
        expires_at=params.expires_at,
        livemode=livemode,
        max_redemptions=most,
        metadata=merged({}, params.metadata),
        promotion=Promotion(coupon=coupon.id),
        restrictions=_restrictions(params.restrictions) if params.restrictions else PromotionCodeRestrictions(),
    )


def update(code: PromotionCode, params: PromotionCodeUpdate, coupon: Coupon, now: int) -> PromotionCode:
    """The code after an update. It can be made active again only while it can be redeemed."""
    changed = replace(code, metadata=merged(code.metadata or {}, params.metadata))
    if params.restrictions is not None and params.restrictions.currency_options is not None:
        said = code.restrictions
        more = _minimums(params.restrictions.currency_options, said.minimum_amount_currency)
        kept = {} if isinstance(said.currency_options, UnsetType) else said.currency_options
        both = {**kept, **more}
        changed = replace(changed, restrictions=replace(said, currency_options=both or UNSET))
    if params.active is None:
        return changed
    if params.active and not code.active and (no := _over(code, coupon, now)):
        raise refused(f"This promotion code cannot be made active: {no}", "active")
    return replace(changed, active=params.active)


@dataclass(frozen=True, slots=True)
class Redeemer:
    """Who redeems: the customer if there is one, and whether they have bought something before."""

    customer: str | None
    has_bought: bool = False


def refusal(code: PromotionCode, coupon: Coupon, who: Redeemer, now: int, param: str) -> Refusal | None:
    """Why this customer cannot redeem the code at `now`; None if they can, as far as amounts do not matter."""
    if over := _over(code, coupon, now):
        return Refusal("", over, param)
    if not code.active:
        return Refusal("", NOT_ACTIVE, param)
    if code.customer not in (None, who.customer):
        return Refusal("", ONLY_THEIRS, param)
    if not code.restrictions.first_time_transaction:
        return None
    if who.customer is None:
        return Refusal("promotion_code_customer_missing_first_time", NOBODY, param)
    return Refusal("promotion_code_customer_not_first_time", NOT_FIRST, param) if who.has_bought else None


def redeemed(code: PromotionCode) -> PromotionCode:
    """The code after it was redeemed once more."""
    count = code.times_redeemed + 1
    used_up = code.max_redemptions is not None and count >= code.max_redemptions
    return replace(code, times_redeemed=count, active=code.active and not used_up)


@dataclass(slots=True)
class Named:
    """What the discounts of a request name, by id: coupons and codes as they were before it, locked."""

    discounts: dict[str, Discount] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    codes: dict[str, PromotionCode] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redemption:
    """A coupon just redeemed, by a code or not, and the parameter that named it."""

    param: str
    coupon: Coupon
    code: PromotionCode | None = None


def not_for(redemption: Redemption, currency: str, purchase: int | None) -> Refusal | None:
    """Why it takes nothing off a purchase in this currency; None if it does.

    `purchase` is what is bought, before discounts and tax; None where the amount may still change.
    """
    coupon, code = redemption.coupon, redemption.code
    if coupon.percent_off is None and amount_off(coupon, currency) is None:
        return Refusal("", f"The coupon {coupon.id} takes off an amount in another currency than {currency}.", redemption.param)
    if code is None:
        return None
    least = minimum(code, currency)
    if least is None:
        return None
    if least < 0:
        return Refusal("", f"This promotion code has no `minimum_amount` in {currency}.", redemption.param)
    if purchase is None:
        return Refusal("", MAY_CHANGE, redemption.param)
    return Refusal("", TOO_LITTLE, redemption.param) if purchase < least else None


def minimum(code: PromotionCode, currency: str) -> int | None:
    """What a purchase in this currency must come to; None: nothing is asked, -1: it cannot be in this currency."""
    said = code.restrictions
    options = {} if isinstance(said.currency_options, UnsetType) else said.currency_options
    if said.minimum_amount is None and not options:
        return None
    if said.minimum_amount_currency == currency:
        return said.minimum_amount
    return options[currency].minimum_amount if currency in options else -1


def _over(code: PromotionCode, coupon: Coupon, now: int) -> str | None:
    """Why nobody can redeem it any more."""
    if code.expires_at is not None and now >= code.expires_at:
        return EXPIRED
    if code.max_redemptions is not None and code.times_redeemed >= code.max_redemptions:
        return USED_UP
    if not coupon.valid or coupon.deleted_at is not None:
        return "The coupon of this promotion code is no longer valid."
    return None


def _check_expiry(expires_at: int, coupon: Coupon, now: int) -> None:
    if expires_at <= now:
        raise refused(
            "The parameter `expires_at` expects a unix timestamp representing a date and time in the future. "
            f"You specified the value `{expires_at}` which is in the past.",
            "expires_at",
        )
    if expires_at > now + FARTHEST:
        raise refused("Invalid timestamp: can be no more than five years in the future.", "expires_at")
    if coupon.redeem_by is not None and expires_at > coupon.redeem_by:
        raise refused("`expires_at` must not be after the coupon's `redeem_by`.", "expires_at")


def _restrictions(given: RestrictionsParams) -> PromotionCodeRestrictions:
    if given.minimum_amount is not None and given.minimum_amount_currency is None:
        raise missing("restrictions[minimum_amount_currency]")
    if given.minimum_amount is None and given.minimum_amount_currency is not None:
        raise missing("restrictions[minimum_amount]")
    return PromotionCodeRestrictions(
        currency_options=_minimums(given.currency_options or {}, given.minimum_amount_currency) or UNSET,
        first_time_transaction=given.first_time_transaction,
        minimum_amount=given.minimum_amount,
        minimum_amount_currency=given.minimum_amount_currency,
    )


def _minimums(given: dict[str, MinimumAmountParams], own: str | None) -> dict[str, MinimumAmount]:
    found = {}
    for currency, option in given.items():
        here = f"restrictions[currency_options][{currency}]"
        if own is None:
            raise missing("restrictions[minimum_amount_currency]")
        if currency == own:
            raise refused("A currency option must be in another currency than `minimum_amount_currency`.", here)
        if option.minimum_amount is None:
            raise missing(f"{here}[minimum_amount]")
        found[currency] = MinimumAmount(minimum_amount=option.minimum_amount)
    return found
