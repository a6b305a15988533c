"""Which clock an object lives by."""

from __future__ import annotations

from voldaan.resources.test_clocks import TestClock
from voldaan.rules.decision import Refusal, Refused
from voldaan.store.transaction import Transaction


async def now_for(tx: Transaction, clock_id: str | None) -> int:
    """The business instant for an object on this clock (None: the wall clock), in epoch seconds. Sets `tx.now` to it.

    Refuses while the clock is advancing: its work runs strictly in order, and a request in between would not.
    """
    if clock_id is None:
        return tx.now
    clock = await tx.need(TestClock, clock_id)
    if clock.status == "advancing":
        raise Refused(
            Refusal(
                "test_clock_advancing",
                f"The test clock {clock_id} is advancing. Wait until it is ready before you change what lives by it.",
                status=429,
            )
        )
    tx.now = clock.frozen_time
    return tx.now
