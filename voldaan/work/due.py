"""Rows of due work, as the worker and the test clocks hold them."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

Row = tuple[str, int]  # subject, due time in epoch seconds


async def done(tx: Transaction, kind: str, rows: Sequence[Row]) -> None:
    """Ends rows that were worked on."""
    await tx.run(query("due", "done"), kind=kind, subjects=[subject for subject, _ in rows], times=[at for _, at in rows])
