"""Billing thresholds: looked at by due work when usage has come in, or when they are new."""

from __future__ import annotations

from voldaan.commands import billing, lookups, metered, posting
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import crossing
from voldaan.rules import thresholds as rules
from voldaan.rules.decision import Decision
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def evaluate(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.threshold: what is reached is billed, once. Who comes second waits for the customer's lock, and
    finds it billed."""
    facts = await billing.load(tx, subscriptions=sorted({rules.of(subject) for subject in subjects}))
    await metered.know(tx, facts)
    await billing.number_whole_book(tx, facts)
    subscriptions = sorted(facts.parties.subscriptions.values(), key=lambda s: s.id)
    begun_anew = [item for s in subscriptions if crossing.resets(s) for item in s.items.data]
    debits = await lookups.debits(tx, begun_anew)
    decisions = [crossing.cross(facts, s, debits, tx.now, new_id) for s in subscriptions]
    await write(tx, [posting.together(decisions, tx.now)])
    await billing.keep_number(tx, facts)


def looked_at(was: Subscription | None, after: Subscription, now: int) -> Decision:
    """New thresholds may be reached already."""
    same = was is not None and was.billing_thresholds == after.billing_thresholds
    before = {item.id: item.billing_thresholds for item in was.items.data} if was is not None else {}
    same = same and all(before.get(item.id) == item.billing_thresholds for item in after.items.data)
    if same or not rules.are_set(after):
        return Decision()
    return Decision(due=[rules.due(after.id, new_id("set"), now, after.test_clock)])
