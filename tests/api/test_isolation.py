"""One account cannot see, use or change what belongs to another: not by path, not by parameter, not by cursor."""

from __future__ import annotations

import re

import pytest

from tests.api.calls import ALWAYS_REFUSED, CALLS, key, taxes
from tests.api.wire import Wire
from tests.api.world import World
from tests.conftest import new_account
from voldaan.api.routes import ROUTES

FOR_ALL = ("/v1/tax_codes", "/v1/tax_codes/{id}")  # the same list for everybody
OURS = [line for line in ROUTES if line[1] not in FOR_ALL]
ROUTED = sorted({key(method, path): method for method, path, *_ in OURS if "{" in path}.items())
LISTED = sorted({key(m, p): p for m, p, c, *_ in OURS if m == "GET" and "{" not in p and getattr(c, "many", False)}.items())
ID = re.compile(r"\b[a-z]{2,8}(?:_sched)?_[A-Za-z0-9]{14,}\b")


@pytest.fixture(scope="module")
def stranger(api_server, dsn) -> World:
    """Another account, with nothing in it but what a test makes."""
    return World(Wire(api_server, new_account(dsn, business_name="Stranger").secret_key))


@pytest.mark.parametrize(("operation", "method"), ROUTED, ids=[operation for operation, _ in ROUTED])
def test_the_ids_of_another_account_are_missing(world: World, stranger: World, operation: str, method: str):
    """Every operation that works for the owner answers a stranger as if the object were nowhere: 404, and nothing done."""
    call = CALLS[operation](world)
    theirs = stranger.wire.send(method, call.path, call.params)
    assert theirs.status in (400, 404), theirs  # 400 if a parameter is looked at before the path
    assert theirs.error["code"] == "resource_missing"
    nowhere = re.sub(ID, lambda id: id[0][:-4] + "zzzz", call.path)
    missing = stranger.wire.send(method, nowhere, call.params)
    assert missing.status == theirs.status, missing
    told = operation not in ALWAYS_REFUSED and blank(missing.error) != blank(theirs.error)
    assert not told, "a stranger can tell that the object exists"
    mine = world.wire.send(method, call.path, call.params)
    done = (mine.status == 200) is (operation not in ALWAYS_REFUSED)
    assert done, f"the stranger's request changed something: {mine}"


def blank(error: dict) -> dict:
    """An error without ids and addresses."""
    return {name: ID.sub("*", text) for name, text in error.items() if name != "request_log_url" and isinstance(text, str)}


POSTED = sorted({key(method, path) for method, path, *_ in ROUTES if method == "POST"})


@pytest.mark.parametrize("operation", POSTED)
def test_the_ids_of_another_account_cannot_be_given(world: World, stranger: World, operation: str):
    """Each id among the parameters replaced by the stranger's own object of that kind is refused."""
    call = CALLS[operation](world)
    for name, path in references(call.params):
        foreign = FOREIGN.get(name)
        if foreign is None:
            continue
        answer = world.wire.send("POST", call.path, replaced(call.params, path, foreign(stranger)))
        assert answer.status in (400, 404), f"{name} of another account was taken: {answer}"
        assert answer.error["code"] == "resource_missing", answer


FOREIGN = {
    "customer": lambda w: w.anna["id"],
    "payment_method": lambda w: w.attached(w.anna["id"])["id"],
    "default_payment_method": lambda w: w.attached(w.anna["id"])["id"],
    "product": lambda w: w.bread["id"],
    "price": lambda w: w.monthly["id"],
    "coupon": lambda w: w.coupon()["id"],
    "shipping_rate": lambda w: w.shipping_rate()["id"],
    "tax_rate": lambda w: w.vat["id"],
    "default_tax_rates": lambda w: w.vat["id"],
    "tax_rates": lambda w: w.vat["id"],
    "payment_intent": lambda w: w.paid_intent()["id"],
    "charge": lambda w: w.charge()["id"],
    "invoice": lambda w: w.draft()["id"],
    "subscription": lambda w: w.subscription()["id"],
    "test_clock": lambda w: w.clock()["id"],
    "calculation": taxes.calculation,
    "original_transaction": taxes.transaction,
    "performance_location": taxes.place,
    "id": lambda w: w.subscription()["items"]["data"][0]["id"],
}


def references(params, path=()):
    """(name, path) of every id in the parameters; an id in a list is called as the list is."""
    if isinstance(params, dict):
        for name, value in params.items():
            yield from references(value, (*path, name))
    elif isinstance(params, list):
        for index, value in enumerate(params):
            yield from references(value, (*path, index))
    elif isinstance(params, str) and (ID.fullmatch(params) or (path and path[-1] == "coupon")):
        yield next(step for step in reversed(path) if isinstance(step, str)), path


def replaced(params, path, value):
    if not path:
        return value
    if isinstance(params, dict):
        return {k: replaced(v, path[1:], value) if k == path[0] else v for k, v in params.items()}
    return [replaced(v, path[1:], value) if i == path[0] else v for i, v in enumerate(params)]


@pytest.mark.parametrize(("operation", "path"), LISTED, ids=[operation for operation, _ in LISTED])
def test_lists_show_nothing_of_another_account(world: World, stranger: World, operation: str, path: str):
    call = CALLS[operation](world)
    found = world.wire.get(path, **call.params)["data"]
    assert found
    cursor = {"starting_after": found[0]["id"]} if not path.endswith("/search") else {}
    parents = {k: v for k, v in call.params.items() if k in ("customer", "invoice", "subscription")}
    answer = stranger.wire.send("GET", path, {**call.params, **cursor})
    if cursor:
        assert (answer.status, answer.error["code"]) == (400, "resource_missing"), answer
    ids = {o["id"] for o in found}
    shown = stranger.wire.send("GET", path, {**call.params, "limit": 100})
    if parents:
        assert shown.status in (400, 404) or shown.body["data"] == [], shown
    else:
        assert not ids & {o["id"] for o in shown.body["data"]}


def test_events_tell_nothing_of_another_account(world: World, stranger: World):
    product = world.product(name="Secret recipe")
    assert "Secret recipe" in str(world.wire.get("/v1/events", limit=5))
    assert product["id"] not in str(stranger.wire.get("/v1/events", limit=100))


def test_live_and_test_are_two_books(api_server, dsn):
    live = new_account(dsn, business_name="Live bakery", livemode=True)
    assert live.secret_key.startswith("sk_live_")
    wire = Wire(api_server, live.secret_key)
    assert wire.post("/v1/customers", name="Anna")["livemode"] is True
    assert wire.get("/v1/events")["data"][0]["livemode"] is True
    for path, params in (
        ("/v1/test_helpers/test_clocks", {"frozen_time": 1_772_409_600}),
        ("/v1/payment_methods", {"type": "card", "card": {"token": "tok_visa"}}),
        ("/v1/payment_methods", {"type": "card", "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2035}}),
        ("/v1/payment_intents", {"amount": 100, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}),
    ):
        refused = wire.refused("POST", path, params)
        assert refused.status == 400, "nothing that is only for tests works with real money"
        assert "4242424242424242" not in str(refused)
