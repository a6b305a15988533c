"""Billing in advance: what is billed is billed once, whatever is done in between; what is given back is what was paid. Cases
in prebilling.txt."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from tests.rules import billing
from tests.rules.billing import DAY, START, facts, ids
from tests.rules.table import Row, rows
from voldaan.resources.billing_schedules import BillingScheduleParams
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.pause_schedules import PauseSettings
from voldaan.resources.subscription_items import Debit
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate
from voldaan.rules import changes, prebilling, renewals, subscriptions
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.subscription_fields import cancel_at_of
from voldaan.rules.subscription_items import NewItem

CASES = rows("prebilling.txt")
LIVES = 200


def of(rule: str) -> list[Row]:
    return [row for row in CASES if row.rule == rule]


def schedules(cell: str | None) -> Any:
    """ "3 month", "until 70", and "max until 70" for the items with one price only; several apart by a semicolon."""
    if cell == "none":
        return ""
    found = []
    for text in (cell or "").split("; "):
        words = text.split()
        given: dict[str, Any] = {}
        if words[0] not in ("until",) and not words[0].isdigit():
            given["applies_to"] = [{"type": "price", "price": words.pop(0)}]
        if words[0] == "until":
            given["bill_until"] = {"type": "timestamp", "timestamp": START + int(words[1]) * DAY}
        else:
            duration = {"interval": words[1], "interval_count": int(words[0])}
            given["bill_until"] = {"type": "duration", "duration": duration}
        found.append(BillingScheduleParams(**given))
    return found


def begun(book: BillingFacts, new_id: Any, price: str, wanted: Any = None, **given: Any) -> Decision:
    [anna] = book.parties.customers.values()
    terms = SubscriptionCreate(customer=anna.id, billing_schedules=wanted, off_session=True, **given)
    items = [NewItem(f"si_{n}", each, 1) for n, each in enumerate(price.split("+"))]
    new = subscriptions.Beginning("sub_1", terms, anna, "eur", items, unattended=True)
    return subscriptions.begin(book, new, START, new_id)


def now(book: BillingFacts) -> Subscription:
    return book.parties.subscriptions["sub_1"]


def ahead(book: BillingFacts) -> str:
    """Until which day each item is billed."""
    return ", ".join(str((prebilling.covered(item) - START) // DAY) for item in now(book).items.data)


def totals(decision: Decision) -> list[int]:
    return [made.total for made in decision.inserts if isinstance(made, Invoice)]


@pytest.mark.parametrize("row", of("begin"), ids=str)
def test_begin(row: Row) -> None:
    book = facts()
    given = {"trial_period_days": row.number("trial")} if row.get("trial") else {}
    if row.get("ends"):
        given["cancel_at"] = START + row.number("ends") * DAY
    expected = row["billed until"]
    if expected.startswith("billing_schedules"):
        with pytest.raises(Refused) as no:
            begun(book, ids(), row["items"], schedules(row["schedules"]), **given)
        assert no.value.refusal.param == expected
        return
    decision = begun(book, ids(), row["items"], schedules(row["schedules"]), **given)
    [invoice] = [made for made in decision.inserts if isinstance(made, Invoice)]
    assert (ahead(book), invoice.total, len(invoice.lines.data)) == (expected, row.number("total"), row.number("lines"))


@pytest.mark.parametrize("row", of("renew"), ids=str)
def test_renewals(row: Row) -> None:
    """What each renewal bills; "-" where there is no invoice."""
    book, new_id = facts(), ids()
    begun(book, new_id, row["items"], schedules(row["schedules"]))
    found = []
    for _ in row["invoices"].split(", "):
        made = totals(renewals.renew(book, now(book), now(book).current_period_end, new_id))
        found.append(str(made[0]) if made else "-")
    assert ", ".join(found) == row["invoices"]


@pytest.mark.parametrize("row", of("change"), ids=str)
def test_changes(row: Row) -> None:
    """Pro for three months, changed on a day of the first one."""
    book, new_id = facts(), ids()
    begun(book, new_id, "pro", schedules("3 month"))
    at = START + row.number("day") * DAY
    decision = act(book, row["what"], at, new_id)
    waiting = [one.amount for one in decision.inserts if isinstance(one, InvoiceItem)]
    assert waiting == [int(each) for each in (row.get("waiting") or "").split(", ") if each]
    assert ahead(book) == row["billed until"]
    assert [str(each) for each in totals(decision)] == [each for each in [row.get("invoice")] if each]


def act(book: BillingFacts, what: str, at: int, new_id: Any) -> Decision:
    was = now(book)
    [item] = was.items.data
    debits: dict[str, list[Debit]] = {item.id: list(item.debits)}
    change, changed = Change(at=at, debits=debits), was
    words = what.split()
    if words[0] == "pause":
        return changes.pause(book, was, PauseSettings(), debits, at, new_id)
    if words[0] == "anchor":
        change.anchor = "now"
    elif words[0] == "trial":
        change.trial_end = START + int(words[1]) * DAY
    elif words[0] == "ends":
        changed = replace(was, cancel_at=cancel_at_of(START + int(words[1]) * DAY, []))
    elif words[0] == "ahead":
        change.billing_schedules = schedules(" ".join(words[1:]))
    else:
        change.items = [ItemChange(item, NewItem(item.id, words[1], int(words[0])))]
    return changes.apply(book, was, changed, change, at, new_id)


def test_nothing_is_billed_twice_whatever_is_done() -> None:
    """The same life with and without billing in advance comes, in the end, to the same money: when everything that was
    paid ahead is used up, by the last renewal, nothing more or less was charged."""
    for seed in range(LIVES):
        chance = random.Random(seed)
        months = chance.randrange(2, 7)
        steps = sorted((chance.randrange(1, 150) * DAY, chance.choice(("1 pro", "2 pro", "1 max", "3 max"))) for _ in range(4))
        charged = [lived(None, steps), lived(f"{months} month", steps)]
        assert charged[0] == charged[1], (seed, months, steps)


def lived(wanted: str | None, steps: list[tuple[int, str]]) -> int:
    """All that was charged until a boundary beyond everything, less what was given back. Prices are a multiple of every
    month's seconds, so that no rounding is in the way."""
    book, new_id = facts(), ids()
    for name, amount in (("pro", 2_678_400 * 30), ("max", 2_678_400 * 70)):
        book.catalogue.prices[name] = billing.price(name, amount * 28 * 29 * 30)
    whole = begun(book, new_id, "pro", schedules(wanted) if wanted else None)
    for after, what in steps:
        at = START + after
        while now(book).current_period_end <= at:
            whole.add(renewals.renew(book, now(book), now(book).current_period_end, new_id))
        whole.add(act(book, what, at, new_id))
    while now(book).current_period_end < START + 260 * DAY:
        whole.add(renewals.renew(book, now(book), now(book).current_period_end, new_id))
    return sum(totals(whole)) + sum(item.amount for item in book.pending.get("cus_anna", []))
