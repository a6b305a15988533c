"""Of subscription schedules."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call
from tests.api.world import World


def scheduled(w: World, **more) -> dict:
    """A schedule whose first month runs, and whose second costs more."""
    phases = [
        {"items": [{"price": w.monthly["id"], "quantity": 2}], "duration": {"interval": "month"}},
        {"items": [{"price": w.monthly["id"], "quantity": 5}], "duration": {"interval": "year"}},
    ]
    given = {"customer": w.payer()["id"], "start_date": "now", "phases": phases, **more}
    return w.wire.post("/v1/subscription_schedules", **given)


@call("POST /v1/subscription_schedules", start_date="now", end_behavior="cancel", metadata=METADATA,
      expand=["customer", "subscription.latest_invoice", "phases.items.price", "phases.discounts.coupon"])  # fmt: skip
def _(w: World):
    once = {"price": w.price(500, None)["id"], "quantity": 1, "metadata": {"why": "fitting"},
            "period": {"start": {"type": "phase_start"}, "end": {"type": "phase_end"}}}  # fmt: skip
    items = [{"price": w.monthly["id"], "quantity": 3, "metadata": {"line": "1"}, "tax_rates": [w.vat["id"]]}]
    phases = [
        {"items": items, "discounts": [{"coupon": w.coupon()["id"]}], "add_invoice_items": [once], "description": "Ramp",
         "duration": {"interval": "month", "interval_count": 3}, "metadata": {"phase": "one"}},
        {"items": items, "default_tax_rates": [w.vat["id"]], "proration_behavior": "none", "collection_method": "send_invoice",
         "invoice_settings": {"days_until_due": 14, "footer": "Thanks"}, "billing_cycle_anchor": "phase_start"},
    ]  # fmt: skip
    return (), {"customer": w.payer()["id"], "phases": phases, "default_settings": {"description": "Bread"}}


@call("GET /v1/subscription_schedules", limit=3)
def _(w: World):
    scheduled(w)
    return ()


@call("GET /v1/subscription_schedules/{}", expand=["customer", "subscription", "default_settings.default_payment_method"])
def _(w: World):
    return scheduled(w)["id"]


@call("POST /v1/subscription_schedules/{}", metadata=METADATA, end_behavior="cancel", proration_behavior="always_invoice")
def _(w: World):
    made = scheduled(w)
    first = {"start_date": made["current_phase"]["start_date"], "end_date": made["current_phase"]["end_date"]}
    pause = {"pause_at": {"type": "now"}, "settings": {"invoicing_behavior": "invoice", "type": "subscription",
             "bill_for": {"unused_time_from": {"type": "item_current_period_start"}}}}  # fmt: skip
    resume = {"resume_at": {"type": "duration", "duration": {"interval": "day", "interval_count": 20}},
              "settings": {"payment_behavior": "resume_on_payment_attempt", "proration_behavior": "none"}}  # fmt: skip
    return made["id"], {"phases": [{"items": [{"price": w.monthly["id"], "quantity": 4}], **first}],
                        "pause_schedules": [{"key": "vacation", "pause": pause, "resume": resume}]}  # fmt: skip


@call("POST /v1/subscription_schedules/{}/cancel", invoice_now=True, prorate=True)
def _(w: World):
    return scheduled(w)["id"]


@call("POST /v1/subscription_schedules/{}/release", preserve_cancel_date=True)
def _(w: World):
    return scheduled(w, end_behavior="cancel")["id"]
