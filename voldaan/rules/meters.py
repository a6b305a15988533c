"""Meters: what may be asked for, and when one can be switched off and on."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.meters import (
    CustomerMapping,
    DefaultAggregation,
    Meter,
    MeterCreate,
    OwnMeterCreate,
    StatusTransitions,
    ValueSettings,
)
from voldaan.rules.decision import Refused
from voldaan.rules.refusals import refused


def make(params: MeterCreate | OwnMeterCreate, *, id: str, at: int, livemode: bool) -> Meter:
    """The meter that these parameters describe."""
    mapping, value = params.customer_mapping, params.value_settings
    meter = Meter(
        id=id,
        created=at,
        customer_mapping=CustomerMapping(event_payload_key=mapping.event_payload_key) if mapping else CustomerMapping(),
        default_aggregation=DefaultAggregation(formula=params.default_aggregation.formula),
        display_name=params.display_name,
        event_name=params.event_name,
        event_time_window=params.event_time_window,
        livemode=livemode,
        updated=at,
        value_settings=ValueSettings(event_payload_key=value.event_payload_key) if value else ValueSettings(),
        plain=isinstance(params, MeterCreate),
    )
    if isinstance(params, MeterCreate):
        return meter
    if meter.event_time_window and params.default_aggregation.formula == "count_distinct":
        raise refused("Values told apart cannot be sent pre-aggregated.", "event_time_window")
    taken = {meter.customer_mapping.event_payload_key, meter.value_settings.event_payload_key}
    for number, key in enumerate(params.dimensions):
        if key in taken:
            raise refused(f"The payload key `{key}` cannot be used twice.", f"dimensions[{number}]")
        taken.add(key)
    return replace(
        meter,
        dimensions=sorted(params.dimensions) if params.dimensions else UNSET,
        filter={key: list(dict.fromkeys(values)) for key, values in params.filter.items()} if params.filter else UNSET,
        late_events=params.late_events,
    )


def deactivate(meter: Meter, now: int) -> Meter:
    """No event is counted from now on, and no new price can use it. What was counted stays."""
    if meter.status == "inactive":
        raise refused("This meter is already inactive.")
    return replace(meter, status="inactive", status_transitions=StatusTransitions(deactivated_at=now), updated=now)


def reactivate(meter: Meter, now: int) -> Meter:
    """The meter counts again."""
    if meter.status == "active":
        raise refused("This meter is already active.")
    return replace(meter, status="active", status_transitions=StatusTransitions(), updated=now)


def name_taken(meter: Meter, by: str) -> Refused:
    """Another plain meter that is active has the name."""
    return refused(
        f"An active meter ({by}) already exists for the event name `{meter.event_name}`. Deactivate it first, or choose "
        "another event name.",
        "event_name",
    )
