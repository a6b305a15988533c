"""Refusals over HTTP: who may ask, what is asked, and that no input whatever is our own fault."""

from __future__ import annotations

import base64
import re
import time

import httpx
import psycopg
import pytest
import stripe

from tests.api.contract.checker import check_error
from tests.api.wire import Wire
from tests.conftest import new_account, sdk

VERSION = "2026-10-28.endive"


# ---- keys --------------------------------------------------------------------------------------------------------------


def basic(key: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{key}:{password}".encode()).decode()


def test_a_secret_key_is_taken_as_bearer_and_as_basic(wire):
    for header in (f"Bearer {wire.key}", f"bearer {wire.key}", f"Bearer  {wire.key}", basic(wire.key), basic(wire.key, "x")):
        assert wire.ok("GET", "/v1/customers", headers={"Authorization": header})["object"] == "list"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic", "Basic !!!", "Digest abc", "sk_test_123", "Basic " + base64.b64encode(b":x").decode()],
)
def test_without_a_key_nothing_is_answered(wire, header):
    answer = wire.refused("GET", "/v1/customers", headers={"Authorization": header})
    assert answer.status == 401
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["message"].startswith("You did not provide an API key.")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert check_error(answer.body) == []


WRONG_KEYS = ["sk_test_wrong", "sk_test_" + "a" * 90, "sk_live_" + "a" * 90, "é" * 20, "x" * 5000, "' or 1=1 --"]


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_a_wrong_key_is_refused_and_not_repeated(wire, key):
    answer = wire.refused("GET", "/v1/customers", headers={"Authorization": basic(key.encode().decode("latin-1"))})
    assert answer.status == 401
    assert answer.error["message"].startswith("Invalid API Key provided: ")
    assert key not in answer.error["message"]


def test_a_publishable_key_may_not_ask(api_server, dsn):
    pair = new_account(dsn)
    answer = Wire(api_server, pair.publishable_key).refused("GET", "/v1/customers")
    assert (answer.status, answer.error["code"]) == (403, "secret_key_required")


def test_the_sdk_says_which_kind_of_no_it_is(wire, dsn):
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided"):
        sdk(wire.address, "sk_test_wrong").v1.customers.list()
    with pytest.raises(stripe.PermissionError, match="publishable API key"):
        sdk(wire.address, new_account(dsn).publishable_key).v1.customers.list()
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_x'") as missing:
        sdk(wire.address, wire.key).v1.customers.retrieve("cus_x")
    assert (missing.value.http_status, missing.value.code, missing.value.param) == (404, "resource_missing", "id")
    assert missing.value.request_id.startswith("req_")


def test_a_revoked_key_stops_working_within_seconds(api_server, dsn):
    made = new_account(dsn)
    wire = Wire(api_server, made.secret_key)
    assert wire.send("GET", "/v1/customers").status == 200
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update api_keys set revoked_at = now() where account_id = %s", (made.account.id,))
    end = time.monotonic() + 5
    while wire.send("GET", "/v1/customers").status == 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert wire.refused("GET", "/v1/customers").status == 401


def test_a_key_is_asked_for_before_anything_else_is_said(wire):
    anyone = Wire(wire.address, "")
    for method, path in (("GET", "/v1/nothing"), ("POST", "/v1/customers?nope=1"), ("GET", "/v1/customers/cus_x")):
        assert anyone.refused(method, path, headers={"Authorization": ""}).status == 401


# ---- addresses, versions, headers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("GET", "/v1/customers/"), ("GET", "/v1/"), ("DELETE", "/v1/customers"), ("PUT", "/v1/customers"),
     ("PATCH", "/v1/customers"), ("POST", "/v1/customers/search"), ("GET", "/v1//customers"), ("GET", "/v2/nothing"),
     ("GET", "/v1/customers/cus_x/nothing"), ("GET", "/v1/" + "a/" * 500), ("GET", "/v1/..%2f..%2fetc/passwd")],
)  # fmt: skip
def test_an_unknown_address_is_named(wire, method, path):
    answer = wire.refused(method, path)
    assert answer.status == 404
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["message"].startswith("Unrecognized request URL (") or "No such" in answer.error["message"]


