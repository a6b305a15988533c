"""Refunds: asked for, and from then on reserved on the charge, so that no two of them give back more than was taken."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import charges
from voldaan.commands.answers import Answer
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import CreditNote
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.refunds import Refund, RefundCancel, RefundCreate, RefundUpdate
from voldaan.rules import promised
from voldaan.rules import refunds as rules
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import exclusive, refused
from voldaan.store.children import attach
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

NEITHER = "One of the following params should be provided for this request: payment_intent or charge."


async def create(tx: Transaction, params: RefundCreate, charge: str | None = None) -> Answer:
    """Gives (part of) a payment back. `charge` is that of the path /v1/charges/{charge}/refunds.

    Where a credit note still owes what a failed refund did not bring, this one brings that first.
    """
    paid = await _charge(tx, params, charge)
    gone = await tx.select(Refund, "t.charge_id = %(charge)s and t.status = 'failed'", charge=paid.id) if paid.invoice else []
    failed = {refund.id: refund for refund in gone if refund.noted}
    notes = await tx.select(CreditNote, "t.invoice_id = %(invoice)s", invoice=paid.invoice) if failed else []
    wanted = rules.refundable(paid) if params.amount is None else params.amount
    decision = rules.refund(
        paid, params.amount, now=tx.now, wall=tx.wall, new_id=new_id, reason=params.reason,
        metadata=merged({}, params.metadata or {}), instructions_email=params.instructions_email,
        noted=min(wanted, promised.owed(notes, failed)),
    )  # fmt: skip
    if isinstance(decision, Refusal):
        raise Refused(decision)
    if notes:
        await attach(tx, notes)
        decision.add(promised.take_over(notes, failed, decision.answer))
    await write(tx, [decision])
    return Answer(decision.answer.id, Refund)


async def _charge(tx: Transaction, params: RefundCreate, of_path: str | None) -> Charge:
    """The charge to refund, locked."""
    named = of_path or params.charge
    if named and params.payment_intent:
        raise exclusive("payment_intent", "charge")
    if named:
        await tx.need(Charge, named, param=None if of_path else "charge")
        return await charges.locked(tx, named)
    if not params.payment_intent:
        raise refused(NEITHER)
    intent = await tx.need(PaymentIntent, params.payment_intent, param="payment_intent")
    if intent.latest_charge is None or intent.amount_received == 0:
        raise refused(f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.")
    return await charges.locked(tx, intent.latest_charge)


async def update(tx: Transaction, params: RefundUpdate, id: str) -> Refund:
    """Changes the metadata; nothing else of a refund can be changed."""
    was = await tx.need(Refund, id, lock=True)
    refund = was if params.metadata is None else replace(was, metadata=merged(was.metadata or {}, params.metadata))
    if refund != was:
        events = [Event("refund.updated", refund, was), Event("charge.refund.updated", refund, was)]
        await write(tx, [Decision(updates=[Update(refund, was)], events=events)])
    return refund


async def cancel(tx: Transaction, params: RefundCancel, id: str) -> Refund:
    """Only a refund that waits for its customer can be taken back; none here ever does."""
    refund = await tx.need(Refund, id)
    raise refused(
        f"Refund {id} cannot be canceled because it has a status of {refund.status}. Only refunds with a status of "
        "requires_action can be canceled."
    )


async def expire(tx: Transaction, params: RefundCancel, id: str) -> Refund:
    """The test helper for a refund that waits for its customer."""
    refund = await tx.need(Refund, id)
    raise refused(f"Refund {id} cannot be expired because it has a status of {refund.status} and not requires_action.")
