"""Where features meet that were built apart: each of these once failed on a journey of chance (tests/campaign/journeys.py)."""

from __future__ import annotations

import pytest

from tests.api.books import breaches
from tests.api.wire import JSON, Wire
from tests.api.world import DAY, MONDAY, World
from tests.conftest import new_account


@pytest.fixture
def book(api_server: str, dsn: str):
    made = new_account(dsn, business_name="Meeting place")
    book = World(Wire(api_server, made.secret_key))
    yield book
    for invoice in book.wire.get("/v1/invoices", limit=100)["data"]:
        why = book.wire.get(f"/voldaan/invoices/{invoice['id']}/explain")
        assert why["holds"], [e for e in why["equations"] if not e["holds"]]
    assert not book.wire.post("/voldaan/replays", start=0, end=4_000_000_000)["differences"]
    assert breaches(dsn, made.account.id) == []


def lines(w: World, invoice: JSON) -> list[int]:
    return sorted(line["amount"] for line in w.wire.get(f"/v1/invoices/{invoice['id']}")["lines"]["data"])


def changed(w: World, subscription: JSON, **said: object) -> JSON:
    return w.wire.post(f"/v1/subscriptions/{subscription['id']}", **said)


def test_a_phase_that_begins_within_a_period_of_usage_can_be_told_of_before(book: World):
    """The usage until the phase was not known when the renewal after it was told of: the clock stood still for ever."""
    book.wire.post("/voldaan/billing_settings", upcoming_days=10)  # holds for the very next request
    clock, counted, dearer = book.clock()["id"], book.metered()["id"], book.metered(20)["id"]
    customer = book.payer(test_clock=clock)["id"]
    week, month = {"interval": "week", "interval_count": 4}, {"interval": "month"}
    made = book.wire.post(
        "/v1/subscription_schedules", customer=customer, start_date=MONDAY, end_behavior="release",
        phases=[{"items": [{"price": counted}], "duration": week}, {"items": [{"price": dearer}], "duration": month}],
    )  # fmt: skip
    book.uses(customer, 7, MONDAY)
    book.advance(clock, MONDAY + 20 * DAY)
    for said in ({"schedule": made["id"]}, {"subscription": made["subscription"]}):
        preview = book.wire.post("/v1/invoices/create_preview", **said)
        assert [line["amount"] for line in preview["lines"]["data"] if line["amount"]] == [70]
    book.advance(clock, MONDAY + 29 * DAY)
    told = book.wire.get("/v1/events", type="invoice.upcoming")["data"]
    assert [event["data"]["object"]["total"] for event in told] == [70]
    book.advance(clock, MONDAY + 32 * DAY)
    assert [invoice["total"] for invoice in book.invoices(made["subscription"])] == [70]


@pytest.mark.parametrize("mode", ["next", "recurring"])
def test_it_can_be_asked_what_usage_costs_until_an_earlier_end(book: World, mode: str):
    clock = book.clock()["id"]
    customer = book.payer(test_clock=clock)["id"]
    made = book.subscription(customer, book.metered()["id"])
    book.uses(customer, 5, MONDAY)
    said = {"cancel_at": MONDAY + 10 * DAY}
    preview = book.wire.post(
        "/v1/invoices/create_preview", subscription=made["id"], subscription_details=said, preview_mode=mode
    )
    changed(book, made, **said)
    book.advance(clock, MONDAY + 10 * DAY + 3600)
    [invoice] = book.invoices(made["id"])
    assert preview["total"] == invoice["total"] == 50


def test_the_end_with_the_shortest_period_bills_what_a_longer_one_has_used(book: World):
    clock = book.clock()["id"]
    customer = book.payer(test_clock=clock)["id"]
    items = [{"price": book.metered()["id"]}, {"price": book.price(700, "week")["id"]}]
    made = book.wire.post("/v1/subscriptions", customer=customer, items=items)
    book.uses(customer, 5, MONDAY)
    changed(book, made, cancel_at_period_end=True)
    preview = book.wire.post("/v1/invoices/create_preview", subscription=made["id"])
    book.advance(clock, MONDAY + 7 * DAY + 3600)
    assert preview["total"] == book.invoices(made["id"])[-1]["total"] == 50


