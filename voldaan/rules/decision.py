"""What a rule answers: the rows, postings, events and due work that a change consists of, or a named refusal.

What there are dozens of in each bill are structs: a frozen dataclass takes five times as long to make.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from voldaan.resources.base import Resource


class Update(msgspec.Struct, frozen=True):
    """A row that changes. Only the fields that differ are written; a change of state names the state it comes from."""

    new: Resource
    was: Resource


class Posting(msgspec.Struct, frozen=True):
    """One debit account, one credit account, one positive amount in minor units: balanced by construction.

    `source`, `fact` and `leg` name it uniquely, so that posting a fact twice is impossible. `effective_at` is when it counts.
    """

    source: str
    fact: str
    leg: int
    debit: str
    credit: str
    amount: int
    currency: str
    effective_at: int
    customer: str | None = None
    invoice: str | None = None


class Cut(msgspec.Struct, frozen=True):
    """A period that a renewal has billed, by its id, ends at another instant: what lay behind it was given back, or is free."""

    period: str
    until: int


class Event(msgspec.Struct, frozen=True):
    """Something happened to `object`. `previous` is the object as it was, or the old values of what changed.

    Either becomes the event's previous_attributes when it is written.
    """

    type: str
    object: Resource
    previous: Resource | dict[str, Any] | None = None
    cause: tuple[str | None, str | None] | None = None  # request id and idempotency key, where several requests share a write


class Due(msgspec.Struct, frozen=True):
    """Work that happens by itself at `at` (epoch seconds), on a test clock if `clock` names one."""

    kind: str
    subject: str
    at: int
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The rule says no: a code of Stripe's where there is one ("" if not), and a sentence for people.

    `extra` holds what else Stripe's error object carries, such as the payment intent of a card error.
    """

    code: str
    message: str
    param: str | None = None
    status: int = 400
    type: str = "invalid_request_error"
    decline_code: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """A refusal that ends the request; the door turns it into the API's error."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Decision(msgspec.Struct):
    """Everything one change writes. `answer` is what the door shows; it writes nothing."""

    inserts: list[Resource] = []
    updates: list[Update] = []
    deletes: list[Resource] = []
    cuts: list[Cut] = []
    postings: list[Posting] = []
    events: list[Event] = []
    due: list[Due] = []
    due_cancelled: list[tuple[str, str]] = []
    attempts: list[str] = []  # ids of attempt rows to carry out once this is committed
    answer: Any = None

    def add(self, other: Decision) -> Decision:
        """Takes over what `other` writes. Most of it is empty: that is cheaper to see than to add."""
        if other.inserts:
            self.inserts += other.inserts
        if other.updates:
            self.updates += other.updates
        if other.deletes:
            self.deletes += other.deletes
        if other.cuts:
            self.cuts += other.cuts
        if other.postings:
            self.postings += other.postings
        if other.events:
            self.events += other.events
        if other.due:
            self.due += other.due
        if other.due_cancelled:
            self.due_cancelled += other.due_cancelled
        if other.attempts:
            self.attempts += other.attempts
        return self


def together(decisions: Iterable[Decision]) -> Decision:
    """One decision that writes all of `decisions`."""
    whole = Decision()
    for decision in decisions:
        whole.add(decision)
    return whole
