"""Credit notes: what a request for one comes to, whether it may be, and what it does to invoice, customer and refunds.

A note first lowers what the invoice still asks; what is beyond that is given back: refunded, credited to the balance, or
out of band. Preview and note are the same function. Amounts are minor units. Sources: docs/behaviour-billing.md, "Credit notes".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from voldaan.resources.accounts import Account
from voldaan.resources.base import ListObject
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import CreditNote, CreditNoteRefund, NoteRefund, NoteShipping, NoteTerms
from voldaan.resources.refunds import Refund
from voldaan.rules import credit_note_lines, credited, owing, refunds
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.credit_note_lines import Drawn
from voldaan.rules.credited import Left
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.ids import NewId
from voldaan.rules.invoice_verbs import in_progress
from voldaan.rules.invoices import EMBEDDED, told
from voldaan.rules.metadata import merged
from voldaan.rules.owing import CollectionFacts
from voldaan.rules.refusals import missing, refused, renamed
from voldaan.rules.shipping import is_shipping

GONE = ("failed", "canceled")  # refunds that gave nothing back
NOTHING = "One of `amount`, `lines`, or `shipping_cost` must be provided."


@dataclass(slots=True)
class NoteFacts:
    """An invoice with all of its lines, and all that was credited and refunded of it."""

    account: Account
    known: CollectionFacts
    lefts: list[Left]
    catalogue: Catalogue
    site: str
    number: int                                      # how many notes the invoice has had, void ones too
    live: bool                                       # a payment of it may still succeed
    recognised: Callable[[list[Left], int], int]     # how much of what is taken now had been revenue (ledger/revenue.py),
    taken: dict[str, int]                            # once so much that refunds had taken is deferred again: by refund
    charges: list[Charge] = field(default_factory=list)   # that brought money for it, the latest first
    refunds: list[Refund] = field(default_factory=list)   # of these charges


def issue(facts: NoteFacts, terms: NoteTerms, now: int, wall: int, new_id: NewId) -> Decision:
    """The note, as the decision's answer, with its lines, and what follows for everybody else. Raises Refused.

    Postings, and what becomes of the invoice's payment intents, are the caller's: commands/credit_notes.py.
    """
    invoice = facts.known.invoice
    if invoice.status not in ("open", "paid"):
        raise refused(f"You can only create a credit note for an open or paid invoice; this one is {invoice.status}.", "invoice")
    drawn = _drawn(facts, terms)
    decision = Decision()
    total = drawn.total
    linked = _linked(facts, terms.refunds or [], decision)
    _check_total(facts, terms, total, sum(linked.values()))
    before = min(total, invoice.amount_remaining) if invoice.status == "open" else 0
    after = total - before
    if before and facts.live:
        raise Refused(in_progress(invoice))
    _check_given_back(terms, sum(linked.values()), after, invoice.currency)

    note = _note(facts, terms, drawn, before, after, now, new_id)
    back = sum(refunds.put_back(r, facts.taken.get(r.id, 0), linked[r.id]) for r in facts.refunds if r.id in linked)
    note = replace(note, recognised=facts.recognised(facts.lefts, back))
    given = [CreditNoteRefund(amount_refunded=amount, refund=id) for id, amount in linked.items()]
    for refund in _refunded(facts, terms, decision, now, wall, new_id):
        given.append(CreditNoteRefund(amount_refunded=refund.amount, refund=refund.id))
    note = replace(note, refunds=given, refund_amount=sum(each.amount_refunded for each in given))
    lowered = _lowered(facts.known, note, now)
    moved = Decision()
    if note.credit_amount:
        moved = owing.move_balance(facts.known, -note.credit_amount, "credit_note", now, new_id, credit_note=note.id)
        note = replace(note, customer_balance_transaction=moved.inserts[0].id)
    decision.events.append(Event("credit_note.created", _told(note)))
    decision.add(lowered).add(moved)
    goods = [left for left in facts.lefts if not is_shipping(left.line)]
    decision.inserts += [note, *note.lines.data, *credited.shares(note.id, goods)]
    decision.answer = note
    return decision


def void(known: CollectionFacts, note: CreditNote, live: bool, now: int) -> Decision:
    """The note's adjustment is undone: the invoice asks as much again. Only while the invoice is open. Raises Refused."""
    invoice = known.invoice
    if note.status == "void":
        raise refused("This credit note has already been voided.")
    if invoice.status != "open":
        raise refused("You can only void a credit note if its invoice is open.")
    if live:
        raise Refused(in_progress(invoice))
    voided = replace(note, status="void", voided_at=now)
    asked = replace(
        invoice,
        amount_due=invoice.amount_due + note.pre_payment_amount,
        amount_remaining=invoice.amount_remaining + note.pre_payment_amount,
        pre_payment_credit_notes_amount=invoice.pre_payment_credit_notes_amount - note.pre_payment_amount,
        credited_tax=invoice.credited_tax - note.tax,
        credited_revenue=invoice.credited_revenue - note.recognised,
    )
    known.invoice = asked
    return Decision(
        updates=[Update(voided, note), Update(asked, invoice)],
        events=[Event("credit_note.voided", voided), Event("invoice.updated", told(asked), told(invoice))],
        answer=voided,
    )


