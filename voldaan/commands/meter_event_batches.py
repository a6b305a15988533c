"""Many events in one call: the stream of /v2, which answers before it complains, and our own bulk call, which says all.

Calls that arrive together share a transaction. What was answered is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voldaan.commands import meter_event_errors
from voldaan.commands.meter_events import create_all, record
from voldaan.resources.meter_events import (
    CoreMeterEventCreate,
    EventBatch,
    MeterEventBulkCreate,
    MeterEventSessionCreate,
    MeterEventStreamCreate,
)
from voldaan.rules.decision import Refused
from voldaan.rules.instants import rfc3339
from voldaan.rules.usage import DUPLICATE, Given, Rejection
from voldaan.store import keys
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction

SESSION_SECONDS = 15 * 60
TOGETHER_MAX = 4_000  # events in one transaction, unless one call has more


async def create(tx: Transaction, params: CoreMeterEventCreate) -> dict[str, Any]:
    """POST /v2/billing/meter_events: one event, checked before it is answered."""
    outcome = (await create_each(tx, [params]))[0]
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


async def create_each(tx: Transaction, asked: Sequence[CoreMeterEventCreate]) -> list[dict[str, Any] | Refused]:
    """The same for events that arrive together."""
    return [answer if isinstance(answer, Refused) else _core(answer) for answer in await create_all(tx, asked)]


create.together = create_each  # type: ignore[attr-defined]


def _core(event: dict[str, Any]) -> dict[str, Any]:
    """An event of /v1 as /v2 shows it."""
    times = {name: rfc3339(event[name]) for name in ("created", "timestamp")}
    return {**event, **times, "object": "v2.billing.meter_event"}


async def open_session(tx: Transaction, params: MeterEventSessionCreate) -> dict[str, Any]:
    """POST /v2/billing/meter_event_session: a token for the stream, for fifteen minutes."""
    id, expires = new_id("mes"), tx.wall + SESSION_SECONDS
    return {
        "id": id,
        "object": "v2.billing.meter_event_session",
        "authentication_token": await keys.open_session(tx, id, expires),
        "created": rfc3339(tx.wall),
        "expires_at": rfc3339(expires),
        "livemode": tx.account.livemode,
    }


async def stream(tx: Transaction, params: MeterEventStreamCreate) -> dict[str, Any]:
    """POST /v2/billing/meter_event_stream: answers {} whatever the events are worth; errors are reported by events."""
    return (await stream_all(tx, [params]))[0]


async def stream_all(tx: Transaction, asked: Sequence[MeterEventStreamCreate]) -> list[dict[str, Any]]:
    """The same for calls that arrive together."""
    await _record_all(tx, [params.events for params in asked])
    return [{} for _ in asked]


async def bulk(tx: Transaction, params: MeterEventBulkCreate) -> dict[str, Any]:
    """POST /voldaan/meter_events/bulk: how many were counted, were there before, or cannot be counted, and why."""
    return (await bulk_all(tx, [params]))[0]


async def bulk_all(tx: Transaction, asked: Sequence[MeterEventBulkCreate]) -> list[dict[str, Any]]:
    """The same for calls that arrive together."""
    return [_told(tx, outcomes) for outcomes in await _record_all(tx, [params.events for params in asked])]


def _told(tx: Transaction, outcomes: Sequence[tuple[Given, Rejection | None]]) -> dict[str, Any]:
    rejections = [
        {"code": outcome.code, "identifier": event.identifier, "index": number, "message": outcome.message}
        for number, (event, outcome) in enumerate(outcomes)
        if outcome is not None and outcome.code != DUPLICATE
    ]
    duplicates = sum(outcome is not None for _, outcome in outcomes) - len(rejections)
    return {
        "object": "meter_event_bulk",
        "accepted": len(outcomes) - duplicates - len(rejections),
        "duplicates": duplicates,
        "livemode": tx.account.livemode,
        "rejected": len(rejections),
        "rejections": rejections,
    }


def _events(params: EventBatch) -> int:
    return len(params.events)


stream.together = stream_all  # type: ignore[attr-defined]
bulk.together = bulk_all  # type: ignore[attr-defined]
stream.weight = bulk.weight = _events  # type: ignore[attr-defined]
stream.together_max = bulk.together_max = TOGETHER_MAX  # type: ignore[attr-defined]


def _named(event: Any) -> Given:
    """An event that came without an identifier gets one."""
    return Given(event.event_name, event.payload, new_id("mevt"), event.timestamp)


async def _record_all(tx: Transaction, calls: Sequence[Sequence[Any]]) -> list[list[tuple[Given, Rejection | None]]]:
    """Records the events of several calls at once; the outcomes are by call again."""
    given = [e if e.identifier else _named(e) for events in calls for e in events]
    outcomes = await record(tx, given)
    pairs = list(zip(given, outcomes, strict=True))
    await meter_event_errors.keep(tx, [(event, outcome) for event, outcome in pairs if outcome is not None])
    sorted_by_call = []
    at = 0
    for events in calls:
        sorted_by_call.append(pairs[at : at + len(events)])
        at += len(events)
    return sorted_by_call
