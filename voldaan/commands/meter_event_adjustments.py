"""Taking an event back: within a day of its receipt it comes out of every sum, in one transaction."""

from __future__ import annotations

from typing import Any

from voldaan.resources.meter_events import CoreMeterEventAdjustmentCreate, MeterEventAdjustmentCreate
from voldaan.rules import usage as rules
from voldaan.rules.instants import rfc3339
from voldaan.rules.refusals import missing, refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

CANCEL_SECONDS = 86_400  # docs.stripe.com/api/billing/meter-event-adjustment/create


async def create(tx: Transaction, params: MeterEventAdjustmentCreate) -> dict[str, Any]:
    """POST /v1/billing/meter_event_adjustments. It is done when it is answered, so its status is `complete`."""
    if params.cancel is None:
        raise missing("cancel")
    await cancel(tx, params.event_name, params.cancel.identifier)
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": params.cancel.identifier},
        "event_name": params.event_name,
        "livemode": tx.account.livemode,
        "status": "complete",
        "type": params.type,
    }


async def create_core(tx: Transaction, params: CoreMeterEventAdjustmentCreate) -> dict[str, Any]:
    """POST /v2/billing/meter_event_adjustments"""
    await cancel(tx, params.event_name, params.cancel.identifier)
    return {
        "object": "v2.billing.meter_event_adjustment",
        "id": new_id("mtr_event_adj"),
        "cancel": {"identifier": params.cancel.identifier},
        "created": rfc3339(tx.wall),
        "event_name": params.event_name,
        "livemode": tx.account.livemode,
        "status": "complete",
        "type": params.type,
    }


async def cancel(tx: Transaction, event_name: str, identifier: str) -> None:
    """Takes the event out of what it was counted in. A second time changes nothing.

    The hours are locked before they are added up again: whoever is adding to them has committed by then, and whoever
    comes later adds to the new sum.
    """
    rows = await tx.all(query("usage", "event_to_cancel"), identifier=identifier)
    if not rows or any(name not in (None, event_name) for *_, name in rows):
        raise refused(
            f"No event with the name {event_name} has the identifier {identifier}.", "cancel[identifier]", "resource_missing"
        )
    if tx.wall - rows[0][4] > CANCEL_SECONDS:
        raise refused("An event can be canceled within 24 hours of its receipt only.", "cancel[identifier]")
    if rows[0][5]:
        return
    await tx.run(query("usage", "cancel"), identifier=identifier, wall=tx.wall)
    counted = sorted((series, rules.hour_of(at), text) for _, series, at, text, *_ in rows if series is not None)
    if not counted:
        return
    hours = {"series": [series for series, _, _ in counted], "hours": [hour for _, hour, _ in counted]}
    await tx.all(query("usage", "lock_hours"), **hours)
    await tx.run(query("usage", "count_hours_again"), **hours)
    await tx.run(query("usage", "drop_empty_hours"), **hours)
    for series, hour, text in counted:
        if text is not None:
            await tx.run(query("usage", "take_value_back"), series=series, hour=hour, value=text)
