"""Contracts: prices of a customer's own in their time, minimums with what arrives late, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.world import DAY, MONDAY, World
from voldaan.reports import mrr
from voldaan.store import accounts
from voldaan.store.pool import open_pool
from voldaan.store.transaction import transaction
from voldaan.work import clock as wall_clock

MONTH = 31 * DAY  # of March
CONTRACTS = "/voldaan/contracts"


def lines_of(world: World, invoice: str) -> dict[str, int]:
    """Amounts by the first word of the description."""
    found = world.wire.get(f"/v1/invoices/{invoice}/lines", limit=100)["data"]
    return {line["description"].split(" ")[0]: line["amount"] for line in found}


def test_a_price_of_ones_own_holds_in_its_time_and_for_nobody_else(fresh: World):
    clock = fresh.clock()["id"]
    anna, otto = (fresh.payer(test_clock=clock)["id"] for _ in range(2))
    override = {"price": fresh.monthly["id"], "override_data": {"unit_amount": 800}}
    ends = MONDAY + MONTH + DAY
    made = fresh.wire.post(CONTRACTS, customer=anna, name="Guild", price_overrides=[override], ends_at=ends)
    own = made["price_overrides"][0]["override"]
    assert fresh.wire.get(f"/v1/prices/{own}")["active"] is False
    subscriptions = [fresh.subscription(who)["id"] for who in (anna, otto)]
    fresh.advance(clock, MONDAY + MONTH + 7200)
    fresh.advance(clock, MONDAY + MONTH + 31 * DAY + 7200)
    paid = [[i["total"] for i in fresh.invoices(s)] for s in subscriptions]
    assert paid == [[800, 800, 1000], [1000, 1000, 1000]], "the third month begins after the contract"
    first = fresh.invoices(subscriptions[0])[0]["lines"]["data"][0]
    assert first["pricing"]["price_details"]["price"] == own
    preview = fresh.wire.post("/v1/invoices/create_preview", subscription=subscriptions[0])
    assert preview["total"] == 1000


def test_a_change_is_prorated_at_the_price_of_ones_own(fresh: World):
    clock = fresh.clock()["id"]
    anna = fresh.payer(test_clock=clock)["id"]
    override = {"price": fresh.monthly["id"], "override_data": {"unit_amount": 620}}
    fresh.wire.post(CONTRACTS, customer=anna, name="Guild", price_overrides=[override])
    subscription = fresh.subscription(anna)
    item = subscription["items"]["data"][0]["id"]
    fresh.advance(clock, MONDAY + 1 * DAY)
    fresh.wire.post(f"/v1/subscription_items/{item}", quantity=2)
    waiting = fresh.wire.get("/v1/invoiceitems", customer=anna)["data"]
    assert sorted(i["amount"] for i in waiting) == [-600, 1200]


def test_usage_counts_towards_a_minimum_as_long_as_it_may_arrive(fresh: World):
    clock, price = fresh.clock()["id"], fresh.metered()["id"]
    anna = fresh.payer(test_clock=clock)["id"]
    subscription = fresh.wire.post("/v1/subscriptions", customer=anna, items=[{"price": price}])["id"]
    minimum = {"amount": 10_000}
    fresh.wire.post(CONTRACTS, customer=anna, subscription=subscription, name="Calls", minimum=minimum)
    fresh.uses(anna, 300, MONDAY)
    fresh.advance(clock, MONDAY + MONTH + 60)
    draft = fresh.invoices(subscription)[-1]
    assert (draft["status"], lines_of(fresh, draft["id"])) == ("draft", {"300": 3000, "Minimum": 7000})
    fresh.uses(anna, 200, MONDAY + DAY)                       # while it is a draft: counted anew at finalization
    fresh.advance(clock, MONDAY + MONTH + 7200)
    paid = fresh.invoices(subscription)[-1]
    assert (paid["status"], paid["total"]) == ("paid", 10_000)
    assert lines_of(fresh, paid["id"]) == {"500": 5000, "Minimum": 5000}
    fresh.uses(anna, 400, MONDAY + 2 * DAY)                   # late: within what the minimum paid for
    fresh.advance(clock, MONDAY + 2 * MONTH)
    second = fresh.invoices(subscription)[-1]
    found = fresh.wire.get(f"/v1/invoices/{second['id']}/lines", limit=100)["data"]
    assert sorted(line["amount"] for line in found if line["period"]["start"] == MONDAY) == [-4000, 4000]
    [newest, first] = fresh.wire.get(f"{CONTRACTS}/{the_contract(fresh)}/commitment_periods")["data"]
    assert (first["committed"], first["spent"], first["charged"]) == (10_000, 9_000, 1_000)
    assert (newest["spent"], newest["charged"]) == (0, 10_000)


def the_contract(fresh: World) -> str:
    return fresh.wire.get(CONTRACTS)["data"][0]["id"]


def test_a_yearly_minimum_is_looked_at_once_a_year_and_shows_how_far_it_is_met(fresh: World):
    clock = fresh.clock()["id"]
    anna = fresh.payer(test_clock=clock)["id"]
    subscription = fresh.subscription(anna)["id"]
    minimum = {"amount": 15_000, "interval": "year"}
    fresh.wire.post(CONTRACTS, customer=anna, subscription=subscription, name="Year", minimum=minimum)
    for month in (2, 4, 6, 8, 10, 12):
        fresh.advance(clock, MONDAY + month * 30 * DAY)
    [running] = fresh.wire.get(f"/voldaan/customers/{anna}/contract_terms")["commitments"]
    assert (running["committed"], running["spent"], running["remaining"]) == (15_000, 12_000, 3_000)
    fresh.advance(clock, MONDAY + 366 * DAY)
    last = fresh.invoices(subscription)[-1]
    assert sorted(lines_of(fresh, last["id"]).values()) == [1000, 3000]
    preview = fresh.wire.post("/v1/invoices/create_preview", subscription=subscription)
    assert preview["total"] == 1000, "and not again a month later"


@pytest.mark.parametrize(("early_end", "owed"), [("prorate", 500), ("full", 2000)])
def test_a_contract_that_ends_early(fresh: World, early_end: str, owed: int):
    clock = fresh.clock()["id"]
    anna = fresh.payer(test_clock=clock)["id"]
    subscription = fresh.subscription(anna)["id"]
    minimum = {"amount": 3_000, "early_end": early_end}
    made = fresh.wire.post(CONTRACTS, customer=anna, subscription=subscription, name="Short", minimum=minimum)
    fresh.advance(clock, MONDAY + MONTH // 2)
    fresh.wire.post(f"{CONTRACTS}/{made['id']}/end")
    assert fresh.wire.refused("POST", f"{CONTRACTS}/{made['id']}/end").status == 400
    fresh.advance(clock, MONDAY + MONTH + 7200)
    last = fresh.invoices(subscription)[-1]
    assert lines_of(fresh, last["id"])["Minimum"] == owed
    assert fresh.wire.get(f"{CONTRACTS}/{made['id']}")["status"] == "ended"


def test_what_cannot_be_agreed_is_refused_by_name(fresh: World):
    anna, otto = fresh.payer()["id"], fresh.payer()["id"]
    mine, other = fresh.subscription(anna)["id"], fresh.subscription(otto)["id"]
    yearly = fresh.price(9000, "year")["id"]
    torte = fresh.price(product=fresh.product()["id"])["id"]
    monthly = fresh.monthly["id"]

    def param(**given: object) -> str:
        return fresh.wire.refused("POST", CONTRACTS, {"customer": anna, "name": "No", **given}).error["param"]

    assert param(customer="cus_nobody") == "customer"
    assert param(subscription=other) == "subscription"
    assert param(minimum={"amount": 1000}) == "subscription"
    assert param(subscription=mine, minimum={"amount": 0}) == "minimum[amount]"
    assert param(ends_at=MONDAY) == "ends_at"
    for override, blamed in (
        ({"price": "price_nobody", "override": monthly}, "[price]"),
        ({"price": monthly}, "[override]"),
        ({"price": monthly, "override": monthly}, "[override]"),
        ({"price": monthly, "override": yearly}, "[override]"),
        ({"price": monthly, "override": torte}, "[override]"),
    ):
        assert param(price_overrides=[override]) == f"price_overrides[0]{blamed}"
    twice = [{"price": monthly, "override_data": {"unit_amount": n}} for n in (1, 2)]
    assert param(price_overrides=twice) == "price_overrides[1][price]"
    fresh.wire.post(CONTRACTS, customer=anna, name="Yes", price_overrides=twice[:1], subscription=mine, minimum={"amount": 1})
    assert param(price_overrides=twice[1:]) == "price_overrides"
    assert param(subscription=mine, minimum={"amount": 2}) == "subscription"


def test_an_ended_contract_keeps_what_was_agreed(fresh: World):
    made = fresh.wire.post(CONTRACTS, customer=fresh.payer()["id"], name="Plain")
    ended = fresh.wire.post(f"{CONTRACTS}/{made['id']}/end")
    assert ended["status"] == "ended"
    assert fresh.wire.post(f"{CONTRACTS}/{made['id']}", name="Kept")["name"] == "Kept"
    assert fresh.wire.refused("POST", f"{CONTRACTS}/{made['id']}", {"ends_at": ""}).status == 400


def test_recurring_revenue_is_what_the_next_renewal_bills(fresh: World, dsn: str):
    clock = fresh.clock()["id"]
    anna = fresh.payer(test_clock=clock)["id"]
    subscription = fresh.subscription(anna, discounts=[{"coupon": fresh.coupon(duration="forever")["id"]}])

    def is_worth(amount: int) -> None:
        assert recurring(dsn, fresh)[0] == amount
        preview = fresh.wire.post("/v1/invoices/create_preview", subscription=subscription["id"])
        lines = [line for line in preview["lines"]["data"] if not line["parent"]["subscription_item_details"]["proration"]]
        assert sum(line["amount"] - sum(d["amount"] for d in line["discount_amounts"]) for line in lines) == amount

    is_worth(750)
    override = {"price": fresh.monthly["id"], "override_data": {"unit_amount": 800}}
    ends = MONDAY + 40 * DAY
    made = fresh.wire.post(CONTRACTS, customer=anna, name="Guild", price_overrides=[override], ends_at=ends)["id"]
    is_worth(600)
    fresh.advance(clock, MONDAY + 10 * DAY)
    override["override_data"] = {"unit_amount": 400}
    fresh.wire.post(f"{CONTRACTS}/{made}", price_overrides=[override])
    is_worth(300)
    item = subscription["items"]["data"][0]["id"]
    fresh.wire.post(f"/v1/subscription_items/{item}", quantity=3)
    is_worth(900)
    fresh.advance(clock, MONDAY + 45 * DAY)
    is_worth(2250)
    fresh.wire.post(CONTRACTS, customer=anna, name="Again", price_overrides=[override])
    is_worth(900)
    last = fresh.wire.get(CONTRACTS)["data"][0]["id"]
    fresh.wire.post(f"{CONTRACTS}/{last}/end")  # at the same instant
    is_worth(2250)
    _, moved = recurring(dsn, fresh)
    by_contract = [(cause, kind, amount, at) for cause, kind, amount, at in moved if cause.startswith("ctr_")]
    assert by_contract == [
        (made, "contraction", 150, MONDAY), (made, "contraction", 300, MONDAY + 10 * DAY), (made, "expansion", 1350, ends),
        (last, "contraction", 1350, MONDAY + 45 * DAY), (last, "expansion", 1350, MONDAY + 45 * DAY),
    ]  # fmt: skip


MINE = "account_id = %(account)s"


def recurring(dsn: str, world: World) -> tuple[int, list[Any]]:
    """What the account's subscriptions are worth a month, and how it came to that."""

    async def read() -> tuple[int, list[Any]]:
        pool = await open_pool(dsn, 1)
        try:
            account = await accounts.find(pool, world.wire.get("/v1/account")["id"])
            while True:
                async with transaction(pool, account, wall_clock.wall(), wall_clock.wall()) as tx:
                    if await mrr.catch_up(tx):
                        [(worth,)] = await tx.all(f"select sum(amount)::bigint from mrr_subscriptions where {MINE}")
                        return worth, await tx.all(
                            f"select event_id, kind, amount, at from mrr_movements where {MINE} order by at, event_id, kind"
                        )
        finally:
            await pool.close()

    return asyncio.run(read())
