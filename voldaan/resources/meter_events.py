"""Meter events: what a customer used, and the calls that bring them in, take one back and add them up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field as Limit
from pydantic import PlainValidator, WithJsonSchema

from voldaan.resources.meters import EventName, Window
from voldaan.resources.params import Hash, PageParams, Params, Timestamp, refuse

Identifier = Annotated[str, Limit(max_length=100)]
STREAM_MAX = 100      # events in one call of the stream: docs.stripe.com/api/v2/billing-meter-stream
BULK_MAX = 10_000     # events in one call of our own


def _instant(value: Any) -> int:
    """RFC 3339, as /v2 writes times, in epoch seconds; parts of a second are cut off. Epoch seconds stay what they are."""
    if type(value) is int:
        return value
    try:
        return epoch(msgspec.convert(value, datetime))
    except (msgspec.ValidationError, OverflowError):
        raise refuse("", "Invalid timestamp: {value}; must be in RFC 3339.", value=str(value)[:100]) from None


def epoch(at: datetime) -> int:
    """Epoch seconds of an instant; one without a zone is UTC."""
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


Rfc3339 = Annotated[int, PlainValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


class MeterEventCreate(Params):
    event_name: EventName
    identifier: Identifier | None = None
    payload: dict[str, str]
    timestamp: Timestamp | None = None


class CancelParams(Hash):
    identifier: Identifier


class MeterEventAdjustmentCreate(Params):
    cancel: CancelParams | None = None
    event_name: EventName
    type: Literal["cancel"]


class MeterEventSummaryList(PageParams):
    customer: str
    end_time: Timestamp
    start_time: Timestamp
    value_grouping_window: Window | None = None


# /v2 and what is ours ------------------------------------------------------------------------------------------------


class CoreEventHash(Hash):
    """An event as /v2 takes it."""

    event_name: EventName
    identifier: Identifier | None = None
    payload: dict[str, str]
    timestamp: Rfc3339 | None = None


class CoreMeterEventCreate(CoreEventHash, Params):
    """POST /v2/billing/meter_events"""


class CoreMeterEventAdjustmentCreate(Params):
    cancel: CancelParams
    event_name: EventName
    type: Literal["cancel"]


class MeterEventSessionCreate(Params):
    pass


class EventBatch(Params):
    """Many events in one JSON body, which api/event_bodies.py reads by a faster way than other parameters."""

    EVENTS_MAX: ClassVar[int]
    LINES: ClassVar[bool] = False  # a JSON value a line is read too
    events: list[Any]


class MeterEventStreamCreate(EventBatch):
    EVENTS_MAX: ClassVar[int] = STREAM_MAX
    events: Annotated[list[CoreEventHash], Limit(min_length=1, max_length=STREAM_MAX)]


class MeterEventBulkCreate(EventBatch):
    """POST /voldaan/meter_events/bulk, as {"events": […]} or, with content type application/x-ndjson, an event a line."""

    EVENTS_MAX: ClassVar[int] = BULK_MAX
    LINES: ClassVar[bool] = True
    events: Annotated[list[CoreEventHash], Limit(min_length=1, max_length=BULK_MAX)]


class MeterEventErrorList(PageParams):
    code: str | None = None
    event_name: str | None = None
    meter: str | None = None
