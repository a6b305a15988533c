"""One key, one effect: the first answer is replayed in its very bytes, and nothing else gets through under the key."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import stripe

from tests.api.wire import Answer, Wire
from tests.api.world import World
from tests.conftest import new_account, sdk


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


def post(wire: Wire, path: str, key: str, **params) -> Answer:
    return wire.send("POST", path, params, headers={"Idempotency-Key": key})


def test_a_repeat_gets_the_first_answer_in_its_very_bytes(fresh: World, key):
    first = post(fresh.wire, "/v1/customers", key, name="Anna", metadata={"a": "1"})
    again = post(fresh.wire, "/v1/customers", key, name="Anna", metadata={"a": "1"})
    assert (first.status, again.status) == (200, 200)
    assert again.raw == first.raw
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert again.headers["request-id"] != first.headers["request-id"]
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] == key
    assert len(fresh.wire.get("/v1/customers")["data"]) == 1
    assert len(fresh.wire.get("/v1/events", type="customer.created")["data"]) == 1


def test_the_answer_stays_although_the_object_changes(fresh: World, key):
    first = post(fresh.wire, "/v1/customers", key, name="Anna")
    fresh.wire.post(f"/v1/customers/{first.body['id']}", name="Bea")
    assert post(fresh.wire, "/v1/customers", key, name="Anna").raw == first.raw
    fresh.wire.delete(f"/v1/customers/{first.body['id']}")
    assert post(fresh.wire, "/v1/customers", key, name="Anna").raw == first.raw


def test_an_event_remembers_the_key_and_the_request(fresh: World, key):
    made = post(fresh.wire, "/v1/customers", key, name="Anna")
    event = fresh.wire.get("/v1/events", type="customer.created")["data"][0]
    assert event["request"] == {"id": made.headers["request-id"], "idempotency_key": key}


@pytest.mark.parametrize(
    ("path", "params"), [("/v1/customers", {"name": "Bea"}), ("/v1/customers", {}), ("/v1/products", {"name": "Anna"})]
)
def test_another_request_under_the_same_key_is_refused(fresh: World, key, path, params):
    post(fresh.wire, "/v1/customers", key, name="Anna")
    other = post(fresh.wire, path, key, **params)
    assert other.status == 400
    assert other.error["type"] == "idempotency_error"
    assert other.error["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    assert len(fresh.wire.get("/v1/customers")["data"]) == 1
    assert fresh.wire.get("/v1/products")["data"] == []


def test_the_address_counts_as_much_as_the_body(fresh: World, key):
    post(fresh.wire, "/v1/customers?name=Anna", key, phone="1")
    assert post(fresh.wire, "/v1/customers?name=Bea", key, phone="1").error["type"] == "idempotency_error"
    assert post(fresh.wire, "/v1/customers?name=Anna", key, phone="1").headers["idempotent-replayed"] == "true"


def test_the_same_key_of_another_account_is_another_key(api_server, dsn, fresh: World, key):
    stranger = Wire(api_server, new_account(dsn).secret_key)
    mine, theirs = (post(wire, "/v1/customers", key, name="Anna") for wire in (fresh.wire, stranger))
    assert (mine.status, theirs.status) == (200, 200)
    assert mine.body["id"] != theirs.body["id"]
    assert "idempotent-replayed" not in theirs.headers


def test_a_refusal_that_the_command_made_is_replayed(fresh: World, key):
    customer = fresh.customer()["id"]
    first = post(fresh.wire, f"/v1/invoices/{fresh.draft(customer)['id']}/void", key)
    assert first.status == 400
    path = f"/v1/invoices/{fresh.draft(customer)['id']}/void"
    other = str(uuid.uuid4())
    first = post(fresh.wire, path, other)
    fresh.wire.post(path.replace("/void", "/finalize"))
    again = post(fresh.wire, path, other)  # by now it could be voided
    assert (again.status, again.raw) == (first.status, first.raw)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_decline_is_replayed_and_not_tried_again(fresh: World, key):
    method = fresh.method("tok_chargeCustomerFail")["id"]
    given = {"amount": 2000, "currency": "eur", "payment_method": method, "confirm": True}
    first, again = (post(fresh.wire, "/v1/payment_intents", key, **given) for _ in range(2))
    assert first.status == 402
    assert again.raw == first.raw
    assert len(fresh.wire.get("/v1/payment_intents")["data"]) == 1
    assert len(fresh.wire.get("/v1/charges")["data"]) == 1


def test_a_payment_under_a_key_takes_money_once(fresh: World, key):
    given = {"amount": 2000, "currency": "eur", "payment_method": fresh.method()["id"], "confirm": True}
    answers = [post(fresh.wire, "/v1/payment_intents", key, **given) for _ in range(3)]
    assert {a.status for a in answers} == {200}
    assert len({a.raw for a in answers}) == 1
    assert len(fresh.wire.get("/v1/charges")["data"]) == 1
    assert fresh.wire.get("/v1/balance")["pending"][0]["amount"] == 2000 - 55


@pytest.mark.parametrize(("bad", "good"), [({"tax_exempt": "x"}, {}), ({"wat": 1}, {}), ({"balance": "a"}, {})])
def test_what_was_never_begun_is_not_remembered(fresh: World, key, bad, good):
    assert post(fresh.wire, "/v1/customers", key, **bad).status == 400
    assert post(fresh.wire, "/v1/customers", key, **good).status == 200


def test_get_and_delete_need_no_key(fresh: World, key):
    customer = fresh.customer()["id"]
    headers = {"Idempotency-Key": key}
    for _ in range(2):
        assert "idempotent-replayed" not in fresh.wire.send("GET", f"/v1/customers/{customer}", headers=headers).headers
    assert post(fresh.wire, "/v1/customers", key, name="Bea").status == 200


def test_a_key_has_at_most_255_characters(fresh: World):
    assert post(fresh.wire, "/v1/customers", "k" * 255).status == 200
    refused = post(fresh.wire, "/v1/customers", "k" * 256)
    assert refused.status == 400
    assert refused.error["message"] == "Idempotency keys can be up to 255 characters long."
    assert len(fresh.wire.get("/v1/customers")["data"]) == 1


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/payment_intents"])
def test_of_sixteen_at_once_one_has_the_effect(fresh: World, key, path):
    """The others hear that it is under way, or get the same answer."""
    params = {"name": "Anna"}
    if path.endswith("intents"):
        params = {"amount": 2000, "currency": "eur", "payment_method": fresh.method()["id"], "confirm": True}
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: post(fresh.wire, path, key, **params), range(16)))
    done = [a for a in answers if a.status == 200]
    busy = [a for a in answers if a.status == 409]
    assert len(done) + len(busy) == 16
    assert len({a.raw for a in done}) == 1
    assert sum("idempotent-replayed" not in a.headers for a in done) == 1
    for answer in busy:
        assert answer.error["code"] == "idempotency_key_in_use"
        assert answer.headers["stripe-should-retry"] == "true"
    assert len(fresh.wire.get(path)["data"]) == 1
    assert len(fresh.wire.get("/v1/charges")["data"]) == (1 if path.endswith("intents") else 0)


def test_the_sdk_retries_until_the_first_is_done(api_server, fresh: World, key):
    client = stripe.StripeClient(
        fresh.wire.key, base_addresses={"api": api_server}, max_network_retries=8, http_client=stripe.RequestsClient()
    )
    given = {"amount": 2000, "currency": "eur", "payment_method": fresh.method()["id"], "confirm": True}
    with ThreadPoolExecutor(6) as threads:
        intents = list(threads.map(lambda _: client.v1.payment_intents.create(given, {"idempotency_key": key}), range(6)))
    assert len({i.id for i in intents}) == 1
    assert {i.status for i in intents} == {"succeeded"}
    assert len(fresh.wire.get("/v1/charges")["data"]) == 1


def test_the_sdk_names_a_mismatch(fresh: World, key):
    client = sdk(fresh.wire.address, fresh.wire.key)
    client.v1.customers.create({"name": "Anna"}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "Bea"}, {"idempotency_key": key})


def test_a_request_whose_process_died_is_answered_from_what_it_made(dsn, fresh: World, key):
    """The key was taken, the money asked for, and then nobody wrote the answer: a later repeat reads how it went."""
    given = {"amount": 2000, "currency": "eur", "payment_method": fresh.method()["id"], "confirm": True}
    first = post(fresh.wire, "/v1/payment_intents", key, **given)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "update idempotency_keys set state = 'running', status = null, body = null, subject = %s,"
            " created_at = now() - interval '10 minutes' where key = %s",
            (f"payment_intent {first.body['id']} 1", key),
        )
    again = post(fresh.wire, "/v1/payment_intents", key, **given)
    assert (again.status, again.body["id"], again.body["status"]) == (200, first.body["id"], "succeeded")
    assert len(fresh.wire.get("/v1/charges")["data"]) == 1
