"""The same thing asked for by many at once: money moves once, numbers have no gaps, nothing is lost."""

from __future__ import annotations

import pytest

from tests.api.racing import AT_ONCE, done, together
from tests.api.wire import Answer
from tests.api.world import World


def test_an_intent_that_many_confirm_takes_money_once(fresh: World):
    intent = fresh.intent(payment_method=fresh.method()["id"])["id"]
    answers = together(lambda _: fresh.wire.send("POST", f"/v1/payment_intents/{intent}/confirm"))
    assert done(answers)
    assert {a.error["code"] for a in answers if a.status != 200} <= {"payment_intent_unexpected_state", "lock_timeout"}
    assert [c["status"] for c in fresh.wire.get("/v1/charges")["data"]] == ["succeeded"]
    assert fresh.wire.get(f"/v1/payment_intents/{intent}")["amount_received"] == 2000


def test_a_hold_that_many_capture_is_captured_once(fresh: World):
    held = fresh.held_intent()["id"]
    together(lambda n: fresh.wire.send("POST", f"/v1/payment_intents/{held}/capture", {"amount_to_capture": 1000 + n}))
    intent = fresh.wire.get(f"/v1/payment_intents/{held}", expand=["latest_charge.balance_transaction"])
    assert intent["status"] == "succeeded"
    taken = intent["latest_charge"]["amount_captured"]
    assert 1000 <= taken < 1000 + AT_ONCE
    assert intent["amount_received"] == intent["latest_charge"]["balance_transaction"]["amount"] == taken
    assert len(fresh.wire.get("/v1/balance_transactions")["data"]) == 1


def test_of_capture_and_cancel_one_wins(fresh: World):
    for _ in range(5):
        held = fresh.held_intent()["id"]
        path = f"/v1/payment_intents/{held}"
        together(lambda n, path=path: fresh.wire.send("POST", f"{path}/{('capture', 'cancel')[n % 2]}"), 4)
        intent = fresh.wire.get(path, expand=["latest_charge"])
        assert (intent["status"], intent["latest_charge"]["captured"]) in (("succeeded", True), ("canceled", False))


def test_no_more_is_refunded_than_was_paid(fresh: World):
    charge = fresh.charge()["id"]
    answers = together(lambda _: fresh.wire.send("POST", "/v1/refunds", {"charge": charge, "amount": 300}))
    after = fresh.wire.get(f"/v1/charges/{charge}")
    assert len(done(answers)) <= 6
    assert after["amount_refunded"] == 300 * len(done(answers)) <= 2000
    refunds = fresh.wire.get("/v1/refunds", charge=charge)["data"]
    assert sum(r["amount"] for r in refunds) == after["amount_refunded"]


def test_an_invoice_that_many_pay_is_paid_once(fresh: World):
    invoice = fresh.open_invoice()["id"]
    answers = together(lambda _: fresh.wire.send("POST", f"/v1/invoices/{invoice}/pay"))
    assert done(answers)
    paid = fresh.wire.get(f"/v1/invoices/{invoice}", expand=["payments"])
    assert (paid["status"], paid["amount_paid"], paid["amount_overpaid"]) == ("paid", 1500, 0)
    assert len([c for c in fresh.wire.get("/v1/charges")["data"] if c["status"] == "succeeded"]) == 1


def test_of_pay_and_void_one_wins(fresh: World):
    for _ in range(5):
        path = f"/v1/invoices/{fresh.open_invoice()['id']}"
        together(lambda n, path=path: fresh.wire.send("POST", f"{path}/{('pay', 'void')[n % 2]}"), 4)
        invoice = fresh.wire.get(path)
        assert (invoice["status"], invoice["amount_paid"]) in (("paid", 1500), ("void", 0))


