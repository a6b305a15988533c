"""Of subscriptions and their items."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call
from tests.api.world import DAY, MONDAY, World


@call("POST /v1/subscriptions", description="Bread every month", metadata=METADATA, payment_behavior="allow_incomplete",
      expand=["latest_invoice.payments", "customer", "default_payment_method", "pending_setup_intent"],
      billing_thresholds={"amount_gte": 1000, "reset_billing_cycle_anchor": True},
      cancel_at_period_end=False, payment_settings={"save_default_payment_method": "on_subscription"})  # fmt: skip
def _(w: World):
    counted = w.price(10, recurring={"interval": "month", "usage_type": "metered", "meter": w.meter()["id"]})
    items = [{"price": w.monthly["id"], "quantity": 3, "metadata": {"line": "1"}},
             {"price": counted["id"], "billing_thresholds": {"usage_gte": 50}}]  # fmt: skip
    more = [{"price": w.price(500, None)["id"]}]
    ahead = [{"key": "year", "applies_to": [{"type": "price", "price": w.monthly["id"]}],
              "bill_until": {"type": "duration", "duration": {"interval": "month", "interval_count": 2}}}]  # fmt: skip
    return (), {"customer": w.payer()["id"], "items": items, "billing_schedules": ahead, "add_invoice_items": more,
                "default_tax_rates": [w.vat["id"]], "discounts": [{"coupon": w.coupon()["id"]}]}  # fmt: skip


@call("GET /v1/subscriptions", status="all", limit=3)
def _(w: World):
    w.subscription()
    return ()


@call("GET /v1/subscriptions/{}", expand=["customer.invoice_settings.default_payment_method", "latest_invoice.lines", "discounts",
                                          "items.data.price.product", "schedule", "test_clock"])  # fmt: skip
def _(w: World):
    return w.subscription(w.payer()["id"], trial_period_days=14)["id"]


@call("POST /v1/subscriptions/{}", proration_behavior="create_prorations", metadata=METADATA, cancel_at_period_end=True,
      pending_invoice_item_interval={"interval": "week"})  # fmt: skip
def _(w: World):
    subscription = w.subscription(w.payer()["id"])
    return subscription["id"], {"items": [{"id": subscription["items"]["data"][0]["id"], "price": w.price(2500)["id"]}]}


@call("DELETE /v1/subscriptions/{}", prorate=True, cancellation_details={"comment": "Bye", "feedback": "unused"})
def _(w: World):
    return w.subscription(w.payer()["id"])["id"]


@call("GET /v1/subscriptions/search", query='status:"active"', limit=2)
def _(w: World):
    w.subscription()
    return ()


@call("DELETE /v1/subscriptions/{}/discount")
def _(w: World):
    return w.subscription(w.payer()["id"], discounts=[{"coupon": w.coupon()["id"]}])["id"]


@call("POST /v1/subscriptions/{}/migrate",
      billing_mode={"type": "flexible", "flexible": {"proration_discounts": "itemized"}})  # fmt: skip
def _(w: World):
    return w.subscription(w.payer()["id"], billing_mode={"type": "classic"})["id"]


@call("POST /v1/subscriptions/{}/pause", type="subscription", invoicing_behavior="invoice",
      bill_for={"unused_time_from": {"type": "now"}, "outstanding_usage_through": {"type": "none"}})  # fmt: skip
def _(w: World):
    return w.subscription(w.payer()["id"])["id"]


@call("POST /v1/subscriptions/{}/resume", billing_cycle_anchor={"type": "now"})
def _(w: World):
    clock = w.clock()["id"]
    customer = w.customer(test_clock=clock)["id"]
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    made = w.subscription(customer, trial_end=MONDAY + DAY, trial_settings=settings)
    w.advance(clock, MONDAY + 2 * DAY)
    card = w.attached(customer)["id"]
    w.wire.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": card})
    return made["id"]


@call("POST /v1/subscription_items", quantity=2, proration_behavior="none", metadata=METADATA)
def _(w: World):
    return (), {"subscription": w.subscription(w.payer()["id"])["id"], "price": w.price(700)["id"]}


@call("GET /v1/subscription_items", limit=3)
def _(w: World):
    return (), {"subscription": w.subscription()["id"]}


def subscribed_item(w: World) -> str:
    return w.subscription(w.payer()["id"])["items"]["data"][0]["id"]


call("GET /v1/subscription_items/{}", expand=["price.product"])(subscribed_item)
call("POST /v1/subscription_items/{}", quantity=4, metadata=METADATA, proration_behavior="always_invoice")(subscribed_item)


@call("DELETE /v1/subscription_items/{}", proration_behavior="create_prorations")
def _(w: World):
    items = [{"price": w.monthly["id"]}, {"price": w.price(300)["id"]}]
    return w.subscription(w.payer()["id"], items=items)["items"]["data"][1]["id"]
