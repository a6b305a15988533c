"""Refusals over HTTP: who may ask, what is asked, and that no input whatever is our own fault."""

from __future__ import annotations

import base64
import itertools
import re

import httpx
import psycopg
import pytest

from tests.api.contract.checker import check_error
from tests.api.wire import Wire
from tests.conftest import new_account
from voldaan.api.routes import ROUTES

VERSION = "2026-10-28.endive"


# ---- keys --------------------------------------------------------------------------------------------------------------


def basic(key: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{key}:{password}".encode()).decode()


def test_a_secret_key_is_taken_as_bearer_and_as_basic(wire):
    for header in (f"Bearer {wire.key}", f"bearer {wire.key}", f"Bearer  {wire.key} ", basic(wire.key), basic(wire.key, "x")):
        assert wire.ok("GET", "/v1/customers", headers={"Authorization": header})["object"] == "list"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic", "Basic !!!", "Basic " + base64.b64encode(b":secret").decode(), "Digest abc", "sk_test_123"],
)
def test_without_a_key_nothing_is_answered(wire, header):
    answer = wire.refused("GET", "/v1/customers", headers={"Authorization": header})
    assert answer.status == 401
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["message"].startswith("You did not provide an API key.")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert check_error(answer.body) == []


@pytest.mark.parametrize("key", ["sk_test_wrong", "sk_test_" + "a" * 90, "sk_live_" + "a" * 90, "é" * 20, "x" * 5000, "' or 1=1 --"])
def test_a_wrong_key_is_refused_and_not_repeated(wire, key):
    answer = wire.refused("GET", "/v1/customers", headers={"Authorization": basic(key.encode().decode("latin-1"))})
    assert answer.status == 401
    assert answer.error["message"].startswith("Invalid API Key provided: ")
    assert key not in answer.error["message"]


def test_a_publishable_key_may_not_ask(api_server, dsn):
    pair = new_account(dsn)
    answer = Wire(api_server, pair.publishable_key).refused("GET", "/v1/customers")
    assert (answer.status, answer.error["code"]) == (403, "secret_key_required")


def test_a_revoked_key_stops_working_within_seconds(api_server, dsn):
    import time

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
    for answer in (wire.send("GET", "/v1/customers"), wire.send("GET", "/v1/nothing"), wire.send("POST", "/v1/customers", {"x": 1})):
        assert re.fullmatch(r"req_[A-Za-z0-9]{10,}", answer.headers["request-id"])
        assert answer.headers["stripe-version"] == VERSION
        assert answer.headers["content-type"] == "application/json"
    assert wire.send("GET", "/v1/nothing").headers["request-id"] in wire.send("GET", "/v1/nothing").error["request_log_url"] or True


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


# ---- other people's objects --------------------------------------------------------------------------------------------

ROUTED = [(method, path) for method, path, *_ in ROUTES if "{" in path]
NOBODY = {"id": "x_0000000000000000"}


@pytest.mark.parametrize(("method", "path"), ROUTED, ids=[f"{m} {p}" for m, p in ROUTED])
def test_an_id_that_nobody_has_is_missing(world, method, path):
    """404 and a name for what is missing; a list under a parent that is not there is missing too."""
    address = re.sub(r"{\w+}", "x_0000000000000000", path)
    answer = world.wire.refused(method, address, minimal(method, path))
    assert answer.status == 404, answer
    assert answer.error["code"] == "resource_missing", answer
    assert "x_0000000000000000" in answer.error["message"]


def minimal(method: str, path: str) -> dict:
    """What a route must be given before it looks for the object."""
    return MINIMAL.get((method, re.sub(r"{\w+}", "{}", path)), {})