@pytest.mark.parametrize("mode", ["classic", "flexible"])
def test_a_trial_that_begins_with_another_item_charges_nothing_for_it(book: World, mode: str):
    """A period of no time was divided by; and what was charged for the trial would have been given back in the same breath."""
    clock, other = book.clock()["id"], book.price(600)["id"]
    customer = book.payer(test_clock=clock)["id"]
    made = book.subscription(customer, billing_mode={"type": mode})
    item = made["items"]["data"][0]
    said = {"trial_end": MONDAY + 40 * DAY, "proration_behavior": "always_invoice",
            "items": [{"id": item["id"], "quantity": 3}, {"price": other}]}  # fmt: skip
    preview = book.wire.post("/v1/invoices/create_preview", subscription=made["id"], subscription_details=said)
    after = changed(book, made, **said)
    assert after["status"] == "trialing"
    assert {i["current_period_end"] for i in after["items"]["data"]} == {MONDAY + 40 * DAY}
    assert [line["amount"] for line in preview["lines"]["data"]] == lines(book, book.invoices(made["id"])[-1]) == [-1000]
    book.advance(clock, MONDAY + 40 * DAY)
    assert lines(book, book.invoices(made["id"])[-1]) == [600, 3000]


def test_what_was_cut_short_and_then_begun_anew_explains_itself(book: World):
    """Two lines of one invoice give parts of the same charge back; each was held against the whole of it."""
    clock = book.clock()["id"]
    made = book.subscription(book.payer(test_clock=clock)["id"])
    changed(book, made, cancel_at=MONDAY + 10 * DAY)
    changed(book, made, cancel_at="", billing_cycle_anchor={"type": "now"}, proration_behavior="create_prorations")
    assert len([amount for amount in lines(book, book.invoices(made["id"])[-1]) if amount < 0]) == 2


def test_usage_while_it_is_paused_is_free_however_it_ends(book: World):
    clock, counted = book.clock()["id"], book.metered()["id"]
    customer = book.payer(test_clock=clock)["id"]
    for end in ("anew", "canceled"):
        made = book.subscription(customer, counted)
        now = book.wire.get(f"/v1/test_helpers/test_clocks/{clock}")["frozen_time"]
        book.wire.post(f"/v1/subscriptions/{made['id']}/pause")
        book.advance(clock, now + 5 * DAY)
        book.uses(customer, 9, now + 4 * DAY)
        if end == "anew":
            book.advance(clock, now + 40 * DAY)
            details = {"billing_cycle_anchor": {"type": "now"}}
            asked = {"subscription": made["id"], "subscription_details": details}
            answer = book.wire.send("POST", "/v1/invoices/create_preview", asked)
            assert answer.status < 500
            changed(book, made, billing_cycle_anchor={"type": "now"})
        book.wire.delete(f"/v1/subscriptions/{made['id']}", invoice_now=True)
        assert sum(invoice["total"] for invoice in book.invoices(made["id"])) == 0


def test_a_trial_within_a_billed_period_leaves_the_books_whole(book: World):
    """The period that begins with the end of the trial begins before the one that the trial cut short was to end."""
    clock = book.clock()["id"]
    made = book.subscription(book.payer(test_clock=clock)["id"])
    book.advance(clock, MONDAY + 31 * DAY)
    changed(book, made, trial_end=MONDAY + 40 * DAY)
    book.advance(clock, MONDAY + 75 * DAY)
    assert len(book.invoices(made["id"])) == 4


def test_a_charge_of_the_day_beside_a_credit_for_weeks_leaves_the_books_whole(book: World):
    """What the invoice holds in deferred revenue is below nothing until the credit has been earned back."""
    clock = book.clock()["id"]
    customer = book.payer(test_clock=clock)["id"]
    made = book.subscription(customer, items=[{"price": book.monthly["id"], "quantity": 5}])
    book.item(customer, amount=9000)
    item = made["items"]["data"][0]
    changed(book, made, items=[{"id": item["id"], "quantity": 1}], proration_behavior="always_invoice")
    assert [invoice["total"] for invoice in book.invoices(made["id"])] == [5000, 5000]
    book.advance(clock, MONDAY + 20 * DAY)


@pytest.mark.parametrize(
    ("before", "after", "total"),
    [("none", "exempt", 1500), ("exempt", "none", 1815), ("none", "reverse", 1500)],
)
def test_a_draft_is_taxed_as_its_customer_is_when_it_is_finalized(book: World, before: str, after: str, total: int):
    """It said that its customer was exempt, and charged the tax of before."""
    customer = book.payer(tax_exempt=before)["id"]
    draft = book.draft(customer, default_tax_rates=[book.vat["id"]])
    book.wire.post(f"/v1/customers/{customer}", tax_exempt=after)
    made = book.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    assert (made["customer_tax_exempt"], made["total"]) == (after, total)
