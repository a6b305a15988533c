"""Of what is ours, under /voldaan."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call, plain
from tests.api.world import DAY, MONDAY, World

plain("GET /voldaan/billing_settings")
plain("POST /voldaan/billing_settings", draft_seconds=3600, retry_offsets="", retry_final_action="cancel", numbering="customer",
      timezone="UTC", will_be_due_days=0)  # fmt: skip


@call("GET /voldaan/invoices/{}/explain")
def _(w: World):
    return w.paid_invoice()["id"]


plain("POST /voldaan/invoice_rendering_templates", nickname="Winter", footer="Until the thaw", memo="Thank you",
      accent_color="#0a7d5a", page_size="a4", metadata=METADATA)  # fmt: skip


@call("GET /voldaan/invoice_rendering_templates/{}")
def _(w: World):
    return template(w)


@call("POST /voldaan/invoice_rendering_templates/{}", footer="", memo="Thanks", metadata={"a": ""})
def _(w: World):
    return template(w)


@call("GET /v1/invoice_rendering_templates", status="active", limit=3)
def _(w: World):
    template(w)
    return ()


@call("GET /v1/invoice_rendering_templates/{}", version=1)
def _(w: World):
    return template(w)


@call("POST /v1/invoice_rendering_templates/{}/archive")
def _(w: World):
    return template(w)


@call("POST /v1/invoice_rendering_templates/{}/unarchive")
def _(w: World):
    return template(w)


def template(w: World) -> str:
    return w.wire.post("/voldaan/invoice_rendering_templates", footer="Until the thaw")["id"]


@call("POST /voldaan/replays", limit=10)
def _(w: World):
    cheaper = w.price(900)["id"]
    return (), {"start": MONDAY, "end": MONDAY + 10 * 365 * DAY, "prices": [{"price": w.monthly["id"], "replace_with": cheaper}]}


@call("GET /voldaan/customers/{}/billing_settings")
def _(w: World):
    return w.customer()["id"]


@call("POST /voldaan/customers/{}/billing_settings", timezone="Europe/Amsterdam")
def _(w: World):
    return w.customer()["id"]
