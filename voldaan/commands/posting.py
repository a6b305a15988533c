"""The postings that go with what a decision does to invoices: read off its updates, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voldaan.ledger import credit_grants as credits
from voldaan.ledger import invoices as ledger
from voldaan.ledger import revenue
from voldaan.resources.credit_balance import CreditBalanceTransaction
from voldaan.resources.invoices import Invoice
from voldaan.rules.decision import Decision


def post(decision: Decision, now: int, recognised: Mapping[str, int] | None = None) -> Decision:
    """Adds the postings of every invoice that was finalized, voided or written off, and the work that earns its revenue;
    and those of billing credits that have moved.

    `recognised` is what of older invoices was posted as revenue; a new one has earned what is for no time at all, and usage.
    """
    for made in decision.inserts:
        if isinstance(made, CreditBalanceTransaction):
            decision.postings += credits.moved(made)
    earned = dict(recognised or {})
    for update in decision.updates:
        new, was = update.new, update.was
        if not isinstance(new, Invoice) or not isinstance(was, Invoice) or new.status == was.status:
            continue
        if was.status == "draft":
            schedules = revenue.schedules(new)
            decision.postings += ledger.finalized(new, schedules, now)
            earned[new.id] = revenue.at_once(schedules)
            if any(line.start < line.end and line.net and not line.usage for line in schedules):
                decision.due.append(revenue.due(now, new.test_clock))
        if new.status == "void":
            decision.postings += ledger.voided(new, earned.get(new.id, 0), now)
        elif new.status == "uncollectible":
            decision.postings += ledger.written_off(new, earned.get(new.id, 0), now)
    return decision


def together(decisions: Iterable[Decision], now: int, recognised: Mapping[str, int] | None = None) -> Decision:
    """The decisions of a batch as one, with their postings."""
    whole = Decision()
    for decision in decisions:
        whole.add(decision)
    return post(whole, now, recognised)

