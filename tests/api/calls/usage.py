"""Of usage: meters and what they count."""

from __future__ import annotations

from uuid import uuid4

from tests.api.calls.filing import call
from tests.api.world import World


@call("POST /v1/billing/meters", display_name="Loaves", default_aggregation={"formula": "sum"}, event_time_window="hour",
      customer_mapping={"type": "by_id", "event_payload_key": "who"}, value_settings={"event_payload_key": "loaves"})  # fmt: skip
def _(w: World):
    return (), {"event_name": f"loaves_{uuid4().hex}"}


@call("GET /v1/billing/meters", status="active", limit=3)
def _(w: World):
    w.meter()
    return ()


@call("GET /v1/billing/meters/{}")
def _(w: World):
    return w.meter()["id"]


@call("POST /v1/billing/meters/{}", display_name="Bread")
def _(w: World):
    return w.meter()["id"]


@call("POST /v1/billing/meters/{}/deactivate")
def _(w: World):
    return w.meter()["id"]


@call("POST /v1/billing/meters/{}/reactivate")
def _(w: World):
    meter = w.meter()["id"]
    w.wire.post(f"/v1/billing/meters/{meter}/deactivate")
    return meter


@call("POST /v1/billing/meter_events")
def _(w: World):
    payload = {"stripe_customer_id": w.anna["id"], "value": "2.5"}
    return (), {"event_name": w.meter()["event_name"], "payload": payload}
