"""Of reductions: promotion codes and billing credits."""

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


def grant(w: World, **params: object) -> JSON:
    given = {
        "customer": w.customer()["id"],
        "amount": {"type": "monetary", "monetary": {"currency": "eur", "value": 1000}},
        "applicability_config": {"scope": {"price_type": "metered"}},
        **params,
    }
    return w.wire.post("/v1/billing/credit_grants", **given)


@call("POST /v1/billing/credit_grants", category="promotional", name="Welcome", metadata=METADATA, priority=10,
      amount={"type": "monetary", "monetary": {"currency": "usd", "value": 2500}}, effective_at=FAR - 1, expires_at=FAR,
      applicability_config={"scope": {"price_type": "metered"}}, expand=["customer", "test_clock"])  # fmt: skip
def _(w: World):
    return (), {"customer": w.customer()["id"]}


@call("GET /v1/billing/credit_grants", limit=3)
def _(w: World):
    return (), {"customer": grant(w)["customer"]}


@call("GET /v1/billing/credit_grants/{}", expand=["customer"])
def _(w: World):
    return grant(w)["id"]


@call("POST /v1/billing/credit_grants/{}", expires_at=FAR, metadata={"0": ""})
def _(w: World):
    return grant(w, metadata=METADATA)["id"]


@call("POST /v1/billing/credit_grants/{}/expire")
def _(w: World):
    return grant(w)["id"]


@call("POST /v1/billing/credit_grants/{}/void")
def _(w: World):
    return grant(w)["id"]


@call("GET /v1/billing/credit_balance_summary", expand=["customer"],
      filter={"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}})  # fmt: skip
def _(w: World):
    return (), {"customer": grant(w)["customer"]}


@call("GET /v1/billing/credit_balance_transactions", limit=3)
def _(w: World):
    made = grant(w)
    return (), {"customer": made["customer"], "credit_grant": made["id"]}


@call("GET /v1/billing/credit_balance_transactions/{}", expand=["credit_grant.customer"])
def _(w: World):
    made = grant(w)
    return w.wire.get("/v1/billing/credit_balance_transactions", credit_grant=made["id"])["data"][0]["id"]
