"""Of credit notes: before payment and after, by line and by amount, seen and voided."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call
from tests.api.wire import JSON
from tests.api.world import World


def of(invoice: JSON, **more: object) -> JSON:
    """Half of the invoice's one line."""
    line = invoice["lines"]["data"][0]
    return {"type": "invoice_line_item", "invoice_line_item": line["id"], "amount": 500, **more}


def note(w: World, invoice: JSON | None = None, **params: object) -> JSON:
    invoice = invoice or w.sent_invoice()
    return w.wire.post("/v1/credit_notes", invoice=invoice["id"], **({"lines": [of(invoice)]} | params))


@call("POST /v1/credit_notes", memo="Sorry", reason="product_unsatisfactory", metadata=METADATA, refund_amount=300,
      credit_amount=755, out_of_band_amount=155, email_type="none")  # fmt: skip
def _(w: World):
    customer = w.payer()["id"]
    rate = {"shipping_rate": w.shipping_rate()["id"]}
    draft = w.draft(
        customer, default_tax_rates=[w.vat["id"]], discounts=[{"coupon": w.coupon()["id"]}], shipping_cost=rate
    )
    w.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    paid = w.wire.post(f"/v1/invoices/{draft['id']}/pay")
    own = {"type": "custom_line_item", "unit_amount": 125, "quantity": 1, "description": "Delay", "tax_rates": [w.vat["id"]]}
    lines = [of(paid, metadata=METADATA), own]
    return (), {"invoice": paid["id"], "lines": lines, "shipping_cost": rate}


@call("GET /v1/credit_notes", limit=3)
def _(w: World):
    made = note(w)
    return (), {"invoice": made["invoice"], "customer": made["customer"]}


@call("GET /v1/credit_notes/preview", memo="Would be", reason="duplicate")
def _(w: World):
    invoice = w.sent_invoice()
    return (), {"invoice": invoice["id"], "lines": [of(invoice)]}


@call("GET /v1/credit_notes/preview/lines", limit=2)
def _(w: World):
    invoice = w.sent_invoice()
    return (), {"invoice": invoice["id"], "lines": [of(invoice)]}


@call("GET /v1/credit_notes/{}", expand=["customer", "invoice", "refunds.refund", "customer_balance_transaction"])
def _(w: World):
    return note(w, w.paid_invoice(), refund_amount=300, credit_amount=200)["id"]


@call("POST /v1/credit_notes/{}", memo="Changed", metadata=METADATA)
def _(w: World):
    return note(w)["id"]


@call("POST /v1/credit_notes/{}/void")
def _(w: World):
    return note(w)["id"]


@call("GET /v1/credit_notes/{}/lines", limit=3)
def _(w: World):
    return note(w)["id"]
