"""Of alerts, and of what is used and not billed yet."""

from __future__ import annotations

from tests.api.calls.filing import call
from tests.api.world import World


def threshold(w: World) -> dict:
    filters = [{"type": "customer", "customer": w.anna["id"]}]
    return {"meter": w.meter()["id"], "gte": 100, "recurrence": "one_time", "filters": filters}


def made(w: World) -> dict:
    return w.wire.post("/v1/billing/alerts", alert_type="usage_threshold", title="Many", usage_threshold=threshold(w))


def alert(w: World) -> str:
    return made(w)["id"]


@call("POST /v1/billing/alerts", alert_type="usage_threshold", title="Many loaves")
def _(w: World):
    return (), {"usage_threshold": threshold(w)}


@call("GET /v1/billing/alerts", alert_type="usage_threshold", limit=3)
def _(w: World):
    return (), {"meter": made(w)["usage_threshold"]["meter"]}


@call("GET /v1/billing/alerts/{}")
def _(w: World):
    return alert(w)


@call("POST /v1/billing/alerts/{}/deactivate")
def _(w: World):
    return alert(w)


@call("POST /v1/billing/alerts/{}/activate")
def _(w: World):
    id = alert(w)
    w.wire.post(f"/v1/billing/alerts/{id}/deactivate")
    return id


@call("POST /v1/billing/alerts/{}/archive")
def _(w: World):
    return alert(w)


@call("POST /voldaan/meters/{}/policy", late_events="credit")
def _(w: World):
    return w.meter()["id"]


@call("GET /voldaan/meters/{}/policy")
def _(w: World):
    return w.meter()["id"]


@call("GET /voldaan/customers/{}/usage")
def _(w: World):
    return w.anna["id"]
