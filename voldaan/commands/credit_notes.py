"""Credit notes: issued, previewed, annotated, voided. The amounts are rules/credited.py's, the rest rules/credit_notes.py's."""

from __future__ import annotations

from itertools import count

from msgspec.structs import replace

from voldaan.commands import clocks, credit_note_facts
from voldaan.commands.answers import Answer
from voldaan.commands.collection import load_collection
from voldaan.commands.withdrawing import cancel_intents
from voldaan.ledger import credit_notes as ledger
from voldaan.ledger import revenue
from voldaan.resources.attempts import Attempt
from voldaan.resources.credit_notes import (
    CreditedLine,
    CreditNote,
    CreditNoteCreate,
    CreditNotePreview,
    CreditNotePreviewLines,
    CreditNoteUpdate,
    CreditNoteVoid,
    NoteTerms,
)
from voldaan.resources.line_items import LineItem
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.rules import credit_notes as rules
from voldaan.rules import holds, owing, states
from voldaan.rules.credit_notes import NoteFacts
from voldaan.rules.decision import Decision, Event, Posting, Refused, Update
from voldaan.rules.ids import NewId
from voldaan.rules.invoice_verbs import in_progress
from voldaan.rules.metadata import merged
from voldaan.rules.owing import CollectionFacts
from voldaan.rules.refunds import put_back
from voldaan.store.children import attach
from voldaan.store.ids import new_id
from voldaan.store.pages import Page, page_of
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: CreditNoteCreate) -> CreditNote | Answer:
    """Lowers what an open invoice asks, or gives back what was paid; a refund is made once the note is committed."""
    facts = await credit_note_facts.load(tx, params)
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
    return await _previewed(tx, params)


async def preview_lines(tx: Transaction, params: CreditNotePreviewLines) -> Page:
    """The lines of a note as it would be."""
    note = await _previewed(tx, params)
    return page_of(note.lines.data, params, "credit_note_line_item")


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
    decision = rules.void(known, note, await credit_note_facts.is_being_paid(tx, row[0]), tx.now)
    decision.postings += ledger.voided(note, await _missed(tx, note), tx.now)
    asked = await _ask_for_the_rest(tx, known)
    if asked.attempts:                               # less was asked, and may be approved at any moment
        raise Refused(in_progress(known.invoice))
    decision.add(asked)
    await write(tx, [decision])
    voided: CreditNote = decision.answer
    return voided


# Pieces ----------------------------------------------------------------------------------------------------------------


async def _previewed(tx: Transaction, terms: NoteTerms) -> CreditNote:
    note: CreditNote = rules.issue(await credit_note_facts.load(tx, terms), terms, tx.now, tx.wall, _preview_ids()).answer
    return note


async def _whole(tx: Transaction, id: str) -> CreditNote:
    """A note with its first lines, as events show it, locked."""
    note = await tx.need(CreditNote, id, lock=True)
    await attach(tx, [note])
    return note


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
    made = count(1)
    return lambda prefix: f"{prefix}_preview{next(made):08}"
