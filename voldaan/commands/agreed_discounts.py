"""Discounts that are agreed now and redeemed later: those of phases and of quotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.commands import billing, discounts, promotion_codes
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import Unset
from voldaan.resources.promotion_codes import PromotionCode
from voldaan.resources.subscription_schedules import PhaseDiscount
from voldaan.rules import coupons as coupon_rules
from voldaan.rules import promotion_codes as code_rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.promotion_codes import Redeemer
from voldaan.store.transaction import Missing, Transaction


async def know(
    tx: Transaction, facts: BillingFacts, wanted: Iterable[DiscountParams], customer: str | None
) -> Redeemer:
    """The coupons, codes and discounts that a request names, and who is to redeem them one day. Nothing is locked."""
    named, catalogue = list(wanted), facts.catalogue
    await billing.know(tx, facts, discounts=[want.discount for want in named if want.discount])
    codes = await tx.get(PromotionCode, [want.promotion_code for want in named])
    catalogue.promotion_codes |= codes
    catalogue.coupons |= await tx.get(Coupon, [*(w.coupon for w in named), *(code.coupon for code in codes.values())])
    return await discounts.redeemer(tx, customer, codes)


def agreed(
    facts: BillingFacts, who: Redeemer, wanted: Sequence[DiscountParams] | Unset | None, param: str, now: int
) -> list[PhaseDiscount]:
    """Coupons and codes that can be redeemed as of now, and discounts that are the customer's; all of them are known."""
    catalogue = facts.catalogue
    found = []
    for number, (kind, id) in enumerate(discounts.the_ones(wanted or (), param)):
        here = f"{param}[{number}][{kind}]"
        if kind == "discount":
            discount = catalogue.discounts.get(id)
            if discount is None or discount.customer not in (None, who.customer):
                raise Missing("discount", id, here)
            found.append(PhaseDiscount(discount=id))
            continue
        code = catalogue.promotion_codes.get(id) if kind == "promotion_code" else None
        if kind == "promotion_code" and code is None:
            raise Missing("promotion_code", id, here)
        coupon = catalogue.coupons.get(code.coupon if code else id)
        if coupon is None or coupon.deleted_at is not None:
            raise Missing("coupon", id, here)
        if no := code_rules.refusal(code, coupon, who, now, here) if code else coupon_rules.refusal(coupon, now, here):
            raise Refused(no)
        found.append(PhaseDiscount(promotion_code=id) if code else PhaseDiscount(coupon=id))
    return found


async def lock_coupons(tx: Transaction, facts: BillingFacts, named: Sequence[PhaseDiscount]) -> None:
    """The coupons and promotion codes that are to be redeemed now, locked."""
    codes = await tx.get(PromotionCode, [d.promotion_code for d in named])
    coupons = [*(d.coupon for d in named), *(code.coupon for code in codes.values())]
    facts.catalogue.coupons |= await tx.get(Coupon, coupons, lock=True)
    facts.catalogue.promotion_codes |= await tx.get(PromotionCode, codes, lock=True)  # after their coupons


async def codes_of_ended_coupons(tx: Transaction, decision: Decision) -> Decision:
    """A coupon that a decision has used up takes its promotion codes along."""
    valid = {u.was.id for u in decision.updates if isinstance(u.was, Coupon) and u.was.valid}
    ended = {u.new.id for u in decision.updates if isinstance(u.new, Coupon) and not u.new.valid} & valid
    known = [u.new.id for u in decision.updates if isinstance(u.new, PromotionCode)]
    return await promotion_codes.of_coupons_that_ended(tx, ended, known)
