"""How to call every operation that is served: with real objects, and with as many parameters as it sensibly takes.

    CALLS["POST /v1/invoices/{}/pay"](world)  ->  Call("/v1/invoices/in_1/pay", {...})

Placeholders are written {} since their names differ between the SDK and our route table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World

ADDRESS = {"city": "Delft", "country": "NL", "line1": "Markt 87", "line2": "2nd floor", "postal_code": "2611 GW", "state": "ZH"}
SHIPPING = {"address": ADDRESS, "name": "Anna", "phone": "+31 15 2602200"}
METADATA = {"shop": "Delft", "0": "zero"}


@dataclass
class Call:
    path: str
    params: JSON = field(default_factory=dict)


def key(method: str, path: str) -> str:
    """How an operation is filed in CALLS."""
    return f"{method} {re.sub(r'{[^}]*}', '{}', path)}"


CALLS: dict[str, Callable[[World], Call]] = {}

# Operations that we serve only to say, in the API's words, that they cannot be done here.
ALWAYS_REFUSED = {
    "DELETE /v1/customers/{}/discount",
    "POST /v1/refunds/{}/cancel",
    "POST /v1/payment_intents/{}/apply_customer_balance",
    "POST /v1/payment_intents/{}/increment_authorization",
    "POST /v1/payment_intents/{}/verify_microdeposits",
    "POST /v1/setup_intents/{}/verify_microdeposits",
    "POST /v1/payouts/{}/cancel",
    "POST /v1/payouts/{}/reverse",
    "POST /v1/test_helpers/refunds/{}/expire",
}


def call(operation: str, **params: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Files an operation. The function makes the objects and returns the ids for its placeholders, and more parameters."""

    def file(make: Callable[[World], Any]) -> Callable[[World], Any]:
        _, path = operation.split(" ")

        def build(world: World) -> Call:
            made = make(world)
            ids, more = made if isinstance(made, tuple) and made and isinstance(made[-1], dict) else (made, {})
            ids = [ids] if isinstance(ids, str) else list(ids or [])
            filled = path
            for id in ids:
                filled = filled.replace("{}", id, 1)
            assert "{}" not in filled, operation
            return Call(filled, {**params, **more})

        assert operation not in CALLS, operation
        CALLS[operation] = build
        return make

    return file


def plain(operation: str, **params: Any) -> None:
    """Files an operation that needs no object."""
    call(operation, **params)(lambda world: ())


# ---- account, balance, events ------------------------------------------------------------------------------------------

plain("GET /v1/account")
plain("GET /v1/balance")
plain("GET /v1/balance_transactions", limit=3)
plain("GET /v1/events", limit=100)
plain("GET /v1/disputes", limit=3)
plain("GET /v1/payouts", limit=3)


@call("GET /v1/balance_transactions/{}")
def _(w: World):
    return w.charge()["balance_transaction"]


@call("GET /v1/events/{}")
def _(w: World):
    w.product()
    return w.wire.get("/v1/events", limit=1)["data"][0]["id"]


# ---- catalogue ---------------------------------------------------------------------------------------------------------

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


# ---- customers ---------------------------------------------------------------------------------------------------------

plain("POST /v1/customers", name="Anna", email="anna@example.com", description="Baker", phone="+31612345678", address=ADDRESS,
      shipping=SHIPPING, metadata=METADATA, tax_exempt="reverse", balance=-500, preferred_locales=["nl", "en"],
      invoice_prefix="ANNA7", next_invoice_sequence=5, tax={"ip_address": "203.0.113.7"}, expand=["tax", "tax_ids"],
      tax_id_data=[{"type": "eu_vat", "value": "NL123456789B01"}], business_name="Bakery", individual_name="Anna",
      invoice_settings={"custom_fields": [{"name": "PO", "value": "17"}], "footer": "Thanks",
                        "rendering_options": {"amount_tax_display": "exclude_tax"}})  # fmt: skip


@call("GET /v1/customers", limit=3)
def _(w: World):
    w.customer()
    return ()


@call("GET /v1/customers/{}", expand=["tax", "tax_ids", "sources", "subscriptions", "cash_balance", "default_source",
                                      "invoice_settings.default_payment_method", "test_clock"])  # fmt: skip
def _(w: World):
    return w.payer(test_clock=w.clock()["id"])["id"]


@call("POST /v1/customers/{}", name="Bea", description="", phone="", address="", shipping="", metadata={"shop": ""},
      email="b@example.com", tax_exempt="exempt", balance=100, preferred_locales="")  # fmt: skip
def _(w: World):
    return w.customer(address=ADDRESS, shipping=SHIPPING, metadata=METADATA)["id"]


@call("DELETE /v1/customers/{}")
def _(w: World):
    return w.payer()["id"]


@call("GET /v1/customers/search", query='email:"anna@example.com"', limit=2)
def _(w: World):
    w.customer()
    return ()


@call("POST /v1/customers/{}/balance_transactions", amount=-700, currency="eur", description="Sorry", metadata=METADATA)
def _(w: World):
    return w.customer()["id"]


