"""Lists: newest first, page by page, and nothing twice or not at all, whatever happens meanwhile."""

from __future__ import annotations

import psycopg
import pytest

from tests.api.wire import Wire
from tests.api.world import World
from tests.conftest import sdk


@pytest.fixture(scope="module")
def shop(api_server, dsn) -> tuple[Wire, list[str]]:
    """An account with 23 customers, the newest first."""
    from tests.conftest import new_account

    wire = Wire(api_server, new_account(dsn).secret_key)
    made = [wire.post("/v1/customers", email=f"{n % 3}@example.com", name=f"Customer {n}")["id"] for n in range(23)]
    return wire, made[::-1]


def ids(page: dict) -> list[str]:
    return [o["id"] for o in page["data"]]


def test_ten_of_the_newest_unless_told_otherwise(shop):
    wire, customers = shop
    page = wire.get("/v1/customers")
    assert ids(page) == customers[:10]
    assert (page["object"], page["has_more"], page["url"]) == ("list", True, "/v1/customers")


@pytest.mark.parametrize(("limit", "shown"), [(1, 1), (0, 1), (-5, 1), (22, 22), (23, 23), (24, 23), (100, 23), (101, 23)])
def test_a_limit_is_brought_into_its_bounds(shop, limit, shown):
    wire, customers = shop
    page = wire.get("/v1/customers", limit=limit)
    assert ids(page) == customers[:shown]
    assert page["has_more"] is (shown < 23)


def test_more_than_a_hundred_are_never_shown(wire):
    wire.http.headers["Connection"] = "keep-alive"
    for n in range(101):
        wire.post("/v1/coupons", percent_off=1, duration="once", name=str(n))
    page = wire.get("/v1/coupons", limit=500)
    assert (len(page["data"]), page["has_more"]) == (100, True)


@pytest.mark.parametrize("size", [1, 7, 10, 22, 23])
def test_forwards_and_back_again_over_all_pages(shop, size):
    wire, customers = shop
    seen, after = [], {}
    while True:
        page = wire.get("/v1/customers", limit=size, **after)
        seen += ids(page)
        if not page["has_more"]:
            break
        after = {"starting_after": seen[-1]}
    assert seen == customers

    back, before = [], {"ending_before": customers[-1]}
    while True:
        page = wire.get("/v1/customers", limit=size, **before)
        back = ids(page) + back
        if not page["has_more"]:
            break
        before = {"ending_before": back[0]}
    assert back == customers[:-1]


def test_the_page_before_is_still_newest_first(shop):
    wire, customers = shop
    page = wire.get("/v1/customers", limit=3, ending_before=customers[10])
    assert ids(page) == customers[7:10]
    assert page["has_more"] is True
    assert wire.get("/v1/customers", limit=3, ending_before=customers[2])["has_more"] is False
    assert ids(wire.get("/v1/customers", ending_before=customers[0])) == []
    assert ids(wire.get("/v1/customers", starting_after=customers[-1])) == []


def test_what_comes_in_between_moves_nothing(fresh: World):
    wire = fresh.wire
    made = [fresh.product()["id"] for _ in range(6)][::-1]
    first = wire.get("/v1/products", limit=3)
    fresh.product()
    wire.delete(f"/v1/products/{made[2]}")  # the cursor itself goes
    second = wire.get("/v1/products", limit=3, starting_after=made[2])
    assert ids(first) + ids(second) == made


def test_a_deleted_customer_is_no_longer_listed_but_still_a_cursor(fresh: World):
    wire = fresh.wire
    oldest, middle, newest = (fresh.customer()["id"] for _ in range(3))
    wire.delete(f"/v1/customers/{middle}")
    assert ids(wire.get("/v1/customers")) == [newest, oldest]
    assert ids(wire.get("/v1/customers", starting_after=middle)) == [oldest]
    assert ids(wire.get("/v1/customers", ending_before=middle)) == [newest]


def test_filters_narrow_a_list(shop):
    wire, customers = shop
    page = wire.get("/v1/customers", email="1@example.com", limit=100)
    assert ids(page) == [id for n, id in enumerate(customers[::-1]) if n % 3 == 1][::-1]
    rest = wire.get("/v1/customers", email="1@example.com", limit=100, starting_after=ids(page)[3])
    assert ids(rest) == ids(page)[4:]
    assert ids(wire.get("/v1/customers", email="nobody@example.com")) == []


def test_created_takes_an_instant_or_bounds(dsn, fresh: World):
    wire = fresh.wire
    made = [fresh.customer()["id"] for _ in range(4)]
    with psycopg.connect(dsn, autocommit=True) as connection:
        for at, id in enumerate(made):
            connection.execute("update customers set created_at = to_timestamp(%s) where id = %s", (1_700_000_000 + at, id))

    def found(**created):
        return [made.index(id) for id in ids(wire.get("/v1/customers", created=created.get("at", created)))]

    assert found(at=1_700_000_001) == [1]
    assert found(gt=1_700_000_001) == [3, 2]
    assert found(gte=1_700_000_001) == [3, 2, 1]
    assert found(lt=1_700_000_001) == [0]
    assert found(lte=1_700_000_001) == [1, 0]
    assert found(gt=1_700_000_000, lt=1_700_000_003) == [2, 1]
    assert found(gt=2_000_000_000) == []


def other(w: World) -> dict:
    return {"customer": w.customer()["id"]}


def annas(w: World, **more) -> dict:
    return {"customer": w.anna["id"], **more}


