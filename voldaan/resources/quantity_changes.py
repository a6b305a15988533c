"""Quantities of many subscriptions changed by one request, each with its own result."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import Hidden, Part, Resource, Table
from voldaan.resources.params import Hash, Params

ITEMS_MAX = 1_000


class QuantityResult(Part, kw_only=True):
    """`changed`, `unchanged`, or `refused` with a reason; what is refused changes nothing of its subscription."""

    subscription_item: str
    subscription: str | None
    quantity: int | None
    result: Literal["changed", "unchanged", "refused"]
    code: str | None = None
    message: str | None = None


class QuantityChanges(Resource, kw_only=True):
    """The results in the order of the request."""

    TABLE: ClassVar[Table] = Table("subscription_items", prefix="")
    object: Literal["voldaan.quantity_changes"] = "voldaan.quantity_changes"
    id: Annotated[str, Hidden()]
    changed: int
    unchanged: int
    refused: int
    data: list[QuantityResult]


class ItemQuantity(Hash):
    subscription_item: str
    quantity: Annotated[int, Field(ge=0)]


class QuantitiesUpdate(Params):
    """What changes costs waits for the next invoice of each subscription, or nothing is charged for the rest."""

    items: Annotated[list[ItemQuantity], Field(min_length=1, max_length=ITEMS_MAX)]
    proration_behavior: Literal["create_prorations", "none"] = "create_prorations"
