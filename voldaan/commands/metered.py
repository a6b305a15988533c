"""What billing must know of usage: loaded for a whole batch in as many queries as there are kinds of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.commands import billing, usage
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.meters import Meter
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.rules import metered as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.store.transaction import Transaction


async def know(tx: Transaction, facts: BillingFacts, instants: Iterable[int] = ()) -> None:
    """The usage of the subscriptions in these facts, and what was billed of it already.

    At the transaction's time, or at these instants where the subscriptions live by different clocks.
    """
    ids = list(facts.parties.subscriptions)
    if not ids:
        return
    open_ones = await tx.select(UsagePeriod, "t.subscription_id = any(%(ids)s) and t.open", ids=ids)
    await _know(tx, facts, open_ones, instants)


async def know_drafts(tx: Transaction, facts: BillingFacts, invoices: Sequence[Invoice]) -> None:
    """The usage that the lines of these drafts stand for."""
    named = {
        line.usage.usage_period
        for invoice in invoices
        if invoice.status == "draft"
        for line in invoice.lines.data
        if line.usage is not None
    }
    swept = {line.invoice_item for invoice in invoices for line in invoice.lines.data if line.usage and line.invoice_item}
    facts.usage.items |= await tx.get(InvoiceItem, swept)
    await _know(tx, facts, list((await tx.get(UsagePeriod, named)).values()))


async def _know(
    tx: Transaction, facts: BillingFacts, periods: Sequence[UsagePeriod], instants: Iterable[int] = ()
) -> None:
    facts.usage.periods |= {period.id: period for period in periods}
    meters = await tx.get(Meter, {period.meter for period in periods})
    facts.usage.late_events |= {meter.id: meter.late_events for meter in meters.values()}
    rates = [id for period in periods for id in period.tax_rates]
    await billing.know(tx, facts, prices=[period.price for period in periods], tax_rates=rates)
    await know_more(tx, facts, instants)


async def know_more(tx: Transaction, facts: BillingFacts, instants: Iterable[int] = ()) -> None:
    """The usage of periods that a change has moved since, for what comes after it."""
    times = set(instants) or {tx.now}
    facts.usage.asked_at = min(times)
    wanted = set().union(*(rules.keys(facts, now) for now in times)) - facts.usage.counted.keys()
    if wanted:
        facts.usage.counted |= await usage.quantities(tx, list(wanted))
