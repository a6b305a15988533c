"""Of the catalogue: products, prices, plans, coupons, tax rates."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call, plain
from tests.api.world import World

plain("POST /v1/products", name="Rye bread", description="Dark", images=["https://example.com/rye.png"], metadata=METADATA,
      active=True, shippable=True, statement_descriptor="RYE", unit_label="loaf", url="https://example.com/rye",
      marketing_features=[{"name": "Fresh"}], package_dimensions={"height": "1.5", "length": 2, "weight": 3, "width": 4},
      default_price_data={"currency": "eur", "unit_amount": 350, "recurring": {"interval": "week"}})  # fmt: skip
plain("GET /v1/products", active=True, limit=3)


@call("GET /v1/products/{}")
def _(w: World):
    return w.product()["id"]


@call("POST /v1/products/{}", name="White bread", description="", images="", metadata={"a": ""}, active=False)
def _(w: World):
    return w.product()["id"]


@call("DELETE /v1/products/{}")
def _(w: World):
    return w.product()["id"]


@call("GET /v1/products/search", query='active:"true"', limit=2)
def _(w: World):
    w.product()
    return ()


@call("POST /v1/prices", currency="eur", unit_amount_decimal="12.345678901234", nickname="By weight", metadata=METADATA,
      tax_behavior="inclusive", recurring={"interval": "month", "interval_count": 3},
      currency_options={"usd": {"unit_amount": 15}}, product_data={"name": "Flour", "unit_label": "kg"})  # fmt: skip
def _(w: World):
    return ()


@call("GET /v1/prices", active=True, limit=3)
def _(w: World):
    w.price()
    return ()


@call("GET /v1/prices/{}")
def _(w: World):
    tiers = [{"up_to": 10, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 80, "flat_amount": 50}]
    price = w.wire.post("/v1/prices", currency="eur", product=w.bread["id"], billing_scheme="tiered", tiers_mode="volume",
                        tiers=tiers, recurring={"interval": "month"})  # fmt: skip
    return price["id"], {"expand": ["tiers", "currency_options", "product"]}


@call("POST /v1/prices/{}", nickname="Old", active=False, metadata=METADATA, tax_behavior="exclusive")
def _(w: World):
    return w.price()["id"]


@call("GET /v1/prices/search", query='active:"true"', limit=2)
def _(w: World):
    w.price()
    return ()


@call("POST /v1/plans", currency="eur", amount=700, interval="month", nickname="Old style", metadata=METADATA,
      trial_period_days=7, product={"name": "Legacy"})  # fmt: skip
def _(w: World):
    return ()


def plan(w: World) -> str:
    return w.wire.post("/v1/plans", currency="eur", amount=700, interval="month", product=w.bread["id"])["id"]


@call("GET /v1/plans", limit=3)
def _(w: World):
    plan(w)
    return ()


call("GET /v1/plans/{}")(plan)
call("POST /v1/plans/{}", nickname="New name", metadata=METADATA)(plan)
call("DELETE /v1/plans/{}")(plan)

plain("POST /v1/coupons", amount_off=500, currency="eur", duration="repeating", duration_in_months=3, max_redemptions=10,
      metadata=METADATA, name="Five off", redeem_by=2_000_000_000, currency_options={"usd": {"amount_off": 600}})  # fmt: skip


@call("GET /v1/coupons", limit=3)
def _(w: World):
    w.coupon()
    return ()


@call("GET /v1/coupons/{}", expand=["applies_to", "currency_options"])
def _(w: World):
    return w.coupon(applies_to={"products": [w.bread["id"]]})["id"]


@call("POST /v1/coupons/{}", name="Renamed", metadata=METADATA)
def _(w: World):
    return w.coupon()["id"]


@call("DELETE /v1/coupons/{}")
def _(w: World):
    return w.coupon()["id"]


plain("POST /v1/tax_rates", display_name="Sales tax", inclusive=True, percentage="8.8750", country="US", state="NY",
      jurisdiction="US - NY", description="New York", metadata=METADATA, tax_type="sales_tax", active=True)  # fmt: skip


plain("POST /v1/shipping_rates", display_name="Parcel", type="fixed_amount", tax_behavior="inclusive", metadata=METADATA,
      tax_code="txcd_92010001",
      fixed_amount={"amount": 450, "currency": "eur", "currency_options": {"usd": {"amount": 500, "tax_behavior": "exclusive"}}},
      delivery_estimate={"minimum": {"unit": "business_day", "value": 2}})  # fmt: skip


@call("GET /v1/shipping_rates", active=True, currency="eur", limit=3)
def _(w: World):
    w.shipping_rate()
    return ()


@call("GET /v1/shipping_rates/{}", expand=["tax_code"])
def _(w: World):
    return w.shipping_rate(tax_code="txcd_92010001")["id"]


@call("POST /v1/shipping_rates/{}", active=False, tax_behavior="exclusive", metadata=METADATA,
      fixed_amount={"currency_options": {"usd": {"amount": 600}}})  # fmt: skip
def _(w: World):
    return w.shipping_rate()["id"]


@call("GET /v1/tax_rates", active=True, inclusive=False, limit=3)
def _(w: World):
    w.tax_rate()
    return ()


@call("GET /v1/tax_rates/{}")
def _(w: World):
    return w.tax_rate()["id"]


@call("POST /v1/tax_rates/{}", display_name="BTW", active=False, description="", metadata=METADATA)
def _(w: World):
    return w.tax_rate()["id"]
