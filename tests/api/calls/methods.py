"""Of payment methods, setup intents and mandates."""

from __future__ import annotations

from tests.api.calls.filing import ADDRESS, METADATA, call, plain
from tests.api.world import World

plain("POST /v1/payment_methods", type="card", metadata=METADATA, allow_redisplay="always",
      card={"number": "4242424242424242", "exp_month": 11, "exp_year": 2034, "cvc": "314"},
      billing_details={"address": ADDRESS, "email": "a@example.com", "name": "Anna", "phone": "+3161"})  # fmt: skip


@call("GET /v1/payment_methods", limit=3)
def _(w: World):
    return (), {"customer": w.payer()["id"]}


@call("GET /v1/payment_methods/{}", expand=["customer"])
def _(w: World):
    return w.attached(w.customer()["id"])["id"]


@call("POST /v1/payment_methods/{}", metadata=METADATA, billing_details={"name": "Anna B."}, allow_redisplay="limited",
      card={"exp_month": 5, "exp_year": 2036})  # fmt: skip
def _(w: World):
    return w.attached(w.customer()["id"])["id"]


@call("POST /v1/payment_methods/{}/attach")
def _(w: World):
    return w.method()["id"], {"customer": w.customer()["id"]}


@call("POST /v1/payment_methods/{}/detach")
def _(w: World):
    return w.attached(w.customer()["id"])["id"]


@call("POST /v1/setup_intents", confirm=True, usage="off_session", description="For later", metadata=METADATA,
      return_url="https://example.com/back")  # fmt: skip
def _(w: World):
    return (), {"customer": w.customer()["id"], "payment_method": w.method()["id"]}


@call("GET /v1/setup_intents", limit=3)
def _(w: World):
    w.setup_intent()
    return ()


@call("GET /v1/setup_intents/{}", expand=["customer", "payment_method"])
def _(w: World):
    customer = w.customer()["id"]
    return w.setup_intent(customer=customer, payment_method=w.attached(customer)["id"])["id"]


@call("POST /v1/setup_intents/{}", description="Changed", metadata=METADATA)
def _(w: World):
    return w.setup_intent()["id"], {"payment_method": w.method()["id"]}


@call("POST /v1/setup_intents/{}/cancel", cancellation_reason="abandoned")
def _(w: World):
    return w.setup_intent()["id"]


@call("POST /v1/setup_intents/{}/confirm", return_url="https://example.com/back")
def _(w: World):
    return w.setup_intent()["id"], {"payment_method": w.method()["id"]}
