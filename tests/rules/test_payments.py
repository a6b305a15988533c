"""Payments by their tables: what every answer does, when to ask again, what may be canceled and given back, what is posted."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rules.table import Row, names, rows
from voldaan.ledger.payments import moved
from voldaan.processors.declines import decline
from voldaan.processors.protocol import (
    Declined,
    NotSent,
    Outcome,
    Processing,
    RequiresAction,
    Succeeded,
    Unknown,
)
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import LIVE, Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import Card, PaymentMethod
from voldaan.rules import attempts as attempt_rules
from voldaan.rules import holds, payment_intents, refunds
from voldaan.rules.attempts import Facts, answered, ask_again_at
from voldaan.rules.balance import Moved, movement
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.requests import request_of
from voldaan.rules.settlement import settle

NOW = 1_790_000_000
TABLE = rows("payments.txt")
RESOLVED = ("succeeded", "authorized", "declined", "not_sent", "voided")

ANSWERS: dict[str, Outcome] = {
    "succeeded": Succeeded("p1", 2000, "eur", NOW + 86400, fee=50),
    "held": Succeeded("p1", 2000, "eur", NOW, captured=False, capture_before=NOW + 7 * 86400),
    "processing": Processing("p1", 2000, "eur", NOW + 3 * 86400),
    "requires action": RequiresAction("p1", "redirect_to_url", "/challenge"),
    "declined": Declined(decline("insufficient_funds"), "p1"),
    "unauthenticated": Declined(decline("payment_intent_authentication_failure"), "p1"),
    "malformed": Declined(decline("currency_not_supported"), "p1"),
    "unknown": Unknown("timeout"),
    "not sent": NotSent("refused"),
    "other amount": Succeeded("p1", 1999, "eur", NOW),
    "other currency": Succeeded("p1", 2000, "usd", NOW),
}


def cases(rule: str) -> list[Row]:
    return [row for row in TABLE if row.rule == rule]


def ids() -> Any:
    numbers = count(1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


ACCOUNT = Account(id="acct_1", created=NOW, business_name="Bakery")
CARD = Card(brand="visa", exp_month=1, exp_year=2030, last4="4242")
METHOD = PaymentMethod(id="pm_1", type="card", created=NOW, processor="sandbox", token="t", card=CARD)


def intent_in(status: str) -> PaymentIntent:
    return PaymentIntent(
        id="pi_1", amount=2000, currency="eur", created=NOW, status=status, attempt="att_1", payment_method="pm_1",  # type: ignore[arg-type]
        amount_received=2000 if status == "succeeded" else 0, amount_capturable=2000 if status == "requires_capture" else 0,
        canceled_at=NOW if status == "canceled" else None,
    )  # fmt: skip


def attempt_in(state: str, **more: Any) -> Attempt:
    return Attempt(
        id="att_1", flow="authorize", state=state, processor="sandbox", idempotency_key="att_1:authorize", amount=2000,  # type: ignore[arg-type]
        currency="eur", payment_intent="pi_1", payment_method="pm_1", at=NOW, dispatched=NOW,
        resolved=NOW if state in RESOLVED else None, **more,
    )  # fmt: skip


def facts_of(attempt: Attempt, intent: PaymentIntent, charge: Charge | None = None) -> Facts:
    return Facts(attempt=attempt, account=ACCOUNT, intent=intent, method=METHOD, charge=charge)


@pytest.mark.parametrize("row", cases("authorization"), ids=str)
def test_authorization(row: Row) -> None:
    facts = facts_of(attempt_in(row["attempt was"]), intent_in(row["intent was"]))
    decision = settle(facts, ANSWERS[row["answer"]], NOW, NOW, ids()).decision
    last = {u.new.id: u.new for u in decision.updates} | {r.id: r for r in decision.inserts if isinstance(r, Charge)}
    charges = [r for r in last.values() if isinstance(r, Charge)]
    assert last.get("att_1", facts.attempt).state == row["attempt"]  # type: ignore[union-attr]
    assert last.get("pi_1", facts.intent).status == row["intent"]  # type: ignore[union-attr]
    assert [c.status for c in charges] == names(row["charge"])
    assert [e.type for e in decision.events] == names(row["events"])


@pytest.mark.parametrize("row", cases("ask again"), ids=str)
def test_ask_again(row: Row) -> None:
    wall = NOW + row.number("seconds since dispatch")
    at = ask_again_at(attempt_in("unknown", tries=row.number("answers")), wall)
    assert (str(at - wall) if at else "-") == row["after"]


@pytest.mark.parametrize("row", cases("not sent"), ids=str)
def test_not_sent(row: Row) -> None:
    acknowledged = "p1" if row["acknowledged"] == "yes" else None
    attempt = attempt_in("unknown", tries=row.number("answers"), processor_id=acknowledged)
    new, _ = answered(attempt, NotSent("refused"), NOW, NOW + 600_000)
    assert new.state == row["attempt"]


@pytest.mark.parametrize("row", cases("cancel"), ids=str)
def test_cancel(row: Row) -> None:
    state = row.get("authorization")
    decision = holds.cancel(
        intent_in(row["intent"]), attempt_in(state) if state else None, "abandoned", now=NOW, wall=NOW, new_id=ids()
    )
    if isinstance(decision, Refusal):
        assert decision.code == row["becomes"]
    elif decision.attempts:
        assert [a.flow for a in decision.inserts if isinstance(a, Attempt)] == [row["becomes"]]
        assert not decision.updates
    else:
        assert [u.new.status for u in decision.updates] == [row["becomes"]]  # type: ignore[attr-defined]


def charge_with(captured: int, refunded: int = 0, disputed: int = 0) -> Charge:
    return Charge(
        id="ch_1", amount=2000, amount_captured=captured, amount_refunded=refunded, amount_disputed=disputed,
        attempt="att_1", captured=captured > 0, created=NOW, currency="eur", processor="sandbox", processor_id="p1",
        status="succeeded",
    )  # fmt: skip


@pytest.mark.parametrize("row", cases("refund"), ids=str)
def test_refund(row: Row) -> None:
    charge = charge_with(row.number("captured"), row.number("refunded"), row.number("disputed"))
    wanted = row.get("wanted")
    decision = refunds.refund(charge, int(wanted) if wanted else None, now=NOW, wall=NOW, new_id=ids())
    if isinstance(decision, Refusal):
        assert (decision.code or decision.param) == row["refusal"]
        return
    after = next(u.new for u in decision.updates if isinstance(u.new, Charge))
    assert str(after.amount_refunded) == row["refunded after"]
    assert after.refunded == (after.amount_refunded == after.amount_captured)
    assert len(decision.attempts) == 1


@pytest.mark.parametrize("row", cases("posting"), ids=str)
def test_posting(row: Row) -> None:
    transaction = None
    if row.get("balance"):
        available_on = NOW if row["balance"] == "available" else NOW + 86400
        transaction = movement("charge", 2000, "eur", "ch_1", now=NOW, available_on=available_on, new_id=ids(), fee=50)
    invoice = "in_1" if row["invoice"] == "yes" else None
    posted = moved(Moved(row["what"], "ch_1", 2000, "eur", NOW, transaction, invoice=invoice))  # type: ignore[arg-type]
    assert [f"{p.debit}<-{p.credit} {p.amount}" for p in posted] == names(row["legs"])


def test_a_refund_is_shared_between_what_was_earned_and_what_was_not() -> None:
    posted = moved(Moved("refund", "re_1", 2000, "eur", NOW, recognised=500))
    assert [(p.debit, p.amount) for p in posted] == [("refunds", 500), ("deferred_revenue", 1500)]


@pytest.mark.parametrize("row", cases("amount"), ids=str)
def test_amount(row: Row) -> None:
    try:
        payment_intents.check_amount(row.number("amount"), row["currency"])
    except Refused as refused:
        said = refused.refusal
        assert row["refusal"] in (said.code, said.param) or row["refusal"] in said.message
        return
    assert row["refusal"] == "-"


@given(st.lists(st.sampled_from(sorted(ANSWERS)), max_size=12))
def test_whatever_is_answered_in_whatever_order_money_counts_once(answers: list[str]) -> None:
    """Replies may come late, twice and mixed up: one charge at most succeeds, and success is final."""
    attempt, intent, charge = attempt_in("dispatched"), intent_in("processing"), None
    succeeded: set[str] = set()
    new_id = ids()
    for answer in answers:
        was = attempt.state
        decision = settle(facts_of(attempt, intent, charge), ANSWERS[answer], NOW, NOW, new_id).decision
        for resource in [*decision.inserts, *(u.new for u in decision.updates)]:
            if isinstance(resource, Attempt) and resource.id == "att_1":
                attempt = resource
            elif isinstance(resource, PaymentIntent):
                intent = resource
            elif isinstance(resource, Charge):
                charge = resource
                if resource.status == "succeeded":
                    succeeded.add(resource.id)
        assert len(succeeded) <= 1
        assert intent.amount_received <= intent.amount
        assert (intent.status == "canceled") == (intent.canceled_at is not None)
        assert (attempt.resolved is None) == (attempt.state in (*LIVE, "requires_action"))
        if was in ("succeeded", "authorized"):
            assert not decision.updates


def test_the_same_attempt_always_asks_for_the_same() -> None:


    made = attempt_rules.attempt_for(
        intent_in("requires_confirmation"), METHOD, off_session=True, initiator="merchant", now=NOW, wall=NOW, new_id=ids()
    )
    asked_before = request_of(made, ACCOUNT)
    later = replace(made, state="unknown", tries=5)
    assert request_of(later, ACCOUNT) == asked_before
    assert asked_before.idempotency_key == f"{made.id}:authorize"


