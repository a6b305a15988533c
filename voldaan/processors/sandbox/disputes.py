"""The life of a dispute: raised by the payer's bank after the money moved, answered or not, decided in the end.

The evidence texts are those of docs.stripe.com/testing: winning_evidence, losing_evidence, escalate_inquiry_evidence.
Any other text is looked at for a while and then loses; no answer in time loses too. An inquiry holds no money until it
is escalated, and lapses when nobody answers.
"""

from dataclasses import replace

from voldaan.processors.protocol import ProcessorEvent
from voldaan.processors.sandbox.books import Answer, Family, Terms
from voldaan.processors.sandbox.effects import Dispute

REASONS: dict[Dispute, str] = {
    "fraudulent": "fraudulent", "product_not_received": "product_not_received", "inquiry": "fraudulent",
    "fraud_warning": "made_with_stolen_card", "noncompliant": "noncompliant", "debit_returned": "debit_not_authorized",
}


# As Visa numbers its reasons; a bank's return of a debit has SEPA's reason code.
NETWORK_REASONS: dict[Dispute, str] = {
    "fraudulent": "10.4", "product_not_received": "13.1", "inquiry": "10.4",
    "debit_returned": "MD06",
}


def dispute_id(processor_id: str, number: int) -> str:
    return f"{processor_id}:dispute{number}"


def payment_of(dispute: str) -> str:
    """The processor id of the payment a dispute is about."""
    return dispute.rpartition(":dispute")[0]


def subjects(processor_id: str, kinds: tuple[Dispute, ...]) -> list[str]:
    return [dispute_id(processor_id, number) for number, _ in enumerate(kinds, 1)]


def events(
    family: Family, kinds: tuple[Dispute, ...], moved_at: int, amount: int, authenticated: bool, terms: Terms
) -> list[ProcessorEvent]:
    """All disputes of a payment from first to last event. A customer who was authenticated cannot call it fraud."""
    life: list[ProcessorEvent] = []
    for number, kind in enumerate(kinds, 1):
        if authenticated and kind == "fraudulent":
            continue
        said = [a for a in family.answers if a.subject == dispute_id(family.payment.processor_id, number)]
        life += _life(family, number, kind, moved_at + number * terms.dispute_after, amount, said, terms)
    return life


def _life(
    family: Family, number: int, kind: Dispute, at: int, amount: int, said: list[Answer], terms: Terms
) -> list[ProcessorEvent]:
    payment = family.payment
    own = dispute_id(payment.processor_id, number)
    inquiry = kind == "inquiry"
    due_by = at + terms.respond_within
    created = ProcessorEvent(
        f"{own}:created", "dispute.created", payment.processor_id, at, amount, payment.currency,
        reference=payment.reference, object_id=own, reason=REASONS[kind],
        network_reason_code=NETWORK_REASONS.get(kind),
        status="warning_needs_response" if inquiry else "needs_response",
        fee=0 if inquiry else terms.fees.dispute, funds_withdrawn=not inquiry, due_by=due_by,
    )
    if kind == "fraud_warning":
        return [replace(created, type="fraud_warning.created", status=None, fee=0, funds_withdrawn=False, due_by=None)]
    if kind == "debit_returned":                        # a payer's bank takes a debit back; there is nothing to answer
        lost = replace(created, status="lost", due_by=None)
        return [lost, _closed(lost, "lost", at)]
    return [created, *_answered(created, said, terms)]


def _answered(was: ProcessorEvent, said: list[Answer], terms: Terms) -> list[ProcessorEvent]:
    """What follows an event that waits for an answer."""
    inquiry = was.status == "warning_needs_response"
    if not said or (was.due_by is not None and said[0].at > was.due_by):
        if inquiry:
            return [_closed(was, "warning_closed", was.at + terms.inquiry_closes_after)]
        return [_closed(was, "lost", was.due_by or was.at)]
    first, *rest = said
    if first.kind == "close":
        return [_closed(was, "warning_closed" if inquiry else "lost", first.at)]
    if first.answer == "escalate_inquiry_evidence" and inquiry:
        escalated = replace(
            was, event_id=f"{was.object_id}:escalated", type="dispute.updated", at=first.at, status="needs_response",
            fee=terms.fees.dispute, funds_withdrawn=True, due_by=first.at + terms.respond_within,
        )
        return [escalated, *_answered(escalated, rest, terms)]
    review = replace(
        was, event_id=f"{was.object_id}:under_review{first.seq}", type="dispute.updated", at=first.at, due_by=None,
        status="warning_under_review" if inquiry else "under_review", fee=0, funds_withdrawn=False,
    )
    if first.answer == "winning_evidence" and not inquiry:
        won = replace(_closed(review, "won", first.at), funds_reinstated=True, fee=-terms.fees.dispute)
        return [review, won]
    decided_at = first.at if first.answer in ("winning_evidence", "losing_evidence") else first.at + terms.review
    closing = next((a.at for a in rest if a.kind == "close"), decided_at)
    return [review, _closed(review, "warning_closed" if inquiry else "lost", min(closing, decided_at))]


def _closed(was: ProcessorEvent, status: str, at: int) -> ProcessorEvent:
    return replace(
        was, event_id=f"{was.object_id}:closed", type="dispute.closed", at=at, status=status, fee=0,
        funds_withdrawn=False, funds_reinstated=False, due_by=None,
    )


def with_follow_up(event: ProcessorEvent, at: int | None) -> ProcessorEvent:
    return replace(event, follow_up_at=at)
