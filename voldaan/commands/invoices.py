"""Invoices: finalized, paid, voided, written off, sent; and what happens to them by the clock.

Making and editing drafts is in commands/invoice_drafts.py, previews are in commands/previews.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from voldaan.commands import billing, clocks, collection, contract_facts, lookups, metered, posting, revisions
from voldaan.commands.answers import Answer, Failure
from voldaan.commands.collection import load_collection as load_collection
from voldaan.commands.withdrawing import cancel_intents
from voldaan.ledger import invoices as ledger
from voldaan.resources.attempts import Attempt
from voldaan.resources.invoice_params import (
    InvoiceAttachPayment,
    InvoiceFinalize,
    InvoiceMarkUncollectible,
    InvoicePay,
    InvoiceSend,
    InvoiceVoid,
)
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.rules import attempts, automatic_tax, finalization, holds, owing, payments
from voldaan.rules import collection as outcomes
from voldaan.rules import invoice_verbs as verbs
from voldaan.rules import invoices as rules
from voldaan.rules import metered as usage
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Due, Event, Refusal, Refused, Update
from voldaan.rules.owing import CollectionFacts, Parties
from voldaan.rules.refusals import missing, refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

HELD_MAX = 72 * 3600  # seconds after its creation that a draft waits until everybody has heard of it
LOOK_AGAIN = 3600     # seconds
NOTHING_TO_CHARGE = (
    "There is no `default_payment_method` set on this Customer or Invoice. Please set either to collect payment."
)


async def finalize(tx: Transaction, params: InvoiceFinalize, id: str) -> Invoice | Answer | Failure:
    """The draft becomes an invoice; one that advances by itself is collected at once, if there is something to charge."""
    facts, invoice = await load_draft(tx, id)
    _allow(verbs.not_a_draft(invoice, "finalize"))
    advanced = invoice if params.auto_advance is None else replace(invoice, auto_advance=params.auto_advance)
    by_itself = advanced.auto_advance and rules.payment_method(facts, advanced) is not None
    decision, known = await _finalized(tx, facts, advanced, invoice, "off_session" if by_itself else "later")
    await write(tx, [decision])
    if no := _not_finalized(known):
        return no
    return Answer(id, Invoice) if tx.attempts else await tx.need(Invoice, id)


async def pay(tx: Transaction, params: InvoicePay, id: str) -> Invoice | Answer | Failure:
    """Tries to get what remains, now; or notes that it was paid in another way. A draft is finalized first."""
    facts, invoice = await load_draft(tx, id)
    _allow(verbs.not_payable(invoice))
    if await _live(tx, [id]):
        raise Refused(verbs.in_progress(invoice))
    await lookups.payment_method(tx, facts, params.payment_method, invoice.customer, "payment_method")
    if invoice.status == "draft":
        decision, drafted = await _finalized(tx, facts, invoice, invoice, "later")
        await write(tx, [decision])
        if no := _not_finalized(drafted):
            return no
    known = (await load_collection(tx, [id]))[id]
    if known.invoice.status == "paid":
        return known.invoice
    if params.paid_out_of_band:
        return await _paid_out_of_band(tx, known)
    method = facts.methods.get(params.payment_method or "") or rules.payment_method(facts, known.invoice)
    if method is None:
        raise refused(NOTHING_TO_CHARGE, "payment_method", "resource_missing")
    intent = await _intent(tx, known)
    earlier = await _authorizations(tx, [intent])
    tried = _try(tx, known.invoice, intent, method, earlier, off_session=params.off_session, by_itself=False)
    await write(tx, [tried])
    return Answer(id, Invoice, decline_is_error=True)


async def void(tx: Transaction, params: InvoiceVoid, id: str) -> Invoice | Answer:
    """Nothing is owed any more. Refused while a payment of it may still succeed."""
    known = await _load_one(tx, id)
    _allow(verbs.not_voidable(known.invoice, bool(await _live(tx, [id]))))
    decision = await cancel_intents(tx, [id], "void_invoice")
    decision.add(owing.void(known, tx.now, new_id)).add(owing.no_longer_owed(known, tx.now, new_id))
    await write(tx, [posting.post(decision, tx.now, {id: known.recognised})])
    return Answer(id, Invoice) if decision.attempts else known.invoice


async def mark_uncollectible(tx: Transaction, params: InvoiceMarkUncollectible, id: str) -> Invoice:
    """A loss, by somebody's decision. It may still be paid."""
    known = await _load_one(tx, id)
    _allow(verbs.not_to_give_up(known.invoice, bool(await _live(tx, [id]))))
    decision = owing.mark_uncollectible(known, tx.now, "user_forgiven")
    decision.add(owing.forgive(known)).add(owing.no_longer_owed(known, tx.now, new_id))
    await write(tx, [posting.post(decision, tx.now, {id: known.recognised})])
    return known.invoice