@pytest.mark.parametrize("version", ["2020-08-27", "2026-09-30.endive", "latest", "x" * 3000, "2026-10-28.endive; drop"])
def test_another_version_is_refused_rather_than_answered_in_the_wrong_words(wire, version):
    answer = wire.refused("GET", "/v1/customers", headers={"Stripe-Version": version})
    assert answer.status == 400
    assert VERSION in answer.error["message"]


def test_every_answer_says_which_request_and_version_it_is(wire):
    for method, path in (("GET", "/v1/customers"), ("GET", "/v1/nothing"), ("DELETE", "/v1/coupons/x?wat=1")):
        answer = wire.send(method, path)
        assert re.fullmatch(r"req_[A-Za-z0-9]{10,}", answer.headers["request-id"])
        assert answer.headers["stripe-version"] == VERSION
        assert answer.headers["content-type"] == "application/json"


def test_an_error_points_at_its_own_request(wire):
    answer = wire.refused("GET", "/v1/customers/cus_x")
    assert answer.error["request_log_url"].endswith(answer.headers["request-id"])


# ---- parameters --------------------------------------------------------------------------------------------------------

REFUSED = [
    # method, path, params, status, code, param, message
    ("POST", "/v1/customers", {"wat": 1}, 400, "parameter_unknown", "wat", "Received unknown parameter: wat"),
    ("POST", "/v1/customers", {"a": 1, "b": 2}, 400, "parameter_unknown", "a", "Received unknown parameters: a, b"),
    ("POST", "/v1/customers", {"address": {"zip": "1"}}, 400, "parameter_unknown", "address[zip]",
     "Received unknown parameter: address[zip]"),
    ("GET", "/v1/customers", {"wat": 1}, 400, "parameter_unknown", "wat", "Received unknown parameter: wat"),
    ("GET", "/v1/customers/cus_x", {"wat": 1}, 400, "parameter_unknown", "wat", "Received unknown parameter: wat"),
    ("DELETE", "/v1/customers/cus_x", {"wat": 1}, 400, "parameter_unknown", "wat", "Received unknown parameter: wat"),
    ("POST", "/v1/prices", {"unit_amount": 1}, 400, "parameter_missing", "currency", "Missing required param: currency."),
    ("POST", "/v1/prices", {"currency": "eur", "unit_amount": "1.5"}, 400, "parameter_invalid_integer", "unit_amount",
     "Invalid integer: 1.5"),
    ("POST", "/v1/customers", {"balance": "abc"}, 400, "parameter_invalid_integer", "balance", "Invalid integer: abc"),
    ("POST", "/v1/customers", {"tax_exempt": "maybe"}, 400, None, "tax_exempt",
     "Invalid tax_exempt: must be one of none, exempt, or reverse"),
    ("POST", "/v1/customers", {"email": "nonsense"}, 400, "email_invalid", "email", "Invalid email address: nonsense"),
    ("POST", "/v1/customers", {"name": ["a", "b"]}, 400, None, "name", 'Invalid string: {"0":"a","1":"b"}'),
    ("POST", "/v1/customers", {"address": "here"}, 400, None, "address", "Invalid object"),
    ("POST", "/v1/customers", {"preferred_locales": "nl"}, 400, None, "preferred_locales", "Invalid array"),
    ("POST", "/v1/products", {"name": ""}, 400, "parameter_invalid_empty", "name",
     "You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; however 'name' cannot "
     "be unset. You should remove 'name' from your request or supply a non-empty value."),
    ("POST", "/v1/products", {"name": "x", "active": "yes"}, 400, None, "active", "Invalid boolean: yes"),
    ("POST", "/v1/payment_intents", {"amount": 0, "currency": "eur"}, 400, None, "amount", None),
    ("POST", "/v1/payment_intents", {"amount": -1, "currency": "eur"}, 400, None, "amount", None),
    ("POST", "/v1/payment_intents", {"amount": 100, "currency": "euro"}, 400, None, "currency", None),
    ("POST", "/v1/payment_intents", {"amount": 100_000_000_000, "currency": "eur"}, 400, "amount_too_large", "amount", None),
    ("POST", "/v1/payment_intents", {"amount": 100, "currency": "eur", "payment_method_types": ["card"]}, 400,
     "payment_method_types_no_longer_supported", "payment_method_types", None),
    ("GET", "/v1/customers", {"limit": "abc"}, 400, "parameter_invalid_integer", "limit", "Invalid integer: abc"),
    ("GET", "/v1/customers", {"created": {"gte": "x"}}, 400, None, "created[gte]", None),
    ("GET", "/v1/customers", {"expand": ["data.nothing"]}, 400, "property_cannot_be_expanded", None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "params", "status", "code", "param", "message"), REFUSED,
    ids=[f"{m} {p} {'&'.join(map(str, q))}" for m, p, q, *_ in REFUSED],
)  # fmt: skip
def test_what_is_wrong_is_named(world, method, path, params, status, code, param, message):
    answer = world.wire.refused(method, path, params)
    assert answer.status == status, answer
    assert check_error(answer.body) == []
    error = answer.error
    if code:
        assert error["code"] == code
        assert error["doc_url"].endswith(code.replace("_", "-"))
    if param:
        assert error["param"] == param
    if message:
        assert error["message"] == message


