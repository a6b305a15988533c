"""What credit notes still owe because a refund has failed. The next refund of the charge keeps their promise first.

Amounts are minor units. Source: docs/behaviour-billing.md, "Credit notes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from voldaan.resources.credit_notes import CreditNote, CreditNoteRefund
from voldaan.resources.refunds import Refund
from voldaan.rules.decision import Decision, Event, Update


def owed(notes: Iterable[CreditNote], failed: Mapping[str, Refund]) -> int:
    """What these notes had promised to give back by refunds that have failed."""
    return sum(each.amount_refunded for note in notes for each in note.refunds if each.refund in failed)


def take_over(notes: Iterable[CreditNote], failed: Mapping[str, Refund], refund: Refund) -> Decision:
    """The notes with `refund` in the place of those that have failed, as far as its `noted` goes, the oldest note first."""
    left, decision = refund.noted, Decision()
    freed: dict[str, int] = {}
    for was in notes:
        kept: list[CreditNoteRefund] = []
        taken = 0
        for each in was.refunds:
            part = min(left, each.amount_refunded) if each.refund in failed else 0
            if each.amount_refunded > part:
                kept.append(replace(each, amount_refunded=each.amount_refunded - part))
            if part:
                freed[each.refund] = freed.get(each.refund, 0) + part
                taken, left = taken + part, left - part
        if taken:
            note = replace(was, refunds=[*kept, CreditNoteRefund(amount_refunded=taken, refund=refund.id)])
            decision.updates.append(Update(note, was))
            decision.events.append(Event("credit_note.updated", note, was))
    for id, part in freed.items():
        decision.updates.append(Update(replace(failed[id], noted=failed[id].noted - part), failed[id]))
    return decision
