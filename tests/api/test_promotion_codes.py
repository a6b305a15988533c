"""Promotion codes over HTTP: made, found, redeemed, refused, counted; and the last one goes to one of two."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.racing import done, together
from tests.api.wire import JSON, Answer
from tests.api.world import DAY, MONDAY, World
from voldaan.rules import promotion_codes as rules


def made(w: World, coupon: str | None = None, **params: Any) -> JSON:
    given = {"promotion": {"type": "coupon", "coupon": coupon or w.coupon()["id"]}, **params}
    return w.wire.post("/v1/promotion_codes", **given)


def subscribe(w: World, customer: str, code: str, **params: Any) -> Answer:
    given = {"customer": customer, "items": [{"price": w.monthly["id"]}], "discounts": [{"promotion_code": code}], **params}
    return w.wire.send("POST", "/v1/subscriptions", given)


def told(w: World, type: str) -> list[JSON]:
    return [e["data"] for e in w.wire.get("/v1/events", type=type, limit=100)["data"]]


def test_a_code_of_ours_has_eight_digits_and_capitals(fresh: World):
    code = made(fresh)
    assert re.fullmatch("[A-Z0-9]{8}", code["code"])
    assert code["restrictions"] == {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    assert (code["active"], code["times_redeemed"], code["metadata"]) == (True, 0, {})


@pytest.mark.parametrize(
    ("params", "param", "message"),
    [
        ({"promotion": {"type": "coupon"}}, "promotion.coupon", "You must pass promotion.coupon when passing promotion"),
        ({"promotion": {"type": "coupon", "coupon": "NOPE"}}, "promotion[coupon]", "No such coupon: 'NOPE'"),
        ({"coupon": "NOPE"}, "coupon", "Received unknown parameter: coupon"),
        ({"code": "has spaces!"}, "code", r"This value must match the regex pattern. (/\A[a-zA-Z0-9\-_]+\z/ does not match"),
        ({"customer": "cus_none"}, "customer", "No such customer: 'cus_none'"),
        ({"expires_at": 2000}, "expires_at", "The parameter `expires_at` expects a unix timestamp representing a date"),
        ({"expires_at": 4_102_444_800}, "expires_at", "Invalid timestamp: can be no more than five years in the future."),
        ({"max_redemptions": 6}, "max_redemptions", "`max_redemptions` must not be greater than the coupon's"),
        ({"restrictions": {"minimum_amount": 5}}, "restrictions[minimum_amount_currency]", "Missing required param"),
        ({"restrictions": {"minimum_amount_currency": "eur"}}, "restrictions[minimum_amount]", "Missing required param"),
        (
            {"restrictions": {"minimum_amount": 5, "minimum_amount_currency": "eur",
                              "currency_options": {"eur": {"minimum_amount": 5}}}},
            "restrictions[currency_options][eur]", "A currency option must be in another currency",
        ),
        ({"customer_account": "acct_1"}, "customer_account", "customer_account is not supported"),
    ],
)  # fmt: skip
def test_what_no_code_can_be(fresh: World, params: JSON, param: str, message: str):
    coupon = fresh.coupon(max_redemptions=5)["id"]
    given = {"promotion": {"type": "coupon", "coupon": coupon}, **params}
    answer = fresh.wire.send("POST", "/v1/promotion_codes", given)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert answer.error["message"].startswith(message)
    assert fresh.wire.get("/v1/promotion_codes")["data"] == []


def test_active_codes_are_unique_whatever_their_case(fresh: World):
    anna, ben = fresh.customer()["id"], fresh.customer()["id"]
    made(fresh, code="FRIEND", customer=anna)
    made(fresh, code="friend", customer=ben)
    everybody = {"promotion": {"type": "coupon", "coupon": fresh.coupon()["id"]}, "code": "Friend"}
    for taken in (everybody, {**everybody, "customer": anna}):
        answer = fresh.wire.send("POST", "/v1/promotion_codes", taken)
        assert answer.error["message"] == "An active promotion code with `code: Friend` already exists."
    for code in fresh.wire.get("/v1/promotion_codes", code="fRIEND")["data"]:
        fresh.wire.post(f"/v1/promotion_codes/{code['id']}", active=False)
    wide = fresh.wire.post("/v1/promotion_codes", **everybody)
    assert [c["id"] for c in fresh.wire.get("/v1/promotion_codes", code="friend", active=True)["data"]] == [wide["id"]]
    again = fresh.wire.get("/v1/promotion_codes", customer=anna)["data"][0]
    answer = fresh.wire.send("POST", f"/v1/promotion_codes/{again['id']}", {"active": True})
    assert answer.error["message"] == "An active promotion code with `code: FRIEND` already exists."


def test_one_of_many_who_want_the_same_code_gets_it(fresh: World):
    coupon = fresh.coupon()["id"]
    given = {"promotion": {"type": "coupon", "coupon": coupon}, "code": "SAME"}
    customers: list[JSON] = [{}, {"customer": fresh.customer()["id"]}]
    answers = together(lambda n: fresh.wire.send("POST", "/v1/promotion_codes", {**given, **customers[n % 2]}), 6)
    assert len(done(answers)) == 1


def test_a_redeemed_code_is_counted_and_shown(fresh: World):
    coupon = fresh.coupon(percent_off=50)["id"]
    code = made(fresh, coupon, max_redemptions=1)
    subscription = subscribe(fresh, fresh.payer()["id"], code["id"], expand=["discounts.promotion_code", "latest_invoice"]).body
    [discount] = subscription["discounts"]
    assert discount["promotion_code"]["id"] == code["id"]
    assert discount["source"] == {"coupon": coupon, "type": "coupon"}
    assert subscription["latest_invoice"]["total"] == 500
    after = fresh.wire.get(f"/v1/promotion_codes/{code['id']}")
    assert (after["times_redeemed"], after["active"]) == (1, False)
    assert fresh.wire.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 1
    assert [e["previous_attributes"] for e in told(fresh, "promotion_code.updated")] == [{"active": True, "times_redeemed": 0}]
    refused = subscribe(fresh, fresh.payer()["id"], code["id"])
    assert (refused.error["message"], refused.error["param"]) == (rules.USED_UP, "discounts[0][promotion_code]")


def test_the_last_redemption_goes_to_one_of_two(fresh: World):
    """Each round two customers ask at once for what can be had once: by coupon, by code, and one by each."""
    for limit in ("coupon", "code", "both"):
        coupon = fresh.coupon(**({} if limit == "code" else {"max_redemptions": 1}))["id"]
        code = made(fresh, coupon, **({"max_redemptions": 1} if limit == "code" else {}))["id"]
        ways: list[JSON] = [{"promotion_code": code}, {"coupon": coupon} if limit == "both" else {"promotion_code": code}]
        if limit == "coupon":
            ways = [{"coupon": coupon}] * 2
        payers = [fresh.payer()["id"] for _ in range(2)]
        items = [{"price": fresh.monthly["id"]}]
        asked = [{"customer": p, "items": items, "discounts": [w]} for p, w in zip(payers, ways, strict=True)]
        answers = together(lambda n, asked=asked: fresh.wire.send("POST", "/v1/subscriptions", asked[n]), 2)
        assert len(done(answers)) == 1, limit
        assert fresh.wire.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 1
        assert fresh.wire.get(f"/v1/promotion_codes/{code}")["active"] is False
        assert len(fresh.wire.get("/v1/subscriptions", customer=payers[0])["data"]) + len(
            fresh.wire.get("/v1/subscriptions", customer=payers[1])["data"]
        ) == 1  # fmt: skip


def test_one_request_cannot_redeem_twice_what_can_be_had_once(fresh: World):
    """Item and subscription each look the coupon up; the second sees what the first has taken."""
    coupon = fresh.coupon(max_redemptions=1)["id"]
    items = [{"price": fresh.monthly["id"], "discounts": [{"coupon": coupon}]}]
    given = {"customer": fresh.payer()["id"], "items": items, "discounts": [{"coupon": coupon}]}
    refused = fresh.wire.send("POST", "/v1/subscriptions", given)
    assert refused.error["code"] == "coupon_expired"
    assert fresh.wire.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 0
    twice = fresh.coupon(max_redemptions=2)["id"]
    fresh.wire.post("/v1/subscriptions", **{**given, "items": [{**items[0], "discounts": [{"coupon": twice}]}],
                                            "discounts": [{"coupon": twice}]})  # fmt: skip
    assert fresh.wire.get(f"/v1/coupons/{twice}")["times_redeemed"] == 2


def test_a_code_of_one_customer_is_no_others(fresh: World):
    anna, ben = fresh.payer()["id"], fresh.payer()["id"]
    code = made(fresh, customer=anna)["id"]
    assert subscribe(fresh, ben, code).error["message"] == rules.ONLY_THEIRS
    assert subscribe(fresh, anna, code).status == 200


def test_a_first_transaction_is_the_first(fresh: World):
    code = made(fresh, restrictions={"first_time_transaction": True})["id"]
    anna = fresh.payer()["id"]
    fresh.draft(anna)  # a draft is no transaction
    assert subscribe(fresh, anna, code).status == 200
    second = subscribe(fresh, anna, code)
    assert (second.error["code"], second.error["message"]) == ("promotion_code_customer_not_first_time", rules.NOT_FIRST)
    paid = fresh.payer()["id"]
    fresh.paid_intent(customer=paid)
    assert subscribe(fresh, paid, code).error["code"] == "promotion_code_customer_not_first_time"


def test_a_purchase_must_come_to_the_minimum_before_discounts(fresh: World):
    restrictions = {"minimum_amount": 2000, "minimum_amount_currency": "eur", "currency_options": {"usd": {"minimum_amount": 1}}}
    code = made(fresh, restrictions=restrictions)["id"]
    anna, price = fresh.payer()["id"], fresh.monthly["id"]
    assert subscribe(fresh, anna, code).error["message"] == rules.TOO_LITTLE
    two = [{"price": price, "quantity": 2}]
    assert subscribe(fresh, anna, code, items=two, trial_period_days=3).error["message"] == rules.TOO_LITTLE
    enough = subscribe(fresh, anna, code, items=two)
    assert enough.status == 200, enough
    changed = fresh.wire.send("POST", f"/v1/subscriptions/{enough.body['id']}", {"discounts": [{"promotion_code": code}]})
    assert changed.error["message"] == rules.MAY_CHANGE
    pounds = fresh.price(5000, currency="gbp")["id"]
    assert "gbp" in subscribe(fresh, fresh.payer()["id"], code, items=[{"price": pounds}]).error["message"]
    draft = fresh.draft(anna)
    small = fresh.wire.send("POST", f"/v1/invoices/{draft['id']}", {"discounts": [{"promotion_code": code}]})
    assert small.error["message"] == rules.TOO_LITTLE
    fresh.item(anna, invoice=draft["id"], amount=500)
    assert fresh.wire.post(f"/v1/invoices/{draft['id']}", discounts=[{"promotion_code": code}])["total"] == 1500
    assert fresh.wire.get(f"/v1/promotion_codes/{code}")["times_redeemed"] == 2


def test_an_amount_off_needs_the_currency_of_what_is_bought(fresh: World):
    coupon = fresh.wire.post("/v1/coupons", amount_off=500, currency="usd", currency_options={"gbp": {"amount_off": 400}})["id"]
    given = {"customer": fresh.payer()["id"], "discounts": [{"coupon": coupon}]}
    refused = fresh.wire.send("POST", "/v1/subscriptions", {**given, "items": [{"price": fresh.monthly["id"]}]})
    assert (refused.error["param"], "another currency than eur" in refused.error["message"]) == ("discounts[0][coupon]", True)
    pounds = {**given, "items": [{"price": fresh.price(1000, currency="gbp")["id"]}], "expand": ["latest_invoice"]}
    assert fresh.wire.post("/v1/subscriptions", **pounds)["latest_invoice"]["total"] == 600


@pytest.mark.parametrize("where", ["item", "invoice", "invoice item", "preview", "update"])
def test_a_code_counts_wherever_discounts_are_given(fresh: World, where: str):
    code = made(fresh, fresh.coupon(percent_off=10)["id"])["id"]
    anna, wanted = fresh.payer()["id"], [{"promotion_code": code}]
    items = [{"price": fresh.monthly["id"]}]
    if where == "item":
        made_ = fresh.subscription(anna, items=[{**items[0], "discounts": wanted}], expand=["latest_invoice"])
        total = made_["latest_invoice"]["total"]
    elif where == "invoice":
        total = fresh.wire.post(f"/v1/invoices/{fresh.draft(anna)['id']}", discounts=wanted)["total"]
    elif where == "invoice item":
        fresh.item(anna, amount=1000, discounts=wanted)
        total = fresh.wire.post("/v1/invoices", customer=anna, pending_invoice_items_behavior="include")["total"]
    elif where == "preview":
        preview = {"customer": anna, "subscription_details": {"items": items}, "discounts": wanted}
        total = fresh.wire.post("/v1/invoices/create_preview", **preview)["total"]
        assert fresh.wire.get(f"/v1/promotion_codes/{code}")["times_redeemed"] == 0
        return
    else:
        subscription = fresh.subscription(anna)
        fresh.wire.post(f"/v1/subscriptions/{subscription['id']}", discounts=wanted)
        total = fresh.wire.post("/v1/invoices/create_preview", subscription=subscription["id"])["total"]
    assert total == (1350 if where == "invoice" else 900)
    assert fresh.wire.get(f"/v1/promotion_codes/{code}")["times_redeemed"] == 1


def test_codes_end_with_their_coupon_and_their_time(fresh: World):
    coupon = fresh.coupon()["id"]
    code = made(fresh, coupon)
    fresh.wire.ok("DELETE", f"/v1/coupons/{coupon}", {})
    assert fresh.wire.get(f"/v1/promotion_codes/{code['id']}")["active"] is False
    answer = fresh.wire.send("POST", f"/v1/promotion_codes/{code['id']}", {"active": True})
    assert answer.error["param"] == "active"
    assert subscribe(fresh, fresh.payer()["id"], code["id"]).status == 400


def test_a_code_that_expires_is_over_by_the_customers_clock(fresh: World):
    """The customer lives a year ahead, where the code is over; for everybody else it is not."""
    code = made(fresh, expires_at=fresh.wire.get("/v1/account")["created"] + 30 * DAY)
    clock = fresh.clock(code["expires_at"] - 1)
    ahead = fresh.payer(test_clock=clock["id"])["id"]
    assert subscribe(fresh, ahead, code["id"]).status == 200
    fresh.advance(clock["id"], code["expires_at"])
    assert subscribe(fresh, ahead, code["id"]).error["message"] == rules.EXPIRED
    assert subscribe(fresh, fresh.payer()["id"], code["id"]).status == 200
    fresh.wire.post(f"/v1/promotion_codes/{code['id']}", active=False)
    assert subscribe(fresh, fresh.payer()["id"], code["id"]).error["message"] == rules.NOT_ACTIVE


def test_a_draft_may_be_older_than_its_discount(fresh: World):
    clock = fresh.clock()["id"]
    anna = fresh.payer(test_clock=clock)["id"]
    draft = fresh.draft(anna)["id"]
    fresh.advance(clock, MONDAY + DAY)
    code = made(fresh)["id"]
    changed = fresh.wire.post(f"/v1/invoices/{draft}", discounts=[{"promotion_code": code}])
    assert (changed["subtotal"], changed["total"]) == (1500, 1125)