# Pieces ----------------------------------------------------------------------------------------------------------------


def _drawn(facts: NoteFacts, terms: NoteTerms) -> Drawn:
    if facts.known.invoice.automatic_tax.enabled:
        _check_automatic(terms)
    if terms.lines or terms.shipping_cost is not None:
        shipped = None if terms.shipping_cost is None else _shipping(facts, terms.shipping_cost)
        rounding = facts.account.settings_billing.tax_rounding
        return credit_note_lines.draw(facts.lefts, terms.lines or [], facts.catalogue, rounding, shipped)
    if terms.amount is not None:
        return credit_note_lines.spread(facts.lefts, terms.amount)
    raise Refused(Refusal("parameter_missing", NOTHING, "amount"))


def _shipping(facts: NoteFacts, want: NoteShipping) -> Left:
    """What is left of the invoice's shipping, if that is what the request names. Raises Refused."""
    invoice, param = facts.known.invoice, "shipping_cost[shipping_rate]"
    if invoice.shipped is None:
        raise refused("The invoice has no shipping cost that could be credited.", "shipping_cost")
    if want.shipping_rate is None:
        raise missing(param)
    if want.shipping_rate != invoice.shipped.rate:
        raise refused("This is not the shipping rate of the invoice.", param, "resource_missing")
    left = next(left for left in facts.lefts if is_shipping(left.line))
    if not left.amount:
        raise refused("Nothing of the shipping cost is left to credit.", param)
    return left


def _check_automatic(terms: NoteTerms) -> None:
    """Where taxes were computed automatically, nobody says them otherwise."""
    for place, line in enumerate(terms.lines or []):
        if line.type == "custom_line_item":
            raise refused("`custom_line_item` is not valid when the invoice has automatic tax.", f"lines[{place}][type]")
        if line.tax_amounts:
            raise refused("`tax_amounts` is not valid when the invoice has automatic tax.", f"lines[{place}][tax_amounts]")


def _check_total(facts: NoteFacts, terms: NoteTerms, total: int, linked: int) -> None:
    """Together with what was refunded beside all notes, a note stays within the invoice."""
    param = "lines" if terms.lines else "shipping_cost" if terms.shipping_cost else "amount"
    if param != "amount" and terms.amount not in (None, total):
        unit = shown(total, facts.known.invoice.currency)
        raise refused(f"`amount` must be the sum of the lines, which is {unit}.", "amount")
    beside = sum(r.amount - r.noted for r in facts.refunds if r.status not in GONE) - linked
    most = credited.total_left(facts.lefts) + total - beside
    if total > most:
        unit = facts.known.invoice.currency
        why = f" {shown(beside, unit)} of it was refunded." if beside else ""
        raise refused(credit_note_lines.beyond(total, most, unit) + why, param)


def _check_given_back(terms: NoteTerms, linked: int, after: int, currency: str) -> None:
    given = (terms.refund_amount or 0) + linked + (terms.credit_amount or 0) + (terms.out_of_band_amount or 0)
    if given == after:
        return
    named = [n for n in ("refund_amount", "credit_amount", "out_of_band_amount", "refunds") if getattr(terms, n)]
    raise refused(
        f"The sum of refunds, credit amount and out of band amount ({shown(given, currency)}) must equal the credit note's "
        f"post payment amount ({shown(after, currency)}).",
        named[0] if named else "refund_amount",
    )


