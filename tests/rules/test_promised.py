"""A refund in the place of one that has failed: notes keep what they give back, to the cent, the oldest first."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from voldaan.resources.base import ListObject
from voldaan.resources.credit_notes import CreditNote, CreditNoteRefund
from voldaan.resources.refunds import Refund
from voldaan.rules import promised


def refund(id: str, amount: int, noted: int, status: str = "failed") -> Refund:
    return Refund(id=id, amount=amount, charge="ch_1", created=1, currency="eur", noted=noted, status=status)


def note(id: str, **refunds: int) -> CreditNote:
    given = [CreditNoteRefund(amount_refunded=amount, refund=each) for each, amount in refunds.items()]
    return CreditNote(
        id=id, amount=100, created=1, currency="eur", customer="cus_1", invoice="in_1", livemode=False, number=id, pdf="",
        type="post_payment", lines=ListObject(data=[], url=""), refunds=given, refund_amount=sum(refunds.values()),
    )  # fmt: skip


NOTES = [note("cn_1", re_1=60, re_ok=10), note("cn_2", re_1=25, re_2=15)]
FAILED = {"re_1": refund("re_1", 90, 85), "re_2": refund("re_2", 15, 15)}


@pytest.mark.parametrize(
    ("noted", "first", "second", "freed"),
    [
        (40, {"re_1": 20, "re_ok": 10, "re_3": 40}, None, {"re_1": 45}),
        (60, {"re_ok": 10, "re_3": 60}, None, {"re_1": 25}),
        (70, {"re_ok": 10, "re_3": 60}, {"re_1": 15, "re_2": 15, "re_3": 10}, {"re_1": 15}),
        (100, {"re_ok": 10, "re_3": 60}, {"re_3": 40}, {"re_1": 0, "re_2": 0}),
    ],
)
def test_the_next_refund_takes_the_place_of_what_failed(noted, first, second, freed) -> None:
    assert promised.owed(NOTES, FAILED) == 100
    decision = promised.take_over(NOTES, FAILED, replace(refund("re_3", 120, noted), status="pending"))
    notes = {u.new.id: u.new for u in decision.updates if isinstance(u.new, CreditNote)}
    told = {id: {each.refund: each.amount_refunded for each in made.refunds} for id, made in notes.items()}
    assert told == {id: expected for id, expected in (("cn_1", first), ("cn_2", second)) if expected}
    assert {u.new.id: u.new.noted for u in decision.updates if isinstance(u.new, Refund)} == freed
    assert [event.type for event in decision.events] == ["credit_note.updated"] * len(notes)
    assert all(sum(each.amount_refunded for each in made.refunds) == made.refund_amount for made in notes.values())
