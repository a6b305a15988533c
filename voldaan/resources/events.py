"""Events: what happened, with the object as it was then."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import ListParams


class EventData(Part, kw_only=True):
    """`object` is a snapshot in the API's shape; `previous_attributes` the old values of what an update changed."""

    object: dict[str, Any]
    previous_attributes: dict[str, Any] | UnsetType = UNSET


class EventRequest(Part, kw_only=True):
    """The request that caused it; both null when it happened by itself."""

    id: str | None = None
    idempotency_key: str | None = None


class Event(Resource, kw_only=True):
    """Put together from its row by events/reading.py: the row keeps `data` compressed and the rest in plain columns."""

    TABLE: ClassVar[Table] = Table("events", prefix="evt")
    object: Literal["event"] = "event"
    account: str | UnsetType = UNSET
    api_version: str | None = None
    context: str | UnsetType = UNSET
    created: Annotated[Instant, Column("created_at")]
    data: EventData
    livemode: bool
    pending_webhooks: int
    request: EventRequest | None = None
    type: Annotated[str, Column()]


class EventList(ListParams):
    delivery_success: bool | None = None
    type: str | None = None
    types: list[str] | None = None