def _note(
    facts: NoteFacts, terms: NoteTerms, drawn: Drawn, before: int, after: int, now: int, new_id: NewId
) -> CreditNote:
    invoice = facts.known.invoice
    id = new_id("cn")
    for line in drawn.lines:
        line.id, line.credit_note, line.livemode = new_id("cnli"), id, invoice.livemode
    of_it = drawn.shipping
    shipped = credit_note_lines.shipped(of_it, invoice.shipped) if of_it and invoice.shipped else None
    return CreditNote(
        id=id,
        amount=drawn.total,
        amount_shipping=shipped.amount if shipped else 0,
        clock=invoice.test_clock,
        created=now,
        credit_amount=terms.credit_amount or 0,
        currency=invoice.currency,
        customer=invoice.customer,
        discount_amount=sum(d.amount for d in drawn.discount_amounts),
        discount_amounts=drawn.discount_amounts,
        effective_at=now if terms.effective_at is None else terms.effective_at,
        invoice=invoice.id,
        lines=ListObject(data=drawn.lines, url=f"/v1/credit_notes/{id}/lines"),
        livemode=invoice.livemode,
        memo=terms.memo,
        metadata=merged({}, terms.metadata),
        net=drawn.net,
        number=f"{invoice.number}-CN-{facts.number + 1:02}",
        out_of_band_amount=terms.out_of_band_amount or None,
        pdf=f"{facts.site}/credit_notes/{facts.account.id}/{id}_{new_id('')[10:]}/pdf",
        post_payment_amount=after,
        pre_payment_amount=before,
        pretax_credit_amounts=drawn.pretax_credit_amounts,
        reason=terms.reason,
        shipped=shipped,
        shipping_tax_rates=[
            facts.catalogue.tax_rates.get(tax.rate, tax.rate) for tax in (shipped.taxes if shipped else [])
        ],
        subtotal=drawn.subtotal,
        subtotal_excluding_tax=drawn.subtotal - drawn.inclusive,
        tax=drawn.tax,
        total=drawn.total,
        total_excluding_tax=drawn.net,
        total_taxes=drawn.taxes,
        type="pre_payment" if not after else "post_payment" if not before else "mixed",
    )


def _told(note: CreditNote) -> CreditNote:
    """The note as its event tells of it: with its first lines only."""
    lines = note.lines
    if len(lines.data) <= EMBEDDED:
        return note
    return replace(note, lines=ListObject(data=lines.data[:EMBEDDED], has_more=True, url=lines.url))


def _lowered(known: CollectionFacts, note: CreditNote, now: int) -> Decision:
    """What the invoice is after the note: asking less, or paid because it asks for nothing any more."""
    invoice = known.invoice
    changed = replace(
        invoice,
        amount_due=invoice.amount_due - note.pre_payment_amount,
        amount_remaining=invoice.amount_remaining - note.pre_payment_amount,
        pre_payment_credit_notes_amount=invoice.pre_payment_credit_notes_amount + note.pre_payment_amount,
        post_payment_credit_notes_amount=invoice.post_payment_credit_notes_amount + note.post_payment_amount,
        credited_tax=invoice.credited_tax + note.tax,
        credited_revenue=invoice.credited_revenue + note.recognised,
    )
    if invoice.status == "open" and not changed.amount_remaining:
        return owing.settled(known, changed, now, attempted=invoice.attempted)
    known.invoice = changed
    return Decision(
        updates=[Update(changed, invoice)], events=[Event("invoice.updated", told(changed), told(invoice))]
    )


def _linked(facts: NoteFacts, wanted: Sequence[NoteRefund], decision: Decision) -> dict[str, int]:
    """The refunds that the note explains, and how much of each. From now on this much of them belongs to notes."""
    found: dict[str, int] = {}
    mine = {refund.id: refund for refund in facts.refunds}
    for place, want in enumerate(wanted):
        here = f"refunds[{place}]"
        if want.refund is None:
            raise missing(f"{here}[refund]")
        refund = mine.get(want.refund)
        if refund is None or refund.id in found:
            raise refused("You can only link refunds of the invoice's payments, each once.", f"{here}[refund]")
        if refund.status in GONE or refund.balance_transaction is None:
            raise refused(f"The refund {refund.id} has given nothing back.", f"{here}[refund]")
        amount = refund.amount if want.amount_refunded is None else want.amount_refunded
        if amount > refund.amount - refund.noted:
            left = shown(refund.amount - refund.noted, refund.currency)
            raise refused(f"Only {left} of the refund {refund.id} belongs to no credit note yet.", f"{here}[amount_refunded]")
        found[refund.id] = amount
        decision.updates.append(Update(replace(refund, noted=refund.noted + amount), refund))
    return found


def _refunded(
    facts: NoteFacts, terms: NoteTerms, decision: Decision, now: int, wall: int, new_id: NewId
) -> list[Refund]:
    """New refunds of the invoice's payments, the latest first."""
    left = terms.refund_amount or 0
    made: list[Refund] = []
    for charge in facts.charges:
        amount = min(left, refunds.refundable(charge))
        if amount <= 0:
            continue
        found = refunds.refund(
            charge, amount, now=now, wall=wall, new_id=new_id, noted=amount,
            reason=terms.reason if terms.reason in ("duplicate", "fraudulent") else "requested_by_customer",
        )  # fmt: skip
        if isinstance(found, Refusal):
            raise renamed(Refused(found), "refund_amount")
        decision.add(found)
        made.append(found.answer)
        left -= amount
    if left:
        unit = facts.known.invoice.currency
        most = shown((terms.refund_amount or 0) - left, unit)
        raise refused(f"Only {most} of the invoice's payments can be refunded.", "refund_amount")
    return made

