"""Events out of their rows: the snapshot is decompressed, the rest stands in plain columns."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.events import snapshots
from voldaan.resources.events import Event, EventData, EventRequest
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

API_VERSION = "2026-10-28.endive"


async def read_events(tx: Transaction, ids: Sequence[str]) -> dict[str, Event]:
    """The events of these ids, by id, in the order asked for."""
    rows = {row[0]: row for row in await tx.all(query("events", "read"), ids=list(ids))}
    return {id: _event(tx, rows[id]) for id in ids if id in rows}


def _event(tx: Transaction, row: tuple[str, str, int, str | None, str | None, bytes, int, int]) -> Event:
    id, type, created, request_id, idempotency_key, frame, place, pending = row
    return Event(
        id=id,
        api_version=API_VERSION,
        created=created,
        data=EventData(**snapshots.unpack_object(bytes(frame), place)),
        livemode=tx.account.livemode,
        pending_webhooks=pending,
        request=EventRequest(id=request_id, idempotency_key=idempotency_key),
        type=type,
    )
