"""Usage: what an event says to a meter, which instants count, and what the events of a window add up to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from voldaan.resources.base import UNSET
from voldaan.resources.meters import Meter

HOUR = 3600
PAST_SECONDS = 35 * 86_400   # docs.stripe.com/api/billing/meter-event/create
AHEAD_SECONDS = 5 * 60
LATE = PAST_SECONDS + 2 * 86_400  # how long after a period its usage may change: an event is correctable for a day
DIGITS_MAX = 15              # docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation
IDENTIFIER_MAX = 100
TEXT_MAX = 500               # characters of a value that is told apart
DIMENSION_MAX = 100          # characters of one dimension's value
DUPLICATE = "duplicate_meter_event"
PLACES = Decimal(1).scaleb(-12)

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


class UsageKey(NamedTuple):
    """What is asked for: the usage of a meter by a customer in [start, end), both in epoch seconds.

    `dimensions` are (payload key, value): only events that have all of them count.
    """

    meter: str
    customer: str
    start: int
    end: int
    dimensions: tuple[tuple[str, str], ...] = ()


# gc=False, here and below: one for each event, without cycles that a collector would have to look for.
class Given(msgspec.Struct, frozen=True, gc=False):
    """An event as the caller sends it; `timestamp` in epoch seconds."""

    event_name: str
    payload: dict[str, str]
    identifier: str
    timestamp: int | None = None


class Rejection(msgspec.Struct, frozen=True):
    """Why an event is not counted: Stripe's code, a sentence, the meter, and the parameter to blame."""

    code: str
    message: str
    param: str
    meter: str | None = None


# Whose usage of what: customer, meter, and the key of a place in the meter's dimensions (`dimensions_key`).
Place = tuple[str, str, str]


class Point(msgspec.Struct, frozen=True, gc=False):
    """What one event says to one meter. `value` is a number as text; `text` what count_distinct tells apart."""

    place: Place
    value: str
    text: str | None = None
    dimensions: tuple[tuple[str, str], ...] = ()


def read(event: Given, meters: Sequence[Meter]) -> list[Point] | Rejection:
    """What the event says to each meter of its name. Empty when no filter lets it through.

    An event counts for all of them or for none: what one meter cannot read is rejected as a whole.
    """
    points = []
    payload = event.payload
    for meter in meters:
        if meter.status == "active" and (meter.filter is UNSET or passes(payload, meter.filter)):
            point = _point(payload, meter)
            if isinstance(point, Rejection):
                return point
            points.append(point)
    if points or any(meter.status == "active" for meter in meters):
        return points
    if meters:
        return Rejection(
            "archived_meter", f"The meter with the event name {event.event_name} is inactive.", "event_name", meters[-1].id
        )
    return Rejection("no_meter", f"No active meter found for event name {event.event_name}.", "event_name")