def test_a_credit_note_and_a_payment_are_together_the_invoice(fresh: World):
    """Whoever comes first: never more is paid and credited than was billed, and never twice."""
    for part in (500, 1500, 700, 1500):
        invoice = fresh.open_invoice()
        path, note = f"/v1/invoices/{invoice['id']}", {"invoice": invoice["id"], "amount": part}
        asked = [("/v1/credit_notes", note), (f"{path}/pay", {}), ("/v1/credit_notes", note), (f"{path}/pay", {})]
        together(lambda n, asked=asked: fresh.wire.send("POST", *asked[n]), 4)
        after = fresh.wire.get(path)
        notes = fresh.wire.get("/v1/credit_notes", invoice=invoice["id"])["data"]
        credited = sum(note["amount"] for note in notes)
        assert credited == after["pre_payment_credit_notes_amount"] == part * len(notes)
        assert after["amount_due"] == 1500 - credited
        assert after["amount_paid"] + after["amount_remaining"] == after["amount_due"]
        assert (after["status"], after["amount_overpaid"]) == ("paid", 0)


@pytest.mark.parametrize("same", [True, False], ids=["one customer", "each their own"])
def test_numbers_of_invoices_have_no_gaps(fresh: World, same: bool):
    customer = fresh.customer()
    drafts = [fresh.draft(customer["id"] if same else fresh.customer()["id"])["id"] for _ in range(AT_ONCE)]
    answers = together(lambda n: fresh.wire.send("POST", f"/v1/invoices/{drafts[n]}/finalize"))
    assert len(done(answers)) == AT_ONCE
    numbers = sorted(a.body["number"] for a in answers)
    if same:
        assert numbers == [f"{customer['invoice_prefix']}-{n:04}" for n in range(1, AT_ONCE + 1)]
    else:
        assert len(set(numbers)) == AT_ONCE


def test_every_movement_of_a_balance_counts(fresh: World):
    customer = fresh.customer()["id"]
    path = f"/v1/customers/{customer}/balance_transactions"
    answers = together(lambda n: fresh.wire.send("POST", path, {"amount": -100 - n, "currency": "eur"}))
    moved = sum(-100 - n for n, a in enumerate(answers) if a.status == 200)
    assert fresh.wire.get(f"/v1/customers/{customer}")["balance"] == moved
    entries = fresh.wire.get(path, limit=100)["data"]
    assert sum(e["amount"] for e in entries) == moved
    assert sorted(e["ending_balance"] for e in entries)[0] == moved


def test_no_more_is_paid_out_than_there_is(fresh: World):
    fresh.paid_intent(10_000, "tok_bypassPending")
    answers = together(lambda _: fresh.wire.send("POST", "/v1/payouts", {"amount": 4000, "currency": "eur"}))
    assert len(done(answers)) == 2
    assert fresh.wire.get("/v1/balance")["available"][0]["amount"] == 10_000 - 175 - 8_000


def test_a_coupon_is_redeemed_as_often_as_it_may(fresh: World):
    coupon = fresh.coupon(max_redemptions=3)["id"]
    payers = [fresh.payer()["id"] for _ in range(6)]
    price = fresh.monthly["id"]
    given = [{"customer": p, "items": [{"price": price}], "discounts": [{"coupon": coupon}]} for p in payers]
    answers = together(lambda n: fresh.wire.send("POST", "/v1/subscriptions", given[n]), 6)
    assert len(done(answers)) == 3
    assert fresh.wire.get(f"/v1/coupons/{coupon}")["times_redeemed"] == 3


def test_a_quote_that_many_accept_becomes_one_thing(fresh: World):
    items = [{"price": fresh.monthly["id"]}, {"price": fresh.price(500, None)["id"]}]
    quote = fresh.wire.post("/v1/quotes", customer=fresh.payer()["id"], line_items=items)["id"]
    fresh.wire.post(f"/v1/quotes/{quote}/finalize")
    answers = together(lambda n: fresh.wire.send("POST", f"/v1/quotes/{quote}/{('accept', 'cancel')[n % 2]}"))
    assert len(done(answers)) == 1
    made = fresh.wire.get(f"/v1/quotes/{quote}")
    assert len(fresh.wire.get("/v1/subscriptions")["data"]) == (made["status"] == "accepted")


