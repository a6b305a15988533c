"""What moving a subscription to another price comes to: the next invoice without it, and with it. Amounts are minor units."""

from __future__ import annotations

from voldaan.resources.invoices import Invoice
from voldaan.resources.price_migrations import PriceMigration
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import mass_changes, renewals
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision, Refusal
from voldaan.rules.ids import NewId
from voldaan.rules.subscription_items import NewItem


def next_sum(facts: BillingFacts, subscription: Subscription, now: int, new_id: NewId) -> int | None:
    """The total of the next renewal's invoice; None if none comes."""
    return _total(renewals.renew(facts, subscription, max(now, subscription.current_period_end), new_id))


def moved_sum(
    facts: BillingFacts,
    migration: PriceMigration,
    subscription: str,
    wanted: dict[str, NewItem],
    debits: Debits,
    now: int,
    new_id: NewId,
) -> tuple[int | None, int | None] | Refusal:
    """What the move bills at once, and the next renewal after it; or why it cannot be."""
    was = facts.parties.subscriptions[subscription]
    if migration.when == "now":
        decided = mass_changes.change(facts, was, wanted, migration.proration_behavior, debits, now, new_id)
    else:
        decided = mass_changes.at_renewal(facts, was, wanted)
    if isinstance(decided, Refusal):
        return decided
    return _total(decided), next_sum(facts, facts.parties.subscriptions[subscription], now, new_id)


def _total(decision: Decision) -> int | None:
    made = next((made for made in decision.inserts if isinstance(made, Invoice)), None)
    return None if made is None else made.total
