"""Disputes: the payer's bank takes money back, and may return it. Follows what the processor tells, in any order."""

from __future__ import annotations

from typing import cast

from msgspec import UNSET
from msgspec.structs import replace

from voldaan.processors.protocol import ProcessorEvent
from voldaan.resources.charges import Charge, FraudDetails
from voldaan.resources.disputes import Dispute, DisputeCard, DisputeMethod, DisputeStatus, EvidenceDetails
from voldaan.rules import balance
from voldaan.rules.attempts import Settled
from voldaan.rules.balance import Moved
from voldaan.rules.decision import Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.refunds import earned_share

CLOSED = frozenset({"won", "lost", "warning_closed", "prevented"})
REASONS = frozenset({
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
})  # fmt: skip


def hear(
    event: ProcessorEvent,
    charge: Charge,
    dispute: Dispute | None,
    processor: str,
    now: int,
    new_id: NewId,
    *,
    deferred: int = 0,
) -> Settled:
    """What an event of the processor leads to. A dispute that is closed stays closed, whatever arrives late.

    `deferred` is what the books hold of the charge's invoice that is not earned yet.
    """
    settled = Settled()
    if event.type == "fraud_warning.created":
        return _warned(settled, charge)
    if dispute and dispute.status in CLOSED and not event.funds_reinstated:
        return settled

    status = cast(DisputeStatus, event.status or "needs_response")
    new = dispute or _opened(event, charge, processor, status, now, new_id)
    new = replace(
        new,
        status=status,
        is_charge_refundable=status.startswith("warning"),
        evidence_details=_details(new.evidence_details, event, status),
    )
    charged = charge
    events: list[str] = []
    if event.funds_withdrawn:
        new, charged = _withdraw(settled, new, charged, event, deferred, now, new_id)
        events.append("charge.dispute.funds_withdrawn")
    if event.funds_reinstated:
        new, charged = _reinstate(settled, new, charged, event, now, new_id)
        events.append("charge.dispute.funds_reinstated")
    charged = replace(charged, disputed=True)

    decision = settled.decision
    if dispute:
        decision.updates.append(Update(new, dispute))
        events.insert(0, "charge.dispute.closed" if status in CLOSED else "charge.dispute.updated")
    else:
        decision.inserts.append(new)
        events.insert(0, "charge.dispute.created")
        if status in CLOSED:
            events.append("charge.dispute.closed")
    if charged != charge:
        decision.updates.append(Update(charged, charge))
    decision.events += [Event(name, new, dispute if name == "charge.dispute.updated" else None) for name in events]
    return settled


def _opened(event: ProcessorEvent, charge: Charge, processor: str, status: DisputeStatus, now: int, new_id: NewId) -> Dispute:
    details = charge.payment_method_details
    card = details.card if details and details.card else None
    kind = "inquiry" if status.startswith("warning") else "compliance" if event.reason == "noncompliant" else "chargeback"
    return Dispute(
        id=new_id("dp"),
        amount=event.amount,
        charge=charge.id,
        clock=charge.clock,
        created=now,
        currency=event.currency,
        customer=charge.customer,
        invoice=charge.invoice,
        livemode=charge.livemode,
        payment_intent=charge.payment_intent,
        payment_method_details=DisputeMethod(
            type="card",
            card=DisputeCard(brand=card.brand or "unknown", case_type=kind, network=card.network or "unknown"),  # type: ignore[arg-type]
        )
        if card
        else UNSET,
        processor=processor,
        processor_id=event.object_id or event.event_id,
        reason=event.reason if event.reason in REASONS else "general",
        status=status,
    )


def _details(was: EvidenceDetails, event: ProcessorEvent, status: DisputeStatus) -> EvidenceDetails:
    if status in CLOSED:
        return replace(was, past_due=not was.has_evidence and was.due_by is not None and event.at >= was.due_by)
    return replace(was, due_by=event.due_by if event.due_by is not None else was.due_by)


def _withdraw(
    settled: Settled, dispute: Dispute, charge: Charge, event: ProcessorEvent, deferred: int, now: int, new_id: NewId
) -> tuple[Dispute, Charge]:
    transaction = balance.movement(
        "adjustment", -event.amount, event.currency, dispute.id,
        now=now, available_on=now, new_id=new_id, fee=event.fee, fee_description="Dispute fee", clock=charge.clock,
        description=f"Chargeback withdrawal for {charge.id}", category="dispute",
    )  # fmt: skip
    settled.decision.inserts.append(transaction)
    settled.moved.append(
        Moved(
            "dispute_withdrawn", dispute.id, event.amount, event.currency, now, transaction, charge.customer, charge.invoice,
            earned_share(charge, event.amount, deferred, reserved=0),
        )
    )
    return (
        replace(
            dispute,
            amount_withdrawn=dispute.amount_withdrawn + event.amount,
            balance_transactions=[*dispute.balance_transactions, transaction],
        ),
        replace(charge, amount_disputed=charge.amount_disputed + event.amount),
    )


def _reinstate(
    settled: Settled, dispute: Dispute, charge: Charge, event: ProcessorEvent, now: int, new_id: NewId
) -> tuple[Dispute, Charge]:
    transaction = balance.movement(
        "adjustment", event.amount, event.currency, dispute.id,
        now=now, available_on=now, new_id=new_id, fee=event.fee, fee_description="Dispute fee refund", clock=charge.clock,
        description=f"Chargeback reversal for {charge.id}", category="dispute_reversal",
    )  # fmt: skip
    settled.decision.inserts.append(transaction)
    settled.moved.append(
        Moved(
            "dispute_reinstated", dispute.id, event.amount, event.currency, now, transaction, charge.customer, charge.invoice
        )
    )
    return (
        replace(
            dispute,
            amount_withdrawn=max(dispute.amount_withdrawn - event.amount, 0),
            balance_transactions=[*dispute.balance_transactions, transaction],
        ),
        replace(charge, amount_disputed=max(charge.amount_disputed - event.amount, 0)),
    )


def _warned(settled: Settled, charge: Charge) -> Settled:
    """The network suspects fraud: no money moves."""
    was = charge.fraud_details or FraudDetails()
    new = replace(charge, fraud_details=replace(was, stripe_report="fraudulent"))
    if new != charge:
        settled.decision.updates.append(Update(new, charge))
        settled.decision.events.append(Event("charge.updated", new, charge))
    return settled
