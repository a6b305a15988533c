"""Of quotes."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call
from tests.api.world import World


def quoted(w: World, *, final: bool = False, **more) -> dict:
    """Bread every month, and once an oven."""
    oven = w.price(9000, None)["id"]
    items = [{"price": w.monthly["id"], "quantity": 2}, {"price": oven, "tax_rates": [w.vat["id"]]}]
    made = w.wire.post("/v1/quotes", **{"customer": w.payer()["id"], "line_items": items, **more})
    return w.wire.post(f"/v1/quotes/{made['id']}/finalize") if final else made


@call("POST /v1/quotes", description="Bread for all", header="Offer", footer="Thank you", metadata=METADATA,
      collection_method="send_invoice", invoice_settings={"days_until_due": 14, "footer": "By transfer"},
      subscription_data={"trial_period_days": 7, "description": "Bread", "billing_mode": {"type": "flexible"}},
      expand=["customer", "line_items", "discounts", "default_tax_rates"])  # fmt: skip
def _(w: World):
    described = {"currency": "eur", "product": w.product()["id"], "unit_amount": 700, "recurring": {"interval": "month"}}
    items = [{"price": w.monthly["id"], "quantity": 3, "discounts": [{"coupon": w.coupon()["id"]}]}, {"price_data": described}]
    return (), {"customer": w.payer()["id"], "line_items": items, "default_tax_rates": [w.vat["id"]],
                "discounts": [{"coupon": w.coupon()["id"]}]}  # fmt: skip


@call("GET /v1/quotes", status="draft", limit=3)
def _(w: World):
    quoted(w)
    return ()


call("GET /v1/quotes/{}", expand=["customer", "line_items.data.price.product"])(lambda w: quoted(w, final=True)["id"])
call("POST /v1/quotes/{}/finalize")(lambda w: quoted(w)["id"])
call("POST /v1/quotes/{}/accept", expand=["subscription.latest_invoice", "invoice"])(lambda w: quoted(w, final=True)["id"])
call("POST /v1/quotes/{}/cancel")(lambda w: quoted(w)["id"])
call("GET /v1/quotes/{}/line_items", limit=5)(lambda w: quoted(w)["id"])
call("GET /v1/quotes/{}/computed_upfront_line_items", limit=5)(lambda w: quoted(w)["id"])
call("GET /v1/quotes/{}/pdf")(lambda w: quoted(w, final=True)["id"])


@call("POST /v1/quotes/{}", description="Less bread", metadata=METADATA)
def _(w: World):
    made = quoted(w)
    lines = w.wire.get(f"/v1/quotes/{made['id']}/line_items")["data"]
    return made["id"], {"line_items": [{"id": lines[0]["id"], "quantity": 1}]}