BAD_BODIES = [
    ("name=%00", 400), ("name=%ff", 400), ("name=%zz", 400), ("a=1&a=2", 400), ("name=a&name[x]=b", 400), ("[]=1", 400),
    ("name" + "[a]" * 20 + "=1", 400), ("x" * 2000 + "=1", 400), ("&".join(f"a{i}=1" for i in range(1200)), 400),
    ("name=" + "a" * 1_100_000, 413), ("metadata[k]=" + "v" * 501, 400), ("name=" + "a" * 5001, 400), ("=", 400), ("====", 400),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BAD_BODIES, ids=[b[:30] for b, _ in BAD_BODIES])
def test_a_bad_body_is_refused(world, body, status):
    answer = world.wire.refused("POST", "/v1/customers", body)
    assert answer.status == status, answer
    assert check_error(answer.body) == []
    assert len(answer.raw) < 5000


def test_what_stands_in_the_address_and_in_the_body_cannot_contradict_itself(world):
    answer = world.wire.refused("POST", "/v1/customers?name=Anna", {"name": "Bea"})
    assert answer.error["message"] == "The parameter name was given more than once."
    assert world.wire.ok("POST", "/v1/customers?name=Anna", {"phone": "1"})["name"] == "Anna"


def test_json_is_not_what_v1_speaks(world):
    answer = world.wire.refused(
        "POST", "/v1/customers", '{"name": "Anna"}', headers={"Content-Type": "application/json"}
    )
    assert "application/x-www-form-urlencoded" in answer.error["message"]


def test_a_body_that_never_ends_is_cut_off(world):
    def endless():
        yield b"name="
        for _ in range(1000):
            yield b"a" * 10_000

    with httpx.Client(timeout=30) as client:
        try:
            got = client.post(
                f"{world.wire.address}/v1/customers", content=endless(), headers={"Authorization": f"Bearer {world.wire.key}"}
            )
        except httpx.WriteError:  # the server has answered and closed
            return
    assert got.status_code == 413


def test_a_clock_near_the_end_of_the_calendar_goes_on_until_there(world):
    """No interval after it is a date any more."""
    last = 253_402_300_799
    clock = world.clock(last - 40 * 86_400)["id"]
    world.advance(clock, last)
