"""Of payments: intents, charges, refunds, disputes, payouts."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, SHIPPING, call
from tests.api.world import DAY, MONDAY, World


@call("POST /v1/payment_intents", amount=2599, currency="eur", confirm=True, description="Bread", metadata=METADATA,
      receipt_email="anna@example.com", shipping={**SHIPPING, "carrier": "bike", "tracking_number": "7"},
      statement_descriptor_suffix="BREAD", setup_future_usage="off_session",
      automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
      expand=["latest_charge.balance_transaction"])  # fmt: skip
def _(w: World):
    customer = w.customer()["id"]
    return (), {"customer": customer, "payment_method": w.attached(customer)["id"]}


@call("GET /v1/payment_intents", limit=3)
def _(w: World):
    w.paid_intent()
    return ()


@call("GET /v1/payment_intents/{}", expand=["customer", "payment_method", "latest_charge.refunds"])
def _(w: World):
    intent = w.paid_intent(customer=w.customer()["id"])
    w.wire.post("/v1/refunds", charge=intent["latest_charge"], amount=100)
    return intent["id"]


@call("POST /v1/payment_intents/{}", amount=3000, description="More", metadata=METADATA, receipt_email="b@example.com")
def _(w: World):
    return w.intent()["id"], {"customer": w.customer()["id"]}


@call("GET /v1/payment_intents/search", query='status:"succeeded"', limit=2)
def _(w: World):
    w.paid_intent()
    return ()


@call("POST /v1/payment_intents/{}/cancel", cancellation_reason="duplicate")
def _(w: World):
    return w.held_intent()["id"]


@call("POST /v1/payment_intents/{}/capture", amount_to_capture=1500, metadata=METADATA)
def _(w: World):
    return w.held_intent()["id"]


@call("POST /v1/payment_intents/{}/confirm", return_url="https://example.com/back")
def _(w: World):
    return w.intent()["id"], {"payment_method": w.method()["id"]}


@call("POST /v1/payment_intents/{}/increment_authorization", amount=3000)
def _(w: World):
    options = {"card": {"request_incremental_authorization": "if_available"}}
    return w.held_intent(payment_method_options=options)["id"]


call("POST /v1/payment_intents/{}/apply_customer_balance")(lambda w: w.intent()["id"])
call("POST /v1/payment_intents/{}/verify_microdeposits", amounts=[32, 45])(lambda w: w.intent()["id"])
call("POST /v1/setup_intents/{}/verify_microdeposits", amounts=[32, 45])(lambda w: w.setup_intent()["id"])


@call("GET /v1/mandates/{}", expand=["payment_method"])
def _(w: World):
    debit = w.wire.post(
        "/v1/payment_methods", type="sepa_debit", sepa_debit={"iban": "DE89370400440532013000"},
        billing_details={"name": "Anna", "email": "anna@example.com"},
    )  # fmt: skip
    accepted = {"customer_acceptance": {"type": "online", "online": {"ip_address": "203.0.113.7", "user_agent": "curl"}}}
    made = w.setup_intent(payment_method=debit["id"], customer=w.customer()["id"], confirm=True, mandate_data=accepted)
    return made["mandate"]


@call("GET /v1/payment_intents/{}/amount_details_line_items", limit=3)
def _(w: World):
    return w.intent()["id"]


@call("POST /v1/charges", amount=1200, currency="eur", source="tok_visa", description="Old style", metadata=METADATA)
def _(w: World):
    return ()


@call("GET /v1/charges", limit=3)
def _(w: World):
    w.charge()
    return ()


@call("GET /v1/charges/{}", expand=["balance_transaction", "customer", "payment_intent", "refunds"])
def _(w: World):
    charge = w.charge(customer=w.customer()["id"])
    w.wire.post("/v1/refunds", charge=charge["id"], amount=300, reason="duplicate")
    return charge["id"]


@call("POST /v1/charges/{}", description="Bread", metadata=METADATA, receipt_email="a@example.com", shipping=SHIPPING,
      fraud_details={"user_report": "safe"})  # fmt: skip
def _(w: World):
    return w.charge()["id"]


@call("GET /v1/charges/search", query='status:"succeeded"', limit=2)
def _(w: World):
    w.charge()
    return ()


@call("POST /v1/charges/{}/capture", amount=900)
def _(w: World):
    return w.wire.post("/v1/charges", amount=1200, currency="eur", source="tok_visa", capture=False)["id"]


@call("POST /v1/refunds", amount=700, reason="requested_by_customer", metadata=METADATA)
def _(w: World):
    return (), {"payment_intent": w.paid_intent()["id"]}


@call("GET /v1/refunds", limit=3)
def _(w: World):
    w.refund()
    return ()


@call("GET /v1/refunds/{}", expand=["charge", "balance_transaction", "payment_intent"])
def _(w: World):
    return w.refund()["id"]


@call("POST /v1/refunds/{}", metadata=METADATA)
def _(w: World):
    return w.refund()["id"]


call("POST /v1/refunds/{}/cancel")(lambda w: w.refund()["id"])
call("POST /v1/test_helpers/refunds/{}/expire")(lambda w: w.refund()["id"])


@call("GET /v1/charges/{}/refunds", limit=3)
def _(w: World):
    return w.refund()["charge"]


@call("POST /v1/charges/{}/refunds", amount=200)
def _(w: World):
    return w.charge()["id"]


@call("GET /v1/charges/{}/refunds/{}")
def _(w: World):
    refund = w.refund()
    return refund["charge"], refund["id"]


# A disputed charge, on a clock: disputes come some time after the payment ---------------------------------------------


def dispute(w: World, token: str = "tok_createDispute") -> str:
    clock = w.clock()["id"]
    customer = w.payer(token, test_clock=clock)
    w.intent(4000, customer=customer["id"], payment_method=customer["invoice_settings"]["default_payment_method"], confirm=True)
    w.advance(clock, MONDAY + DAY)
    return w.wire.get("/v1/disputes", limit=1)["data"][0]["id"]


call("GET /v1/disputes/{}", expand=["charge", "payment_intent"])(dispute)
call("POST /v1/disputes/{}", metadata=METADATA, submit=False, evidence={"customer_name": "Anna", "product_description": "Bread"})(
    dispute
)
call("POST /v1/disputes/{}/close")(dispute)


# Payouts, from a balance that is available at once --------------------------------------------------------------------


def payout(w: World) -> str:
    w.paid_intent(200_000, "tok_bypassPending")
    return w.wire.post("/v1/payouts", amount=500, currency="eur")["id"]


@call("POST /v1/payouts", amount=600, currency="eur", description="Rent", metadata=METADATA, statement_descriptor="RENT")
def _(w: World):
    w.paid_intent(200_000, "tok_bypassPending")
    return ()


call("GET /v1/payouts/{}", expand=["balance_transaction"])(payout)
call("POST /v1/payouts/{}/cancel")(payout)
call("POST /v1/payouts/{}/reverse", metadata=METADATA)(payout)
call("POST /v1/payouts/{}", metadata=METADATA)(payout)
