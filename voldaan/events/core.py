"""Thin events: they name what they are about and say where to look, instead of carrying a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from voldaan.rules.instants import rfc3339
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

PLACES = {"billing.meter": "/v1/billing/meters/{id}"}  # where the object of an event is


class CoreEvent(NamedTuple):
    """`related` is (type, id) of the object; `created` in epoch seconds."""

    id: str
    type: str
    created: int
    related: tuple[str, str] | None
    data: dict[str, Any]


async def read_core_events(tx: Transaction, ids: Sequence[str]) -> dict[str, CoreEvent]:
    """The thin events of these ids, by id."""
    return {row[0]: of_row(row) for row in await tx.all(query("core_events", "read"), ids=list(ids))}


def of_row(row: Any) -> CoreEvent:
    """From (id, type, created, type of the object, its id, data)."""
    id, type, created, related_type, related_id, data = row
    return CoreEvent(id, type, created, (related_type, related_id) if related_id else None, data)


def notification(event: CoreEvent, livemode: bool) -> dict[str, Any]:
    """What is sent to an endpoint; the receiver fetches the rest."""
    related = {}
    if event.related:
        type, id = event.related
        related = {"related_object": {"id": id, "type": type, "url": PLACES[type].format(id=id)}}
    return {
        "id": event.id,
        "object": "v2.core.event",
        "context": None,
        "created": rfc3339(event.created),
        "livemode": livemode,
        "reason": None,
        "type": event.type,
        **related,
    }


def whole(event: CoreEvent, livemode: bool) -> dict[str, Any]:
    """The event as /v2/core/events shows it."""
    return {**notification(event, livemode), "data": event.data}
