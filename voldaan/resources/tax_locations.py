"""Tax locations: where something is performed, such as a concert: it is taxed there."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import Column, Hidden, Instant, Resource, Table
from voldaan.resources.params import PageParams, Params
from voldaan.resources.shared import Address
from voldaan.resources.tax_calculations import TaxAddressParams


class TaxLocation(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("tax_locations", prefix="taxloc")
    object: Literal["tax.location"] = "tax.location"
    address: Address
    description: str | None = None
    livemode: bool
    type: Literal["performance"] = "performance"
    created: Annotated[Instant, Column("created_at"), Hidden()]


class TaxLocationCreate(Params):
    address: TaxAddressParams
    description: Annotated[str, Limit(max_length=500)] | None = None
    type: Literal["performance"]


class TaxLocationList(PageParams):
    type: Literal["performance"]

    FILTERS: ClassVar[dict[str, str]] = {"type": ""}  # there is no other
