"""Expand: ids become objects, four levels deep, at a number of queries that does not depend on how many objects there are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.wire import Wire, form
from tests.api.world import World
from tests.conftest import new_account
from voldaan.api.app import App
from voldaan.runtime import running
from voldaan.settings import Settings


@pytest.fixture(scope="module")
def bought(api_server, dsn) -> dict:
    """A subscription that has been paid for."""
    world = World(Wire(api_server, new_account(dsn).secret_key))
    return {"world": world, "subscription": world.subscription()}


def expanded(bought: dict, *paths: str) -> dict:
    return bought["world"].wire.get(f"/v1/subscriptions/{bought['subscription']['id']}", expand=list(paths))


def test_without_it_there_are_ids(bought):
    plain = expanded(bought)
    assert plain["customer"] == bought["world"].anna["id"]
    assert plain["latest_invoice"].startswith("in_")
    assert plain["items"]["data"][0]["price"]["product"].startswith("prod_")


def test_an_id_becomes_its_object(bought):
    seen = expanded(bought, "customer")
    assert seen["customer"]["object"] == "customer"
    assert seen["customer"] == bought["world"].wire.get(f"/v1/customers/{bought['world'].anna['id']}")
    assert isinstance(seen["latest_invoice"], str)


def test_four_levels(bought):
    seen = expanded(bought, "latest_invoice.payments.data.payment.payment_intent")["latest_invoice"]
    intent = seen["payments"]["data"][0]["payment"]["payment_intent"]
    assert (intent["object"], intent["status"], intent["amount"]) == ("payment_intent", "succeeded", 1000)
    charge = bought["world"].wire.get(f"/v1/payment_intents/{intent['id']}", expand=["latest_charge.balance_transaction.source"])
    assert charge["latest_charge"]["balance_transaction"]["source"]["id"] == charge["latest_charge"]["id"]


def test_two_paths_with_one_beginning(bought):
    seen = expanded(bought, "latest_invoice.customer", "latest_invoice.lines", "customer", "items.data.price.product")
    assert seen["latest_invoice"]["customer"]["id"] == seen["customer"]["id"]
    assert seen["items"]["data"][0]["price"]["product"]["name"] == "Bread"


def test_in_lists_below_data(bought):
    wire = bought["world"].wire
    paths = ["data.customer", "data.customer.invoice_settings.default_payment_method"]
    for invoice in wire.get("/v1/invoices", expand=paths)["data"]:
        assert invoice["customer"]["invoice_settings"]["default_payment_method"]["card"]["last4"] == "4242"


def test_what_is_only_there_when_asked_for(bought):
    wire = bought["world"].wire
    path = f"/v1/customers/{bought['world'].anna['id']}"
    names = ("subscriptions", "tax_ids", "sources", "tax")
    assert not set(names) & wire.get(path).keys()
    seen = wire.get(path, expand=list(names))
    assert [s["id"] for s in seen["subscriptions"]["data"]] == [bought["subscription"]["id"]]
    assert seen["tax_ids"] == {"object": "list", "data": [], "has_more": False, "url": f"{path}/tax_ids"}
    assert wire.get(path, expand=["subscriptions.data.latest_invoice"])["subscriptions"]["data"][0]["latest_invoice"]["id"]


def test_what_is_null_stays_null(bought):
    assert expanded(bought, "schedule", "default_payment_method", "test_clock")["schedule"] is None


def test_a_deleted_object_is_shown_as_what_is_left_of_it(fresh: World):
    customer = fresh.customer()["id"]
    intent = fresh.intent(customer=customer)["id"]
    fresh.wire.delete(f"/v1/customers/{customer}")
    seen = fresh.wire.get(f"/v1/payment_intents/{intent}", expand=["customer"])
    assert seen["customer"] == {"id": customer, "object": "customer", "deleted": True}


def test_in_the_answer_to_a_post(fresh: World):
    made = fresh.wire.post("/v1/invoices", customer=fresh.anna["id"], expand=["customer"])
    assert made["customer"]["id"] == fresh.anna["id"]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["nothing"], "This property cannot be expanded (nothing)."),
        (["status"], "This property cannot be expanded (status)."),
        (["customer.nothing"], "This property cannot be expanded (nothing)."),
        (["latest_invoice.customer.invoice_settings.default_payment_method.customer"], "You cannot expand more than 4 levels"),
        (["customer."] * 60, "You cannot expand"),
        (["items.data.price"], "This property cannot be expanded (price)."),
        (["a" * 3000], "This property cannot be expanded"),
    ],
)
def test_what_cannot_be_expanded_is_named(bought, paths, message):
    path = f"/v1/subscriptions/{bought['subscription']['id']}"
    answer = bought["world"].wire.refused("GET", path, {"expand": paths})
    assert answer.status == 400
    assert answer.error["message"].startswith(message)
    assert len(answer.raw) < 2000


# ---- how many queries --------------------------------------------------------------------------------------------------


@pytest.fixture
async def inside(dsn) -> AsyncIterator[httpx.AsyncClient]:
    """The API in this process."""
    settings = Settings()
    async with running(dsn, settings) as engine:
        transport = httpx.ASGITransport(App(engine, settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://voldaan.test") as client:
            yield client


READS = [
    ("/v1/subscriptions", ["data.customer.invoice_settings.default_payment_method", "data.items.data.price.product",
                           "data.latest_invoice.payments.data.payment.payment_intent"]),
    ("/v1/invoices", ["data.customer", "data.payments", "data.lines.data.discounts"]),
    ("/v1/charges", ["data.refunds", "data.payment_intent.customer", "data.balance_transaction"]),
    ("/v1/customers", ["data.subscriptions.data.latest_invoice", "data.tax_ids", "data.test_clock"]),
    ("/v1/payment_intents", ["data.latest_charge.balance_transaction", "data.payment_method.customer"]),
]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "expand"), READS, ids=[path for path, _ in READS])
async def test_the_number_of_queries_does_not_grow_with_the_page(many, inside, asked, path, expand):
    headers = {"Authorization": f"Bearer {many.wire.key}"}
    counts = {}
    for limit in (3, 12):
        await inside.get(path, params={"limit": 1}, headers=headers)  # the key is known, the pool is warm
        asked.clear()
        answer = await inside.get(f"{path}?{form({'limit': limit, 'expand': expand})}", headers=headers)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["data"]) == limit
        counts[limit] = len(asked)
    assert counts[3] == counts[12], asked
    assert counts[12] <= 24, asked


@pytest.fixture(scope="module")
def many(api_server, dsn) -> World:
    """Twelve customers, each with a subscription that has been paid for."""
    world = World(Wire(api_server, new_account(dsn).secret_key))
    for n in range(12):
        customer = world.payer(name=f"Customer {n}")["id"]
        world.subscription(customer, metadata={"n": n})
    return world
