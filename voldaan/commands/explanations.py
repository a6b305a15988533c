"""The arithmetic of invoices, explained: their lines with what they were made of, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.commands import billing
from voldaan.resources.billing import DiscountAmount
from voldaan.resources.explanations import InvoiceExplanation
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.params import Params
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.explaining import Explained, explain
from voldaan.rules.owing import Parties
from voldaan.rules.recomputing import Charged
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def of_invoice(tx: Transaction, params: Params, id: str) -> InvoiceExplanation:
    """GET /voldaan/invoices/{id}/explain"""
    invoice = (await tx.get(Invoice, [id])).get(id)
    if invoice is None:
        raise Missing("invoice", id)
    facts = await load(tx, [invoice])
    rounding = tx.account.settings_billing.tax_rounding
    return explain(Explained(invoice, facts.catalogue, await debited(tx, invoice.lines.data), rounding))


async def load(tx: Transaction, invoices: Sequence[Invoice], prices: Iterable[str] = ()) -> BillingFacts:
    """Gives these invoices all of their lines; returns the catalogue of all that they were made of. Nothing is locked."""
    facts = billing.empty(tx, Parties())
    await billing.whole(tx, facts, invoices)
    own = [line for invoice in invoices for line in invoice.lines.data]
    await billing.know(
        tx,
        facts,
        prices=[*prices, *(line.price for line in own if line.price)],
        discounts=[
            *(each.discount for line in own for each in line.discount_amounts or []),
            *(each.discount for line in own if line.basis is not None for each in line.basis.off),
        ],
    )
    return facts


async def debited(tx: Transaction, own: Iterable[LineItem]) -> dict[str, Charged]:
    """What the lines that these give a part of back have charged after discounts, by line and by invoice item.

    One of which a part was given back before, by a period that was cut short, is left out.
    """
    bases = [line.basis for line in own if line.basis is not None and not line.basis.cut]
    spans = {basis.source: (basis.start, basis.end) for basis in bases if basis.source is not None}
    if not spans:
        return {}
    sources = list(spans)
    swept = {item: line for item, line, _ in await tx.all(query("subscriptions", "lines_of_invoice_items"), ids=sources)}
    named = list({*sources, *swept.values()})
    rows = {id: rest for id, *rest in await tx.all(query("subscriptions", "debited_lines"), ids=named)}
    found: dict[str, Charged] = {}
    for source, span in spans.items():
        row = rows.get(swept.get(source, source))
        if row is not None and (row[1], row[2]) == span:
            found[source] = Charged(row[0], [DiscountAmount(**each) for each in row[4] or ()])
    return found
