"""Changes of subscriptions over HTTP: those that must be paid, what takes them back, previews of them, and two at once."""

from __future__ import annotations

from typing import Any

from tests.api.racing import done, together
from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World

FAILS = "tok_chargeCustomerFail"


def running(w: World, **params: Any) -> tuple[JSON, str]:
    """A paid subscription whose next payment will fail, and the id of its item."""
    customer = w.payer()["id"]
    made = w.subscription(customer, **params)
    card = w.attached(customer, FAILS)["id"]
    w.wire.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": card})
    return made, made["items"]["data"][0]["id"]


def upgrade(w: World, made: JSON, item: str, behavior: str, **more: Any) -> Any:
    given = {"items": [{"id": item, "quantity": 3}], "proration_behavior": "always_invoice", "payment_behavior": behavior}
    return w.wire.send("POST", f"/v1/subscriptions/{made['id']}", {**given, **more})


def now(w: World, made: JSON) -> JSON:
    return w.wire.get(f"/v1/subscriptions/{made['id']}")


def test_a_change_that_waits_shows_itself_and_nothing_else(fresh: World):
    made, item = running(fresh)
    answer = upgrade(fresh, made, item, "pending_if_incomplete", metadata={"asked": "by phone"})
    assert answer.status == 200
    pending = answer.body["pending_update"]
    assert [(i["id"], i["quantity"], i["price"]["object"]) for i in pending["subscription_items"]] == [(item, 3, "price")]
    assert pending["metadata"] == {"asked": "by phone"}
    assert "debits" not in pending["subscription_items"][0]
    assert answer.body["items"]["data"][0]["quantity"] == 1
    assert answer.body["metadata"] == {}
    invoice = fresh.wire.get(f"/v1/invoices/{answer.body['latest_invoice']}")
    assert (invoice["status"], invoice["next_payment_attempt"]) == ("open", None)
    assert fresh.wire.get(f"/v1/customers/{made['customer']}")["delinquent"] is False

    card = fresh.attached(made["customer"])["id"]
    assert fresh.wire.post(f"/v1/invoices/{invoice['id']}/pay", payment_method=card)["status"] == "paid"
    after = now(fresh, made)
    assert (after["pending_update"], after["items"]["data"][0]["quantity"], after["status"]) == (None, 3, "active")
    assert after["metadata"] == {"asked": "by phone"}


def test_what_a_waiting_change_may_not_say(fresh: World):
    made, item = running(fresh)
    answer = upgrade(fresh, made, item, "pending_if_incomplete", description="larger")
    assert (answer.status, answer.error["param"]) == (400, "description")
    sent = fresh.subscription(fresh.customer()["id"], collection_method="send_invoice", days_until_due=30)
    answer = upgrade(fresh, sent, sent["items"]["data"][0]["id"], "pending_if_incomplete")
    assert (answer.status, answer.error["param"]) == (400, "payment_behavior")


def test_another_change_takes_the_waiting_one_back(fresh: World):
    made, item = running(fresh)
    first = upgrade(fresh, made, item, "pending_if_incomplete").body
    fresh.wire.post(f"/v1/subscriptions/{made['id']}", metadata={"kept": "yes"})
    assert now(fresh, made)["pending_update"] is not None
    fresh.wire.post(f"/v1/subscriptions/{made['id']}", items=[{"id": item, "quantity": 2}])
    after = now(fresh, made)
    assert (after["pending_update"], after["items"]["data"][0]["quantity"]) == (None, 2)
    assert fresh.wire.get(f"/v1/invoices/{first['latest_invoice']}")["status"] == "void"


def test_voiding_its_invoice_or_canceling_ends_a_waiting_change(fresh: World):
    made, item = running(fresh)
    waiting = upgrade(fresh, made, item, "pending_if_incomplete").body
    fresh.wire.post(f"/v1/invoices/{waiting['latest_invoice']}/void")
    assert now(fresh, made)["pending_update"] is None
    waiting = upgrade(fresh, made, item, "pending_if_incomplete").body
    fresh.wire.send("DELETE", f"/v1/subscriptions/{made['id']}")
    assert fresh.wire.get(f"/v1/invoices/{waiting['latest_invoice']}")["status"] == "void"


def test_an_item_that_waits_is_answered_and_not_there(fresh: World):
    made, _ = running(fresh)
    more = {"subscription": made["id"], "price": fresh.price(700)["id"], "proration_behavior": "always_invoice"}
    made_item = fresh.wire.post("/v1/subscription_items", **more, payment_behavior="pending_if_incomplete")
    assert len(now(fresh, made)["items"]["data"]) == 1
    pending = now(fresh, made)["pending_update"]["subscription_items"]
    assert made_item["id"] in [item["id"] for item in pending]
    refused = fresh.wire.send("POST", "/v1/subscription_items", {**more, "payment_behavior": "error_if_incomplete"})
    assert (refused.status, refused.error["code"]) == (402, "card_declined")
    assert now(fresh, made)["pending_update"] is None
    assert len(now(fresh, made)["items"]["data"]) == 1


