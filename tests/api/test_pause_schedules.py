"""Pauses that a schedule brings, over HTTP: shapes, what is refused, what becomes of one whose subscription went its own way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World

PATH = "/v1/subscription_schedules"


def at(day: int) -> JSON:
    return {"type": "timestamp", "timestamp": MONDAY + day * DAY}


def entry(pause: int = 10, resume: int | None = 20, **more: Any) -> JSON:
    """Paused on the tenth day, back on the twentieth."""
    found: JSON = {"pause": {"pause_at": at(pause)}, **more}
    return found if resume is None else {**found, "resume": {"resume_at": at(resume)}}


def agreed(w: World, *entries: JSON, token: str = "tok_visa", **more: Any) -> tuple[JSON, str]:
    """A monthly subscription under a schedule with this pause, and its clock."""
    clock = w.clock()["id"]
    made = w.subscription(w.payer(token, test_clock=clock)["id"], **more)
    given = {"pause_schedules": list(entries)} if entries else {}
    return w.wire.post(PATH, from_subscription=made["id"], **given), clock


def seen(w: World, schedule: JSON) -> JSON:
    [found] = w.wire.get(f"{PATH}/{schedule['id']}")["pause_schedules"]
    return found


def state(found: JSON) -> tuple[Any, ...]:
    """What has become of the pause and of the resumption."""
    told = [found["pause"]["status"], (found["resume"] or {}).get("status") or {}]
    return tuple((each.get("error") or {}).get("code") or each.get("type") for each in told)


def status(w: World, schedule: JSON) -> str:
    return w.wire.get(f"/v1/subscriptions/{schedule['subscription'] or schedule['released_subscription']}")["status"]


def test_what_is_not_said_has_its_default(fresh: World):
    schedule, _ = agreed(fresh, entry(key="vacation"))
    assert schedule["pause_schedules"] == [
        {
            "key": "vacation",
            "pause": {
                "pause_at": MONDAY + 10 * DAY,
                "settings": {
                    "bill_for": {"outstanding_usage_through": {"type": "pause_at"}, "unused_time_from": {"type": "pause_at"}},
                    "invoicing_behavior": "pending_invoice_item",
                    "type": "subscription",
                },
                "status": {"type": "scheduled"},
            },
            "resume": {
                "resume_at": MONDAY + 20 * DAY,
                "settings": {
                    "billing_cycle_anchor": "resume_at",
                    "payment_behavior": "resume_on_payment_success",
                    "proration_behavior": "create_prorations",
                },
                "status": {"type": "scheduled"},
            },
        }
    ]


def test_an_update_changes_what_it_says_and_leaves_the_rest(fresh: World):
    schedule, _ = agreed(fresh, entry(key="k"))
    settings = {"invoicing_behavior": "invoice", "bill_for": {"unused_time_from": {"type": "none"}}}
    path = f"{PATH}/{schedule['id']}"
    changed = fresh.wire.post(path, pause_schedules=[{"key": "k", "pause": {"settings": settings}}])["pause_schedules"][0]
    assert changed["pause"]["pause_at"] == MONDAY + 10 * DAY
    assert changed["pause"]["settings"]["invoicing_behavior"] == "invoice"
    assert changed["pause"]["settings"]["bill_for"]["outstanding_usage_through"]["type"] == "pause_at"
    assert changed["resume"] == schedule["pause_schedules"][0]["resume"]
    again = {"key": "k", "resume": {"settings": {"billing_cycle_anchor": "unchanged"}}}
    changed = fresh.wire.post(path, pause_schedules=[again])["pause_schedules"][0]
    assert changed["resume"]["settings"]["billing_cycle_anchor"] == "unchanged"
    assert changed["resume"]["settings"]["proration_behavior"] == "create_prorations"
    assert fresh.wire.post(path, metadata={"a": "b"})["pause_schedules"] == [changed]
    assert fresh.wire.post(path, pause_schedules=[{"key": "k", "resume": ""}])["pause_schedules"][0]["resume"] is None
    assert fresh.wire.post(path, pause_schedules="")["pause_schedules"] == []
    assert fresh.wire.post(path, pause_schedules=[entry()])["pause_schedules"][0]["key"]


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([entry(), entry()], "pause_schedules"),
        ([{"pause": {"settings": {"type": "subscription"}}}], "pause_schedules[0][pause][pause_at]"),
        ([{"pause": {"pause_at": {"type": "timestamp"}}}], "pause_schedules[0][pause][pause_at][timestamp]"),
        ([{"pause": {"pause_at": {"type": "now", "timestamp": MONDAY}}}], "pause_schedules[0][pause][pause_at][timestamp]"),
        ([{"pause": {"pause_at": at(10)}, "resume": {"settings": {"proration_behavior": "none"}}}],
         "pause_schedules[0][resume][resume_at]"),
        ([{"pause": {"pause_at": at(10)}, "resume": {"resume_at": {"type": "duration"}}}],
         "pause_schedules[0][resume][resume_at][duration]"),
        ([entry(resume=None, key="")], "pause_schedules[0][key]"),
        ([entry(pause=10, resume=9)], "pause_schedules[0][resume][resume_at][timestamp]"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(fresh: World, given: Any, param: str):
    clock = fresh.clock()["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"])
    answer = fresh.wire.send("POST", PATH, {"from_subscription": made["id"], "pause_schedules": given})
    assert (answer.status, answer.error["param"]) == (400, param)
    assert fresh.wire.get(f"/v1/subscriptions/{made['id']}")["schedule"] is None


def test_no_phase_may_be_sent_while_a_pause_is_to_come(fresh: World):
    schedule, _ = agreed(fresh, entry())
    phase = {"start_date": schedule["current_phase"]["start_date"], "items": [{"price": fresh.monthly["id"]}],
             "duration": {"interval": "year"}, "collection_method": "send_invoice",
             "invoice_settings": {"days_until_due": 3}}  # fmt: skip
    answer = fresh.wire.send("POST", f"{PATH}/{schedule['id']}", {"phases": [phase]})
    assert (answer.status, answer.error["param"]) == (400, "phases")
    sent = fresh.subscription(fresh.customer()["id"], collection_method="send_invoice", days_until_due=3)
    soon = fresh.wire.get("/v1/account")["created"] + 400 * DAY
    given = [{"pause": {"pause_at": {"type": "timestamp", "timestamp": soon}}}]
    answer = fresh.wire.send("POST", PATH, {"from_subscription": sent["id"], "pause_schedules": given})
    assert (answer.status, answer.error["param"]) == (400, "pause_schedules")


def test_a_paused_subscription_can_be_given_the_day_it_comes_back(fresh: World):
    clock = fresh.clock()["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"])
    fresh.wire.post(f"/v1/subscriptions/{made['id']}/pause")
    schedule = fresh.wire.post(PATH, from_subscription=made["id"], pause_schedules=[{"resume": {"resume_at": at(7)}}])
    [found] = schedule["pause_schedules"]
    assert (found["pause"]["pause_at"], found["pause"]["settings"], state(found)) == (MONDAY, None, ("succeeded", "scheduled"))
    fresh.advance(clock, MONDAY + 7 * DAY)
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == ("active", ("succeeded", "succeeded"))


def test_now_means_now(fresh: World):
    schedule, _ = agreed(fresh)
    path = f"{PATH}/{schedule['id']}"
    changed = fresh.wire.post(path, pause_schedules=[{"pause": {"pause_at": {"type": "now"}}}])
    assert (status(fresh, schedule), state(changed["pause_schedules"][0])) == ("paused", ("succeeded", None))
    back = {"key": changed["pause_schedules"][0]["key"], "resume": {"resume_at": {"type": "now"}}}
    fresh.wire.post(path, pause_schedules=[back])
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == ("active", ("succeeded", "succeeded"))
    items = [{"price": fresh.monthly["id"]}]
    made = fresh.wire.post(
        PATH, customer=fresh.payer()["id"], start_date="now", phases=[{"items": items, "duration": {"interval": "year"}}],
        pause_schedules=[{"pause": {"pause_at": {"type": "now"}}}],
    )  # fmt: skip
    assert (status(fresh, made), state(made["pause_schedules"][0])) == ("paused", ("succeeded", None))


def test_paused_by_hand_before_it_is_not_paused_again_nor_resumed(fresh: World):
    schedule, clock = agreed(fresh, entry())
    fresh.wire.post(f"/v1/subscriptions/{schedule['subscription']}/pause")
    fresh.advance(clock, MONDAY + 25 * DAY)
    assert status(fresh, schedule) == "paused"
    assert state(seen(fresh, schedule)) == ("subscription_not_pausable", "pause_failed")


def test_resumed_by_hand_it_is_not_resumed_again(fresh: World):
    schedule, clock = agreed(fresh, entry())
    fresh.advance(clock, MONDAY + 12 * DAY)
    fresh.wire.post(f"/v1/subscriptions/{schedule['subscription']}/resume")
    before = len(fresh.invoices(schedule["subscription"]))
    fresh.advance(clock, MONDAY + 21 * DAY)
    assert state(seen(fresh, schedule)) == ("succeeded", "subscription_not_paused")
    assert len(fresh.invoices(schedule["subscription"])) == before


@pytest.mark.parametrize(("verb", "code"), [("cancel", "schedule_canceled"), ("release", "schedule_released")])
def test_an_ended_schedule_says_what_became_of_its_pause(fresh: World, verb: str, code: str):
    schedule, clock = agreed(fresh, entry())
    fresh.wire.post(f"{PATH}/{schedule['id']}/{verb}")
    assert state(seen(fresh, schedule)) == (code, code)
    fresh.advance(clock, MONDAY + 12 * DAY)
    assert status(fresh, schedule) == ("canceled" if verb == "cancel" else "active")


def test_canceled_while_paused(fresh: World):
    schedule, clock = agreed(fresh, entry())
    fresh.advance(clock, MONDAY + 12 * DAY)
    fresh.wire.send("DELETE", f"/v1/subscriptions/{schedule['subscription']}")
    assert state(seen(fresh, schedule)) == ("succeeded", "schedule_canceled")


def test_a_bank_that_wants_to_see_its_customer(fresh: World):
    schedule, clock = agreed(fresh, entry())
    asks = fresh.attached(schedule["customer"], "tok_threeDSecure2Required")["id"]
    fresh.wire.post(f"/v1/customers/{schedule['customer']}", invoice_settings={"default_payment_method": asks})
    fresh.advance(clock, MONDAY + 20 * DAY)
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == ("paused", ("succeeded", "requires_action"))
    fresh.attached(schedule["customer"])
    good = fresh.attached(schedule["customer"])["id"]
    last = fresh.wire.get(f"/v1/subscriptions/{schedule['subscription']}")["latest_invoice"]
    fresh.wire.post(f"/v1/invoices/{last}/pay", payment_method=good)
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == ("active", ("succeeded", "succeeded"))


@pytest.mark.parametrize(
    ("verb", "after", "becomes"),
    [("void", "paused", "resumption_invoice_voided"), ("mark_uncollectible", "active", "succeeded")],
)
def test_the_invoice_that_was_to_be_paid_is_given_up(fresh: World, verb: str, after: str, becomes: str):
    schedule, clock = agreed(fresh, entry())
    card = fresh.attached(schedule["customer"], "tok_chargeCustomerFail")["id"]
    fresh.wire.post(f"/v1/customers/{schedule['customer']}", invoice_settings={"default_payment_method": card})
    fresh.advance(clock, MONDAY + 20 * DAY)
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == ("paused", ("succeeded", "pending"))
    key = seen(fresh, schedule)["key"]
    later = {"pause_schedules": [{"key": key, "resume": {"resume_at": at(30)}}]}
    answer = fresh.wire.send("POST", f"{PATH}/{schedule['id']}", later)
    assert (answer.status, answer.error["param"]) == (400, "pause_schedules[0][resume]")
    last = fresh.wire.get(f"/v1/subscriptions/{schedule['subscription']}")["latest_invoice"]
    fresh.wire.post(f"/v1/invoices/{last}/{verb}")
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == (after, ("succeeded", becomes))


def test_a_resumption_that_could_not_be_is_tried_again_on_another_day(fresh: World):
    schedule, clock = agreed(fresh, entry())
    card = fresh.attached(schedule["customer"], "tok_chargeCustomerFail")["id"]
    fresh.wire.post(f"/v1/customers/{schedule['customer']}", invoice_settings={"default_payment_method": card})
    fresh.advance(clock, MONDAY + 20 * DAY)
    last = fresh.wire.get(f"/v1/subscriptions/{schedule['subscription']}")["latest_invoice"]
    fresh.wire.post(f"/v1/invoices/{last}/void")
    again = {"key": seen(fresh, schedule)["key"], "resume": {"resume_at": at(25)}}
    assert state(fresh.wire.post(f"{PATH}/{schedule['id']}", pause_schedules=[again])["pause_schedules"][0])[1] == "scheduled"
    good = fresh.attached(schedule["customer"])["id"]
    fresh.wire.post(f"/v1/customers/{schedule['customer']}", invoice_settings={"default_payment_method": good})
    fresh.advance(clock, MONDAY + 25 * DAY)
    assert (status(fresh, schedule), state(seen(fresh, schedule))) == ("active", ("succeeded", "succeeded"))


def test_a_change_that_waits_for_its_payment_is_given_up_by_the_pause(fresh: World):
    schedule, clock = agreed(fresh, entry(pause=10, resume=None))
    fresh.advance(clock, MONDAY + 10 * DAY - 3600)
    card = fresh.attached(schedule["customer"], "tok_chargeCustomerFail")["id"]
    fresh.wire.post(f"/v1/customers/{schedule['customer']}", invoice_settings={"default_payment_method": card})
    found = fresh.wire.get(f"/v1/subscriptions/{schedule['subscription']}")
    held = fresh.wire.post(
        f"/v1/subscriptions/{found['id']}", items=[{"id": found["items"]["data"][0]["id"], "quantity": 4}],
        proration_behavior="always_invoice", payment_behavior="pending_if_incomplete",
    )  # fmt: skip
    assert held["pending_update"] is not None
    fresh.advance(clock, MONDAY + 10 * DAY)
    after = fresh.wire.get(f"/v1/subscriptions/{found['id']}")
    assert (after["status"], after["pending_update"], after["items"]["data"][0]["quantity"]) == ("paused", None, 1)
    assert fresh.wire.get(f"/v1/invoices/{held['latest_invoice']}")["status"] == "void"


def test_entitlements_follow_the_pause(fresh: World):
    feature = fresh.wire.post("/v1/entitlements/features", name="Oven", lookup_key="oven")["id"]
    fresh.wire.post(f"/v1/products/{fresh.bread['id']}/features", entitlement_feature=feature)
    schedule, clock = agreed(fresh, entry())

    def has() -> int:
        return len(fresh.wire.get("/v1/entitlements/active_entitlements", customer=schedule["customer"])["data"])

    assert has() == 1
    fresh.advance(clock, MONDAY + 12 * DAY)
    assert has() == 0
    fresh.advance(clock, MONDAY + 20 * DAY)
    assert has() == 1


def test_previews_are_what_happens(fresh: World):
    """Of a pause that is billed at once, and of the resumption that follows."""
    schedule, clock = agreed(fresh)
    given = entry()
    given["pause"]["settings"] = {"invoicing_behavior": "invoice"}
    asked = {"schedule": schedule["id"], "schedule_details": {"pause_schedules": [given]}}
    preview = fresh.wire.post("/v1/invoices/create_preview", **asked)
    assert fresh.wire.get(f"{PATH}/{schedule['id']}")["pause_schedules"] == []
    fresh.wire.post(f"{PATH}/{schedule['id']}", pause_schedules=[given])
    fresh.advance(clock, MONDAY + 10 * DAY)
    billed = fresh.invoices(schedule["subscription"])
    assert preview["total"] == billed[-1]["total"] < 0
    after = fresh.wire.post("/v1/invoices/create_preview", schedule=schedule["id"])
    fresh.advance(clock, MONDAY + 20 * DAY)
    last = fresh.invoices(schedule["subscription"])[-1]
    assert (after["total"], after["amount_due"]) == (last["total"], last["amount_due"])
    nothing = [{"pause": {"settings": {"type": "subscription"}}}]
    bad = {"schedule": schedule["id"], "schedule_details": {"pause_schedules": nothing}}
    answer = fresh.wire.send("POST", "/v1/invoices/create_preview", bad)
    assert (answer.status, answer.error["param"]) == (400, "schedule_details[pause_schedules][0][pause][pause_at]")


def test_usage_until_the_pause_is_known_before_it_comes(fresh: World):
    """Whoever looks ahead, as a preview or a reminder does, meets the pause within the period of usage."""
    clock = fresh.clock()["id"]
    customer = fresh.payer(test_clock=clock)["id"]
    made = fresh.subscription(customer, fresh.metered(10)["id"])
    schedule = fresh.wire.post(PATH, from_subscription=made["id"], pause_schedules=[entry()])
    fresh.advance(clock, MONDAY + 3 * DAY)
    fresh.uses(customer, 50, MONDAY + 2 * DAY)
    answer = fresh.wire.send("POST", "/v1/invoices/create_preview", {"subscription": made["id"]})
    assert answer.error["code"] == "invoice_upcoming_none"  # it is paused by then
    preview = fresh.wire.post("/v1/invoices/create_preview", schedule=schedule["id"])
    assert preview["total"] == 500
    fresh.advance(clock, MONDAY + 12 * DAY)
    [waits] = fresh.wire.get("/v1/invoiceitems", customer=customer, pending=True)["data"]
    assert waits["amount"] == 500


def test_usage_until_now_is_billed_when_a_schedule_pauses_now(fresh: World):
    clock = fresh.clock()["id"]
    customer = fresh.payer(test_clock=clock)["id"]
    made = fresh.subscription(customer, fresh.metered(10)["id"])
    schedule = fresh.wire.post(PATH, from_subscription=made["id"])
    fresh.advance(clock, MONDAY + 3 * DAY)
    fresh.uses(customer, 50, MONDAY + 2 * DAY)
    pause = {"pause_at": {"type": "now"}, "settings": {"invoicing_behavior": "invoice"}}
    fresh.wire.post(f"{PATH}/{schedule['id']}", pause_schedules=[{"pause": pause}])
    assert fresh.invoices(made["id"])[-1]["total"] == 500
