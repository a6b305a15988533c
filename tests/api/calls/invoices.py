"""Of invoices, their lines, their payments, and what waits for one."""

from __future__ import annotations

from tests.api.calls.filing import ADDRESS, METADATA, SHIPPING, call
from tests.api.world import DAY, MONDAY, World


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
    return (), {"customer": customer, "default_tax_rates": [w.vat["id"]], "discounts": [{"coupon": w.coupon()["id"]}],
                "shipping_cost": {"shipping_rate": w.shipping_rate()["id"]}}  # fmt: skip


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


RATE_DATA = {
    "display_name": "Express", "type": "fixed_amount", "tax_behavior": "exclusive", "tax_code": "txcd_92010001",
    "fixed_amount": {"amount": 900, "currency": "usd", "currency_options": {"eur": {"amount": 800, "tax_behavior": "exclusive"}}},
    "delivery_estimate": {"minimum": {"unit": "business_day", "value": 1}, "maximum": {"unit": "week", "value": 2}},
    "metadata": METADATA,
}  # fmt: skip


@call("POST /v1/invoices/{}", description="Changed", metadata=METADATA, footer="", auto_advance=False,
      shipping_cost={"shipping_rate_data": RATE_DATA}, expand=["shipping_cost.shipping_rate"])  # fmt: skip
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
