"""Disputes: evidence collected and sent to the payer's bank, or the loss accepted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict, replace

from voldaan.commands import clocks
from voldaan.commands.answers import Answer
from voldaan.resources.customers import Customer
from voldaan.resources.disputes import Dispute, DisputeClose, DisputeUpdate, Evidence, EvidenceParams
from voldaan.rules.attempts import answer_for, dispatch
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.disputes import CLOSED
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

EVIDENCE_MAX = 150_000       # characters of all texts together
MAY_ANSWER = ("needs_response", "warning_needs_response")


async def update(tx: Transaction, params: DisputeUpdate, id: str) -> Dispute | Answer:
    """Collects evidence; with `submit` (the default) it goes to the bank, which looks at it once."""
    was = await locked(tx, id)
    dispute = was
    if params.metadata is not None:
        dispute = replace(dispute, metadata=merged(was.metadata, params.metadata))
    if params.intended_submission_method:
        dispute = replace(dispute, intended_submission_method=params.intended_submission_method)
    if params.evidence is None:
        if dispute != was:
            events = [Event("charge.dispute.updated", dispute, was)]
            await write(tx, [Decision(updates=[Update(dispute, was)], events=events)])
        return dispute

    if was.status not in MAY_ANSWER:
        raise refused(f"This dispute cannot be answered because it has a status of {was.status}.", "evidence")
    due_by = was.evidence_details.due_by
    if due_by is not None and tx.now > due_by:
        raise refused("The time to answer this dispute is over.", "evidence")
    evidence = _evidence(was.evidence, params.evidence)
    details = replace(was.evidence_details, has_evidence=evidence != Evidence())
    if not params.submit:
        dispute = replace(dispute, evidence=evidence, evidence_details=details)
        await write(
            tx, [Decision(updates=[Update(dispute, was)], events=[Event("charge.dispute.updated", dispute, was)])]
        )
        return dispute
    details = replace(details, submission_count=details.submission_count + 1, submission_method="manual")
    dispute = replace(dispute, evidence=evidence, evidence_details=details)
    decision = dispatch(answer_for(dispute, "evidence", _text(evidence), now=tx.now, wall=tx.wall, new_id=new_id))
    decision.updates.append(Update(dispute, was))
    decision.events.append(Event("charge.dispute.updated", dispute, was))
    await write(tx, [decision])
    return Answer(id, Dispute)


async def close(tx: Transaction, params: DisputeClose, id: str) -> Answer:
    """Accepts the loss. It cannot be taken back."""
    dispute = await locked(tx, id)
    if dispute.status in CLOSED:
        raise refused("This dispute is already closed")
    await write(tx, [dispatch(answer_for(dispute, "close", "", now=tx.now, wall=tx.wall, new_id=new_id))])
    return Answer(id, Dispute)


def _evidence(was: Evidence, given: EvidenceParams) -> Evidence:
    values: dict[str, Any] = {
        name: value or None for name, value in given.given().items() if name not in ("appeal", "enhanced_evidence")
    }
    if given.enhanced_evidence is not None:
        values["enhanced_evidence"] = given.enhanced_evidence or {}
    evidence: Evidence = replace(was, **values)
    if len(_text(evidence)) > EVIDENCE_MAX:
        raise refused(f"The combined character count of all fields is limited to {EVIDENCE_MAX:,}.", "evidence")
    return evidence


def _text(evidence: Evidence) -> str:
    """All that is said, as one text for the bank."""
    return "\n".join(value for value in asdict(evidence).values() if isinstance(value, str))


async def locked(tx: Transaction, id: str) -> Dispute:
    """The dispute, locked after its customer, at the customer's time."""
    found = await tx.need(Dispute, id)
    if found.customer:
        await tx.get(Customer, [found.customer], lock=True)
        await clocks.now_for(tx, found.clock)
    return await tx.need(Dispute, id, lock=True)
