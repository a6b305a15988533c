"""Events that could not be counted: kept with the reason, reported by an event every five seconds, there to be read."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import msgspec

from voldaan.commands import core_events
from voldaan.events.core import CoreEvent
from voldaan.resources.meter_events import MeterEventErrorList
from voldaan.rules.decision import Decision, Due
from voldaan.rules.instants import rfc3339
from voldaan.rules.usage import DUPLICATE, Given, Rejection
from voldaan.store.adapt import Json
from voldaan.store.ids import LAST, new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

REPORT_SECONDS = 5
SAMPLES = 5


async def keep(tx: Transaction, rejected: Iterable[tuple[Given, Rejection]]) -> None:
    """Remembers these, and that they are to be reported. A repeated event is none of them: it was counted."""
    rows = [
        (new_id("mee"), r.code, r.message, r.meter, e.event_name, e.identifier, e.payload)
        for e, r in rejected
        if r.code != DUPLICATE
    ]
    if not rows:
        return
    await tx.run(query("usage", "keep_errors"), rows=Json(msgspec.json.encode(rows)), wall=tx.wall)
    at = tx.wall - tx.wall % REPORT_SECONDS + REPORT_SECONDS
    await write(tx, [Decision(due=[Due("meter_event.report_errors", "all", at)])])


async def report(tx: Transaction, subjects: list[str]) -> None:
    """Handler of meter_event.report_errors: one thin event for each meter, one for events without a meter."""
    found = await tx.all(query("usage", "report_errors"), wall=tx.wall, samples=SAMPLES)
    told = []
    for meter, rows in groupby(found, key=lambda row: row[0]):
        kinds = list(rows)
        type = "v1.billing.meter.no_meter_found" if meter is None else "v1.billing.meter.error_report_triggered"
        related = None if meter is None else ("billing.meter", meter)
        told.append(CoreEvent(new_id("evt"), type, tx.wall, related, _data(kinds)))
    await core_events.write(tx, told)


def _data(kinds: list[Any]) -> dict[str, Any]:
    """What an event tells of the errors of one meter, from (meter, code, count, first, last, messages, identifiers)."""
    total = sum(kind[2] for kind in kinds)
    return {
        "developer_message_summary": f"There {'is 1 invalid event' if total == 1 else f'are {total} invalid events'}",
        "reason": {
            "error_count": total,
            "error_types": [
                {
                    "code": code,
                    "error_count": count,
                    "sample_errors": [
                        {"error_message": message, "request": {"identifier": identifier}}
                        for message, identifier in zip(messages, identifiers, strict=True)
                    ],
                }
                for _, code, count, _, _, messages, identifiers in kinds
            ],
        },
        "validation_end": rfc3339(max(kind[4] for kind in kinds)),
        "validation_start": rfc3339(min(kind[3] for kind in kinds)),
    }


async def page(tx: Transaction, params: MeterEventErrorList) -> dict[str, Any]:
    """GET /voldaan/meter_event_errors: newest first."""
    cursor = params.starting_after or params.ending_before
    backwards = params.ending_before is not None
    if cursor and not await tx.one(query("usage", "error_exists"), id=cursor):
        raise Missing("meter_event_error", cursor, "ending_before" if backwards else "starting_after")
    wanted = {"code": params.code, "event_name": params.event_name, "meter": params.meter, "limit": params.limit + 1}
    if backwards:
        found = await tx.all(query("usage", "errors_page_back"), **wanted, before=params.ending_before)
    else:
        found = await tx.all(query("usage", "errors_page"), **wanted, after=params.starting_after or LAST)
    shown = [_shown(tx, row) for row in found[: params.limit]]
    return {
        "object": "list",
        "data": shown[::-1] if backwards else shown,
        "has_more": len(found) > params.limit,
        "url": "/voldaan/meter_event_errors",
    }


page.many = True  # type: ignore[attr-defined]


def _shown(tx: Transaction, row: Any) -> dict[str, Any]:
    id, code, message, meter, event_name, identifier, payload, received, reported = row
    return {
        "id": id,
        "object": "meter_event_error",
        "code": code,
        "created": received,
        "event_name": event_name,
        "identifier": identifier,
        "livemode": tx.account.livemode,
        "message": message,
        "meter": meter,
        "payload": payload,
        "reported_at": reported,
    }
