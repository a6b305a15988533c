"""Of test clocks and webhook endpoints."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call, plain
from tests.api.world import DAY, MONDAY, World

plain("POST /v1/test_helpers/test_clocks", frozen_time=MONDAY, name="Renewals")


@call("GET /v1/test_helpers/test_clocks", limit=3)
def _(w: World):
    w.clock()
    return ()


call("GET /v1/test_helpers/test_clocks/{}")(lambda w: w.clock()["id"])
call("POST /v1/test_helpers/test_clocks/{}/advance", frozen_time=MONDAY + DAY)(lambda w: w.clock()["id"])
call("DELETE /v1/test_helpers/test_clocks/{}")(lambda w: w.clock()["id"])


def endpoint(w: World) -> str:
    return w.wire.post("/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["plan.deleted"])["id"]


plain("POST /v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["plan.deleted"], description="Mine",
      metadata=METADATA)  # fmt: skip


@call("GET /v1/webhook_endpoints", limit=3)
def _(w: World):
    endpoint(w)
    return ()


call("GET /v1/webhook_endpoints/{}")(endpoint)
call("POST /v1/webhook_endpoints/{}", disabled=True, description="", enabled_events=["*"], url="https://example.org/x")(endpoint)
call("DELETE /v1/webhook_endpoints/{}")(endpoint)
