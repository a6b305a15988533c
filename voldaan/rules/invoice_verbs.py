"""Which verbs an invoice's state allows, and how each is refused."""

from __future__ import annotations

from voldaan.resources.invoices import Invoice
from voldaan.rules import states
from voldaan.rules.decision import Refusal


def not_a_draft(invoice: Invoice, what: str) -> Refusal | None:
    """Only drafts can be edited, deleted and finalized."""
    if invoice.status == "draft":
        return None
    if what == "finalize":
        return Refusal(
            "invoice_already_finalized", "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        )
    if what == "delete":
        return Refusal("invoice_not_editable", "You can only delete draft invoices.")
    if what == "lines":
        return Refusal("invoice_not_editable", "Invalid invoice: This invoice is no longer editable")
    return Refusal("invoice_not_editable", "Finalized invoices can't be updated in this way", what)


def not_payable(invoice: Invoice) -> Refusal | None:
    """Why an invoice cannot be paid; None if it can."""
    if invoice.status == "paid":
        return Refusal("invoice_already_paid", "Invoice is already paid")
    if invoice.status in states.INVOICE_OWED or invoice.status == "draft":
        return None
    return Refusal("invoice_not_payable", f"This invoice can no longer be paid: it is {invoice.status}.")


def not_voidable(invoice: Invoice, live: bool) -> Refusal | None:
    """Why an invoice cannot be voided. While an attempt may still succeed, money could arrive for a void invoice."""
    if invoice.status == "paid":
        return Refusal("invoice_not_voidable", "Invoices with `paid` payments cannot be voided.")
    if states.advance(states.INVOICE, invoice.status or "", "void") is None:
        return Refusal("invoice_not_voidable", "You can only pass in open invoices. This invoice isn't open.")
    if invoice.amount_paid:
        return Refusal("invoice_not_voidable", "You can't void an invoice that has been paid in part: credit it instead.")
    return in_progress(invoice) if live else None


def not_to_give_up(invoice: Invoice, live: bool) -> Refusal | None:
    """Why an invoice cannot be marked uncollectible."""
    if invoice.status == "uncollectible":
        return Refusal("invoice_not_open", "This invoice has already been marked uncollectible.")
    if states.advance(states.INVOICE, invoice.status or "", "give_up") is None:
        return Refusal("invoice_not_open", "You can only pass in open invoices. This invoice isn't open.")
    return in_progress(invoice) if live else None


def in_progress(invoice: Invoice) -> Refusal:
    return Refusal(
        "invoice_payment_in_progress", f"A payment of {invoice.id} is in progress: wait until it has succeeded or failed."
    )
