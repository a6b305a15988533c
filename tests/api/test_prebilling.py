"""Billing in advance over HTTP: shapes, what an update says, what a void invoice leaves to bill, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World


def months(count: int, **more: Any) -> JSON:
    return {"bill_until": {"type": "duration", "duration": {"interval": "month", "interval_count": count}}, **more}


def ahead(w: World, *schedules: JSON, **more: Any) -> tuple[JSON, str]:
    clock = w.clock()["id"]
    return w.subscription(w.payer(test_clock=clock)["id"], billing_schedules=list(schedules), **more), clock


def lines(w: World, invoice: str) -> list[int]:
    return [line["amount"] for line in w.wire.get(f"/v1/invoices/{invoice}")["lines"]["data"]]


def test_what_is_agreed_is_shown(fresh: World):
    made, _ = ahead(fresh, months(3, key="threeMonths", applies_to=[{"type": "price", "price": fresh.monthly["id"]}]))
    [item] = made["items"]["data"]
    assert made["billing_schedules"] == [
        {
            "key": "threeMonths",
            "applies_to": [{"type": "price", "price": fresh.monthly["id"]}],
            "bill_until": {
                "type": "duration",
                "duration": {"interval": "month", "interval_count": 3},
                "timestamp": None,
                "computed_timestamp": item["billed_until"],
            },
        }
    ]
    assert item["billed_until"] > item["current_period_end"]
    assert "debits" not in item
    assert lines(fresh, made["latest_invoice"]) == [1000, 1000, 1000]
    expanded = fresh.wire.get(f"/v1/subscriptions/{made['id']}", expand=["billing_schedules.applies_to.price"])
    assert expanded["billing_schedules"][0]["applies_to"][0]["price"]["object"] == "price"


def test_an_update_says_what_there_will_be(fresh: World):
    made, _ = ahead(fresh, months(2, key="a"))
    path = f"/v1/subscriptions/{made['id']}"
    longer = fresh.wire.post(path, billing_schedules=[months(4, key="a")])
    assert longer["billing_schedules"][0]["bill_until"]["duration"]["interval_count"] == 4
    assert lines(fresh, longer["latest_invoice"]) == [1000, 1000]
    named = {"key": "a", "applies_to": [{"type": "price", "price": fresh.monthly["id"]}]}
    kept = fresh.wire.post(path, billing_schedules=[named])
    assert kept["billing_schedules"][0]["bill_until"] == longer["billing_schedules"][0]["bill_until"]
    assert kept["latest_invoice"] == longer["latest_invoice"]
    gone = fresh.wire.post(path, billing_schedules="")
    assert gone["billing_schedules"] == []
    assert gone["items"]["data"][0]["billed_until"] == longer["items"]["data"][0]["billed_until"]  # what is paid is paid


def test_a_void_invoice_has_billed_nothing_in_advance(fresh: World):
    """The periods that it was for are billed as they come."""
    clock = fresh.clock()["id"]
    sent = {"collection_method": "send_invoice", "days_until_due": 5}
    made = fresh.subscription(fresh.customer(test_clock=clock)["id"], **sent)
    item = made["items"]["data"][0]
    path = f"/v1/subscriptions/{made['id']}"
    later = fresh.wire.post(path, billing_schedules=[months(3)])
    assert lines(fresh, later["latest_invoice"]) == [1000, 1000]
    assert "billed_until" in later["items"]["data"][0]
    fresh.wire.post(f"/v1/invoices/{later['latest_invoice']}/void")
    assert "billed_until" not in fresh.wire.get(path)["items"]["data"][0]
    fresh.wire.post(path, billing_schedules="")
    fresh.advance(clock, item["current_period_end"] + 3600)
    renewed = fresh.wire.get(path)
    assert lines(fresh, renewed["latest_invoice"]) == [1000]
    assert "billed_until" not in renewed["items"]["data"][0]


def test_the_next_invoice_is_not_told_of_where_none_comes(fresh: World):
    made, _ = ahead(fresh, months(3))
    answer = fresh.wire.send("POST", "/v1/invoices/create_preview", {"subscription": made["id"]})
    assert answer.error["code"] == "invoice_upcoming_none"
    usual = fresh.wire.post("/v1/invoices/create_preview", subscription=made["id"], preview_mode="recurring")
    assert usual["total"] == 1000


def test_canceled_at_the_end_of_the_period_the_rest_is_given_back(fresh: World):
    made, clock = ahead(fresh, months(3))
    path = f"/v1/subscriptions/{made['id']}"
    fresh.wire.post(path, cancel_at="max_billed_until")
    assert fresh.wire.get(path)["cancel_at"] == made["items"]["data"][0]["billed_until"]
    fresh.wire.post(path, cancel_at="")
    fresh.wire.post(path, cancel_at_period_end=True)
    waits = fresh.wire.get("/v1/invoiceitems", customer=made["customer"], pending=True)["data"]
    assert [item["amount"] for item in waits] == [-1000, -1000]
    fresh.advance(clock, made["items"]["data"][0]["current_period_end"] + 2 * 3600)
    assert fresh.wire.get(path)["status"] == "canceled"
    assert fresh.wire.get(f"/v1/customers/{made['customer']}")["balance"] == -2000


def test_itemized_discounts_come_back_with_what_was_billed_in_advance(fresh: World):
    mode = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}
    made, clock = ahead(fresh, months(3), billing_mode=mode, discounts=[{"coupon": fresh.coupon()["id"]}])
    item = made["items"]["data"][0]
    fresh.advance(clock, MONDAY + 10 * DAY)
    changed = fresh.wire.post(
        f"/v1/subscriptions/{made['id']}", items=[{"id": item["id"], "quantity": 2}], proration_behavior="always_invoice"
    )
    invoice = fresh.wire.get(f"/v1/invoices/{changed['latest_invoice']}")
    shown = [(line["amount"], sum(d["amount"] for d in line["discount_amounts"])) for line in invoice["lines"]["data"]]
    assert shown == [(2000, 500), (2000, 500), (1355, 339), (-1000, -250), (-1000, -250), (-677, -169)]
    assert fresh.wire.get(f"/voldaan/invoices/{invoice['id']}/explain")["holds"] is True


@pytest.mark.parametrize(
    ("schedules", "param"),
    [
        ([{"key": "a"}], "billing_schedules[0][bill_until]"),
        ([{"bill_until": {"type": "duration"}}], "billing_schedules[0][bill_until][duration]"),
        ([{"bill_until": {"type": "duration", "timestamp": MONDAY}}], "billing_schedules[0][bill_until][duration]"),
        ([{"bill_until": {"type": "timestamp", "timestamp": MONDAY}}], "billing_schedules[0][bill_until][timestamp]"),
        ([months(2, key="no spaces")], "billing_schedules[0][key]"),
        ([months(2, key="a"), months(3, key="a")], "billing_schedules[1][key]"),
        ([months(2, applies_to=[{"type": "price"}])], "billing_schedules[0][applies_to][0][price]"),
        ([months(2, applies_to=[{"type": "price", "price": "price_none"}])], "billing_schedules[0][applies_to][0][price]"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(fresh: World, schedules: Any, param: str):
    given = {"customer": fresh.payer()["id"], "items": [{"price": fresh.monthly["id"]}], "billing_schedules": schedules}
    answer = fresh.wire.send("POST", "/v1/subscriptions", given)
    assert (answer.status, answer.error["param"]) == (400, param)
    made = fresh.subscription(given["customer"])
    answer = fresh.wire.send("POST", f"/v1/subscriptions/{made['id']}", {"billing_schedules": schedules})
    assert (answer.status, answer.error["param"]) == (400, param)
    asked = {"subscription": made["id"], "subscription_details": {"billing_schedules": schedules}}
    answer = fresh.wire.send("POST", "/v1/invoices/create_preview", asked)
    assert (answer.status, answer.error["param"]) == (400, f"subscription_details[{param.replace('[', '][', 1)}")


def test_what_it_does_not_go_with(fresh: World):
    customer, items = fresh.payer()["id"], [{"price": fresh.monthly["id"]}]
    classic = {"customer": customer, "items": items, "billing_mode": {"type": "classic"}, "billing_schedules": [months(2)]}
    assert fresh.wire.send("POST", "/v1/subscriptions", classic).error["param"] == "billing_schedules"
    counted = fresh.wire.send(
        "POST", "/v1/subscriptions",
        {"customer": customer, "items": [{"price": fresh.metered()["id"]}], "billing_schedules": [months(2)]},
    )  # fmt: skip
    assert counted.error["param"] == "billing_schedules[0]"
    made = fresh.subscription(customer)
    for behavior in ("pending_if_incomplete", "error_if_incomplete"):
        given = {"billing_schedules": [months(2)], "payment_behavior": behavior}
        assert fresh.wire.send("POST", f"/v1/subscriptions/{made['id']}", given).error["param"] == "billing_schedules"


def test_a_bill_that_comes_to_nothing_is_earned_month_by_month_all_the_same(fresh: World):
    """A new period in the middle of what is paid: the same time is given back and charged, by other periods."""
    made, clock = ahead(fresh, months(3))
    fresh.advance(clock, MONDAY + 10 * DAY)
    again = {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": "always_invoice"}
    changed = fresh.wire.post(f"/v1/subscriptions/{made['id']}", **again)
    assert lines(fresh, changed["latest_invoice"]) == [-1000, -1000, -677, 677, 1000, 1000]
    assert fresh.wire.get(f"/v1/invoices/{changed['latest_invoice']}")["total"] == 0
    for month in (40, 70, 100):
        assert fresh.advance(clock, MONDAY + month * DAY)["status"] == "ready"
