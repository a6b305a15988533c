"""Invoice rendering templates: made and changed under /voldaan, since Stripe's API only reads and archives them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.invoice_rendering_templates import (
    InvoiceRenderingTemplate,
    InvoiceRenderingTemplateArchive,
    InvoiceRenderingTemplateRetrieve,
    InvoiceRenderingTemplateUnarchive,
    InvoiceTemplate,
    InvoiceTemplateCreate,
    InvoiceTemplateUpdate,
    InvoiceTemplateWrite,
    Look,
    Status,
)
from voldaan.resources.params import Params
from voldaan.rules.decision import Decision, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def retrieve(tx: Transaction, params: InvoiceRenderingTemplateRetrieve, id: str) -> InvoiceRenderingTemplate:
    """The template, or an earlier version of it."""
    template = await tx.need(InvoiceRenderingTemplate, id)
    if params.version is None:
        return template
    check_version(template, params.version, "version")
    return replace(template, version=params.version)


async def archive(tx: Transaction, params: InvoiceRenderingTemplateArchive, id: str) -> InvoiceRenderingTemplate:
    """No new invoice can be given the template any more; those that have it keep it."""
    return await _become(tx, id, "archived")


async def unarchive(tx: Transaction, params: InvoiceRenderingTemplateUnarchive, id: str) -> InvoiceRenderingTemplate:
    """The template may be used again."""
    return await _become(tx, id, "active")


async def create(tx: Transaction, params: InvoiceTemplateCreate) -> InvoiceTemplate:
    """A template, in its first version."""
    template = InvoiceRenderingTemplate(
        id=new_id("inrtem"),
        created=tx.now,
        livemode=tx.account.livemode,
        metadata=merged({}, params.metadata),
        nickname=params.nickname or None,
        looks=[_look(Look(), params)],
    )
    await write(tx, [Decision(inserts=[template])])
    return _shown(template)


async def update(tx: Transaction, params: InvoiceTemplateUpdate, id: str) -> InvoiceTemplate:
    """Changes the template. What is seen on invoices makes a new version; the versions before stay."""
    was = await tx.need(InvoiceRenderingTemplate, id, lock=True)
    template = replace(was, metadata=merged(was.metadata or {}, params.metadata))
    if params.nickname is not None:
        template = replace(template, nickname=params.nickname or None)
    look = _look(was.looks[-1], params)
    if look != was.looks[-1]:
        template = replace(template, version=was.version + 1, looks=[*was.looks, look])
    if template != was:
        await write(tx, [Decision(updates=[Update(template, was)])])
    return _shown(template)


async def look(tx: Transaction, params: Params, id: str) -> InvoiceTemplate:
    """A template with what it says."""
    return _shown(await tx.need(InvoiceRenderingTemplate, id))


async def usable(tx: Transaction, id: str | None, version: int | None, param: str) -> None:
    """Refuses a template that a new invoice cannot be given. `param` is the hash that names it."""
    if id is None:
        if version is not None:
            raise refused("`template_version` needs a `template`.", f"{param}[template_version]")
        return
    template = await tx.need(InvoiceRenderingTemplate, id, param=f"{param}[template]")
    if template.status != "active":
        raise refused(f"The invoice rendering template `{id}` is archived.", f"{param}[template]")
    if version is not None:
        check_version(template, version, f"{param}[template_version]")


def check_version(template: InvoiceRenderingTemplate, version: int, param: str) -> None:
    if not 1 <= version <= template.version:
        raise refused(f"The invoice rendering template `{template.id}` has no version {version}.", param)


async def _become(tx: Transaction, id: str, status: Status) -> InvoiceRenderingTemplate:
    was = await tx.need(InvoiceRenderingTemplate, id, lock=True)
    template = replace(was, status=status)
    if template != was:
        await write(tx, [Decision(updates=[Update(template, was)])])
    return template


def _look(was: Look, params: InvoiceTemplateWrite) -> Look:
    names = params.model_fields_set & set(Look.__struct_fields__)
    values: dict[str, Any] = {name: getattr(params, name) or None for name in names}
    return replace(was, **values)


def _shown(template: InvoiceRenderingTemplate) -> InvoiceTemplate:
    said = template.looks[-1]
    return InvoiceTemplate(
        id=template.id,
        accent_color=said.accent_color,
        created=template.created,
        footer=said.footer,
        livemode=template.livemode,
        memo=said.memo,
        metadata=template.metadata,
        nickname=template.nickname,
        page_size=said.page_size,
        status=template.status,
        version=template.version,
    )
