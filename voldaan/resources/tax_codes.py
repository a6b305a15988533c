"""Tax codes: kinds of things as tax law tells them apart. A fixed list, not rows."""

from __future__ import annotations

from typing import ClassVar, Literal

from voldaan.resources.base import Part, Resource, Table
from voldaan.resources.params import PageParams


class TaxCodeRequirements(Part, kw_only=True):
    performance_location: Literal["optional", "required"]


class TaxCode(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("tax_codes", prefix="txcd", newest_first=False)
    object: Literal["tax_code"] = "tax_code"
    description: str
    name: str
    requirements: TaxCodeRequirements | None = None


class TaxCodeList(PageParams):
    pass
