"""What a rendering template makes of an invoice that is finalized: it fills in what the invoice itself does not say."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.invoice_rendering_templates import InvoiceRenderingTemplate, Look
from voldaan.resources.invoices import Invoice, RenderingPdf


def filled_in(invoice: Invoice, templates: dict[str, InvoiceRenderingTemplate]) -> dict[str, Any]:
    """The fields that change: footer, memo and page size where there are none, and the version that stays with the invoice."""
    rendering = invoice.rendering
    if rendering is None or rendering.template not in templates:
        return {}
    template = templates[rendering.template]
    version = rendering.template_version or template.version
    look = look_of(template, version)
    pdf = rendering.pdf or (RenderingPdf(page_size=look.page_size) if look.page_size else None)
    return {
        "rendering": replace(rendering, template_version=version, pdf=pdf),
        "footer": invoice.footer or look.footer,
        "description": invoice.description or look.memo,
    }


def look_of(template: InvoiceRenderingTemplate, version: int | None) -> Look:
    """What a version of the template says; without one the newest."""
    return template.looks[(version or template.version) - 1]
