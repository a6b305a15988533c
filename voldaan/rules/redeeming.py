"""Coupons and codes that were agreed in a phase or a quote, redeemed when their time comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from voldaan.resources.promotion_codes import PromotionCode
from voldaan.resources.subscription_schedules import PhaseDiscount
from voldaan.rules import coupons, promotion_codes
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.ids import NewId


@dataclass(slots=True)
class Redeeming:
    """Redeems for one customer, and puts what that writes into the decision. What was agreed stands: a coupon that has run out
    since counts all the same, only not beyond its maximum."""

    facts: BillingFacts
    decision: Decision
    customer: str
    now: int
    new_id: NewId

    def all(self, wanted: Sequence[PhaseDiscount], present: Sequence[str] = (), **owner: str) -> list[str]:
        """The ids of the discounts. A coupon that is on already is not redeemed a second time."""
        catalogue = self.facts.catalogue
        on = {catalogue.discounts[id].source.coupon: id for id in present if self._counts(id)}
        found = []
        for want in wanted:
            code = catalogue.promotion_codes.get(want.promotion_code or "")
            coupon = code.coupon if code else want.coupon
            if want.discount is not None:
                found.append(want.discount)
            elif coupon in on:
                found.append(on[coupon])
            elif coupon in catalogue.coupons:
                found.append(self._redeem(coupon, code, **owner))
        return found

    def _counts(self, id: str) -> bool:
        discount = self.facts.catalogue.discounts.get(id)
        return discount is not None and (discount.end is None or discount.end > self.now)

    def _redeem(self, coupon_id: str, code: PromotionCode | None, **owner: str) -> str:
        catalogue = self.facts.catalogue
        coupon = catalogue.coupons[coupon_id]
        by = code.id if code else None
        discount = coupons.discount(coupon, self.now, self.new_id, customer=self.customer, promotion_code=by, **owner)
        catalogue.discounts[discount.id] = discount
        self.decision.inserts.append(discount)
        if "subscription" in owner:
            self.decision.events.append(Event("customer.discount.created", discount))
        if coupon.max_redemptions is None or coupon.times_redeemed < coupon.max_redemptions:
            counted = catalogue.coupons[coupon_id] = coupons.redeemed(coupon)
            self.decision.updates.append(Update(counted, coupon))
        if code is not None and (code.max_redemptions is None or code.times_redeemed < code.max_redemptions):
            used = promotion_codes.redeemed(code)
            used = replace(used, active=used.active and catalogue.coupons[coupon_id].valid)
            catalogue.promotion_codes[code.id] = used
            self.decision.updates.append(Update(used, code))
            self.decision.events.append(Event("promotion_code.updated", used, code))
        return discount.id
