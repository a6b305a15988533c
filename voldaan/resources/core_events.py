"""What may be asked of /v2/core/events."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field as Limit

from voldaan.resources.meter_events import Rfc3339
from voldaan.resources.params import Hash, Params


class CoreRange(Hash):
    gt: Rfc3339 | None = None
    gte: Rfc3339 | None = None
    lt: Rfc3339 | None = None
    lte: Rfc3339 | None = None


class CoreEventList(Params):
    created: CoreRange | None = None
    limit: Annotated[int, Limit(ge=1, le=100)] = 20
    object_id: str | None = None
    page: str | None = None
    types: Annotated[list[str], Limit(max_length=20)] = []