async def send(tx: Transaction, params: InvoiceSend, id: str) -> Invoice | Failure:
    """Sends it to the customer, who pays by the due date. A draft is finalized first."""
    facts, invoice = await load_draft(tx, id)
    if invoice.collection_method != "send_invoice":
        raise refused("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice.status not in ("draft", "open", "paid", "uncollectible"):
        raise refused(f"You cannot send an invoice that is {invoice.status}.", code="invoice_not_editable")
    decision = Decision()
    if invoice.status == "draft":
        decision, known = await _finalized(tx, facts, invoice, invoice, "later")
        if no := _not_finalized(known):
            await write(tx, [decision])
            return no
        invoice = known.invoice
    if not any(event.type == "invoice.sent" for event in decision.events):  # what advances by itself has been sent with that
        decision.events.append(Event("invoice.sent", rules.told(invoice)))
    await write(tx, [decision])
    return invoice


async def attach_payment(tx: Transaction, params: InvoiceAttachPayment, id: str) -> Invoice:
    """A payment intent pays (part of) an open invoice: at once if it has succeeded, else when it does."""
    if params.payment_intent is None:
        raise missing("payment_intent")
    known = await _load_one(tx, id)
    invoice = known.invoice
    if invoice.status != "open":
        raise refused("You can only attach payments to open invoices.", code="invoice_not_open")
    intent = await tx.need(PaymentIntent, params.payment_intent, lock=True, param="payment_intent")
    if intent.currency != invoice.currency or intent.customer not in (None, invoice.customer):
        raise refused("The payment intent must have the invoice's currency and customer.", "payment_intent")
    if intent.invoice is not None or intent.status == "canceled":
        raise refused("This payment intent cannot be attached to an invoice.", "payment_intent")
    payment = InvoicePayment(
        id=new_id("inpay"),
        amount_requested=min(intent.amount, invoice.amount_remaining),
        created=tx.now,
        currency=invoice.currency,
        invoice=id,
        is_default=False,
        livemode=invoice.livemode,
        payment_intent=intent.id,
    )
    known.payments.append(payment)
    attached = replace(intent, invoice=id)
    decision = Decision(inserts=[payment], updates=[Update(attached, intent)])
    if intent.status == "succeeded":
        decision.postings += ledger.applied(invoice, intent.id, intent.amount_received, tx.now)
        decision.add(
            collection.payment_succeeded(
                known, intent.amount_received, tx.now, new_id, payment_intent=intent.id, automatic=False
            )
        )
        if known.invoice.status == "paid":
            decision.add(await cancel_intents(tx, [id], None, keep=intent.id))
    await write(tx, [decision])
    return known.invoice


# Due work --------------------------------------------------------------------------------------------------------------


async def finalize_due(tx: Transaction, subjects: list[str]) -> None:
    """Due work invoice.finalize: drafts whose time to be edited is over, and of which everybody has heard."""
    facts, drafts = await billing.load_drafts(tx, subjects)
    revised = await _know_more(tx, facts, list(drafts.values()))
    held = {row[0] for row in await tx.all(query("invoices", "held_by_webhooks"), ids=list(drafts))}
    decisions: list[Decision] = []
    for id, invoice in sorted(drafts.items()):
        is_due = (invoice.automatically_finalizes_at or 0) <= tx.now
        if invoice.status != "draft" or not invoice.auto_advance or not is_due:
            continue
        if id in held and tx.now < invoice.created + HELD_MAX:
            decisions.append(Decision(due=[Due("invoice.finalize", id, tx.now + LOOK_AGAIN)]))
            continue
        original = revised.get(id)
        if original is not None and original.refusal is not None:
            no = Refusal("invoice_not_editable", original.refusal.message)  # its own code is none of last_finalization_error's
            decisions.append(finalization.not_finalized(facts, invoice, invoice, no)[0])
            continue
        gone = revisions.replaced(facts, original, invoice, tx.now) if original else Decision()
        decision, known = _counted(facts, invoice, invoice, tx.now, "off_session")
        if known.invoice.status != "draft":
            decisions.append(gone)
        decisions.append(decision)
    earned = {one.known.invoice.id: one.known.recognised for one in revised.values()}
    await write(tx, [posting.together(decisions, tx.now, earned)])
    await billing.keep_number(tx, facts)


async def attempt_due(tx: Transaction, subjects: list[str]) -> None:
    """Due work invoice.attempt: open invoices are tried again, with whatever method there is by now."""
    known = await load_collection(tx, subjects)
    facts = await _methods(tx, known)
    live = await _live(tx, list(known))
    intents = await _intents(tx, list(known))
    earlier = await _authorizations(tx, intents.values())
    decisions: list[Decision] = []
    for id, one in sorted(known.items()):
        invoice = one.invoice
        step = invoice.next_payment_attempt or invoice.silent_step_at
        if invoice.status != "open" or step is None or step > tx.now or id in live:
            continue
        method = rules.payment_method(facts, invoice)
        if method is None or method.id == invoice.futile_method or id not in intents:
            decisions.append(outcomes.payment_failed(one, None, tx.now, new_id))
            continue
        started = replace(invoice, next_payment_attempt=None, silent_step_at=None)
        decision = _try(tx, invoice, intents[id], method, earlier, off_session=True, by_itself=True)
        decision.updates.append(Update(started, invoice))
        decisions.append(decision)
    recognised = {id: one.recognised for id, one in known.items()}
    await write(tx, [posting.together(decisions, tx.now, recognised)])


async def will_be_due(tx: Transaction, subjects: list[str]) -> None:
    """Due work invoice.will_be_due: what was sent and is still to be paid."""
    known = await load_collection(tx, subjects)
    told = [f.invoice for f in known.values() if f.invoice.status == "open" and (f.invoice.due_date or 0) > tx.now]
    await write(tx, [Decision(events=[Event("invoice.will_be_due", invoice) for invoice in told])])


async def overdue(tx: Transaction, subjects: list[str]) -> None:
    """Due work invoice.overdue: what was sent and not paid in time."""
    known = await load_collection(tx, subjects)
    late = [f for f in known.values() if f.invoice.status == "open" and (f.invoice.due_date or 0) <= tx.now]
    await write(tx, [outcomes.overdue(facts, tx.now) for facts in late])


# Pieces ----------------------------------------------------------------------------------------------------------------


async def load_draft(tx: Transaction, id: str) -> tuple[BillingFacts, Invoice]:
    """An invoice with all its lines and facts, its customer locked, at the customer's time. Raises Missing."""
    facts, found = await billing.load_drafts(tx, [id])
    if id not in found:
        raise Missing("invoice", id)
    await clocks.now_for(tx, found[id].test_clock)
    return facts, found[id]


async def _load_one(tx: Transaction, id: str) -> CollectionFacts:
    known = (await load_collection(tx, [id], recognised=True)).get(id)
    if known is None:
        raise Missing("invoice", id)
    await clocks.now_for(tx, known.clock)
    return known


async def _know_more(tx: Transaction, facts: BillingFacts, drafts: Sequence[Invoice]) -> dict[str, revisions.Original]:
    """What finalizing these drafts takes besides their own facts. Returns what they revise."""
    await metered.know_drafts(tx, facts, drafts)
    await contract_facts.know_drafts(tx, facts, drafts)
    await billing.number_whole_book(tx, facts)
    return await revisions.originals(tx, drafts)


def _counted(
    facts: BillingFacts, draft: Invoice, was: Invoice, now: int, collect: finalization.Collect
) -> tuple[Decision, CollectionFacts]:
    """The draft, of which the row still says `was`, finalized with the usage that arrived for it until now."""
    counted, decision = usage.rated_anew(facts, draft, new_id)
    if counted is not was:
        decision.updates.append(Update(counted, was))
    finalized, known = finalization.finalize(facts, counted, now, new_id, collect=collect)
    return decision.add(finalized), known


async def _finalized(
    tx: Transaction, facts: BillingFacts, draft: Invoice, was: Invoice, collect: finalization.Collect
) -> tuple[Decision, CollectionFacts]:
    """The decision that finalizes `draft`, of which the row still says `was`, and voids what it revises; with the postings."""
    original = (await _know_more(tx, facts, [draft])).get(draft.id)
    _allow(original.refusal if original else None)
    gone = revisions.replaced(facts, original, draft, tx.now) if original else Decision()
    decision, known = _counted(facts, draft, was, tx.now, collect)
    await billing.keep_number(tx, facts)
    if known.invoice.status != "draft":
        decision = gone.add(decision)
    earned = {original.known.invoice.id: original.known.recognised} if original else {}
    return posting.post(decision, tx.now, earned), known


async def _methods(tx: Transaction, known: Mapping[str, CollectionFacts]) -> BillingFacts:
    """What these invoices, whose parties are there, may be collected from."""
    facts = billing.empty(tx, next((one.parties for one in known.values()), Parties()))
    await billing.know_methods(tx, facts, [one.invoice.default_payment_method for one in known.values()])
    return facts


def _not_finalized(known: CollectionFacts) -> Failure | None:
    """The answer to a request whose draft could not be finalized: the draft says why."""
    no = automatic_tax.refusal(known.invoice) if known.invoice.status == "draft" else None
    return Failure(no) if no else None


async def _paid_out_of_band(tx: Transaction, known: CollectionFacts) -> Invoice:
    was = known.invoice
    remaining = was.amount_remaining
    paid = replace(
        was,
        amount_paid=was.amount_paid + remaining,
        amount_paid_off_stripe=was.amount_paid_off_stripe + remaining,
        amount_remaining=0,
    )
    decision = await cancel_intents(tx, [was.id], None)
    decision.add(owing.cancel_payments(known, tx.now)).add(owing.settled(known, paid, tx.now, attempted=paid.attempted))
    decision.postings += ledger.paid_out_of_band(was, remaining, tx.now)
    if was.status == "uncollectible":
        decision.postings += ledger.recovered(was, f"{was.id}:out_of_band", remaining, known.recognised, tx.now)
    await write(tx, [decision])
    return known.invoice


def _try(
    tx: Transaction,
    invoice: Invoice,
    intent: PaymentIntent,
    method: PaymentMethod,
    earlier: dict[str, Attempt],
    *,
    off_session: bool,
    by_itself: bool,
) -> Decision:
    """One more try with this method. An earlier one that waits for its customer is withdrawn first."""
    ready = replace(intent, amount=invoice.amount_remaining)
    waiting = earlier.get(intent.attempt or "")
    if waiting is not None and waiting.state == "requires_action":
        then = {"payment_method": method.id, "off_session": off_session, "return_url": None}
        decision = holds.withdraw(ready, waiting, {"then": then}, now=tx.now, wall=tx.wall, new_id=new_id)
        decision.updates.append(Update(ready, intent))
        return decision
    attempt = attempts.attempt_for(
        ready,
        method,
        off_session=off_session,
        initiator="merchant" if by_itself else "customer",
        now=tx.now,
        wall=tx.wall,
        new_id=new_id,
    )
    decision = attempts.dispatch(attempt)
    decision.updates.append(Update(payments.dispatched(ready, attempt), intent))
    return decision


async def _intent(tx: Transaction, known: CollectionFacts) -> PaymentIntent:
    """The payment intent that an open invoice is to be paid by."""
    found = (await _intents(tx, [known.invoice.id])).get(known.invoice.id)
    if found is None:
        raise refused("This invoice has no payment intent that could be paid.", code="invoice_not_payable")
    return found


async def _intents(tx: Transaction, invoices: Sequence[str]) -> dict[str, PaymentIntent]:
    """The default payment intent of each of these invoices that still waits to be paid, locked."""
    where = "t.invoice_id = any(%(ids)s) and t.is_default and t.status = 'open'"
    defaults = {p.invoice: p.payment_intent for p in await tx.select(InvoicePayment, where, ids=list(invoices))}
    found = await tx.get(PaymentIntent, defaults.values(), lock=True)
    return {invoice: found[id] for invoice, id in defaults.items() if id in found and found[id].status != "canceled"}


async def _authorizations(tx: Transaction, intents: Iterable[PaymentIntent]) -> dict[str, Attempt]:
    """The last try of each of these intents."""
    return await tx.get(Attempt, [intent.attempt for intent in intents])


async def _live(tx: Transaction, invoices: Sequence[str]) -> set[str]:
    return {row[0] for row in await tx.all(query("invoices", "live_attempts"), ids=list(invoices))}


def _allow(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise Refused(refusal)
