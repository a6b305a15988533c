"""Subscriptions: how they begin, renew, change and end. Cases in subscriptions.txt."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.rules.billing import DAY, START, facts, ids, subscription
from tests.rules.table import Row, rows
from tests.rules.test_invoices import check_chain
from voldaan.resources.base import ListObject
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.subscription_items import BilledPeriod, Debit
from voldaan.resources.subscriptions import (
    BillingMode,
    Subscription,
    SubscriptionCreate,
    TrialEndBehavior,
    TrialSettings,
)
from voldaan.rules import changes, renewals, subscriptions
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.subscription_items import NewItem

CASES = rows("subscriptions.txt")


def of(rule: str) -> list[Row]:
    return [row for row in CASES if row.rule == rule]


def day(at: int) -> int:
    return (at - START) // DAY


def period(found: Subscription) -> str:
    [item] = found.items.data
    return f"{day(item.current_period_start)}-{day(item.current_period_end)}"


def made(decision: Decision) -> Invoice | None:
    return next((one for one in decision.inserts if isinstance(one, Invoice)), None)


@pytest.mark.parametrize("row", of("begin"), ids=str)
def test_begin(row: Row) -> None:
    book, new_id = facts(), ids()
    given: dict[str, Any] = {"proration_behavior": "create_prorations" if row["prorate"] == "yes" else "none"}
    for column, name in (("anchor", "billing_cycle_anchor"), ("backdate", "backdate_start_date")):
        if row.get(column):
            given[name] = START + row.number(column) * DAY
    if row.get("trial"):
        given["trial_period_days"] = row.number("trial")
    [anna] = book.parties.customers.values()
    new = subscriptions.Beginning(
        "sub_1", SubscriptionCreate(customer=anna.id, **given), anna, "eur", [NewItem("si_1", row["price"], 1)]
    )
    if row["status"] == "refused":
        with pytest.raises(Refused):
            subscriptions.begin(book, new, START, new_id)
        return
    decision = subscriptions.begin(book, new, START, new_id)
    [created] = [event.object for event in decision.events if event.type == "customer.subscription.created"]
    assert isinstance(created, Subscription)
    invoice = made(decision)
    assert invoice is not None
    assert (created.status, period(created), invoice.total) == (row["status"], row["period"], row.number("total"))
    assert invoice.billing_reason == "subscription_create"
    assert len([one for one in decision.inserts if isinstance(one, BilledPeriod)]) == 1
    renewal = [due.at for due in decision.due if due.kind == "subscription.renew"]
    assert renewal == [created.current_period_end]
    assert bool(decision.attempts) == (created.status == "incomplete")
    check_chain(decision)


@pytest.mark.parametrize("row", of("renew"), ids=str)
def test_renew(row: Row) -> None:
    book = facts()
    was = subscription(row["before"])
    if row.get("trial"):
        end = START + row.number("trial") * DAY
        behavior = "create_invoice" if row["method"] == "yes" else row["method"]
        settings = TrialSettings(end_behavior=TrialEndBehavior(missing_payment_method=behavior))  # type: ignore[arg-type]
        was = replace(was, trial_start=START, trial_end=end, billing_cycle_anchor=end, trial_settings=settings)
    if row["method"] != "yes":
        book.methods.clear()
    if row["ends at"] == "period":
        was = replace(was, cancel_at_period_end=True, cancel_at=was.current_period_end, canceled_at=START)
    elif row.get("ends at"):
        was = replace(was, cancel_at=START + row.number("ends at") * DAY)
    book.parties.subscriptions[was.id] = was

    decision = renewals.renew(book, was, was.current_period_end, ids())
    after = book.parties.subscriptions[was.id]
    assert (after.status, period(after)) == (row["after"], row["period"])
    invoice = made(decision)
    assert (invoice and invoice.total) == (row.number("total") if row.get("total") else None)
    assert (invoice and invoice.billing_reason) == row.get("reason")
    check_chain(decision)


def test_renewing_twice_bills_once() -> None:
    book, was = facts(), subscription()
    book.parties.subscriptions[was.id] = was
    renewals.renew(book, was, was.current_period_end, ids())
    after = book.parties.subscriptions[was.id]
    again = renewals.renew(book, after, was.current_period_end, ids())
    assert (again.inserts, again.updates, again.events, again.due) == ([], [], [], [])


def test_a_late_worker_bills_every_period() -> None:
    book, was, new_id = facts(), subscription(), ids()
    book.parties.subscriptions[was.id] = was
    late = START + 100 * DAY
    periods = []
    for _ in range(3):
        renewals.renew(book, book.parties.subscriptions[was.id], late, new_id)
        periods.append(period(book.parties.subscriptions[was.id]))
    assert periods == ["30-61", "61-91", "91-122"]


@pytest.mark.parametrize("row", of("change"), ids=str)
def test_change(row: Row) -> None:
    book = facts()
    was = billed(subscription(), row["mode"])
    book.parties.subscriptions[was.id] = was
    now = START + row.number("day") * DAY
    change = change_to(row["to"], was, now, row["behavior"])
    decision = changes.apply(book, was, was, change, now, ids())
    after = book.parties.subscriptions[was.id]
    invoice = made(decision)
    waiting = [one.amount for one in decision.inserts if isinstance(one, InvoiceItem)]
    assert waiting == [int(each) for each in (row.get("waiting") or "").split(", ") if each]
    assert period(after) == row["period"]
    assert (invoice and invoice.total) == (row.number("invoice") if row.get("invoice") else None)
    check_chain(decision)


def billed(was: Subscription, mode: str) -> Subscription:
    """As the purchase leaves it: the item knows what it was billed by."""
    [item] = was.items.data
    item.debits = [Debit(line="il_1", invoice="in_1", amount=3000, start=START, end=START + 30 * DAY)]
    return replace(
        was, billing_mode=BillingMode(type=mode), items=ListObject(data=[item], url="")  # type: ignore[arg-type]
    )


def change_to(to: str, was: Subscription, now: int, behavior: Any) -> Change:
    change = Change(at=now, behavior=behavior, debits={"si_1": list(was.items.data[0].debits)})
    if to == "anchor":
        change.anchor = "now"
    elif to.startswith("trial"):
        change.trial_end = START + int(to.split()[1]) * DAY
    else:
        quantity, price = to.split()
        change.items = [ItemChange(was.items.data[0], NewItem("si_1", price, int(quantity)))]
    return change


def test_free_becomes_paid_and_is_billed_at_once() -> None:
    book: BillingFacts = facts()
    was = subscription()
    was.items.data[0].price = book.catalogue.prices["free"]
    book.parties.subscriptions[was.id] = was
    now = START + 10 * DAY
    change = Change(at=now, items=[ItemChange(was.items.data[0], NewItem("si_1", "pro", 1))])
    decision = changes.apply(book, was, was, change, now, ids())
    invoice = made(decision)
    assert invoice is not None
    assert (invoice.total, period(book.parties.subscriptions[was.id])) == (3000, "10-40")


def test_credits_and_debits_of_many_changes_add_up() -> None:
    """However often a quantity changes within a second, what was charged in the end is what the last one costs."""
    book, new_id = facts(), ids()
    current = billed(subscription(), "flexible")
    book.parties.subscriptions[current.id] = current
    now, total = START + 11 * DAY + 4711, 3000
    for quantity in (2, 7, 3, 5, 1):
        item = current.items.data[0]
        change = Change(
            at=now, debits={"si_1": list(item.debits)}, items=[ItemChange(item, NewItem("si_1", "pro", quantity))]
        )
        decision = changes.apply(book, current, current, change, now, new_id)
        total += sum(one.amount for one in decision.inserts if isinstance(one, InvoiceItem))
        current = book.parties.subscriptions[current.id]
    assert total == 3000