FILTERS = [
    # list, how its object is made, filters that find it, filters that do not
    ("products", lambda w: w.product(url="https://example.com/only"), {"url": "https://example.com/only"}, {"active": False}),
    ("prices", lambda w: w.price(lookup_key="only"), {"lookup_keys": ["only"]}, {"type": "one_time"}),
    ("prices", lambda w: w.price(100, "year"), {"recurring": {"interval": "year"}}, {"recurring": {"interval": "day"}}),
    ("tax_rates", lambda w: w.tax_rate(inclusive=True), {"inclusive": True}, {"inclusive": False}),
    ("shipping_rates", lambda w: w.shipping_rate(), {"currency": "eur", "active": True}, {"currency": "usd"}),
    ("payment_intents", lambda w: w.intent(**annas(w)), annas, other),
    ("charges", lambda w: w.charge(**annas(w)), annas, other),
    ("invoices", lambda w: w.draft(), lambda w: annas(w, status="draft"), {"status": "paid"}),
    ("invoices", lambda w: w.sent_invoice(), {"collection_method": "send_invoice"}, {"status": "draft"}),
    ("invoiceitems", lambda w: w.item(w.anna["id"]), lambda w: annas(w, pending=True), {"pending": False}),
    ("subscriptions", lambda w: w.subscription(), lambda w: {"price": w.monthly["id"]}, {"price": "price_x"}),
    ("subscriptions", lambda w: w.subscription(), {"status": "active"}, {"status": "canceled"}),
    ("refunds", lambda w: w.refund(), {}, {"charge": "ch_x"}),
    ("setup_intents", lambda w: w.setup_intent(**annas(w)), {}, other),
]  # fmt: skip


@pytest.mark.parametrize(("noun", "make", "hit", "miss"), FILTERS, ids=[f"{f[0]}-{i}" for i, f in enumerate(FILTERS)])
def test_every_list_has_its_filters(world: World, noun, make, hit, miss):
    made = make(world)["id"]
    hit, miss = (given(world) if callable(given) else given for given in (hit, miss))
    assert ids(world.wire.get(f"/v1/{noun}", **hit))[0] == made
    assert made not in ids(world.wire.get(f"/v1/{noun}", **miss, limit=100))


def test_canceled_subscriptions_are_shown_only_when_asked_for(world: World):
    customer = world.payer()["id"]
    gone = world.subscription(customer)["id"]
    world.wire.delete(f"/v1/subscriptions/{gone}")
    here = world.subscription(customer)["id"]

    def found(**status):
        return ids(world.wire.get("/v1/subscriptions", customer=customer, **status))

    assert found() == [here]
    assert found(status="all") == [here, gone]
    assert found(status="canceled") == [gone]
    assert found(status="ended") == [gone]
    assert found(status="active") == [here]


def test_the_sdk_walks_over_all_pages(shop):
    wire, customers = shop
    client = sdk(wire.address, wire.key)
    assert [c.id for c in client.v1.customers.list({"limit": 5}).auto_paging_iter()] == customers
    page = client.v1.customers.list({"limit": 5, "ending_before": customers[-1]})
    assert sorted(c.id for c in page.auto_paging_iter()) == sorted(customers[:-1])


def test_objects_of_the_same_second_keep_their_order(fresh: World):
    made = [fresh.product()["id"] for _ in range(40)]  # several in each second
    assert ids(fresh.wire.get("/v1/products", limit=100)) == made[::-1]


def test_a_list_inside_an_object_goes_on_where_the_object_ends(fresh: World):
    """An invoice shows ten of its lines; the SDK asks for the rest, in the same order."""
    draft = fresh.wire.post("/v1/invoices", customer=fresh.anna["id"])
    for start in (0, 7):
        lines = [{"amount": 100 + n, "description": f"Line {n}"} for n in range(start, start + 7)]
        fresh.wire.post(f"/v1/invoices/{draft['id']}/add_lines", lines=lines)
    client = sdk(fresh.wire.address, fresh.wire.key)
    invoice = client.v1.invoices.retrieve(draft["id"])
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    seen = [line.id for line in invoice.lines.auto_paging_iter()]
    assert len(seen) == len(set(seen)) == 14
    assert seen == [line.id for line in client.v1.invoices.line_items.list(draft["id"], {"limit": 100})]
    assert invoice.total == sum(range(100, 114))


def test_refunds_inside_a_charge_go_on(fresh: World):
    charge = fresh.charge()["id"]
    made = [fresh.wire.post("/v1/refunds", charge=charge, amount=10)["id"] for _ in range(12)][::-1]
    client = sdk(fresh.wire.address, fresh.wire.key)
    refunds = client.v1.charges.retrieve(charge, {"expand": ["refunds"]}).refunds
    assert (len(refunds.data), refunds.has_more) == (10, True)
    assert [r.id for r in refunds.auto_paging_iter()] == made


def test_subscriptions_of_a_customer_are_the_customers_alone(fresh: World):
    """The address of the list inside a customer leads to theirs and nobody else's."""
    fresh.subscription(fresh.payer()["id"])
    customer = fresh.payer()["id"]
    made = [fresh.subscription(customer)["id"] for _ in range(2)][::-1]
    inside = fresh.wire.get(f"/v1/customers/{customer}", expand=["subscriptions"])["subscriptions"]
    assert ids(inside) == made
    path, _, query = inside["url"].partition("?")
    assert ids(fresh.wire.ok("GET", path, dict([query.split("=")]))) == made
