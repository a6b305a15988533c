"""Invoice rendering templates: how invoices look, in versions. A finalized invoice keeps the version that it was made with."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from voldaan.resources.base import Column, Hidden, Instant, Part, Resource, Table
from voldaan.resources.params import Metadata, PageParams, Params, Unset, refuse

Status = Literal["active", "archived"]
PageSize = Literal["a4", "auto", "letter"]


class Look(Part, kw_only=True):
    """What one version says: used where an invoice itself says nothing. `accent_color` is #rrggbb."""

    accent_color: str | None = None
    footer: str | None = None
    memo: str | None = None
    page_size: PageSize | None = None


class InvoiceRenderingTemplate(Resource, kw_only=True):
    """`version` is the newest; its look is the last of `looks`."""

    TABLE: ClassVar[Table] = Table("invoice_rendering_templates", prefix="inrtem")
    object: Literal["invoice_rendering_template"] = "invoice_rendering_template"
    created: Annotated[Instant, Column("created_at")]
    livemode: bool
    metadata: dict[str, str] | None = {}
    nickname: str | None = None
    status: Annotated[Status, Column()] = "active"
    version: int = 1
    looks: Annotated[list[Look], Hidden()] = []


class InvoiceTemplate(Resource, kw_only=True):
    """A template with what its newest version says, as it is made and changed under /voldaan."""

    TABLE: ClassVar[Table] = Table("invoice_rendering_templates", prefix="inrtem")
    object: Literal["voldaan.invoice_template"] = "voldaan.invoice_template"
    accent_color: str | None
    created: int
    footer: str | None
    livemode: bool
    memo: str | None
    metadata: dict[str, str] | None
    nickname: str | None
    page_size: PageSize | None
    status: Status
    version: int


def _color(value: str) -> str:
    if len(value) == 7 and value[0] == "#" and all(digit in "0123456789abcdefABCDEF" for digit in value[1:]):
        return value.lower()
    raise refuse("", "Invalid color: {value}; must be written as #rrggbb.", value=value)


Color = Annotated[str, AfterValidator(_color)]


class InvoiceTemplateWrite(Params):
    accent_color: Color | Unset | None = None
    footer: str | Unset | None = None
    memo: Annotated[str, Field(max_length=500)] | Unset | None = None
    metadata: Metadata | Unset = {}
    nickname: Annotated[str, Field(max_length=100)] | Unset | None = None
    page_size: PageSize | Unset | None = None


class InvoiceTemplateCreate(InvoiceTemplateWrite):
    pass


class InvoiceTemplateUpdate(InvoiceTemplateWrite):
    pass


class InvoiceRenderingTemplateRetrieve(Params):
    version: Annotated[int, Field(ge=1)] | None = None


class InvoiceRenderingTemplateArchive(Params):
    pass


class InvoiceRenderingTemplateUnarchive(Params):
    pass


class InvoiceRenderingTemplateList(PageParams):
    status: Status | None = None
