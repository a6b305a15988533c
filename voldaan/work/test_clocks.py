"""Test clocks: time that passes when it is told to. Work runs strictly in due order, each with `now` = its due time.

What a clock owes at one instant and of one kind runs as one batch; what has to go outside is carried out and settled
before time moves on. If the worker dies, the next one takes the lease, settles what was under way and goes on.
"""

from __future__ import annotations

import logging
from functools import partial

import msgspec

from voldaan.commands import tax_asking
from voldaan.commands.attempts import carry_out, live_on_clock, resolve
from voldaan.engine import Engine, Leased
from voldaan.resources.accounts import Account
from voldaan.resources.test_clocks import TestClock, TestClockStatusDetails
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.tax_provider import Recorded
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import write
from voldaan.work.due import Row, done_on_clock
from voldaan.work.failpoints import fp
from voldaan.work.handlers import BY_KIND, CLOCK_ORDER, Handler

KIND = "test_clock.advance"
BATCH = 1000
TRIES_MAX = 5

log = logging.getLogger("voldaan.work")


class Overtaken(Exception):
    """Another worker holds the clock now."""


async def advance(engine: Engine, account: Account, clock_id: str, lease: str) -> None:
    """Runs everything that is due on the clock up to its target, then makes it ready."""
    try:
        await settle_live(engine, account, clock_id)
        while await step(engine, account, clock_id, lease):
            await settle_live(engine, account, clock_id)
    except Overtaken:
        log.warning("another worker advances test clock %s", clock_id)


async def settle_live(engine: Engine, account: Account, clock_id: str) -> None:
    """Attempts whose outcome is not known are asked for, before time moves on."""
    for _ in range(TRIES_MAX):
        async with transaction(engine.pool, account, engine.wall(), engine.wall()) as tx:
            live = await live_on_clock(tx, clock_id)
        if not live:
            return
        await resolve(engine, account, live)


async def step(engine: Engine, account: Account, clock_id: str, lease: str) -> bool:
    """One batch at one instant. Returns False when the target is reached."""
    return await tax_asking.with_answers(engine, account, partial(_step, engine, account, clock_id, lease))


async def _step(engine: Engine, account: Account, clock_id: str, lease: str, recorded: Recorded) -> bool:
    wall = engine.wall()
    async with transaction(engine.pool, account, wall, wall, recorded=recorded) as tx:
        clock = await holding(tx, clock_id, lease, engine.lease_seconds)
        if clock is None or clock.target is None:
            return False
        due = await tx.one(query("due", "clock_next"), clock=clock_id, until=clock.target, order=CLOCK_ORDER)
        if due is None:
            await ready(tx, clock)
            return False
        kind, at = due
        tx.now = max(at, clock.frozen_time)
        rows = await tx.all(query("due", "clock_claim"), clock=clock_id, kind=kind, at=at, limit=BATCH)
        subjects = [row[0] for row in rows]
        handler = BY_KIND[kind]
        if clock.frozen_time != tx.now:
            await tx.run(query("test_clocks", "tick"), id=clock_id, at=tx.now)
        if handler.inside:
            for start in range(0, len(subjects), handler.batch):
                await handler.inside(tx, subjects[start : start + handler.batch])
            await done_on_clock(tx, kind, [(subject, at) for subject in subjects])
        fp("test_clock.before_commit")
    fp("test_clock.committed")
    if handler.outside:
        await outside(engine, account, clock_id, handler, [(subject, at) for subject in subjects], tx.now)
    if tx.attempts:
        await carry_out(engine, account, tx.attempts)
    return True


async def outside(
    engine: Engine, account: Account, clock_id: str, handler: Handler, rows: list[Row], now: int
) -> None:
    """Work with the outside, at the clock's time; its rows end after it, so that a crash in between repeats it.

    What must be tried again is due again on the clock.
    """
    assert handler.outside is not None
    again = await handler.outside(engine, account, [Leased(subject, 1) for subject, _ in rows], now)
    async with transaction(engine.pool, account, now, engine.wall()) as tx:
        await done_on_clock(tx, handler.kind, rows)
        await tx.run(
            query("test_clocks", "again"),
            kind=handler.kind, clock=clock_id, subjects=[a.subject for a in again], times=[max(a.at, now + 1) for a in again],
        )  # fmt: skip


async def holding(tx: Transaction, clock_id: str, lease: str, seconds: int) -> TestClock | None:
    """The clock, if this worker still holds it; then it does for `seconds` more. Raises Overtaken otherwise."""
    held = await tx.run(query("due", "clock_holds_lease"), clock=clock_id, lease=lease, until=tx.wall + seconds)
    if not held:
        raise Overtaken(clock_id)
    found = await tx.get(TestClock, [clock_id], lock=True)
    return found.get(clock_id)


async def failed(engine: Engine, account: Account, one: Leased, lease: str, reason: str) -> None:
    """What a clock owes raised: it is tried again, then the clock says so and stands still where it was."""
    wall = engine.wall()
    async with transaction(engine.pool, account, wall, wall) as tx:
        if one.tries < TRIES_MAX:
            await tx.run(
                query("due", "postpone"),
                kind=KIND, lease=lease, subjects=[one.subject], until=[wall + 2**one.tries], errors=[reason],
            )  # fmt: skip
            return
        try:
            clock = await holding(tx, one.subject, lease, engine.lease_seconds)
        except Overtaken:
            return
        if clock is None:
            return
        tx.now = clock.frozen_time
        broken = msgspec.structs.replace(clock, status="internal_failure", target=None, status_details=TestClockStatusDetails())
        await write(
            tx, [Decision(updates=[Update(broken, clock)], events=[Event("test_helpers.test_clock.internal_failure", broken)],
                          due_cancelled=[(KIND, clock.id)])]
        )  # fmt: skip


async def ready(tx: Transaction, clock: TestClock) -> None:
    """The target is reached."""
    assert clock.target is not None
    tx.now = clock.target
    arrived = msgspec.structs.replace(clock, status="ready", frozen_time=clock.target, target=None,
                                       status_details=TestClockStatusDetails())
    await write(
        tx, [Decision(updates=[Update(arrived, clock)], events=[Event("test_helpers.test_clock.ready", arrived)],
                      due_cancelled=[(KIND, clock.id)])]
    )  # fmt: skip
