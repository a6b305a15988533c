"""What a credit note must know: its invoice with all of its lines, and all that was credited and refunded of it before."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.commands import clocks
from voldaan.commands.collection import load_collection
from voldaan.ledger import revenue
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import CreditedLine, CreditNote, NoteTerms
from voldaan.resources.line_items import LineItem
from voldaan.resources.refunds import Refund
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credited, shipping
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.credit_notes import NoteFacts
from voldaan.rules.credited import Left
from voldaan.settings import site
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction

SHIPPED = "t.invoice_id = %(invoice)s and t.status = 'issued' and t.doc ? 'shipped'"
OF_INVOICE = "t.credit_note_id in (select n.id from credit_notes n where n.account_id = %(account)s"
OF_INVOICE += " and n.invoice_id = %(invoice)s and n.status = 'issued')"


async def load(tx: Transaction, terms: NoteTerms) -> NoteFacts:
    """An invoice with all that a note must know of it, its customer locked, at the customer's time. Raises Missing."""
    id = terms.invoice
    known = (await load_collection(tx, [id])).get(id)
    if known is None:
        raise Missing("invoice", id, "invoice")
    await clocks.now_for(tx, known.clock)
    lines = await tx.select(LineItem, "t.invoice_id = %(invoice)s", invoice=id)
    shares = await tx.select(CreditedLine, OF_INVOICE, invoice=id)
    if shipped := shipping.line_of(known.invoice):
        lines.append(shipped)
        shares += [_shipped(shipped, note) for note in await tx.select(CreditNote, SHIPPED, invoice=id)]
    notes = await tx.all(query("credit_notes", "count"), invoice=id)
    deferred, month = await tx.one(query("credit_notes", "books"), invoice=id)
    paying = "t.payment_intent_id = any(%(intents)s) and t.status = 'succeeded' and t.captured"
    intents = [payment.payment_intent for payment in known.payments]
    charges = await tx.select(Charge, paying, "t.id desc", intents=intents)
    refunds = await tx.select(Refund, "t.charge_id = any(%(charges)s)", charges=[charge.id for charge in charges])
    return NoteFacts(
        account=tx.account,
        known=known,
        lefts=credited.left_of(lines, shares),
        catalogue=await _catalogue(tx, terms, lines),
        site=site(),
        number=notes[0][0],
        live=await is_being_paid(tx, id),
        recognised=lambda lefts, back: revenue.credited(
            [(_schedule(left), left.now.net) for left in lefts], deferred + back, month
        ),
        taken=dict(await tx.all(query("credit_notes", "taken"), refunds=[refund.id for refund in refunds])),
        charges=charges,
        refunds=refunds,
    )


async def is_being_paid(tx: Transaction, invoice: str) -> bool:
    """Whether a payment of the invoice may still succeed."""
    return bool(await tx.all(query("invoices", "live_attempts"), ids=[invoice]))


def _shipped(line: LineItem, note: CreditNote) -> CreditedLine:
    """What an earlier note has taken back of the shipping, in the form of what it has of lines."""
    assert note.shipped is not None
    taxes = {tax.rate: tax.amount for tax in note.shipped.taxes}
    return CreditedLine(
        id="", credit_note=note.id, invoice_line=line.id, net=note.shipped.net, taxes=taxes, left_out=note.shipped.left_out
    )


def _schedule(left: Left) -> revenue.Schedule:
    """What a line would have earned without the note that is being made."""
    return revenue.schedule(left.line, left.parts.net + left.now.net)


async def _catalogue(tx: Transaction, terms: NoteTerms, lines: Sequence[LineItem]) -> Catalogue:
    """The tax rates of the invoice's lines, and those that the note's own lines name."""
    named: dict[str, str] = {}
    for place, line in enumerate(terms.lines or []):
        for at, rate in enumerate(line.tax_rates or []):
            named.setdefault(rate, f"lines[{place}][tax_rates][{at}]")
        for at, each in enumerate(line.tax_amounts or []):
            named.setdefault(each.tax_rate, f"lines[{place}][tax_amounts][{at}][tax_rate]")
    found = await tx.get(TaxRate, {*named, *(id for line in lines for id in credited.rates_of(line))})
    for id, param in named.items():
        if id not in found:
            raise Missing("tax_rate", id, param)
    return Catalogue(tax_rates=found)