def test_all_or_nothing_is_all_or_nothing(fresh: World):
    made, item = running(fresh)
    answer = upgrade(fresh, made, item, "error_if_incomplete", description="larger")
    assert (answer.status, answer.error["code"]) == (402, "card_declined")
    after = now(fresh, made)
    assert (after["description"], after["items"]["data"][0]["quantity"], after["pending_update"]) == (None, 1, None)
    card = fresh.attached(made["customer"])["id"]
    answer = upgrade(fresh, made, item, "error_if_incomplete", description="larger", default_payment_method=card)
    assert answer.status == 200
    assert (answer.body["description"], answer.body["items"]["data"][0]["quantity"]) == ("larger", 3)
    assert answer.body["default_payment_method"] == card


def test_all_or_nothing_without_a_card_is_nothing(fresh: World):
    customer = fresh.customer()["id"]
    made = fresh.subscription(customer, collection_method="send_invoice", days_until_due=30)
    fresh.wire.post(f"/v1/subscriptions/{made['id']}", collection_method="charge_automatically")
    answer = upgrade(fresh, made, made["items"]["data"][0]["id"], "error_if_incomplete")
    assert (answer.status, answer.error["code"]) == (400, "resource_missing")
    assert now(fresh, made)["items"]["data"][0]["quantity"] == 1


def test_a_pause_is_previewed_as_it_will_be_billed(fresh: World):
    made = fresh.subscription(fresh.payer()["id"])
    asked = {"subscription": made["id"], "subscription_details": {"pause": {"invoicing_behavior": "invoice"}}}
    preview = fresh.wire.post("/v1/invoices/create_preview", **asked)
    assert preview["total"] < 0
    nothing = {"subscription": made["id"], "subscription_details": {"pause": {"invoicing_behavior": "pending_invoice_item"}}}
    assert fresh.wire.send("POST", "/v1/invoices/create_preview", nothing).status == 404
    paused = fresh.wire.post(f"/v1/subscriptions/{made['id']}/pause", invoicing_behavior="invoice")
    billed = fresh.wire.get(f"/v1/invoices/{paused['latest_invoice']}")
    assert abs(billed["total"] - preview["total"]) <= 1  # a second may have passed


def test_changes_of_one_subscription_at_once_follow_one_another(fresh: World):
    """Each gives back what the one before it charged; in the end one charge stands: that for the last quantity."""
    made = fresh.subscription(fresh.payer()["id"])
    item = made["items"]["data"][0]["id"]

    def ask(n: int) -> Any:
        change = {"items": [{"id": item, "quantity": n + 2}], "proration_behavior": "always_invoice"}
        return fresh.wire.send("POST", f"/v1/subscriptions/{made['id']}", change)

    answers = together(ask)
    assert len(done(answers)) == len(answers)
    invoices = fresh.wire.get("/v1/invoices", subscription=made["id"], limit=100)["data"]
    assert len(invoices) == len(answers) + 1
    lines = [line for invoice in invoices for line in invoice["lines"]["data"]]
    credited: list[str] = []
    for line in lines:
        details = line["parent"]["subscription_item_details"]["proration_details"]["credited_items"]
        credited += details["invoice_line_items"] if details else []
    charged = {line["id"]: line["quantity"] for line in lines if line["amount"] > 0}
    assert len(credited) == len(set(credited)) == len(answers)
    (standing,) = charged.keys() - set(credited)
    assert charged[standing] == now(fresh, made)["items"]["data"][0]["quantity"]


def test_a_preview_of_a_pause_bills_the_usage_that_the_pause_bills(fresh: World):
    clock = fresh.clock()["id"]
    customer = fresh.payer(test_clock=clock)["id"]
    items = [{"price": fresh.metered(10)["id"]}, {"price": fresh.monthly["id"]}]
    made = fresh.wire.post("/v1/subscriptions", customer=customer, items=items)
    fresh.advance(clock, MONDAY + 3 * DAY)
    fresh.uses(customer, 50, MONDAY + 2 * DAY)
    totals = []
    for kind in ("now", "none"):
        pause = {"invoicing_behavior": "invoice", "bill_for": {"outstanding_usage_through": {"type": kind}}}
        asked = {"subscription": made["id"], "subscription_details": {"pause": pause}}
        totals.append(fresh.wire.post("/v1/invoices/create_preview", **asked)["total"])
    assert totals[0] - totals[1] == 500
    fresh.wire.post(f"/v1/subscriptions/{made['id']}/pause", **pause)
    assert fresh.invoices(made["id"])[-1]["total"] == totals[1]
