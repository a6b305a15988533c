"""Many subscriptions changed at once: each with its own result, in a fixed number of queries; prices moved and shown before."""

from __future__ import annotations

import pytest

from tests.api.waiting import until
from tests.api.wire import JSON
from tests.api.world import World


def items_of(made: list[JSON]) -> list[str]:
    return [each["items"]["data"][0]["id"] for each in made]


def test_each_item_has_its_own_result(fresh: World):
    made = [fresh.subscription(fresh.payer()["id"]) for _ in range(4)]
    fresh.wire.send("DELETE", f"/v1/subscriptions/{made[3]['id']}")
    ids = items_of(made)
    asked = [{"subscription_item": id, "quantity": n} for id, n in [(ids[0], 5), (ids[1], 1), ("si_nowhere", 2), (ids[3], 2)]]
    found = fresh.wire.post("/voldaan/subscriptions/quantities", items=asked)
    assert (found["changed"], found["unchanged"], found["refused"]) == (1, 1, 2)
    assert [each["result"] for each in found["data"]] == ["changed", "unchanged", "refused", "refused"]
    assert found["data"][2]["code"] == "resource_missing"
    assert found["data"][3]["message"].startswith("The items of a subscription that is canceled")
    after = fresh.wire.get(f"/v1/subscriptions/{made[0]['id']}")
    assert after["items"]["data"][0]["quantity"] == 5
    waiting = fresh.wire.get("/v1/invoiceitems", customer=made[0]["customer"])["data"]
    assert [item["amount"] > 0 for item in waiting] == [True, False]


def test_an_item_that_is_named_twice_is_refused(fresh: World):
    made = fresh.subscription(fresh.payer()["id"])
    [item] = items_of([made])
    asked = [{"subscription_item": item, "quantity": n} for n in (3, 5)]
    no = fresh.wire.refused("POST", "/voldaan/subscriptions/quantities", {"items": asked})
    assert no.error["param"] == "items[1][subscription_item]"
    assert fresh.wire.get(f"/v1/subscription_items/{item}")["quantity"] == 1


def test_it_costs_what_the_same_changes_cost_one_by_one(fresh: World):
    clock = fresh.clock()["id"]
    one, other = (fresh.subscription(fresh.payer(test_clock=clock)["id"]) for _ in range(2))
    fresh.advance(clock, fresh.wire.get(f"/v1/test_helpers/test_clocks/{clock}")["frozen_time"] + 777_777)
    [item, twin] = items_of([one, other])
    fresh.wire.post("/voldaan/subscriptions/quantities", items=[{"subscription_item": item, "quantity": 7}])
    fresh.wire.post(f"/v1/subscription_items/{twin}", quantity=7)
    amounts = [
        [(i["amount"], i["period"]["start"], i["date"]) for i in fresh.wire.get("/v1/invoiceitems", customer=c)["data"]]
        for c in (one["customer"], other["customer"])
    ]
    assert amounts[0] == amounts[1]
    assert len(amounts[0]) == 2


@pytest.mark.parametrize("when", ["renewal", "now"])
def test_a_cohort_is_shown_and_moved(fresh: World, when: str):
    old, new = fresh.price(1000)["id"], fresh.price(1500)["id"]
    made = [fresh.subscription(fresh.payer()["id"], old) for _ in range(3)]
    both = [{"price": old}, {"price": new}]
    made.append(fresh.wire.post("/v1/subscriptions", customer=fresh.payer()["id"], items=both))
    apart = fresh.subscription(fresh.payer()["id"], old, metadata={"plan": "kept"})
    fresh.subscription(fresh.payer()["id"], fresh.price(700)["id"])
    kept = fresh.wire.post("/voldaan/price_migrations", price=old, to=new, filter={"metadata": {"plan": "kept"}})
    assert kept["subscriptions"]["total"] == 1
    fresh.wire.post(f"/voldaan/price_migrations/{kept['id']}/cancel")

    migration = fresh.wire.post("/voldaan/price_migrations", price=old, to=new, when=when, proration_behavior="none")
    assert (migration["status"], migration["subscriptions"]["total"]) == ("draft", 5)
    here = f"/voldaan/price_migrations/{migration['id']}"
    page = fresh.wire.get(f"{here}/preview", limit=2)
    rest = fresh.wire.get(f"{here}/preview", limit=50, starting_after=page["next_subscription"])
    shown = {each["subscription"]: each for each in page["data"] + rest["data"]}
    assert (page["has_more"], rest["has_more"], len(shown)) == (True, False, 5)
    for each in [*made[:3], apart]:
        assert shown[each["id"]]["before"] == {"at_once": None, "next": 1000}
        assert shown[each["id"]]["after"] == {"at_once": None, "next": 1500}
    assert "Cannot add multiple subscription items" in shown[made[3]["id"]]["failure"]["message"]
    assert fresh.wire.get(f"/v1/subscriptions/{made[0]['id']}")["items"]["data"][0]["price"]["id"] == old

    fresh.wire.post(f"{here}/start")
    fresh.wire.post(f"{here}/start")
    done = until(lambda: fresh.wire.get(here), lambda found: found["status"] == "completed")
    assert done["subscriptions"] == {"total": 5, "moved": 4, "failed": 1, "skipped": 0}
    [failed] = fresh.wire.get(f"{here}/subscriptions", status="failed")["data"]
    assert failed["subscription"] == made[3]["id"]
    price = fresh.wire.get(f"/v1/subscriptions/{made[0]['id']}")["items"]["data"][0]["price"]["id"]
    assert price == (new if when == "now" else old)
    preview = fresh.wire.post("/v1/invoices/create_preview", subscription=made[0]["id"])
    assert preview["total"] == 1500
    refused = fresh.wire.send("POST", f"{here}/cancel")
    assert refused.status == 400


def test_at_renewal_the_new_price_is_billed_and_stays(fresh: World):
    clock = fresh.clock()["id"]
    old, new = fresh.price(1000)["id"], fresh.price(1500)["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"], old)
    migration = fresh.wire.post("/voldaan/price_migrations", price=old, to=new)
    fresh.wire.post(f"/voldaan/price_migrations/{migration['id']}/start")
    here = f"/voldaan/price_migrations/{migration['id']}"
    until(lambda: fresh.wire.get(here), lambda found: found["status"] == "completed")
    end = made["items"]["data"][0]["current_period_end"]
    fresh.advance(clock, end + 2 * 3600)
    after = fresh.wire.get(f"/v1/subscriptions/{made['id']}", expand=["latest_invoice"])
    assert after["items"]["data"][0]["price"]["id"] == new
    assert (after["latest_invoice"]["total"], after["latest_invoice"]["status"]) == (1500, "paid")
    assert fresh.wire.get("/v1/invoiceitems", customer=made["customer"])["data"] == []


def test_what_cannot_be_migrated_is_refused(fresh: World):
    old, once = fresh.price(1000)["id"], fresh.price(100, None)["id"]
    yearly = fresh.price(10_000, "year")["id"]

    def refused(**params: object) -> str:
        answer = fresh.wire.send("POST", "/voldaan/price_migrations", params)
        assert answer.status in (400, 404)
        return answer.error["param"]

    assert refused(price=old, to=once) == "to"
    assert refused(price=old, to=yearly) == "to"
    assert refused(price=old, to=old) == "to"
    assert refused(price="price_nowhere", to=yearly) == "price"
    assert refused(to=yearly) == "price"