def credited(w: World) -> tuple[str, str]:
    customer = w.customer()["id"]
    made = w.wire.post(f"/v1/customers/{customer}/balance_transactions", amount=-700, currency="eur")
    return customer, made["id"]


@call("GET /v1/customers/{}/balance_transactions", limit=3)
def _(w: World):
    return credited(w)[0]


call("GET /v1/customers/{}/balance_transactions/{}", expand=["customer"])(credited)
call("POST /v1/customers/{}/balance_transactions/{}", description="Explained", metadata=METADATA)(credited)


@call("DELETE /v1/customers/{}/discount")
def _(w: World):
    return w.customer()["id"]  # no request of this version gives a customer a discount: subscriptions and invoices have them


@call("GET /v1/customers/{}/payment_methods", limit=3)
def _(w: World):
    return w.payer()["id"]


@call("GET /v1/customers/{}/payment_methods/{}")
def _(w: World):
    customer = w.customer()["id"]
    return customer, w.attached(customer)["id"]


@call("POST /v1/customers/{}/tax_ids", type="eu_vat", value="DE123456789")
def _(w: World):
    return w.customer()["id"]


def taxed(w: World) -> tuple[str, str]:
    customer = w.customer()["id"]
    return customer, w.wire.post(f"/v1/customers/{customer}/tax_ids", type="eu_vat", value="DE123456789")["id"]


@call("GET /v1/customers/{}/tax_ids", limit=3)
def _(w: World):
    return taxed(w)[0]


call("GET /v1/customers/{}/tax_ids/{}", expand=["customer"])(taxed)
call("DELETE /v1/customers/{}/tax_ids/{}")(taxed)


@call("POST /v1/tax_ids", type="eu_vat", value="FR12345678901")
def _(w: World):
    return (), {"owner": {"type": "customer", "customer": w.customer()["id"]}}


@call("GET /v1/tax_ids", limit=3)
def _(w: World):
    w.wire.post("/v1/tax_ids", type="eu_vat", value="FR12345678901")
    return ()


call("GET /v1/tax_ids/{}")(lambda w: taxed(w)[1])
call("DELETE /v1/tax_ids/{}")(lambda w: taxed(w)[1])

# ---- payment methods, setup intents ------------------------------------------------------------------------------------

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


# Paying --------------------------------------------------------------------------------------------------------------


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

# ---- invoices ----------------------------------------------------------------------------------------------------------


@call("POST /v1/invoiceitems", amount=1999, currency="eur", description="Cake", metadata=METADATA, discountable=True,
      period={"start": MONDAY, "end": MONDAY + 30 * DAY})  # fmt: skip
def _(w: World):
    return (), {"customer": w.customer()["id"], "tax_rates": [w.vat["id"]], "discounts": [{"coupon": w.coupon()["id"]}]}


@call("GET /v1/invoiceitems", pending=True, limit=3)
def _(w: World):
    w.item()
    return ()


@call("GET /v1/invoiceitems/{}", expand=["customer"])
def _(w: World):
    return w.item()["id"]


@call("POST /v1/invoiceitems/{}", amount=800, description="Smaller cake", metadata=METADATA)
def _(w: World):
    return w.item()["id"]


@call("DELETE /v1/invoiceitems/{}")
def _(w: World):
    return w.item()["id"]


@call("POST /v1/invoices", auto_advance=False, collection_method="send_invoice", days_until_due=14, description="March",
      footer="Thanks", metadata=METADATA, pending_invoice_items_behavior="include", shipping_details=SHIPPING,
      custom_fields=[{"name": "PO", "value": "17"}], statement_descriptor="BREAD",
      rendering={"amount_tax_display": "include_inclusive_tax"})  # fmt: skip
def _(w: World):
    customer = w.customer(address=ADDRESS)["id"]
    w.item(customer)
    return (), {"customer": customer, "default_tax_rates": [w.vat["id"]], "discounts": [{"coupon": w.coupon()["id"]}]}


@call("GET /v1/invoices", limit=3)
def _(w: World):
    w.draft()
    return ()


@call("GET /v1/invoices/{}", expand=["customer", "payments", "confirmation_secret", "discounts", "default_payment_method",
                                     "total_discount_amounts.discount", "lines.data.discounts"])  # fmt: skip
def _(w: World):
    customer = w.payer()["id"]
    draft = w.draft(customer, discounts=[{"coupon": w.coupon()["id"]}], default_tax_rates=[w.vat["id"]])
    return w.wire.post(f"/v1/invoices/{draft['id']}/finalize")["id"]


@call("POST /v1/invoices/{}", description="Changed", metadata=METADATA, footer="", auto_advance=False)
def _(w: World):
    return w.draft()["id"], {"default_tax_rates": [w.vat["id"]]}


@call("DELETE /v1/invoices/{}")
def _(w: World):
    return w.draft()["id"]


@call("GET /v1/invoices/search", query='status:"draft"', limit=2)
def _(w: World):
    w.draft()
    return ()


@call("POST /v1/invoices/create_preview", preview_mode="next")
def _(w: World):
    price = {"price": w.monthly["id"], "quantity": 2}
    return (), {"customer": w.customer()["id"], "subscription_details": {"items": [price]}}


