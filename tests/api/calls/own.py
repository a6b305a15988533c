"""Of what is ours, under /voldaan."""

from __future__ import annotations

from tests.api.calls.filing import call, plain
from tests.api.world import World

plain("GET /voldaan/billing_settings")
plain("POST /voldaan/billing_settings", draft_seconds=3600, retry_offsets="", retry_final_action="cancel", numbering="customer",
      timezone="UTC", will_be_due_days=0)  # fmt: skip


@call("GET /voldaan/invoices/{}/explain")
def _(w: World):
    return w.paid_invoice()["id"]


@call("GET /voldaan/customers/{}/billing_settings")
def _(w: World):
    return w.customer()["id"]


@call("POST /voldaan/customers/{}/billing_settings", timezone="Europe/Amsterdam")
def _(w: World):
    return w.customer()["id"]
