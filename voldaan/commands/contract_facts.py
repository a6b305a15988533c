"""What billing must know of contracts: loaded for a whole batch in as many queries as there are kinds of facts."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.resources.contracts import CommitmentPeriod, Contract
from voldaan.resources.invoices import Invoice
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.commitments import Billed
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction


async def know(tx: Transaction, facts: BillingFacts) -> list[str]:
    """The contracts of these customers, and what was billed towards their minimums. One query where there are none.

    Returns the prices that were agreed, for the catalogue.
    """
    if not facts.parties.customers:
        return []
    contracts = await tx.select(Contract, "t.customer_id = any(%(ids)s)", ids=list(facts.parties.customers))
    if not contracts:
        return []
    known = facts.commitments
    for contract in contracts:
        known.contracts.setdefault(contract.customer, []).append(contract)
        for each in contract.price_overrides:
            agreed = (contract.starts_at, contract.ends_at, each.override)
            facts.catalogue.agreements.setdefault((contract.customer, each.price), []).append(agreed)
    held = {c.subscription for c in contracts if c.minimum is not None} & facts.parties.subscriptions.keys()
    prices = [each.override for contract in contracts for each in contract.price_overrides]
    if not held:
        return prices
    for period in await tx.select(CommitmentPeriod, "t.subscription_id = any(%(ids)s) and t.open", ids=list(held)):
        known.open.setdefault(period.subscription, []).append(period)
    known.billed |= await billed(tx, contracts)
    return prices


async def know_drafts(tx: Transaction, facts: BillingFacts, invoices: Sequence[Invoice]) -> None:
    """The commitment periods that these drafts were the first to look at."""
    drafts = [invoice.id for invoice in invoices if invoice.status == "draft"]
    if not drafts or not facts.commitments.contracts:
        return
    for period in await tx.select(CommitmentPeriod, "t.invoice_id = any(%(ids)s)", ids=drafts):
        facts.commitments.of_invoice.setdefault(period.invoice, []).append(period)


async def billed(tx: Transaction, contracts: Sequence[Contract]) -> dict[str, list[Billed]]:
    """What was billed of the contracts' subscriptions since each was looked at last."""
    since = {c.subscription: c.settled_until for c in contracts if c.subscription and c.minimum and c.status == "active"}
    found: dict[str, list[Billed]] = {}
    if since:
        rows = await tx.all(query("contracts", "billed"), subscriptions=list(since), since=list(since.values()))
        for subscription, start, amount in rows:
            found.setdefault(subscription, []).append(Billed(start, amount))
    return found
