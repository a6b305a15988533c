"""What subscription schedules must know when their steps come: what their next phases name, for a whole batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.commands import agreed_discounts, automatic_tax, billing, lookups, metered
from voldaan.resources.base import UNSET
from voldaan.resources.subscription_schedules import Phase, PhaseDiscount, SubscriptionSchedule
from voldaan.rules import pause_schedules, phase_terms, prebilling
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.schedules import next_step
from voldaan.store.children import embed
from voldaan.store.transaction import Transaction


async def load(tx: Transaction, ids: Sequence[str]) -> tuple[BillingFacts, Debits]:
    """These schedules with their customers (locked) and subscriptions, and what their next phases name."""
    before = await tx.get(SubscriptionSchedule, ids)
    owners = [schedule.customer for schedule in before.values()]
    facts = await billing.load(tx, customers=owners, subscriptions=[s.subscription for s in before.values() if s.subscription])
    schedules = await tx.get(SubscriptionSchedule, ids)  # as they are now that nobody else changes them
    await embed(tx, list(schedules.values()))
    facts.parties.schedules |= schedules
    debits = await know(tx, facts, schedules.values())
    await metered.know(tx, facts)
    return facts, debits


async def know_due(tx: Transaction, facts: BillingFacts) -> Debits:
    """What the phases name that begin no later than the periods of their subscriptions end; nothing, if none does. What was
    billed in advance is known as it stands now: an invoice may have been voided since."""
    items = [item for s in facts.parties.subscriptions.values() for item in s.items.data if prebilling.is_ahead(item)]
    stands = await lookups.debits(tx, items) if items else {}
    for item in items:
        item.debits = stands[item.id]
        item.__post_init__()
    ends = {s.schedule: s.current_period_end for s in facts.parties.subscriptions.values() if s.schedule}
    steps = {s.id: next_step(s) for s in facts.parties.schedules.values()}
    due = [s for s in facts.parties.schedules.values() if (step := steps[s.id]) is not None and step[0] <= ends.get(s.id, 0)]
    return await know(tx, facts, due) if due else {}


def finalizes(tx: Transaction, facts: BillingFacts) -> bool:
    """Whether what these schedules do by themselves may finalize invoices at once: a pause or a resumption does."""
    pauses = any(pause_schedules.awaits(schedule) for schedule in facts.parties.schedules.values())
    return pauses or not tx.account.settings_billing.draft_seconds


async def know(tx: Transaction, facts: BillingFacts, schedules: Iterable[SubscriptionSchedule]) -> Debits:
    """Adds to the facts what the coming phases of these schedules name; returns what was debited for their subscriptions."""
    found = list(schedules)
    phases = [phase for s in found for phase in s.agreed if phase.end_date > (s.next_at or 0)]
    await know_phases(tx, facts, phases)
    if any(s.default_settings.automatic_tax and s.default_settings.automatic_tax.enabled for s in found):
        await automatic_tax.know(tx, facts)
    subscriptions = [facts.parties.subscriptions.get(s.subscription or "") for s in found]
    return await lookups.debits(tx, [item for s in subscriptions if s for item in s.items.data])


async def know_phases(tx: Transaction, facts: BillingFacts, phases: Sequence[Phase]) -> None:
    """Prices, tax rates and discounts of these phases, and their coupons, locked."""
    named = [d for phase in phases for d in _discounts_of(phase)]
    await billing.know(
        tx,
        facts,
        prices=[*(i.price for p in phases for i in p.items), *(i.price for p in phases for i in p.add_invoice_items)],
        tax_rates=phase_terms.named_rates(phases),
        discounts=[d.discount for d in named if d.discount],
    )
    await agreed_discounts.lock_coupons(tx, facts, named)
    if any(phase.automatic_tax is not UNSET and phase.automatic_tax.enabled for phase in phases):
        await automatic_tax.know(tx, facts)


def _discounts_of(phase: Phase) -> list[PhaseDiscount]:
    return [
        *phase.discounts,
        *(d for item in phase.items for d in item.discounts),
        *(d for item in phase.add_invoice_items for d in item.discounts),
    ]