def passes(payload: Mapping[str, str], wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether the payload has one of the wanted values under each key."""
    return all(payload.get(key) in values for key, values in wanted.items())


def _point(payload: Mapping[str, str], meter: Meter) -> Point | Rejection:
    key = meter.customer_mapping.event_payload_key
    customer = payload.get(key)
    if not customer:
        return Rejection(
            "meter_event_no_customer_defined", f"Customer mapping key {key} not found in payload.", f"payload[{key}]", meter.id
        )
    value, text = "1", None
    formula = meter.default_aggregation.formula
    if formula != "count":
        key = meter.value_settings.event_payload_key
        given = payload.get(key)
        if formula == "count_distinct":
            wrong, text = _wrong_text(given, key, meter), given
        elif given is None or not (len(given) <= DIGITS_MAX and given.isdecimal() and given.isascii()):
            wrong, value = _wrong_value(given, key, meter), given or ""
        else:
            wrong, value = None, given
        if wrong:
            return wrong
    if meter.dimensions is UNSET:
        return Point((customer, meter.id, ""), value, text)
    dimensions = _dimensions(payload, meter, meter.dimensions)
    if isinstance(dimensions, Rejection):
        return dimensions
    return Point((customer, meter.id, dimensions_key(dimensions)), value, text, dimensions)


def _wrong_value(given: str | None, key: str, meter: Meter) -> Rejection | None:
    if given is None:
        return Rejection(
            "meter_event_invalid_value", f"Value key {key} not found in payload.", f"payload[{key}]", meter.id
        )
    if not _NUMBER.fullmatch(given):
        return Rejection(
            "meter_event_invalid_value", f"Invalid value in the event payload: {given[:100]}; must be a number.",
            f"payload[{key}]", meter.id,
        )  # fmt: skip
    if len(given.replace(".", "").lstrip("-0")) > DIGITS_MAX or len(given) > 3 * DIGITS_MAX:
        return Rejection(
            "meter_event_value_too_many_digits",
            f"The value in the event payload can have at most {DIGITS_MAX} digits. Received {given[:100]}.",
            f"payload[{key}]",
            meter.id,
        )
    return None


def _wrong_text(given: str | None, key: str, meter: Meter) -> Rejection | None:
    if given and len(given) <= TEXT_MAX:
        return None
    said = f"Value key {key} not found in payload." if not given else f"A value can have at most {TEXT_MAX} characters."
    return Rejection("meter_event_invalid_value", said, f"payload[{key}]", meter.id)


def _dimensions(payload: Mapping[str, str], meter: Meter, keys: Sequence[str]) -> tuple[tuple[str, str], ...] | Rejection:
    absent = [key for key in keys if not payload.get(key)]
    if absent:
        return Rejection(
            "missing_dimension_payload_keys", f"Dimension keys not found in payload: {', '.join(absent)}.",
            f"payload[{absent[0]}]", meter.id,
        )  # fmt: skip
    for key in keys:
        if len(payload[key]) > DIMENSION_MAX:
            return Rejection(
                "meter_event_invalid_value", f"The dimension {key} can have at most {DIMENSION_MAX} characters.",
                f"payload[{key}]", meter.id,
            )  # fmt: skip
    return tuple((key, payload[key]) for key in keys)


def no_customer(point: Point) -> Rejection:
    """The event names a customer who is not there."""
    customer, meter, _ = point.place
    return Rejection("meter_event_customer_not_found", f"No such customer: '{customer}'", "payload", meter)


def outside(at: int, now: int, meter: str | None) -> Rejection | None:
    """Why an event that happened `at` cannot be counted at `now`; None if it can."""
    if at > now + AHEAD_SECONDS:
        message = "The timestamp may not be more than 5 minutes in the future."
        return Rejection("timestamp_in_future", message, "timestamp", meter)
    if at < now - PAST_SECONDS:
        message = "The timestamp must be within the past 35 days."
        return Rejection("timestamp_too_far_in_past", message, "timestamp", meter)
    return None


def duplicate(identifier: str) -> Rejection:
    """The identifier was used before, for this event or another one."""
    return Rejection(DUPLICATE, f"An event already exists with identifier {identifier}.", "identifier")


def dimensions_key(dimensions: Sequence[tuple[str, str]]) -> str:
    """What tells places in the dimensions apart: '' without any, else a digest of 128 bits."""
    if not dimensions:
        return ""
    return blake2b(msgspec.json.encode(sorted(dimensions)), digest_size=16).hexdigest()


def hour_of(at: int) -> int:
    """The start of the UTC hour, in epoch seconds."""
    return at - at % HOUR


def whole_hours(start: int, end: int) -> tuple[int, int]:
    """The whole hours of [start, end) as [from, to); empty (from == to) when there are none."""
    first = start + -start % HOUR
    return first, max(first, hour_of(end))


def edges(start: int, end: int) -> list[tuple[int, int]]:
    """What of [start, end) is outside its whole hours: at most two parts of hours, half-open."""
    first, last = whole_hours(start, end)
    parts = [(start, min(first, end)), (last, end)]
    return [(since, until) for since, until in parts if since < until]


class Tally(msgspec.Struct, frozen=True):
    """What the events of a window add up to; `last` and `most` are None when there are none."""

    events: int = 0
    total: Decimal = Decimal(0)
    most: Decimal | None = None
    last: Decimal | None = None


def quantity(formula: str, tally: Tally) -> Decimal:
    """The usage that a formula makes of a tally. No event is no usage; an average has twelve decimals."""
    match formula:
        case "sum":
            return tally.total
        case "count" | "count_distinct":
            return Decimal(tally.events)
        case "last":
            return tally.last if tally.last is not None else Decimal(0)
        case "max":
            return tally.most if tally.most is not None else Decimal(0)
        case "average":
            return (tally.total / tally.events).quantize(PLACES, ROUND_HALF_UP) if tally.events else Decimal(0)
    raise ValueError(f"no formula: {formula}")

