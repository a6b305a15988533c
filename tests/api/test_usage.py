"""Usage over the wire: each event counted once, seen at once, and never lost without a word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import stripe

from tests.api.test_webhooks import Receiver, receiver  # noqa: F401  a fixture
from tests.api.waiting import until
from tests.api.wire import Wire
from tests.api.world import DAY, MONDAY, World
from tests.conftest import new_account
from voldaan.work import clock

HOUR = 3600


@pytest.fixture
def world(api_server: str, dsn: str) -> World:
    return World(Wire(api_server, new_account(dsn).secret_key))


def total(w: World, meter: str | None = None, customer: str | None = None) -> float:
    """What the meter has counted for the customer in the last two days."""
    now = clock.wall()
    path = f"/v1/billing/meters/{meter or w.loaves['id']}/event_summaries"
    start, end = now - now % 60 - 2 * DAY, now - now % 60 + 600
    page = w.wire.get(path, customer=customer or w.anna["id"], start_time=start, end_time=end)
    [summary] = page["data"]
    return summary["aggregated_value"]


def send(w: World, value: str = "1", **more: Any) -> Any:
    return w.wire.post("/v1/billing/meter_events", **w.usage(value, **more))


def test_an_event_is_counted_at_once_and_once(world: World):
    assert send(world, "2.5", identifier="monday")["identifier"] == "monday"
    assert total(world) == 2.5
    again = world.wire.refused("POST", "/v1/billing/meter_events", world.usage("9", identifier="monday"))
    assert (again.status, again.error["code"]) == (400, "duplicate_meter_event")
    assert again.error["message"] == "An event already exists with identifier monday."
    assert total(world) == 2.5


def test_an_event_comes_out_of_every_sum(world: World):
    kept, canceled = send(world, "2"), send(world, "5")
    send(world, "7", timestamp=clock.wall() - DAY)
    assert total(world) == 14
    taken_back = {"event_name": kept["event_name"], "type": "cancel", "cancel": {"identifier": canceled["identifier"]}}
    for _ in range(2):  # a second time changes nothing
        done = world.wire.post("/v1/billing/meter_event_adjustments", **taken_back)
        assert done["status"] == "complete"
        assert total(world) == 9
    again = world.wire.refused("POST", "/v1/billing/meter_events", world.usage("5", identifier=canceled["identifier"]))
    assert again.error["code"] == "duplicate_meter_event"
    nobody = {**taken_back, "cancel": {"identifier": "nobody"}}
    assert world.wire.refused("POST", "/v1/billing/meter_event_adjustments", nobody).error["param"] == "cancel[identifier]"
    elsewhere = {**taken_back, "event_name": "other"}
    assert world.wire.refused("POST", "/v1/billing/meter_event_adjustments", elsewhere).error["code"] == "resource_missing"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"event_name": "nothing"}, "no_meter", "event_name"),
        ({"payload": {"value": "1"}}, "meter_event_no_customer_defined", "payload[stripe_customer_id]"),
        ({"payload": {"stripe_customer_id": "cus_nobody", "value": "1"}}, "meter_event_customer_not_found", "payload"),
        ({"value": "many"}, "meter_event_invalid_value", "payload[value]"),
        ({"value": "1e5"}, "meter_event_invalid_value", "payload[value]"),
        ({"value": "1234567890.123456"}, "meter_event_value_too_many_digits", "payload[value]"),
        ({"timestamp": 36 * DAY}, "timestamp_too_far_in_past", "timestamp"),
        ({"timestamp": -600}, "timestamp_in_future", "timestamp"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_reason(world: World, change: dict[str, Any], code: str, param: str):
    event = world.usage(change.pop("value", "1"))
    if "timestamp" in change:
        change["timestamp"] = clock.wall() - change["timestamp"]
    answer = world.wire.refused("POST", "/v1/billing/meter_events", {**event, **change})
    assert (answer.error["code"], answer.error["param"]) == (code, param)
    assert total(world) == 0


def test_edges_of_the_window_are_inside(world: World):
    """On a test clock, where no second passes between two calls."""
    bert = world.customer(test_clock=world.clock(MONDAY)["id"])["id"]
    first, last = MONDAY - 35 * DAY, MONDAY + 300
    event = {"event_name": world.loaves["event_name"], "payload": {"stripe_customer_id": bert, "value": "1"}}
    for at in (first, last):
        world.wire.post("/v1/billing/meter_events", **event, timestamp=at)
    for at, code in ((first - 1, "timestamp_too_far_in_past"), (last + 1, "timestamp_in_future")):
        answer = world.wire.refused("POST", "/v1/billing/meter_events", {**event, "timestamp": at})
        assert answer.error["code"] == code
    path = f"/v1/billing/meters/{world.loaves['id']}/event_summaries"
    page = world.wire.get(path, customer=bert, start_time=first, end_time=last + 60)
    assert [summary["aggregated_value"] for summary in page["data"]] == [2]


def test_a_meter_that_is_off_counts_nothing_and_frees_its_name(world: World):
    name = world.loaves["event_name"]
    refused = world.wire.refused("POST", "/v1/billing/meters", {
        "display_name": "Twin", "event_name": name, "default_aggregation": {"formula": "count"}})  # fmt: skip
    assert refused.error["param"] == "event_name"
    world.wire.post(f"/v1/billing/meters/{world.loaves['id']}/deactivate")
    answer = world.wire.refused("POST", "/v1/billing/meter_events", world.usage())
    assert answer.error["code"] == "archived_meter"
    twin = world.meter(event_name=name)
    send(world)
    assert total(world, twin["id"]) == 1
    assert world.wire.refused("POST", f"/v1/billing/meters/{world.loaves['id']}/reactivate").error["param"] == "event_name"


def test_customers_of_another_account_and_deleted_ones_are_not_there(world: World, api_server: str, dsn: str):
    stranger = World(Wire(api_server, new_account(dsn).secret_key))
    for customer in (stranger.anna["id"], world.customer()["id"]):
        if customer != stranger.anna["id"]:
            world.wire.delete(f"/v1/customers/{customer}")
        event = {**world.usage(), "payload": {"stripe_customer_id": customer, "value": "1"}}
        answer = world.wire.refused("POST", "/v1/billing/meter_events", event)
        assert answer.error["code"] == "meter_event_customer_not_found"


def test_a_customer_on_a_clock_uses_at_its_time(world: World):
    moved = world.clock(MONDAY)
    bert = world.customer(test_clock=moved["id"])["id"]
    name = world.loaves["event_name"]
    for at in (None, MONDAY - 30 * DAY, MONDAY + 200):
        event: dict[str, Any] = {"event_name": name, "payload": {"stripe_customer_id": bert, "value": "3"}}
        world.wire.post("/v1/billing/meter_events", **(event if at is None else {**event, "timestamp": at}))
    late = {"event_name": name, "payload": {"stripe_customer_id": bert, "value": "3"}, "timestamp": clock.wall()}
    assert world.wire.refused("POST", "/v1/billing/meter_events", late).error["code"] == "timestamp_in_future"
    path = f"/v1/billing/meters/{world.loaves['id']}/event_summaries"
    days = world.wire.get(
        path, customer=bert, start_time=MONDAY - 35 * DAY, end_time=MONDAY + DAY, value_grouping_window="day", limit=100
    )["data"]
    assert len(days) == 36
    assert {(day["start_time"], day["aggregated_value"]) for day in days if day["aggregated_value"]} == {
        (MONDAY, 6), (MONDAY - 30 * DAY, 3),
    }  # fmt: skip


def test_summaries_by_hour_in_pages(world: World):
    hour = clock.wall() // HOUR * HOUR
    for back, value in ((0, "1"), (1, "2"), (3, "8")):
        send(world, value, timestamp=hour - back * HOUR)
    path = f"/v1/billing/meters/{world.loaves['id']}/event_summaries"
    asked = {
        "customer": world.anna["id"], "start_time": hour - 4 * HOUR, "end_time": hour + HOUR, "value_grouping_window": "hour",
    }  # fmt: skip
    whole = world.wire.get(path, **asked)["data"]
    assert [s["aggregated_value"] for s in whole] == [1, 2, 0, 8, 0]
    first = world.wire.get(path, **asked, limit=2)
    assert (first["data"], first["has_more"]) == (whole[:2], True)
    second = world.wire.get(path, **asked, limit=2, starting_after=first["data"][-1]["id"])
    assert (second["data"], second["has_more"]) == (whole[2:4], True)
    before = world.wire.get(path, **asked, limit=2, ending_before=second["data"][0]["id"])
    assert (before["data"], before["has_more"]) == (whole[:2], False)
    unaligned = {**asked, "start_time": hour - 60}
    assert world.wire.refused("GET", path, unaligned).error["param"] == "start_time"


def test_the_stream_takes_events_by_the_hundred_and_reports_what_it_cannot_count(world: World, api_server: str):
    client = stripe.StripeClient(
        world.wire.key, base_addresses={"api": api_server, "meter_events": api_server, "files": api_server, "connect": api_server}
    )
    session = client.v2.billing.meter_event_session.create()
    assert session.authentication_token.startswith("mest_")
    streaming = stripe.StripeClient(
        session.authentication_token,
        base_addresses={"api": api_server, "meter_events": api_server, "files": api_server, "connect": api_server},
    )
    at = datetime.now(UTC).isoformat()
    good = [world.usage("1", identifier=f"s{number}", timestamp=at) for number in range(97)]
    bad = [
        world.usage("much", identifier="bad"),
        {**world.usage(), "event_name": "nobody_listens"},
        world.usage("1", identifier="s0"),
    ]
    streaming.v2.billing.meter_event_stream.create({"events": good + bad})
    assert total(world) == 97
    listed = world.wire.get("/voldaan/meter_event_errors")["data"]
    assert {(e["code"], e["meter"]) for e in listed} == {("meter_event_invalid_value", world.loaves["id"]), ("no_meter", None)}
    world.wire.until("/v2/core/events", lambda page: len(page["data"]) == 2)
    told = {event.type: event for event in client.v2.core.events.list().data}
    of_meter = told["v1.billing.meter.error_report_triggered"]
    assert of_meter.related_object.id == world.loaves["id"]
    assert of_meter.data.reason.error_count == 1
    [kind] = of_meter.data.reason.error_types
    assert (kind.code, kind.error_count) == ("meter_event_invalid_value", 1)
    assert kind.sample_errors[0].request.identifier == "bad"
    assert told["v1.billing.meter.no_meter_found"].data.reason.error_types[0].code == "no_meter"
    assert of_meter.fetch_related_object().event_name == world.loaves["event_name"]


def test_the_stream_wants_its_token_and_nothing_else_takes_it(world: World):
    events = {"events": [world.usage()]}
    with_key = world.wire.refused(
        "POST", "/v2/billing/meter_event_stream", events, headers={"Authorization": f"Bearer {world.wire.key}"}
    )
    assert with_key.status == 401
    token = world.wire.post("/v2/billing/meter_event_session")["authentication_token"]
    elsewhere = world.wire.refused("GET", "/v1/customers", headers={"Authorization": f"Bearer {token}"})
    assert elsewhere.status == 401
    made_up = world.wire.refused(
        "POST", "/v2/billing/meter_event_stream", events, headers={"Authorization": "Bearer mest_acct_x_y"}
    )
    assert made_up.status == 401


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"events": []}, "events"),
        ({"events": [{"event_name": "a", "payload": {}, "color": "red"}]}, "events[0][color]"),
        ({"events": [{"payload": {}}]}, "events[0][event_name]"),
        ({"events": [{"event_name": "a", "payload": {"value": 1}}]}, "events[0][payload][value]"),
        ({"events": [{"event_name": "a", "payload": {}, "timestamp": "yesterday"}]}, "events[0][timestamp]"),
        ({"events": [{"event_name": "a", "payload": {}}] * 101}, "events"),
        ({"event": []}, "event"),
    ],
)
def test_a_malformed_stream_is_refused_as_a_whole(world: World, body: dict[str, Any], param: str):
    answer = world.wire.refused("POST", "/v2/billing/meter_event_stream", body)
    assert answer.error["param"] == param
    assert world.wire.get("/voldaan/meter_event_errors")["data"] == []


def test_ten_thousand_events_in_one_call(world: World):
    events = [world.usage("1", identifier=f"b{number}") for number in range(9_990)]
    events += [world.usage("1", identifier=f"b{number}") for number in range(5)] + [world.usage("x")] * 5
    path = "/voldaan/meter_events/bulk"
    answer = world.wire.post(path, events=events)
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (9_990, 5, 5)
    assert answer["rejections"][0]["index"] == 9_995
    again = world.wire.post(path, events=events[:100])
    assert (again["accepted"], again["duplicates"]) == (0, 100)
    assert total(world) == 9_990
    too_many = world.wire.refused("POST", path, {"events": events + events[:1]})
    assert too_many.error["param"] == "events"


def test_a_line_an_event(world: World):
    import json

    lines = "\n".join(json.dumps(world.usage("2", identifier=f"l{number}")) for number in range(3))
    answer = world.wire.http.post(
        f"{world.wire.address}/voldaan/meter_events/bulk",
        content=lines,
        headers={"Authorization": f"Bearer {world.wire.key}", "Content-Type": "application/x-ndjson"},
    )
    assert answer.json()["accepted"] == 3
    assert total(world) == 6


def test_meters_of_our_own_count_what_they_let_through(world: World):
    name = f"tokens_{uuid4().hex}"

    def own(formula: str, **more: Any) -> str:
        return world.wire.post(
            "/voldaan/meters", display_name=formula, event_name=name, default_aggregation={"formula": formula}, **more
        )["id"]

    largest, mean = own("max"), own("average", filter={"model": ["big"]})
    people = own("count_distinct", value_settings={"event_payload_key": "person"}, dimensions=["model"])
    for value, model, person in (("10", "big", "a"), ("20", "big", "b"), ("99", "small", "a")):
        payload = {"stripe_customer_id": world.anna["id"], "value": value, "model": model, "person": person}
        world.wire.post("/v1/billing/meter_events", event_name=name, payload=payload)
    assert [total(world, meter) for meter in (largest, mean, people)] == [99, 15, 2]
    payload = {"stripe_customer_id": world.anna["id"], "value": "1", "person": "c"}
    answer = world.wire.refused("POST", "/v1/billing/meter_events", {"event_name": name, "payload": payload})
    assert answer.error["code"] == "missing_dimension_payload_keys"
    assert total(world, largest) == 99  # counted for all or for none


def test_an_endpoint_that_asks_for_thin_events_gets_them_and_one_that_asks_for_all_does_not(
    world: World, receiver: Receiver, api_server: str  # noqa: F811
):
    thin = "v1.billing.meter.error_report_triggered"
    asked = world.wire.post("/v1/webhook_endpoints", url=receiver.url, enabled_events=[thin])
    world.wire.post("/v1/webhook_endpoints", url=f"{receiver.url}-of-all", enabled_events=["*"])
    report = world.error_report
    until(lambda: [body for body, _ in receiver.got if b"v2.core.event" in body], len)
    bodies = [(body, signature) for body, signature in receiver.got if b"v2.core.event" in body]
    assert len(bodies) == 1
    client = stripe.StripeClient(world.wire.key, base_addresses={"api": api_server})
    heard = client.parse_event_notification(*bodies[0], asked["secret"])
    assert (heard.id, heard.type) == (report["id"], thin)
    assert heard.fetch_event().data.reason.error_count == 1
    assert heard.fetch_related_object().id == world.loaves["id"]
