"""Access follows the subscription: given, taken away and told, by the official SDK."""

from __future__ import annotations

import psycopg
import stripe

from tests.api.books import breaches
from tests.api.waiting import until
from tests.api.wire import Wire
from tests.api.world import MONDAY, World
from tests.conftest import new_account

TOLD = "entitlements.active_entitlement_summary.updated"


def features_of(world: World, customer: str) -> list[str]:
    page = world.wire.get("/v1/entitlements/active_entitlements", customer=customer, limit=100)
    return sorted(e["lookup_key"] for e in page["data"])


def offer(world: World, *keys: str) -> str:
    """A monthly price of a new product with these features; the price's id."""
    product = world.product()["id"]
    for key in keys:
        known = {f["lookup_key"]: f["id"] for f in world.wire.get("/v1/entitlements/features", limit=100)["data"]}
        feature = known.get(key) or world.wire.post("/v1/entitlements/features", name=key, lookup_key=key)["id"]
        world.wire.post(f"/v1/products/{product}/features", entitlement_feature=feature)
    return world.price(product=product)["id"]


def told(world: World, customer: str) -> list[list[str]]:
    """What each summary said, the oldest first."""
    events = world.wire.get("/v1/events", type=TOLD, limit=100)["data"]
    own = [e["data"]["object"] for e in reversed(events) if e["data"]["object"]["customer"] == customer]
    return [sorted(e["lookup_key"] for e in summary["entitlements"]["data"]) for summary in own]


def test_access_comes_with_a_subscription_and_goes_with_it(fresh: World):
    anna = fresh.payer()["id"]
    plain, grand = offer(fresh, "bread"), offer(fresh, "bread", "cake")
    first = fresh.subscription(anna, plain)
    assert features_of(fresh, anna) == ["bread"]
    second = fresh.subscription(anna, grand)
    assert features_of(fresh, anna) == ["bread", "cake"]
    fresh.wire.send("DELETE", f"/v1/subscriptions/{first['id']}")
    assert features_of(fresh, anna) == ["bread", "cake"], "the other subscription still brings it"
    fresh.wire.send("DELETE", f"/v1/subscriptions/{second['id']}")
    assert features_of(fresh, anna) == []
    assert told(fresh, anna) == [["bread"], ["bread", "cake"], []]


def test_another_price_brings_other_features(fresh: World):
    anna = fresh.payer()["id"]
    plain, grand = offer(fresh, "bread"), offer(fresh, "cake")
    subscription = fresh.subscription(anna, plain)
    item = subscription["items"]["data"][0]["id"]
    fresh.wire.post(f"/v1/subscriptions/{subscription['id']}", items=[{"id": item, "price": grand}])
    assert features_of(fresh, anna) == ["cake"]
    assert told(fresh, anna) == [["bread"], ["cake"]]


def test_access_waits_for_the_first_payment_and_ends_when_retries_are_over(fresh: World):
    clock = fresh.clock()["id"]
    plain = offer(fresh, "bread")
    karl = fresh.payer("tok_chargeCustomerFail", test_clock=clock)["id"]
    assert fresh.subscription(karl, plain)["status"] == "incomplete"
    assert features_of(fresh, karl) == []

    lena = fresh.payer(test_clock=clock)["id"]
    subscription = fresh.subscription(lena, plain)
    bad = fresh.attached(lena, "tok_chargeCustomerFail")["id"]
    fresh.wire.post(f"/v1/customers/{lena}", invoice_settings={"default_payment_method": bad})
    fresh.advance(clock, MONDAY + 32 * 86_400)
    assert fresh.wire.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "past_due"
    assert features_of(fresh, lena) == ["bread"], "who is late keeps access while payment is tried"
    fresh.advance(clock, MONDAY + 60 * 86_400)
    assert fresh.wire.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "canceled"
    assert features_of(fresh, lena) == []


def test_a_product_that_changes_is_followed_by_those_who_have_it(fresh: World):
    anna = fresh.payer()["id"]
    price = fresh.wire.get(f"/v1/prices/{offer(fresh)}")
    fresh.subscription(anna, price["id"])
    cake = fresh.wire.post("/v1/entitlements/features", name="Cake", lookup_key="cake")["id"]
    place = f"/v1/products/{price['product']}/features"
    attached = fresh.wire.post(place, entitlement_feature=cake)
    until(lambda: features_of(fresh, anna), lambda found: found == ["cake"])
    gone = fresh.wire.send("DELETE", f"{place}/{attached['id']}").body
    assert gone == {"id": attached["id"], "object": "product_feature", "deleted": True}
    until(lambda: features_of(fresh, anna), lambda found: found == [])


def test_a_lookup_key_is_unique_among_active_features(fresh: World):
    first = fresh.wire.post("/v1/entitlements/features", name="Cake", lookup_key="cake")
    twice = fresh.wire.refused("POST", "/v1/entitlements/features", {"name": "Cake", "lookup_key": "cake"})
    assert (twice.status, twice.error["param"]) == (400, "lookup_key")
    fresh.wire.post(f"/v1/entitlements/features/{first['id']}", active=False)
    again = fresh.wire.post("/v1/entitlements/features", name="Cake", lookup_key="cake")
    active = fresh.wire.get("/v1/entitlements/features", lookup_key="cake")["data"]
    assert [f["id"] for f in active] == [again["id"]]
    archived = fresh.wire.get("/v1/entitlements/features", archived=True)["data"]
    assert [f["id"] for f in archived] == [first["id"]]
    for path, params in (
        (f"/v1/entitlements/features/{first['id']}", {"name": "Torte"}),
        (f"/v1/products/{fresh.product()['id']}/features", {"entitlement_feature": first["id"]}),
    ):
        assert fresh.wire.refused("POST", path, params).status == 400


def test_the_sdk_reads_them(client: stripe.StripeClient):
    v1 = client.v1
    feature = v1.entitlements.features.create({"name": "Cake", "lookup_key": "cake"})
    product = v1.products.create({"name": "Box"})
    v1.products.features.create(product.id, {"entitlement_feature": feature.id})
    assert [f.entitlement_feature.lookup_key for f in v1.products.features.list(product.id)] == ["cake"]
    price = v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 900, "recurring": {"interval": "month"}}
    )
    anna = v1.customers.create({"email": "anna@example.com"})
    v1.subscriptions.create(
        {"customer": anna.id, "items": [{"price": price.id}], "collection_method": "send_invoice", "days_until_due": 7}
    )
    listed = v1.entitlements.active_entitlements.list({"customer": anna.id, "expand": ["data.feature"]})
    assert [e.feature.name for e in listed] == ["Cake"]
    assert v1.entitlements.active_entitlements.retrieve(listed.data[0].id).lookup_key == "cake"


def test_verify_finds_access_that_nobody_subscribes_to(dsn: str, api_server: str):
    made = new_account(dsn, business_name="Broken bakery")
    world = World(Wire(api_server, made.secret_key))
    world.subscription(world.payer()["id"], offer(world, "bread"))

    def tamper(statement: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(statement, (made.account.id,))

    tamper("delete from due where kind = 'entitlements.follow' and account_id = %s")
    assert breaches(dsn, made.account.id) == []
    tamper("delete from product_features where account_id = %s")
    assert [found.endswith("without a subscription") for found in breaches(dsn, made.account.id)] == [True]
    tamper("delete from active_entitlements where account_id = %s")
    assert breaches(dsn, made.account.id) == []
