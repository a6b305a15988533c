"""Credit notes: issued, previewed, annotated, voided. The amounts are rules/credited.py's, the rest rules/credit_notes.py's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from voldaan.commands import clocks
from voldaan.commands.answers import Answer
from voldaan.commands.collection import load_collection
from voldaan.commands.withdrawing import cancel_intents
from voldaan.ledger import credit_notes as ledger
from voldaan.ledger import revenue
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import (
    CreditedLine,
    CreditNote,
    CreditNoteCreate,
    CreditNoteLine,
    CreditNotePreview,
    CreditNotePreviewLines,
    CreditNoteUpdate,
    CreditNoteVoid,
    NoteTerms,
)
from voldaan.resources.line_items import LineItem
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.refunds import Refund
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credit_notes as rules
from voldaan.rules import credited, holds, owing, shipping, states
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.credit_notes import NoteFacts
from voldaan.rules.credited import Left
from voldaan.rules.decision import Decision, Event, Posting, Refused, Update
from voldaan.rules.ids import NewId
from voldaan.rules.invoice_verbs import in_progress
from voldaan.rules.metadata import merged
from voldaan.rules.owing import CollectionFacts
from voldaan.rules.refunds import put_back
from voldaan.settings import site
from voldaan.store.children import attach
from voldaan.store.ids import new_id
from voldaan.store.pages import Page
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

SHIPPED = "t.invoice_id = %(invoice)s and t.status = 'issued' and t.doc ? 'shipped'"
OF_INVOICE = "t.credit_note_id in (select n.id from credit_notes n where n.account_id = %(account)s"
OF_INVOICE += " and n.invoice_id = %(invoice)s and n.status = 'issued')"


async def create(tx: Transaction, params: CreditNoteCreate) -> CreditNote | Answer:
    """Lowers what an open invoice asks, or gives back what was paid; a refund is made once the note is committed."""
    facts = await _load(tx, params)
    decision = rules.issue(facts, params, tx.now, tx.wall, new_id)
    note: CreditNote = decision.answer
    decision.postings += ledger.issued(note, tx.now)
    decision.postings += _linked(facts, note, tx.now)
    if note.pre_payment_amount:
        decision.add(await _ask_for_the_rest(tx, facts.known))
    await write(tx, [decision])
    return Answer(note.id, CreditNote) if decision.attempts else note


async def preview(tx: Transaction, params: CreditNotePreview) -> CreditNote:
    """The note as it would be. Nothing is written."""
    note: CreditNote = rules.issue(await _load(tx, params), params, tx.now, tx.wall, _preview_ids()).answer
    return note


async def preview_lines(tx: Transaction, params: CreditNotePreviewLines) -> Page:
    """The lines of a note as it would be."""
    note: CreditNote = rules.issue(await _load(tx, params), params, tx.now, tx.wall, _preview_ids()).answer
    return _page(note.lines.data, params)


preview_lines.many = True  # type: ignore[attr-defined]


async def update(tx: Transaction, params: CreditNoteUpdate, id: str) -> CreditNote:
    """Another memo or other metadata; the amounts stay."""
    was = await _whole(tx, id)
    note = replace(was, metadata=merged(was.metadata or {}, params.metadata))
    if "memo" in params.model_fields_set:
        note = replace(note, memo=params.memo or None)
    if note != was:
        await write(tx, [Decision(updates=[Update(note, was)], events=[Event("credit_note.updated", note, was)])])
    return note


async def void(tx: Transaction, params: CreditNoteVoid, id: str) -> CreditNote:
    """The open invoice asks for what the note had taken off it."""
    row = await tx.one(query("credit_notes", "invoice_of"), id=id)
    if row is None:
        raise Missing("credit_note", id)
    known = (await load_collection(tx, [row[0]]))[row[0]]
    await clocks.now_for(tx, known.clock)
    note = await _whole(tx, id)
    decision = rules.void(known, note, await _live(tx, row[0]), tx.now)
    decision.postings += ledger.voided(note, await _missed(tx, note), tx.now)
    asked = await _ask_for_the_rest(tx, known)
    if asked.attempts:                               # less was asked, and may be approved at any moment
        raise Refused(in_progress(known.invoice))
    decision.add(asked)
    await write(tx, [decision])
    voided: CreditNote = decision.answer
    return voided


# Pieces ----------------------------------------------------------------------------------------------------------------


async def _whole(tx: Transaction, id: str) -> CreditNote:
    """A note with its first lines, as events show it, locked."""
    note = await tx.need(CreditNote, id, lock=True)
    await attach(tx, [note])
    return note


async def _load(tx: Transaction, terms: NoteTerms) -> NoteFacts:
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
        live=await _live(tx, id),
        recognised=lambda lefts, back: revenue.credited(
            [(_schedule(left), left.now.net) for left in lefts], deferred + back, month
        ),
        taken=dict(await tx.all(query("credit_notes", "taken"), refunds=[refund.id for refund in refunds])),
        charges=charges,
        refunds=refunds,
    )


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


async def _live(tx: Transaction, invoice: str) -> bool:
    return bool(await tx.all(query("invoices", "live_attempts"), ids=[invoice]))


def _linked(facts: NoteFacts, note: CreditNote, now: int) -> list[Posting]:
    """The postings of refunds that the note explains, as far as they had taken back revenue themselves."""
    was = {refund.id: refund for refund in facts.refunds}
    found: list[Posting] = []
    for each in note.refunds:
        if refund := was.get(each.refund):
            deferred = put_back(refund, facts.taken.get(refund.id, 0), each.amount_refunded)
            found += ledger.linked(note, refund.id, each.amount_refunded, deferred, now)
    return found


async def _missed(tx: Transaction, note: CreditNote) -> int:
    """What would have been recognised since, had the note not been issued."""
    shares = await tx.select(CreditedLine, "t.credit_note_id = %(note)s", note=note.id)
    lines = await tx.get(LineItem, [share.invoice_line for share in shares])
    _, month = await tx.one(query("credit_notes", "books"), invoice=note.invoice)
    would = note.shipped.net if note.shipped else 0
    for share in shares:
        would += revenue.so_far(revenue.schedule(lines[share.invoice_line], share.net), month)
    return max(0, min(would, note.net) - note.recognised)


async def _ask_for_the_rest(tx: Transaction, known: CollectionFacts) -> Decision:
    """The invoice's payment intent asks for what remains now, or for nothing any more. Where the customer was about to
    approve another amount, that is withdrawn at the processor first."""
    invoice = known.invoice
    if invoice.status == "paid":
        return (await cancel_intents(tx, [invoice.id], None)).add(owing.cancel_payments(known, tx.now))
    decision = Decision()
    payment = next((p for p in known.payments if p.is_default and p.status == "open"), None)
    if payment is None:
        return decision
    intent = (await tx.get(PaymentIntent, [payment.payment_intent], lock=True))[payment.payment_intent]
    if intent.status in states.PAYMENT_INTENT_FINAL:
        return decision
    asked = replace(intent, amount=invoice.amount_remaining)
    decision.updates += [
        Update(asked, intent), Update(replace(payment, amount_requested=invoice.amount_remaining), payment),
    ]  # fmt: skip
    waiting = (await tx.get(Attempt, [intent.attempt])).get(intent.attempt or "")
    if waiting is not None and waiting.state == "requires_action":
        decision.add(holds.withdraw(asked, waiting, {"reopen": True}, now=tx.now, wall=tx.wall, new_id=new_id))
    return decision


def _preview_ids() -> NewId:
    """Ids that are nobody's, and the same whenever the same is asked."""
    made: Iterable[int] = iter(range(1, 1_000_000))
    return lambda prefix: f"{prefix}_preview{next(made):08}"  # type: ignore[call-overload]


def _page(lines: Sequence[CreditNoteLine], params: CreditNotePreviewLines) -> Page:
    """One page of lines that are in no table."""
    places = {line.id: place for place, line in enumerate(lines)}
    cursor = params.starting_after or params.ending_before
    if cursor is not None and cursor not in places:
        raise Missing("credit_note_line_item", cursor, "starting_after" if params.starting_after else "ending_before")
    if params.ending_before is not None:
        before = lines[: places[params.ending_before]]
        return Page(before[-params.limit :], has_more=len(before) > params.limit)
    after = lines[places[params.starting_after] + 1 :] if params.starting_after else lines
    return Page(after[: params.limit], has_more=len(after) > params.limit)