def test_numbers_of_quotes_are_given_once(fresh: World):
    payer = fresh.payer()["id"]
    drafts = [
        fresh.wire.post("/v1/quotes", customer=payer, line_items=[{"price": fresh.monthly["id"]}])["id"] for _ in range(AT_ONCE)
    ]
    answers = done(together(lambda n: fresh.wire.send("POST", f"/v1/quotes/{drafts[n]}/finalize")))
    numbers = sorted(int(a.body["number"].split("-")[-2]) for a in answers)
    assert numbers == list(range(1, len(answers) + 1))


def test_a_schedule_that_many_change_and_release_ends_once(fresh: World):
    phases = [{"items": [{"price": fresh.monthly["id"]}]}]
    made = fresh.wire.post("/v1/subscription_schedules", customer=fresh.payer()["id"], start_date="now", phases=phases)
    path = f"/v1/subscription_schedules/{made['id']}"
    answers = together(lambda n: fresh.wire.send("POST", f"{path}/{('release', 'cancel')[n % 2]}"))
    assert len(done(answers)) == 1
    after, subscription = fresh.wire.get(path), fresh.wire.get(f"/v1/subscriptions/{made['subscription']}")
    assert (after["status"], subscription["status"], subscription["schedule"]) in (
        ("released", "active", None), ("canceled", "canceled", made["id"]),
    )  # fmt: skip


def test_what_many_change_at_once_keeps_every_change(fresh: World):
    path = f"/v1/customers/{fresh.customer()['id']}"
    answers = together(lambda n: fresh.wire.send("POST", path, {"metadata": {f"k{n}": n}}))
    kept = {f"k{n}": str(n) for n, a in enumerate(answers) if a.status == 200}
    assert fresh.wire.get(path)["metadata"] == kept
    assert len(kept) == AT_ONCE


def test_a_subscription_that_many_change_bills_each_change_once(fresh: World):
    subscription = fresh.subscription(fresh.payer()["id"])
    path, item = f"/v1/subscriptions/{subscription['id']}", subscription["items"]["data"][0]["id"]
    answers = together(
        lambda n: fresh.wire.send(
            "POST", path, {"items": [{"id": item, "quantity": n + 2}], "proration_behavior": "always_invoice"}
        ),
        6,
    )
    assert done(answers)
    after = fresh.wire.get(path)
    quantity = after["items"]["data"][0]["quantity"]
    invoices = fresh.wire.get("/v1/invoices", subscription=subscription["id"], limit=100)["data"]
    billed = sum(i["total"] for i in invoices)
    assert abs(billed - 1000 * quantity) <= 2 * len(invoices), "all prorations together come to what is delivered"


def test_a_customer_deleted_while_being_billed_leaves_no_half_of_anything(fresh: World):
    """While a first payment is under way the deletion is refused whole, since money may arrive; then it goes through."""
    customer = fresh.payer()["id"]
    price = fresh.monthly["id"]

    def delete() -> Answer:
        for _ in range(200):
            answer = fresh.wire.send("DELETE", f"/v1/customers/{customer}")
            if answer.status == 200 or answer.error["code"] != "invoice_payment_in_progress":
                break
        return answer

    def ask(n: int) -> Answer:
        if n == 0:
            return delete()
        return fresh.wire.send("POST", "/v1/subscriptions", {"customer": customer, "items": [{"price": price}]})

    deleted, *_ = together(ask, 6)
    assert deleted.status == 200, str(deleted)
    left = fresh.wire.get("/v1/subscriptions", status="all", limit=100)["data"]
    assert {s["status"] for s in left} <= {"canceled"}
