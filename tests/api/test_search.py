"""Search on the seven resources that have it: every field, at once after the write, page by page."""

from __future__ import annotations

import pytest

from tests.api.contract.checker import check_operation
from tests.api.world import World
from tests.conftest import sdk
from voldaan.api.search_language import FIELDS, OPERATORS, Kind


def found(world: World, noun: str, query: str, **more) -> list[str]:
    page = world.wire.get(f"/v1/{noun}/search", query=query, **more)
    assert check_operation("GET", f"/v1/{noun}/search", page) == []
    return [o["id"] for o in page["data"]]


MADE = {
    "customers": lambda w: w.customer(
        name="Søren Kierkegaard", email="Soren@Example.com", phone="+4512345678", metadata={"k": "one"}
    ),
    "products": lambda w: w.product(name="Sourdough loaf", description="Slow", url="https://e.com/s", metadata={"k": "one"}),
    "prices": lambda w: w.price(777, lookup_key="lucky", metadata={"k": "one"}),
    "payment_intents": lambda w: w.paid_intent(777, metadata={"k": "one"}, customer=w.anna["id"]),
    "charges": lambda w: w.charge(amount=777, metadata={"k": "one"}, customer=w.anna["id"]),
    "invoices": lambda w: w.open_invoice(metadata={"k": "one"}),
    "subscriptions": lambda w: w.subscription(metadata={"k": "one"}),
}  # fmt: skip

QUERIES = [
    ("customers", 'email:"soren@example.com"', 'email:"nobody@example.com"'),
    ("customers", 'name~"kierke"', 'name~"hegel"'),
    ("customers", 'name:"søren" AND phone:"+4512345678"', 'name:"søren" -email:null -phone:"+4512345678"'),
    ("products", 'name:"sourdough"', 'name:"rye"'),
    ("products", 'active:"true" description:"slow"', 'active:"false" description:"slow"'),
    ("prices", 'lookup_key:"lucky" currency:"eur"', 'lookup_key:"unlucky"'),
    ("prices", 'type:"recurring" active:"true"', 'type:"one_time"'),
    ("payment_intents", 'amount:777 status:"succeeded"', "amount>777"),
    ("payment_intents", 'currency:"EUR" amount<=777', 'currency:"usd"'),
    ("charges", "amount>=777 refunded:null", 'refunded:"true"'),
    ("charges", "payment_method_details.card.last4:4242", "payment_method_details.card.last4:1881"),
    ("charges", 'payment_method_details.card.brand:"visa"', 'payment_method_details.card.brand:"amex"'),
    ("invoices", 'status:"open" total:1500', 'status:"draft"'),
    ("invoices", 'total>1499 currency:"eur"', "total<1500"),
    ("subscriptions", 'status:"active"', 'status:"canceled"'),
    ("subscriptions", 'metadata["k"]:"one"', 'metadata["k"]:"two"'),
    ("customers", 'metadata["k"]:"one"', 'metadata["k"]:null'),
    ("customers", "created>1700000000", "created<1700000000"),
]


@pytest.fixture(scope="module")
def archive(api_server, dsn):
    """One of each, and what it is."""
    from tests.api.wire import Wire
    from tests.conftest import new_account

    world = World(Wire(api_server, new_account(dsn).secret_key))
    return world, {noun: make(world)["id"] for noun, make in MADE.items()}


@pytest.mark.parametrize(("noun", "hit", "miss"), QUERIES, ids=[f"{n} {h}" for n, h, _ in QUERIES])
def test_what_is_there_is_found_at_once_and_what_is_not_is_not(archive, noun, hit, miss):
    world, made = archive
    assert made[noun] in found(world, noun, hit)
    assert made[noun] not in found(world, noun, miss)


VALUES = {Kind.STRING: ['"one two"'], Kind.TOKEN: ['"one"', "null"], Kind.NUMERIC: ["1", '"1"'], Kind.BOOLEAN: ['"true"']}


@pytest.mark.parametrize("noun", FIELDS)
def test_every_field_is_searched_with_every_operator_it_has(archive, noun):
    world, _ = archive
    for name, kind in FIELDS[noun].items():
        field = f'{name}["k"]' if name == "metadata" else name
        for operator in OPERATORS[kind]:
            for value in VALUES.get(kind, ['"123"']):
                if not (value == "null" and operator != ":"):
                    for sign in ("", "-"):
                        found(world, noun, f"{sign}{field}{operator}{value}")


def test_pages_follow_each_other(fresh: World):
    made = [fresh.customer(name=f"Page turner {n}")["id"] for n in range(7)][::-1]
    seen, page = [], {}
    while True:
        answer = fresh.wire.get("/v1/customers/search", query='name:"turner"', limit=3, **page)
        seen += [o["id"] for o in answer["data"]]
        if not answer["has_more"]:
            assert answer["next_page"] is None
            break
        page = {"page": answer["next_page"]}
    assert seen == made
    client = sdk(fresh.wire.address, fresh.wire.key)
    pages = client.v1.customers.search({"query": 'name:"turner"', "limit": 2})
    assert [c.id for c in pages.auto_paging_iter()] == made


def test_deleted_objects_are_not_found(fresh: World):
    customer = fresh.customer(name="Gone tomorrow")["id"]
    assert found(fresh, "customers", 'name:"gone tomorrow"') == [customer]
    fresh.wire.delete(f"/v1/customers/{customer}")
    assert found(fresh, "customers", 'name:"gone tomorrow"') == []


def test_results_are_expanded(fresh: World):
    subscription = fresh.subscription()
    page = fresh.wire.get("/v1/subscriptions/search", query='status:"active"', expand=["data.customer", "data.latest_invoice"])
    assert page["data"][0]["customer"]["id"] == subscription["customer"]
    assert page["data"][0]["latest_invoice"]["id"] == subscription["latest_invoice"]


REFUSED = [
    ({}, "query", "Missing required param: query."),
    ({"query": "asdf"}, None, "We were unable to parse your search query."),
    ({"query": 'foo:"bar"'}, None, "Field `foo` is an unsupported search field for resource `customers`."),
    ({"query": 'name:"x"', "limit": 101}, "limit", "This value must be less than or equal to 100 (it currently is '101')."),
    ({"query": 'name:"x"', "limit": 0}, "limit", "This value must be greater than or equal to 1."),
    ({"query": 'name:"x"', "page": "nonsense!"}, "page", "Invalid page token."),
    ({"query": 'name:"x"', "page": "éé"}, "page", "Invalid page token."),
    ({"query": 'name:"x"', "starting_after": "cus_x"}, "starting_after", "Received unknown parameter: starting_after"),
]


@pytest.mark.parametrize(("params", "param", "message"), REFUSED, ids=[str(p) for p, *_ in REFUSED])
def test_what_cannot_be_searched_is_refused(world: World, params, param, message):
    answer = world.wire.refused("GET", "/v1/customers/search", params)
    assert answer.status == 400
    assert answer.error["message"].startswith(message)
    assert answer.error.get("param") == param or param is None