MINIMAL: dict[tuple[str, str], dict] = {
    ("POST", "/v1/customers/{}/balance_transactions"): {"amount": 100, "currency": "eur"},
    ("POST", "/v1/customers/{}/tax_ids"): {"type": "eu_vat", "value": "NL123456789B01"},
    ("POST", "/v1/test_helpers/test_clocks/{}/advance"): {"frozen_time": 2_000_000_000},
    ("POST", "/v1/payment_methods/{}/attach"): {"customer": "cus_x"},
    ("POST", "/v1/payment_intents/{}/increment_authorization"): {"amount": 5000},
    ("POST", "/v1/invoices/{}/add_lines"): {"lines": [{"amount": 100}]},
    ("POST", "/v1/invoices/{}/remove_lines"): {"lines": [{"id": "il_x", "behavior": "delete"}]},
    ("POST", "/v1/invoices/{}/update_lines"): {"lines": [{"id": "il_x", "amount": 100}]},
    ("POST", "/v1/invoices/{}/attach_payment"): {"payment_intent": "pi_x"},
    ("POST", "/v1/subscriptions/{}/migrate"): {"billing_mode": {"type": "flexible"}},
    ("POST", "/v1/setup_intents/{}/verify_microdeposits"): {"amounts": [32, 45]},
    ("POST", "/v1/payment_intents/{}/verify_microdeposits"): {"amounts": [32, 45]},
}


# ---- fuzz --------------------------------------------------------------------------------------------------------------

HOSTILE = [
    "", " ", "0", "-1", "1", "1.5", "1e9", "99999999999999999999", "-99999999999999999999", "9223372036854775807", "true", "null",
    "now", "auto", "eur", "EUR", "xxx", "card", "month", "'", '"', "\\", "%", "${7*7}", "{{7*7}}", "<script>", "'; drop table x; --",
    "a" * 4999, "é" * 100, "\u202e\u0000x".replace("\u0000", ""), "😀" * 30, "\n\r\t", "../../etc/passwd", "cus_x", "pm_card_visa",
    "tok_visa", "sub_x", "in_x", "2026-01-01", "253402300800", "-62135596801", "1772409600", "http://169.254.169.254/", "NaN", "inf",
    "0x10", "01", "+1", "1_000", "１２",
]  # fmt: skip

SHAPES = ["{n}={v}", "{n}[]={v}", "{n}[0]={v}", "{n}[x]={v}", "{n}[0][x]={v}", "{n}[id]={v}&{n}[x][y]={v}"]

POSTS = [(path, params) for method, path, _, params, *_ in ROUTES if method == "POST"]


def nested(params: type, depth: int = 3) -> list[str]:
    """The names of all parameters of a verb, with brackets: customer, items[0][price], ..."""
    from pydantic import BaseModel

    names: list[str] = []

    def walk(model: type[BaseModel], prefix: str, left: int) -> None:
        for name, field in model.model_fields.items():
            full = f"{prefix}[{name}]" if prefix else name
            names.append(full)
            if left:
                for inner, is_list in hashes(field.annotation):
                    walk(inner, f"{full}[0]" if is_list else full, left - 1)

    def hashes(annotation) -> list[tuple[type[BaseModel], bool]]:
        from typing import get_args, get_origin

        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return [(annotation, False)]
        inner = [h for a in get_args(annotation) for h in hashes(a)]
        return [(cls, True) for cls, _ in inner] if get_origin(annotation) is list else inner

    walk(params, "", depth)
    return names


@pytest.fixture(scope="module")
def victim(api_server, dsn):
    """An account whose rows are counted: what is refused leaves no trace."""
    made = new_account(dsn, business_name="Victim")
    return Wire(api_server, made.secret_key), made.account.id


def marks(path: str, params: type) -> list[str]:
    """Some hundred forms for one route, the same at every run: each name with values and shapes in turn."""
    from urllib.parse import quote_plus

    names = nested(params)
    values = itertools.cycle(HOSTILE)
    shapes = itertools.cycle(SHAPES[:1] * 4 + SHAPES[1:])
    forms = [next(shapes).format(n=name, v=quote_plus(next(values))) for name in names for _ in range(3)]
    together = ["&".join(f"{name}={quote_plus(next(values))}" for name in names if "[" not in name) for _ in range(6)]
    return forms[:240] + together


@pytest.mark.parametrize(("path", "params"), POSTS, ids=[path for path, _ in POSTS])
def test_no_form_is_our_own_fault(world, victim, path, params):
    """Whatever is posted, the answer is below 500, and a body that can be read."""
    wire, _ = victim
    address = re.sub(r"{\w+}", "x_0", path)
    for form in marks(path, params):
        answer = wire.send("POST", address, form)
        assert answer.status < 500, f"POST {address} {form[:500]}: {answer}"
        assert answer.status == 200 or check_error(answer.body) == [], form
