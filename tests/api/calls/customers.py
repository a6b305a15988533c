"""Of customers: their balance, their tax ids, their methods of payment."""

from __future__ import annotations

from tests.api.calls.filing import ADDRESS, METADATA, SHIPPING, call, plain
from tests.api.world import World

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
