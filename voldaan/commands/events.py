"""Events: what happened, to be read by programs and people."""

from __future__ import annotations

from voldaan.events.reading import read_events
from voldaan.resources.events import Event, EventList
from voldaan.resources.params import Params, Range
from voldaan.rules.decision import Refusal, Refused
from voldaan.store.ids import LAST
from voldaan.store.pages import Page
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def retrieve(tx: Transaction, params: Params, id: str) -> Event:
    """GET /v1/events/{id}"""
    found = await read_events(tx, [id])
    if id not in found:
        raise Missing("event", id)
    return found[id]


async def page(tx: Transaction, params: EventList) -> Page:
    """GET /v1/events: newest first, by type (`invoice.*` takes all of a family), by time."""
    if params.type and params.types:
        raise Refused(Refusal("", "You may only specify one of these parameters: type, types.", "type"))
    cursor = params.starting_after or params.ending_before
    if cursor and not await tx.one(query("events", "exists"), id=cursor):
        raise Missing("event", cursor, "ending_before" if params.ending_before else "starting_after")
    types = [t.replace("_", "\\_").replace("*", "%") for t in params.types or ([params.type] if params.type else [])]
    since, until = _bounds(params)
    values = {"types": types or None, "gte": since, "lt": until, "delivered": params.delivery_success,
              "limit": params.limit + 1}  # fmt: skip
    if params.ending_before:
        rows = await tx.all(query("events", "page_back"), **values, before=params.ending_before)
    else:
        rows = await tx.all(query("events", "page"), **values, after=params.starting_after or LAST)
    ids = [row[0] for row in rows[: params.limit]]
    if params.ending_before:
        ids.reverse()
    found = await read_events(tx, ids)
    return Page(list(found.values()), has_more=len(rows) > params.limit)


page.many = True  # type: ignore[attr-defined]


def _bounds(params: EventList) -> tuple[int | None, int | None]:
    """`created` as a half-open range [since, until) of epoch seconds."""
    created = params.created
    if created is None:
        return None, None
    if not isinstance(created, Range):
        return created, created + 1
    since = max((b for b in (created.gte, None if created.gt is None else created.gt + 1) if b is not None), default=None)
    until = min((b for b in (created.lt, None if created.lte is None else created.lte + 1) if b is not None), default=None)
    return since, until
