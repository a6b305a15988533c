"""Of reductions: promotion codes, and in time what else lowers a bill."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call
from tests.api.wire import JSON
from tests.api.world import World

FAR = 2_000_000_000


def promotion_code(w: World, **params: object) -> JSON:
    given = {"promotion": {"type": "coupon", "coupon": w.coupon()["id"]}, **params}
    return w.wire.post("/v1/promotion_codes", **given)


@call("POST /v1/promotion_codes", metadata=METADATA, max_redemptions=5, active=True,
      restrictions={"first_time_transaction": True, "minimum_amount": 500, "minimum_amount_currency": "eur",
                    "currency_options": {"usd": {"minimum_amount": 600}}})  # fmt: skip
def _(w: World):
    customer, coupon = w.customer()["id"], w.coupon()["id"]
    return (), {"customer": customer, "promotion": {"type": "coupon", "coupon": coupon}, "code": f"Hello-{coupon}",
                "expand": ["promotion.coupon", "customer", "restrictions.currency_options"]}  # fmt: skip


@call("GET /v1/promotion_codes", limit=3)
def _(w: World):
    made = promotion_code(w)
    return (), {"active": True, "code": made["code"].lower(), "coupon": made["promotion"]["coupon"]}


@call("GET /v1/promotion_codes/{}", expand=["promotion.coupon.applies_to"])
def _(w: World):
    return promotion_code(w)["id"]


@call("POST /v1/promotion_codes/{}", active=False, metadata={"0": ""})
def _(w: World):
    return promotion_code(w, metadata=METADATA)["id"]