@call("POST /v1/invoices/{}/finalize", auto_advance=False)
def _(w: World):
    return w.draft()["id"]


@call("POST /v1/invoices/{}/pay", expand=["payments.data.payment.payment_intent"])
def _(w: World):
    return w.open_invoice()["id"]


@call("POST /v1/invoices/{}/send")
def _(w: World):
    return w.sent_invoice()["id"]


@call("POST /v1/invoices/{}/void")
def _(w: World):
    return w.sent_invoice()["id"]


@call("POST /v1/invoices/{}/mark_uncollectible")
def _(w: World):
    return w.sent_invoice()["id"]


@call("POST /v1/invoices/{}/attach_payment")
def _(w: World):
    customer = w.payer()
    intent = w.paid_intent(1500, customer=customer["id"])
    return w.sent_invoice(customer=customer["id"])["id"], {"payment_intent": intent["id"]}


@call("GET /v1/invoices/{}/lines", limit=3, expand=["data.discounts"])
def _(w: World):
    return w.draft()["id"]


@call("POST /v1/invoices/{}/lines/{}", amount=1700, description="Larger", metadata=METADATA)
def _(w: World):
    draft = w.draft()
    return draft["id"], draft["lines"]["data"][0]["id"]


@call("POST /v1/invoices/{}/add_lines", lines=[{"amount": 300, "description": "Bag", "metadata": METADATA}])
def _(w: World):
    return w.draft()["id"]


@call("POST /v1/invoices/{}/update_lines")
def _(w: World):
    draft = w.draft()
    return draft["id"], {"lines": [{"id": draft["lines"]["data"][0]["id"], "amount": 1600, "description": "Other"}]}


@call("POST /v1/invoices/{}/remove_lines")
def _(w: World):
    draft = w.draft()
    return draft["id"], {"lines": [{"id": draft["lines"]["data"][0]["id"], "behavior": "delete"}]}


@call("GET /v1/invoice_payments", limit=3)
def _(w: World):
    w.paid_invoice()
    return ()


@call("GET /v1/invoice_payments/{}", expand=["invoice", "payment.payment_intent"])
def _(w: World):
    invoice = w.wire.get(f"/v1/invoices/{w.paid_invoice()['id']}", expand=["payments"])
    return invoice["payments"]["data"][0]["id"]


# ---- subscriptions -----------------------------------------------------------------------------------------------------


@call("POST /v1/subscriptions", description="Bread every month", metadata=METADATA, payment_behavior="allow_incomplete",
      expand=["latest_invoice.payments", "customer", "default_payment_method", "pending_setup_intent"],
      cancel_at_period_end=False, payment_settings={"save_default_payment_method": "on_subscription"})  # fmt: skip
def _(w: World):
    items = [{"price": w.monthly["id"], "quantity": 3, "metadata": {"line": "1"}}]
    more = [{"price": w.price(500, None)["id"]}]
    return (), {"customer": w.payer()["id"], "items": items, "add_invoice_items": more, "default_tax_rates": [w.vat["id"]],
                "discounts": [{"coupon": w.coupon()["id"]}]}  # fmt: skip


@call("GET /v1/subscriptions", status="all", limit=3)
def _(w: World):
    w.subscription()
    return ()


@call("GET /v1/subscriptions/{}", expand=["customer.invoice_settings.default_payment_method", "latest_invoice.lines", "discounts",
                                          "items.data.price.product", "schedule", "test_clock"])  # fmt: skip
def _(w: World):
    return w.subscription(w.payer()["id"], trial_period_days=14)["id"]


@call("POST /v1/subscriptions/{}", proration_behavior="create_prorations", metadata=METADATA, cancel_at_period_end=True)
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


@call("POST /v1/subscriptions/{}/migrate", billing_mode={"type": "flexible"})
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


# ---- test clocks, webhooks ---------------------------------------------------------------------------------------------

plain("POST /v1/test_helpers/test_clocks", frozen_time=MONDAY, name="Renewals")


@call("GET /v1/test_helpers/test_clocks", limit=3)
def _(w: World):
    w.clock()
    return ()


call("GET /v1/test_helpers/test_clocks/{}")(lambda w: w.clock()["id"])
call("POST /v1/test_helpers/test_clocks/{}/advance", frozen_time=MONDAY + DAY)(lambda w: w.clock()["id"])
call("DELETE /v1/test_helpers/test_clocks/{}")(lambda w: w.clock()["id"])


def endpoint(w: World) -> str:
    return w.wire.post("/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["plan.deleted"])["id"]


plain("POST /v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["plan.deleted"], description="Mine",
      metadata=METADATA)  # fmt: skip


@call("GET /v1/webhook_endpoints", limit=3)
def _(w: World):
    endpoint(w)
    return ()


call("GET /v1/webhook_endpoints/{}")(endpoint)
call("POST /v1/webhook_endpoints/{}", disabled=True, description="", enabled_events=["*"], url="https://example.org/x")(endpoint)
call("DELETE /v1/webhook_endpoints/{}")(endpoint)
