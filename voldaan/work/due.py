"""Rows of due work, as the worker and the test clocks hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

Row = tuple[str, int]  # subject, due time in epoch seconds


class Claimed(NamedTuple):
    """A row that this transaction holds: what it is for, if that is more than its subject, and where it stands."""

    subject: str
    at: int
    subjects: list[str] | None
    place: str

    @property
    def row(self) -> Row:
        return self.subject, self.at


def subjects_of(claimed: Iterable[Claimed]) -> list[str]:
    """What the work is about."""
    return [subject for each in claimed for subject in each.subjects or (each.subject,)]


async def claim(tx: Transaction, kind: str, limit: int) -> list[Claimed]:
    """Locks the next batch of due rows for this transaction."""
    return [Claimed(*row) for row in await tx.all(query("due", "claim"), kind=kind, now=tx.wall, limit=limit)]


async def claim_again(tx: Transaction, kind: str, only: Sequence[Row]) -> list[Claimed]:
    """Locks those due rows that are still there and free."""
    rows = await tx.all(
        query("due", "claim_again"),
        kind=kind, now=tx.wall, subjects=[subject for subject, _ in only], times=[at for _, at in only],
    )  # fmt: skip
    return [Claimed(*row) for row in rows]


async def done(tx: Transaction, kind: str, claimed: Iterable[Claimed]) -> None:
    """Ends rows that were worked on, in the transaction that holds them."""
    await tx.run(query("due", "done"), kind=kind, places=[each.place for each in claimed])


async def done_on_clock(tx: Transaction, kind: str, rows: Sequence[Row]) -> None:
    """Ends rows of a test clock that were worked on."""
    subjects, times = [subject for subject, _ in rows], [at for _, at in rows]
    await tx.run(query("due", "done_on_clock"), kind=kind, subjects=subjects, times=times)
