"""Of usage: meters and what they count."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from tests.api.calls.filing import call, plain
from tests.api.world import DAY, MONDAY, World


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
    return (), w.usage(identifier=f"sale-{uuid4()}")


@call("POST /v1/billing/meter_event_adjustments", type="cancel")
def _(w: World):
    sent = w.wire.post("/v1/billing/meter_events", **w.usage())
    return (), {"event_name": sent["event_name"], "cancel": {"identifier": sent["identifier"]}}


@call("GET /v1/billing/meters/{}/event_summaries", start_time=MONDAY, end_time=MONDAY + 2 * DAY, value_grouping_window="day")
def _(w: World):
    return w.meter()["id"], {"customer": w.anna["id"]}


@call("POST /v2/billing/meter_events")
def _(w: World):
    at = datetime.now(UTC).isoformat()
    return (), w.usage(identifier=f"sale-{uuid4()}", timestamp=at)


@call("POST /v2/billing/meter_event_adjustments", type="cancel")
def _(w: World):
    sent = w.wire.post("/v2/billing/meter_events", **w.usage())
    return (), {"event_name": sent["event_name"], "cancel": {"identifier": sent["identifier"]}}


plain("POST /v2/billing/meter_event_session")


@call("POST /v2/billing/meter_event_stream")
def _(w: World):
    return (), {"events": [w.usage(), w.usage("7", identifier=f"sale-{uuid4()}")]}


@call("GET /v2/core/events", limit=3, types=["v1.billing.meter.error_report_triggered"])
def _(w: World):
    assert w.error_report
    return ()


@call("GET /v2/core/events/{}")
def _(w: World):
    return w.error_report["id"]


@call("POST /voldaan/meters", display_name="Eaters", default_aggregation={"formula": "count_distinct"}, dimensions=["shop"],
      filter={"region": ["eu", "us"]}, value_settings={"event_payload_key": "eater"})  # fmt: skip
def _(w: World):
    return (), {"event_name": f"eaten_{uuid4().hex}"}


@call("POST /voldaan/meter_events/bulk")
def _(w: World):
    return (), {"events": [w.usage(), w.usage("many")]}


@call("GET /voldaan/meter_event_errors", limit=3)
def _(w: World):
    w.wire.post("/voldaan/meter_events/bulk", events=[w.usage("some")])
    return ()


@call("GET /voldaan/meters", status="active", limit=3)
def _(w: World):
    w.meter()
    return ()
