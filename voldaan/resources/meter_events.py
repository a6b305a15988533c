"""Meter events: what a customer used, and the calls that bring them in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field as Limit

from voldaan.resources.meters import EventName
from voldaan.resources.params import Params, Timestamp

Identifier = Annotated[str, Limit(max_length=100)]


class MeterEventCreate(Params):
    event_name: EventName
    identifier: Identifier | None = None
    payload: dict[str, str]
    timestamp: Timestamp | None = None
