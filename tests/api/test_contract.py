"""Every operation that is served, called, and its answer held against the types of the official SDK."""

from __future__ import annotations

import json
import re

import pytest

from tests.api.calls import ALWAYS_REFUSED, CALLS, key
from tests.api.contract import sdk
from tests.api.contract.checker import check, check_error, check_operation
from tests.api.world import World
from voldaan.api.routes import ROUTES
from voldaan.resources.base import spec

SERVED = {key(method, path): (method, path) for method, path, *_ in ROUTES if path.startswith(("/v1/", "/v2/"))}
OWN = {key(method, path): (method, resource) for method, path, _, _, resource in ROUTES if path.startswith("/voldaan/")}


# Older addresses of what has one of its own by now; the SDK no longer uses them, clients written by hand do.
LEGACY = {"GET /v1/charges/{}/refunds", "POST /v1/charges/{}/refunds", "GET /v1/charges/{}/refunds/{}"}


def test_every_served_operation_is_one_of_the_sdk():
    unknown = set()
    for name, (method, path) in SERVED.items():
        try:
            sdk.operation(method, path)
        except KeyError:
            unknown.add(name)
    assert unknown == LEGACY


def test_every_served_operation_is_called_here():
    assert sorted((SERVED.keys() | OWN.keys()) ^ CALLS.keys()) == []


@pytest.mark.parametrize("operation", sorted(SERVED))
def test_an_answer_is_what_the_sdk_declares(world: World, operation: str):
    method, _ = SERVED[operation]
    call = CALLS[operation](world)
    if operation in ALWAYS_REFUSED:
        refused = world.wire.refused(method, call.path, call.params)
        assert refused.status == (404 if method == "DELETE" else 400)
        assert check_error(refused.body) == []
        return
    if not re.search(r"/refunds", call.path) and sdk.operation(method, call.path).streams:
        sent = world.wire.send(method, call.path, call.params)
        assert (sent.status, sent.headers["content-type"], sent.raw[:5]) == (200, "application/pdf", b"%PDF-")
        return
    answer = world.wire.ok(method, call.path, call.params)
    declared = re.sub(r"/charges/ch_\w+/refunds", "/refunds", call.path) if operation in LEGACY else call.path
    assert [str(p) for p in check_operation(method, declared, answer)] == []
    again = seen_again(world, method, answer)
    assert again is None or [str(p) for p in check(again, sdk.resources()[again["object"]])] == []


@pytest.mark.parametrize("operation", sorted(OWN))
def test_our_own_operations_answer_what_they_declare(world: World, operation: str):
    """The object's name, and none but the declared fields."""
    method, resource = OWN[operation]
    call = CALLS[operation](world)
    answer = world.wire.ok(method, call.path, call.params)
    if resource is None:
        assert answer["object"]
        return
    for each in answer["data"] if answer["object"] == "list" else [answer]:
        assert each["object"] == spec(resource).object
        assert each.keys() <= set(resource.__struct_fields__) | {"deleted"}


def seen_again(world: World, method: str, answer: dict) -> dict | None:
    """The object as it can be retrieved afterwards: deleted ones too, where they can still be seen."""
    place = RETRIEVED.get(answer.get("object", ""))
    if method == "GET" or place is None or "id" not in answer or answer["id"].startswith("upcoming_"):
        return None
    seen = world.wire.send("GET", f"{place}/{answer['id']}")
    assert seen.status == (404 if answer.get("deleted") and answer["object"] not in SEEN_WHEN_DELETED else 200), seen
    return seen.body if seen.status == 200 else None


RETRIEVED = {
    name: "/v1/" + path
    for name, path in {
        "customer": "customers", "product": "products", "price": "prices", "plan": "plans", "coupon": "coupons",
        "promotion_code": "promotion_codes", "billing.credit_grant": "billing/credit_grants",
        "tax_rate": "tax_rates", "shipping_rate": "shipping_rates",
        "invoice": "invoices", "invoiceitem": "invoiceitems", "subscription": "subscriptions",
        "subscription_schedule": "subscription_schedules", "quote": "quotes",
        "subscription_item": "subscription_items", "payment_intent": "payment_intents", "setup_intent": "setup_intents",
        "credit_note": "credit_notes", "charge": "charges", "refund": "refunds", "dispute": "disputes", "payout": "payouts",
        "payment_method": "payment_methods",
        "webhook_endpoint": "webhook_endpoints", "test_helpers.test_clock": "test_helpers/test_clocks",
        "billing.meter": "billing/meters", "billing.alert": "billing/alerts",
    }.items()
}  # fmt: skip
SEEN_WHEN_DELETED = {"customer", "test_helpers.test_clock"}


def test_events_carry_what_the_sdk_declares(world: World):
    """Of each type of event that the calls above have made, one; with the object that it tells of."""
    for make in ("product", "price", "paid_intent", "refund", "paid_invoice", "subscription"):
        getattr(world, make)()
    seen: dict[str, dict] = {}
    after: dict = {}
    while True:
        page = world.wire.get("/v1/events", limit=100, **after)
        for event in page["data"]:
            seen.setdefault(event["type"], event)
        if not page["has_more"]:
            break
        after = {"starting_after": page["data"][-1]["id"]}
    assert len(seen) >= 15
    problems = {type: [str(p) for p in check(event, "stripe.Event")] for type, event in seen.items()}
    assert {type: found for type, found in problems.items() if found} == {}


PLACES = [path for key_, (method, path) in SERVED.items() if method == "GET" and "{" not in path and not path.endswith("/search")]


NOT_LISTS = (
    "/v1/account", "/v1/balance", "/v1/billing/credit_balance_summary", "/v1/credit_notes/preview",
    "/v1/tax/associations/find", "/v1/tax/settings",
)  # fmt: skip


@pytest.mark.parametrize("path", [p for p in PLACES if p not in NOT_LISTS])
def test_everything_in_a_list_is_what_the_sdk_declares(world: World, path: str):
    """Whatever state the objects of this account are in by now."""
    call = CALLS[key("GET", path)](world)
    page = world.wire.get(path, **{**call.params, "limit": 100})
    assert path.startswith("/v2/") or page["url"] == path
    assert [str(p) for p in check_operation("GET", path, page)] == []
    assert page["data"], json.dumps(page)
