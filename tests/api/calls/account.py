"""Of the account itself: its balance, its events."""

from __future__ import annotations

from tests.api.calls.filing import call, plain
from tests.api.world import World

plain("GET /v1/account")
plain("GET /v1/balance")
plain("GET /v1/balance_transactions", limit=3)
plain("GET /v1/events", limit=100)
plain("GET /v1/disputes", limit=3)
plain("GET /v1/payouts", limit=3)


@call("GET /v1/balance_transactions/{}")
def _(w: World):
    return w.charge()["balance_transaction"]


@call("GET /v1/events/{}")
def _(w: World):
    w.product()
    return w.wire.get("/v1/events", limit=1)["data"][0]["id"]
