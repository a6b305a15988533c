"""Renewal: due work that bills the next period of subscriptions, by the thousand."""

from __future__ import annotations

from voldaan.commands import billing, posting
from voldaan.rules import renewals as rules
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def renew(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.renew. One whose period has not ended, or that renews no more, is left alone."""
    facts = await billing.load(tx, subscriptions=subjects)
    at_once = not tx.account.settings_billing.draft_seconds
    if at_once:
        await billing.number_whole_book(tx, facts)
    subscriptions = sorted(facts.parties.subscriptions.values(), key=lambda s: s.id)
    decisions = [rules.renew(facts, subscription, tx.now, new_id) for subscription in subscriptions]
    await write(tx, [posting.together(decisions, tx.now)])
    if at_once:
        await billing.keep_number(tx, facts)
