"""Billing credits over HTTP: granted, shown, ended and taken back; and what is left when many ask at once."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.api.books import breaches
from tests.api.calls.reductions import grant
from tests.api.racing import done, together
from tests.api.wire import JSON, Wire
from tests.api.world import DAY, MONDAY, World
from tests.conftest import new_account

SCOPE = {"price_type": "metered"}


def money(value: int, currency: str = "eur") -> JSON:
    return {"type": "monetary", "monetary": {"currency": currency, "value": value}}


def summary(w: World, customer: str, **filter: Any) -> list[JSON]:
    asked = filter or {"type": "applicability_scope", "applicability_scope": SCOPE}
    balances = w.wire.get("/v1/billing/credit_balance_summary", customer=customer, filter=asked)["balances"]
    return [
        {kind: b[f"{kind}_balance"]["monetary"]["value"] for kind in ("available", "ledger")}
        | {"currency": b["ledger_balance"]["monetary"]["currency"]}
        for b in balances
    ]  # fmt: skip


def movements(w: World, credit_grant: str) -> list[tuple[str, str, int]]:
    found = w.wire.get("/v1/billing/credit_balance_transactions", credit_grant=credit_grant, limit=100)["data"][::-1]
    return [(t["type"], t[t["type"]]["type"], t[t["type"]]["amount"]["monetary"]["value"]) for t in found]


def test_a_grant_is_what_was_asked_for(fresh: World):
    made = grant(fresh)
    assert (made["category"], made["priority"], made["amount"]) == ("paid", 50, money(1000))
    assert made["applicability_config"] == {"scope": {"price_type": "metered"}}
    assert (made["effective_at"], made["updated"], made["voided_at"]) == (made["created"], made["created"], None)
    assert movements(fresh, made["id"]) == [("credit", "credits_granted", 1000)]
    told = [e["type"] for e in fresh.wire.get("/v1/events", limit=2)["data"]][::-1]
    assert told == ["billing.credit_grant.created", "billing.credit_balance_transaction.created"]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"customer": ""}, "customer"),
        ({"customer": "cus_none"}, "customer"),
        ({"customer_account": "acct_1"}, "customer_account"),
        ({"amount": {"type": "monetary"}}, "amount[monetary]"),
        ({"amount": money(0)}, "amount[monetary][value]"),
        ({"amount": money(5, "xxx")}, "amount[monetary][currency]"),
        ({"amount": {"type": "tokens"}}, "amount[type]"),
        ({"category": "stolen"}, "category"),
        ({"priority": 101}, "priority"),
        ({"priority": -1}, "priority"),
        ({"effective_at": 5}, "effective_at"),
        ({"expires_at": 5}, "expires_at"),
        ({"effective_at": 2_000_000_000, "expires_at": 2_000_000_000}, "expires_at"),
        ({"applicability_config": {"scope": {"price_type": "licensed"}}}, "applicability_config[scope][price_type]"),
        ({"applicability_config": {"scope": {**SCOPE, "prices": [{"id": "x"}]}}}, "applicability_config[scope][price_type]"),
        ({"applicability_config": {"scope": {"prices": [{"id": "x"}]}}}, "applicability_config[scope][prices][0][id]"),
        ({"applicability_config": {"scope": {"billable_items": [{"id": "x"}]}}}, "applicability_config[scope][billable_items]"),
    ],
)  # fmt: skip
def test_what_no_grant_can_be(fresh: World, params: JSON, param: str):
    given = {"customer": fresh.customer()["id"], "amount": money(5), "applicability_config": {"scope": SCOPE}, **params}
    answer = fresh.wire.send("POST", "/v1/billing/credit_grants", given)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert fresh.wire.get("/v1/billing/credit_grants")["data"] == []


def test_a_grant_is_for_metered_prices_only(fresh: World):
    licensed, counted, customer = fresh.monthly["id"], fresh.metered(1)["id"], fresh.customer()["id"]
    for prices, status in ([counted, licensed], 400), ([counted], 200):
        scope = {"prices": [{"id": id} for id in prices]}
        given = {"customer": customer, "amount": money(700), "applicability_config": {"scope": scope}}
        answer = fresh.wire.send("POST", "/v1/billing/credit_grants", given)
        assert answer.status == status
    assert answer.body["applicability_config"] == {"scope": {"prices": [{"id": counted}]}}
    grant(fresh, customer=customer)
    wanted = {"type": "applicability_scope", "applicability_scope": {"prices": [{"id": counted}]}}
    assert summary(fresh, customer, **wanted) == [{"available": 1700, "ledger": 1700, "currency": "eur"}]
    assert summary(fresh, customer) == [{"available": 1000, "ledger": 1000, "currency": "eur"}]


def test_a_grant_can_be_ended_once(fresh: World):
    made = grant(fresh)
    path = f"/v1/billing/credit_grants/{made['id']}"
    ended = fresh.wire.post(f"{path}/expire")
    assert ended["expires_at"] == ended["updated"] >= made["created"]
    assert movements(fresh, made["id"])[1:] == [("debit", "credits_expired", 1000)]
    for verb in ("expire", "void"):
        assert fresh.wire.send("POST", f"{path}/{verb}", {}).status == 400
    assert fresh.wire.send("POST", path, {"expires_at": 2_000_000_000}).status == 400
    assert fresh.wire.post(path, metadata={"note": "late"})["metadata"] == {"note": "late"}
    assert summary(fresh, made["customer"]) == [{"available": 0, "ledger": 0, "currency": "eur"}]


def test_a_grant_that_was_not_used_can_be_taken_back(fresh: World):
    made = grant(fresh)
    path = f"/v1/billing/credit_grants/{made['id']}"
    assert fresh.wire.post(f"{path}/void")["voided_at"] is not None
    assert movements(fresh, made["id"])[1:] == [("debit", "credits_voided", 1000)]
    for verb in ("expire", "void"):
        assert fresh.wire.send("POST", f"{path}/{verb}", {}).status == 400


def test_a_grant_ends_by_itself_on_its_customers_clock(fresh: World):
    clock = fresh.clock()["id"]
    anna = fresh.customer(test_clock=clock)["id"]
    made = grant(fresh, customer=anna, expires_at=MONDAY + 2 * DAY)
    later = grant(fresh, customer=anna, effective_at=MONDAY + 3 * DAY, category="promotional")
    assert (made["created"], made["test_clock"]) == (MONDAY, clock)
    moved = fresh.wire.post(f"/v1/billing/credit_grants/{later['id']}", expires_at=MONDAY + 5 * DAY)
    assert moved["expires_at"] == MONDAY + 5 * DAY
    assert summary(fresh, anna) == [{"available": 1000, "ledger": 2000, "currency": "eur"}]
    fresh.advance(clock, MONDAY + 4 * DAY)
    [_, ended] = fresh.wire.get("/v1/billing/credit_balance_transactions", credit_grant=made["id"])["data"][::-1]
    assert (ended["debit"]["type"], ended["effective_at"], ended["test_clock"]) == ("credits_expired", MONDAY + 2 * DAY, clock)
    assert summary(fresh, anna) == [{"available": 1000, "ledger": 1000, "currency": "eur"}]
    kept = fresh.wire.post(f"/v1/billing/credit_grants/{later['id']}", expires_at="")
    assert kept["expires_at"] is None
    fresh.advance(clock, MONDAY + 6 * DAY)
    assert summary(fresh, anna) == [{"available": 1000, "ledger": 1000, "currency": "eur"}]


def test_a_summary_is_of_one_grant_or_of_a_scope(fresh: World):
    made = grant(fresh)
    grant(fresh, customer=made["customer"], amount=money(300, "usd"))
    assert summary(fresh, made["customer"], type="credit_grant", credit_grant=made["id"]) == [
        {"available": 1000, "ledger": 1000, "currency": "eur"}
    ]
    assert [b["currency"] for b in summary(fresh, made["customer"])] == ["eur", "usd"]
    other = grant(fresh)
    for asked, param in (
        ({"type": "credit_grant"}, "filter[credit_grant]"),
        ({"type": "credit_grant", "credit_grant": other["id"]}, "filter[credit_grant]"),
        ({"type": "applicability_scope"}, "filter[applicability_scope]"),
        ({"type": "all"}, "filter[type]"),
    ):
        answer = fresh.wire.send("GET", "/v1/billing/credit_balance_summary", {"customer": made["customer"], "filter": asked})
        assert (answer.status, answer.error["param"]) == (400, param)


def test_a_customer_has_at_most_a_hundred_unused_grants_however_many_ask(fresh: World):
    anna = fresh.customer()["id"]
    given = {"customer": anna, "amount": money(5), "applicability_config": {"scope": SCOPE}}
    for _ in range(97):
        fresh.wire.post("/v1/billing/credit_grants", **given)
    answers = together(lambda _: fresh.wire.send("POST", "/v1/billing/credit_grants", given), 6)
    assert len(done(answers)) == 3
    assert {a.error["message"] for a in answers if a.status != 200} == {
        "Customers can have up to 100 unused credit grants at a time."
    }
    newest = done(answers)[0].body["id"]
    fresh.wire.post(f"/v1/billing/credit_grants/{newest}/expire")
    assert fresh.wire.send("POST", "/v1/billing/credit_grants", given).status == 200


def test_of_expire_and_void_one_wins(fresh: World):
    for _ in range(3):
        made = grant(fresh)["id"]
        path = f"/v1/billing/credit_grants/{made}"
        answers = together(lambda n, path=path: fresh.wire.send("POST", f"{path}/{('expire', 'void')[n % 2]}"), 4)
        assert len(done(answers)) == 1
        assert len(movements(fresh, made)) == 2


# What is done to the rows, how it is undone, and which invariants find it.
BREACHES = [
    ("credit_grants set balance = balance - 1 where balance = 1000 and category = 'paid'",
     "credit_grants set balance = balance + 1 where balance = 999", ["C1", "C2"]),
    ("credit_balance_transactions set value = value - 1 where movement = 'credits_expired'",
     "credit_balance_transactions set value = value + 1 where movement = 'credits_expired'", ["C1"]),
    ("postings set amount = amount + 1 where credit = 'prepaid_credits'",
     "postings set amount = amount - 1 where credit = 'prepaid_credits'", ["C2"]),
    ("credit_grants set expires_at = created_at - interval '2 hours' where expires_at is null",
     "credit_grants set expires_at = null where expires_at < created_at", ["C4"]),
]  # fmt: skip


def test_verify_finds_credits_that_do_not_add_up(dsn: str, api_server: str):
    made = new_account(dsn, business_name="Credulous bakery")
    world = World(Wire(api_server, made.secret_key))
    customer = grant(world)["customer"]
    grant(world, customer=customer, category="promotional")
    world.wire.post(f"/v1/billing/credit_grants/{grant(world, customer=customer)['id']}/expire")

    def broken() -> list[str]:
        return sorted({found.partition("_")[0] for found in breaches(dsn, made.account.id)})

    def tamper(what: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            assert connection.execute(f"update {what} and account_id = %s", (made.account.id,)).rowcount

    assert broken() == []
    for breach, undo, expected in BREACHES:
        tamper(breach)
        assert broken() == expected, breach
        tamper(undo)
    assert broken() == []
