"""Test clocks: made, advanced, deleted. The advance itself is due work (work/test_clocks.py)."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import customers
from voldaan.resources.customers import Customer
from voldaan.resources.test_clocks import (
    Advancing,
    TestClock,
    TestClockAdvance,
    TestClockCreate,
    TestClockDelete,
    TestClockStatusDetails,
)
from voldaan.rules import periods
from voldaan.rules.decision import Decision, Due, Event, Refusal, Refused, Update
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

KEPT_SECONDS = 30 * 86400
INTERVALS_MAX = 2  # of the shortest price: docs.stripe.com/api/test_clocks/advance
YEARS_MAX = 2  # without a subscription


async def create(tx: Transaction, params: TestClockCreate) -> TestClock:
    """A clock that stands still at `frozen_time`."""
    if tx.account.livemode:
        raise Refused(Refusal("testmode_only", "Test clocks can only be used in test mode."))
    clock = TestClock(
        id=new_id("clock"), created=tx.wall, deletes_after=tx.wall + KEPT_SECONDS, frozen_time=params.frozen_time,
        livemode=False, name=params.name,
    )  # fmt: skip
    await write(tx, [Decision(inserts=[clock], events=[Event("test_helpers.test_clock.created", clock)])])
    return clock


async def advance(tx: Transaction, params: TestClockAdvance, id: str) -> TestClock:
    """Starts moving the clock forward; the worker does the work and makes it ready."""
    clock = await tx.need(TestClock, id, lock=True)
    if clock.status != "ready":
        raise Refused(Refusal("", "The test clock is still advancing. Wait until it is ready.", status=429))
    if params.frozen_time <= clock.frozen_time:
        raise Refused(Refusal("", "The test clock can only be advanced to a time after its frozen time.", "frozen_time"))
    limit = await _furthest(tx, clock)
    if params.frozen_time > limit:
        raise Refused(
            Refusal(
                "",
                f"The test clock can be advanced by two intervals of its shortest subscription at once: to {limit} at most.",
                "frozen_time",
            )
        )
    moving = replace(
        clock, status="advancing", target=params.frozen_time,
        status_details=TestClockStatusDetails(advancing=Advancing(target_frozen_time=params.frozen_time)),
    )  # fmt: skip
    await write(
        tx,
        [
            Decision(
                updates=[Update(moving, clock)],
                events=[Event("test_helpers.test_clock.advancing", moving)],
                due=[Due("test_clock.advance", id, tx.wall)],
            )
        ],
    )
    return moving


async def _furthest(tx: Transaction, clock: TestClock) -> int:
    """The latest instant that one advance may reach."""
    shortest = await tx.one(query("test_clocks", "shortest_interval"), clock=clock.id)
    if shortest is None:
        return periods.later(clock.frozen_time, "year", YEARS_MAX, clock.frozen_time)
    interval, count = shortest
    return periods.later(clock.frozen_time, interval, count * INTERVALS_MAX, clock.frozen_time)


async def delete(tx: Transaction, params: TestClockDelete, id: str) -> dict[str, object]:
    """Deletes the clock with all customers that live by it; their subscriptions end."""
    clock = await tx.need(TestClock, id, lock=True)
    if clock.status == "advancing":
        raise Refused(Refusal("", "The test clock is advancing and cannot be deleted until it is ready.", status=429))
    tx.now = clock.frozen_time
    owned = await tx.select(Customer, "t.test_clock_id = %(clock)s and t.deleted_at is null", clock=id)
    await customers.delete_all(tx, [customer.id for customer in owned])
    await tx.run(query("due", "clock_drop"), clock=id)
    gone = replace(clock, deleted_at=tx.wall)
    await write(tx, [Decision(updates=[Update(gone, clock)], events=[Event("test_helpers.test_clock.deleted", gone)])])
    return {"id": id, "object": clock.object, "deleted": True}
