"""Invoices: what is due, which verb is allowed, what an outcome leads to. Cases in invoices.txt."""

from __future__ import annotations

import pytest

from tests.rules.billing import DAY, START, facts, ids, invoice, subscription
from tests.rules.table import Row, rows
from voldaan.rules import collection, dunning, finalization
from voldaan.rules import invoice_verbs as verbs
from voldaan.rules.decision import Decision, Refusal
from voldaan.rules.owing import CollectionFacts, Parties

CASES = rows("invoices.txt")


def of(rule: str) -> list[Row]:
    return [row for row in CASES if row.rule == rule]


@pytest.mark.parametrize("row", of("due"), ids=str)
def test_due(row: Row) -> None:
    book = facts()
    [anna] = book.parties.customers.values()
    anna.balance = row.number("balance")
    total = row.number("total")
    draft = invoice("draft", total, currency=row["currency"], subscription=None, amount_due=0, amount_remaining=0)
    draft.billing_reason = "manual"
    decision, known = finalization.finalize(book, draft, START, ids(), collect="later")
    done = known.invoice
    assert (done.amount_due, done.ending_balance) == (row.number("due"), row.number("ending"))
    assert done.status == ("open" if row.number("due") else "paid")
    assert done.number == "ANNA-0001"
    assert book.parties.customers["cus_anna"].balance == row.number("ending")
    assert bool([made for made in decision.inserts if made.id.startswith("pi_")]) == bool(row.number("due"))


def refusal_of(refusal: Refusal | None) -> str | None:
    return refusal.code if refusal else None


@pytest.mark.parametrize("row", of("void"), ids=str)
def test_void(row: Row) -> None:
    one = invoice(row["was"], amount_paid=row.number("paid"))
    assert refusal_of(verbs.not_voidable(one, row["live"] == "yes")) == row.get("refusal")


@pytest.mark.parametrize("row", of("give up"), ids=str)
def test_give_up(row: Row) -> None:
    assert refusal_of(verbs.not_to_give_up(invoice(row["was"]), row["live"] == "yes")) == row.get("refusal")


@pytest.mark.parametrize("row", of("pay"), ids=str)
def test_pay(row: Row) -> None:
    assert refusal_of(verbs.not_payable(invoice(row["was"]))) == row.get("refusal")


@pytest.mark.parametrize("row", of("outcome"), ids=str)
def test_outcome(row: Row) -> None:
    book = facts(retry_offsets=[DAY, 3 * DAY])
    tries = row.number("tries")
    one = invoice(attempt_count=tries, first_failed_at=START if tries else None)
    if row["answer"] == "declined by hand":
        one.next_payment_attempt = START + 2 * DAY
    parties = Parties(book.parties.customers, {"sub_1": subscription(row["before"])})
    known = CollectionFacts(one, parties, book.account.settings_billing)

    decision = answer(known, row["answer"])
    assert known.subscription is not None
    assert (known.invoice.status, known.subscription.status) == (row["invoice"], row["after"])
    following, passing = known.invoice.next_payment_attempt, known.invoice.silent_step_at
    assert following == (START + row.number("next") * DAY if row.get("next") else None)
    assert passing == (START + row.number("passes") * DAY if row.get("passes") else None)
    assert [event.type for event in decision.events] == row["events"].split(", ")
    assert [due.at for due in decision.due if due.kind == "invoice.attempt"] == [at for at in (following, passing) if at]
    check_chain(decision)


def answer(known: CollectionFacts, what: str) -> Decision:
    """What a payment of the whole sum came to."""
    match what:
        case "succeeded":
            return collection.payment_succeeded(known, 3000, START, ids(), payment_intent="pi_1")
        case "too much":
            return collection.payment_succeeded(known, 3500, START, ids(), payment_intent="pi_1")
        case "processing":
            return collection.payment_processing(known, START)
        case "action":
            return collection.payment_requires_action(known, START, ids(), automatic=False, on_session=True)
        case "action off session":
            return collection.payment_requires_action(known, START, ids())
        case "no method":
            return collection.payment_failed(known, None, START, ids())
        case "declined by hand":
            meaning = dunning.meaning("generic_decline")
            return collection.payment_failed(known, meaning, START, ids(), automatic=False)
        case code:
            return collection.payment_failed(known, dunning.meaning(code), START, ids(), payment_method="pm_1")


def check_chain(decision: Decision) -> None:
    """Each change of a row starts from what the one before left: none is lost when only the last is written."""
    left: dict[str, object] = {}
    for update in decision.updates:
        assert left.get(update.new.id, update.was) == update.was
        left[update.new.id] = update.new


def test_too_much_is_the_customers_credit() -> None:
    book = facts()
    known = CollectionFacts(invoice(), Parties(book.parties.customers), book.account.settings_billing)
    collection.payment_succeeded(known, 3500, START, ids(), payment_intent="pi_1")
    assert (known.invoice.amount_paid, known.invoice.amount_overpaid, known.customer.balance) == (3000, 500, -500)


@pytest.mark.parametrize("status", ["void", "paid"])
def test_money_for_an_invoice_that_needs_none_is_all_credit(status: str) -> None:
    """A payment by hand won the race; the money that still came is not lost (killbill#1015)."""
    book = facts()
    one = invoice(status, amount_paid=3000 if status == "paid" else 0, amount_remaining=0)
    known = CollectionFacts(one, Parties(book.parties.customers), book.account.settings_billing)
    collection.payment_succeeded(known, 3000, START, ids(), payment_intent="pi_2")
    assert (known.invoice.status, known.invoice.amount_overpaid, known.customer.balance) == (status, 3000, -3000)


def test_a_card_that_is_ruled_out_is_remembered() -> None:
    book = facts(retry_offsets=[DAY])
    parties = Parties(book.parties.customers, {"sub_1": subscription()})
    known = CollectionFacts(invoice(), parties, book.account.settings_billing)
    answer(known, "stolen_card")
    assert known.invoice.futile_method == "pm_1"


@pytest.mark.parametrize(("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible")])
def test_a_paused_collection(behavior: str, status: str) -> None:
    from voldaan.resources.subscriptions import PauseCollection

    book = facts()
    book.parties.subscriptions["sub_1"] = subscription(pause_collection=PauseCollection(behavior=behavior))  # type: ignore[arg-type]
    draft = invoice("draft", amount_due=0, amount_remaining=0)
    decision, known = finalization.finalize(book, draft, START, ids())
    assert (known.invoice.status, decision.attempts) == (status, [])
    check_chain(decision)


def test_finalizing_asks_for_the_money_once() -> None:
    book = facts()
    book.parties.subscriptions["sub_1"] = subscription()
    decision, known = finalization.finalize(book, invoice("draft", amount_due=0, amount_remaining=0), START, ids())
    assert len(decision.attempts) == 1
    assert [e.type for e in decision.events] == ["invoice.finalized", "payment_intent.created"]
    assert [p.amount_requested for p in known.payments] == [3000]
    assert book.parties.customers["cus_anna"].next_invoice_sequence == 2
    check_chain(decision)
