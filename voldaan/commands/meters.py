"""Meters: made, renamed, switched off and on. What they count comes in through commands/meter_events.py."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from voldaan.resources.meters import (
    Meter,
    MeterChange,
    MeterCreate,
    MeterPolicy,
    MeterPolicyUpdate,
    MeterUpdate,
    OwnMeterCreate,
)
from voldaan.resources.params import Params
from voldaan.rules import meters as rules
from voldaan.rules.decision import Decision, Event, Update
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: MeterCreate | OwnMeterCreate) -> Meter:
    """A meter. One that is made through /v1 has its event name for itself among its like."""
    meter = rules.make(params, id=new_id("mtr"), at=tx.now, livemode=tx.account.livemode)
    await _need_free_name(tx, meter)
    await write(tx, [Decision(inserts=[meter], events=_told("billing.meter.created", meter))])
    return meter


async def update(tx: Transaction, params: MeterUpdate, id: str) -> Meter:
    """The meter under another name for people; nothing else of it can change, since bills rest on it."""
    was = await tx.need(Meter, id, lock=True)
    if params.display_name in (None, was.display_name):
        return was
    meter = replace(was, display_name=params.display_name, updated=tx.now)
    await write(tx, [Decision(updates=[Update(meter, was)], events=_told("billing.meter.updated", meter, was))])
    return meter


async def policy(tx: Transaction, params: Params, id: str) -> MeterPolicy:
    """What becomes of late usage."""
    meter = await tx.need(Meter, id)
    return MeterPolicy(id=id, late_events=meter.late_events, meter=id)


async def set_policy(tx: Transaction, params: MeterPolicyUpdate, id: str) -> MeterPolicy:
    """Another policy for late usage, for whatever is billed from now on."""
    was = await tx.need(Meter, id, lock=True)
    if params.late_events != was.late_events:
        await write(tx, [Decision(updates=[Update(replace(was, late_events=params.late_events), was)])])
    return MeterPolicy(id=id, late_events=params.late_events, meter=id)


async def deactivate(tx: Transaction, params: MeterChange, id: str) -> Meter:
    """The meter, which counts no more."""
    return await _switch(tx, id, rules.deactivate, "billing.meter.deactivated")


async def reactivate(tx: Transaction, params: MeterChange, id: str) -> Meter:
    """The meter, which counts again."""
    return await _switch(tx, id, rules.reactivate, "billing.meter.reactivated")


async def _switch(tx: Transaction, id: str, rule: Callable[[Meter, int], Meter], event: str) -> Meter:
    was = await tx.need(Meter, id, lock=True)
    meter = rule(was, tx.now)
    await _need_free_name(tx, meter)
    await write(tx, [Decision(updates=[Update(meter, was)], events=_told(event, meter, was))])
    return meter


def _told(event: str, meter: Meter, was: Meter | None = None) -> list[Event]:
    """What is told of a change. Receivers know Stripe's meters: of one with a formula of ours they could not make sense."""
    return [Event(event, meter, was)] if meter.plain else []


async def _need_free_name(tx: Transaction, meter: Meter) -> None:
    """Refuses a second active plain meter of a name; of two at the same time the database refuses the second."""
    if not meter.plain or meter.status != "active":
        return
    same = "t.event_name = %(name)s and t.plain and t.status = 'active' and t.id <> %(id)s"
    others = await tx.select(Meter, same, name=meter.event_name, id=meter.id)
    if others:
        raise rules.name_taken(meter, others[0].id)
