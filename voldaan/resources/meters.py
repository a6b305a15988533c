"""Meters: how the events of a name add up to what a customer used."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import field
from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Hash, PageParams, Params

Formula = Literal["sum", "count", "last"]
OwnFormula = Literal["sum", "count", "last", "count_distinct", "max", "average"]
Window = Literal["day", "hour"]
LateEvents = Literal["next_invoice", "credit", "ignore"]
PayloadKey = Annotated[str, Limit(max_length=100)]
EventName = Annotated[str, Limit(max_length=100)]
DIMENSIONS_MAX = 5


class CustomerMapping(Part, kw_only=True):
    event_payload_key: str = "stripe_customer_id"
    type: Literal["by_id"] = "by_id"


class DefaultAggregation(Part, kw_only=True):
    formula: OwnFormula


class StatusTransitions(Part, kw_only=True):
    deactivated_at: int | None = None


class ValueSettings(Part, kw_only=True):
    event_payload_key: str = "value"


class Meter(Resource, kw_only=True):
    """Adds up the events of `event_name`. With `event_time_window` only the last event of each UTC hour or day counts.

    Ours, absent from meters made through /v1: `filter` lets only events through whose payload has one of these values
    under each of these keys; `dimensions` are payload keys by which usage is kept apart.
    """

    TABLE: ClassVar[Table] = Table("meters", prefix="mtr", state="status")
    object: Literal["billing.meter"] = "billing.meter"
    created: Annotated[Instant, Column("created_at")]
    customer_mapping: CustomerMapping = field(default_factory=CustomerMapping)
    default_aggregation: DefaultAggregation
    dimensions: list[str] | UnsetType = UNSET
    display_name: str
    event_name: Annotated[str, Column()]
    event_time_window: Window | None = None
    filter: dict[str, list[str]] | UnsetType = UNSET
    livemode: bool
    status: Annotated[Literal["active", "inactive"], Column()] = "active"
    status_transitions: StatusTransitions = field(default_factory=StatusTransitions)
    updated: int
    value_settings: ValueSettings = field(default_factory=ValueSettings)
    plain: Annotated[bool, Column(), Hidden()] = True
    late_events: Annotated[LateEvents, Hidden()] = "next_invoice"


class MeterPolicy(Resource, kw_only=True):
    """What becomes of usage that is reported after its invoice was finalized (rules/metered.py), as the API shows it."""

    TABLE: ClassVar[Table] = Table("meters", prefix="")
    object: Literal["voldaan.meter_policy"] = "voldaan.meter_policy"
    id: Annotated[str, Hidden()]
    late_events: LateEvents
    meter: str


class CustomerMappingParams(Hash):
    event_payload_key: PayloadKey
    type: Literal["by_id"]


class AggregationParams(Hash):
    formula: Formula


class OwnAggregationParams(Hash):
    formula: OwnFormula


class ValueSettingsParams(Hash):
    event_payload_key: PayloadKey


class MeterCreate(Params):
    customer_mapping: CustomerMappingParams | None = None
    default_aggregation: AggregationParams
    display_name: Annotated[str, Limit(max_length=250)]
    event_name: EventName
    event_time_window: Window | None = None
    value_settings: ValueSettingsParams | None = None


class OwnMeterCreate(Params):
    """POST /voldaan/meters: more formulas, a filter, dimensions."""

    customer_mapping: CustomerMappingParams | None = None
    default_aggregation: OwnAggregationParams
    dimensions: Annotated[list[PayloadKey], Limit(max_length=DIMENSIONS_MAX)] = []
    display_name: Annotated[str, Limit(max_length=250)]
    event_name: EventName
    event_time_window: Window | None = None
    filter: Annotated[
        dict[PayloadKey, Annotated[list[Annotated[str, Limit(max_length=100)]], Limit(min_length=1, max_length=100)]],
        Limit(max_length=DIMENSIONS_MAX),
    ] = {}
    late_events: LateEvents = "next_invoice"
    value_settings: ValueSettingsParams | None = None


class MeterUpdate(Params):
    display_name: Annotated[str, Limit(max_length=250)] | None = None


class MeterPolicyUpdate(Params):
    """POST /voldaan/meters/{id}/policy, of any meter"""

    late_events: LateEvents


class MeterChange(Params):
    """Deactivate, reactivate."""


class MeterList(PageParams):
    """GET /voldaan/meters"""

    status: Literal["active", "inactive"] | None = None


class PlainMeterList(MeterList):
    """GET /v1/billing/meters: those that Stripe's API knows how to describe."""

    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"plain": "t.plain"}
