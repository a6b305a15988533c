"""Revisions: which invoices may be revised, and what a revision takes over. Sources: docs/behaviour-billing.md, "Revisions"."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.invoices import FromInvoice, Invoice
from voldaan.rules import automatic_tax, states
from voldaan.rules.refusals import refused

PARAM = "from_invoice[invoice]"


def check(invoice: Invoice) -> None:
    """Refuses what cannot be voided for a revision."""
    if invoice.status not in states.INVOICE_OWED:
        raise refused(f"You can only revise open or uncollectible invoices; this one is {invoice.status}.", PARAM)
    if invoice.subscription is not None:
        raise refused("You can't revise an invoice of a subscription.", PARAM)
    if invoice.amount_paid or invoice.pre_payment_credit_notes_amount:
        raise refused("You can't revise an invoice that was paid or credited in part: credit the rest instead.", PARAM)


def copied(blank: Invoice, original: Invoice, now: int) -> Invoice:
    """The draft with what somebody has said of the original. It is collected only when somebody asks for it."""
    sent = original.collection_method == "send_invoice"
    return replace(
        blank,
        account_tax_ids=original.account_tax_ids,
        automatic_tax=automatic_tax.enabled(original.automatic_tax.enabled),
        collection_method=original.collection_method,
        custom_fields=original.custom_fields,
        days_until_due=original.days_until_due,
        default_payment_method=original.default_payment_method,
        default_tax_rates=list(original.default_tax_rates),
        description=original.description,
        discounts=list(original.discounts),
        due_date=max(original.due_date or now, now) if sent else None,
        footer=original.footer,
        from_invoice=FromInvoice(action="revision", invoice=original.id),
        metadata=dict(original.metadata or {}),
        payment_settings=original.payment_settings,
        period_end=original.period_end,
        period_start=original.period_start,
        rendering=original.rendering,
        shipped=original.shipped,
        shipping_details=original.shipping_details,
        statement_descriptor=original.statement_descriptor,
    )
