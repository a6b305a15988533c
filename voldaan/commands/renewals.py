"""Renewal: due work that bills the next period of subscriptions, by the thousand."""

from __future__ import annotations

from voldaan.commands import agreed_discounts, automatic_tax, billing, metered, posting, previews, schedule_facts
from voldaan.rules import invoices, pending_intervals
from voldaan.rules import schedules as rules
from voldaan.rules.decision import Decision, Event, together
from voldaan.store.ids import drawer, new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def renew(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.renew. One whose period has not ended, or that renews no more, is left alone."""
    facts = await billing.load(tx, subscriptions=subjects)
    debits = await schedule_facts.know_due(tx, facts)
    await metered.know(tx, facts)
    if schedule_facts.finalizes(tx, facts):
        await billing.number_whole_book(tx, facts)
    subscriptions, new_id = sorted(facts.parties.subscriptions.values(), key=lambda s: s.id), drawer()
    decisions = [rules.renew(facts, debits, subscription, tx.now, new_id) for subscription in subscriptions]
    whole = together(decisions)
    if facts.parties.schedules:
        whole.add(await agreed_discounts.codes_of_ended_coupons(tx, whole))
    await write(tx, [posting.post(whole, tx.now)])
    await billing.keep_number(tx, facts)


async def tell_upcoming(tx: Transaction, subjects: list[str]) -> None:
    """Due work invoice.upcoming: the invoices that renewals will bring, told beforehand. Nothing is billed."""
    facts = await billing.load(tx, subscriptions=subjects)
    debits = await schedule_facts.know_due(tx, facts)
    await metered.know(tx, facts)
    told = Decision()
    for subscription in sorted(facts.parties.subscriptions.values(), key=lambda s: s.id):
        coming = previews.drawn(rules.renew(facts, debits, subscription, subscription.current_period_end, previews.new_id))
        if coming is not None:
            told.events.append(Event("invoice.upcoming", invoices.told(previews.as_upcoming(coming))))
    await write(tx, [told])
    await automatic_tax.keep_rates(tx, facts)


async def bill_pending(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.bill_pending: what waits is billed between two renewals."""
    facts = await billing.load(tx, subscriptions=subjects)
    await billing.number_whole_book(tx, facts)
    subscriptions = sorted(facts.parties.subscriptions.values(), key=lambda s: s.id)
    decisions = [pending_intervals.bill(facts, subscription, tx.now, new_id) for subscription in subscriptions]
    await write(tx, [posting.together(decisions, tx.now)])
    await billing.keep_number(tx, facts)
