"""Thin events: written with the work they tell of, listed and shown under /v2/core/events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from voldaan.events.core import CoreEvent, of_row, read_core_events, whole
from voldaan.resources.core_events import CoreEventList, CoreRange
from voldaan.resources.params import Params
from voldaan.rules.instants import rfc3339
from voldaan.store.adapt import Json
from voldaan.store.ids import LAST
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def write(tx: Transaction, events: Sequence[CoreEvent]) -> None:
    """Stores these events, with a delivery for each endpoint that asks for their types."""
    if not events:
        return
    rows = [(e.id, e.type, *(e.related or (None, None)), e.data) for e in events]
    await tx.run(query("core_events", "insert"), rows=Json(msgspec.json.encode(rows)), now=tx.wall)
    await tx.run(
        query("core_events", "insert_deliveries"), ids=[e.id for e in events], types=[e.type for e in events], wall=tx.wall
    )
    tx.wakes = True


async def retrieve(tx: Transaction, params: Params, id: str) -> dict[str, Any]:
    """GET /v2/core/events/{id}"""
    found = await read_core_events(tx, [id])
    if id not in found:
        raise Missing("event", id)
    return whole(found[id], tx.account.livemode)


async def page(tx: Transaction, params: CoreEventList) -> dict[str, Any]:
    """GET /v2/core/events: newest first; `next_page_url` goes on where this page ends."""
    created = params.created or CoreRange()
    since = [b for b in (created.gte, None if created.gt is None else created.gt + 1) if b is not None]
    until = [b for b in (created.lt, None if created.lte is None else created.lte + 1) if b is not None]
    rows = await tx.all(
        query("core_events", "page"),
        types=params.types or None,
        object=params.object_id,
        after=params.page or LAST,
        gte=max(since, default=None),
        lt=min(until, default=None),
        limit=params.limit + 1,
    )
    events = [of_row(row) for row in rows[: params.limit]]
    following = _address(params, events[-1].id) if len(rows) > params.limit else None
    shown = [whole(event, tx.account.livemode) for event in events]
    return {"data": shown, "next_page_url": following, "previous_page_url": None}


def _address(params: CoreEventList, after: str) -> str:
    """The same question, from an event on."""
    pairs = [("limit", str(params.limit)), ("page", after)]
    pairs += [(f"types[{number}]", type) for number, type in enumerate(params.types)]
    if params.object_id:
        pairs.append(("object_id", params.object_id))
    if params.created:
        pairs += [(f"created[{name}]", rfc3339(at)) for name, at in params.created.given().items() if at is not None]
    return "/v2/core/events?" + urlencode(pairs)
