"""A past period computed again: with its own prices nothing differs; with others it is what a book with those prices bills."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.wire import JSON, Wire
from tests.api.world import DAY, MONDAY, World
from tests.conftest import new_account

ALL = {"start": MONDAY - DAY, "end": MONDAY + 200 * DAY, "limit": 1000}


@pytest.fixture
def stranger(api_server: str, dsn: str) -> World:
    """Another book, which has the other prices from the start."""
    return World(Wire(api_server, new_account(dsn, business_name="Elsewhere").secret_key))


def live(w: World, pro: str, top: str) -> dict[str, int]:
    """Three months of three customers, and what their invoices came to, by name. Prices are given: all else is the same."""
    clock = w.clock()["id"]
    off = w.coupon(percent_off=15)["id"]
    fixed = w.wire.post("/v1/coupons", amount_off=333, currency="eur", duration="forever")["id"]
    payers = {name: w.payer(name=name, test_clock=clock)["id"] for name in ("Anna", "Bo", "Cem")}
    subs: dict[str, JSON] = {}
    subs["Anna"] = w.subscription(payers["Anna"], pro, default_tax_rates=[w.vat["id"]])
    subs["Bo"] = w.subscription(payers["Bo"], pro, discounts=[{"coupon": off}, {"coupon": fixed}])
    subs["Cem"] = w.subscription(payers["Cem"], pro, billing_mode={"type": "classic"}, discounts=[{"coupon": off}])

    def change(name: str, quantity: int, price: str | None = None, **more: Any) -> None:
        item: JSON = {"id": subs[name]["items"]["data"][0]["id"], "quantity": quantity}
        item |= {"price": price} if price else {}
        w.wire.post(f"/v1/subscriptions/{subs[name]['id']}", items=[item], **more)

    w.advance(clock, MONDAY + 9 * DAY + 12_345)
    change("Anna", 3, proration_behavior="always_invoice")
    change("Bo", 2)
    change("Cem", 4, proration_behavior="always_invoice")
    w.advance(clock, MONDAY + 20 * DAY + 777)
    change("Anna", 1, top, proration_behavior="always_invoice")
    change("Bo", 1, top)
    change("Cem", 2, proration_behavior="always_invoice")
    w.advance(clock, MONDAY + 65 * DAY)
    change("Bo", 5, proration_behavior="always_invoice")
    totals = {}
    for name, customer in payers.items():
        invoices = w.wire.get("/v1/invoices", customer=customer, limit=100)["data"]
        totals[name] = sum(i["total"] for i in invoices if i["status"] == "paid")
        assert all(i["status"] == "paid" for i in invoices)
    return totals


def by_name(w: World, replay: JSON, side: str) -> dict[str, int]:
    sums = {c["customer"]: sum(s[side] for s in c["sums"]) for c in replay["customers"]}
    return {w.wire.get(f"/v1/customers/{id}")["name"]: total for id, total in sums.items()}


def test_with_its_own_prices_every_line_is_the_same(fresh: World):
    totals = live(fresh, fresh.price(1999)["id"], fresh.price(4500)["id"])
    replay = fresh.wire.post("/voldaan/replays", **ALL)
    assert replay["differences"] == []
    assert replay["lines"] == replay["same_lines"] >= 20
    assert by_name(fresh, replay, "before") == by_name(fresh, replay, "after") == totals


def test_with_other_prices_it_is_what_they_would_have_billed(fresh: World, stranger: World):
    pro, top = fresh.price(1999)["id"], fresh.price(4500)["id"]
    live(fresh, pro, top)
    others = [{"price": pro, "replace_with": fresh.price(2499)["id"]}, {"price": top, "replace_with": fresh.price(3950)["id"]}]
    replay = fresh.wire.post("/voldaan/replays", **ALL, prices=others)
    billed = live(stranger, stranger.price(2499)["id"], stranger.price(3950)["id"])
    assert by_name(fresh, replay, "after") == billed
    assert replay["differences"]
    [whole] = replay["sums"]
    assert whole["difference"] == sum(billed.values()) - whole["before"]


def test_pages_are_by_customer_and_add_up(fresh: World):
    for _ in range(3):
        fresh.paid_invoice(fresh.payer()["id"])
    whole = fresh.wire.post("/voldaan/replays", start=0, end=4_000_000_000)
    found, after = [], None
    while True:
        more = {"starting_after": after} if after else {}
        page = fresh.wire.post("/voldaan/replays", start=0, end=4_000_000_000, limit=1, **more)
        found += page["customers"]
        after = page["next_customer"]
        if not page["has_more"]:
            break
    assert found == whole["customers"]
    assert len(found) == 3


def test_it_changes_nothing_and_refuses_what_makes_no_sense(fresh: World):
    fresh.paid_invoice()
    events = fresh.wire.get("/v1/events", limit=1)["data"][0]["id"]
    fresh.wire.post("/voldaan/replays", start=0, end=4_000_000_000)
    assert fresh.wire.get("/v1/events", limit=1)["data"][0]["id"] == events
    once, monthly = fresh.price(500, None)["id"], fresh.price(500)["id"]
    pair = [{"price": once, "replace_with": monthly}]
    refused = fresh.wire.send("POST", "/voldaan/replays", {"start": 0, "end": 10, "prices": pair})
    assert (refused.status, refused.error["param"]) == (400, "prices[0][replace_with]")
    assert fresh.wire.send("POST", "/voldaan/replays", {"start": 10, "end": 10}).error["param"] == "end"
    pair = [{"price": "price_nowhere", "replace_with": once}]
    missing = fresh.wire.send("POST", "/voldaan/replays", {"start": 0, "end": 9, "prices": pair})
    assert missing.error["param"] == "prices[0][price]"
