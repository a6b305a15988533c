"""An invoice on paper. Its customer is who it was when the invoice was finalized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voldaan.documents import sheets
from voldaan.documents.sheets import PLAIN, Look
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.rules.tax_notes import notes
from voldaan.web.amounts import day, tax_number

STATES = {"draft": "Draft", "paid": "Paid", "void": "Void", "uncollectible": "Written off"}
Named = Sequence[tuple[str, int]]  # what it is, and minor units


def sheet(
    issuer: dict[str, Any],
    invoice: Invoice,
    lines: Sequence[LineItem],
    discounts: Named,
    taxes: Named,
    look: Look = PLAIN,
) -> dict[str, Any]:
    """What is billed, to whom, what of it is still to be paid, and what the law wants said of its tax."""
    facts = []
    if dated := invoice.effective_at or invoice.finalized_at:
        facts.append(("Date", day(dated, look.zone)))
    if invoice.due_date:
        facts.append(("Due", day(invoice.due_date, look.zone)))
    facts += [(custom.name, custom.value) for custom in invoice.custom_fields or ()]
    return sheets.sheet(
        kind="Invoice",
        number=invoice.number,
        state=STATES.get(invoice.status or "draft"),
        issuer=issuer,
        recipient=recipient(invoice),
        facts=facts,
        text=invoice.description,
        lines=[_line(line, look.zone) for line in lines],
        sums=[sheets.sums(None, _rows(invoice, come_to(lines), discounts, taxes), invoice.currency)],
        notes=notes(invoice),
        footer=invoice.footer,
        paper=paper(invoice),
        look=look,
    )


def paper(invoice: Invoice) -> str:
    """The size that it is printed in."""
    pdf = invoice.rendering.pdf if invoice.rendering else None
    return (pdf.page_size if pdf else None) or "a4"


def recipient(invoice: Invoice) -> dict[str, Any]:
    """Who the customer was when the invoice was finalized."""
    name = invoice.customer_name or invoice.customer_email or invoice.customer
    numbers = [tax_number(each.type, each.value) for each in invoice.customer_tax_ids or () if each.value]
    mail = [invoice.customer_email] if invoice.customer_name and invoice.customer_email else []
    return {"name": name, "lines": [*sheets.place(invoice.customer_address), *numbers, *mail]}


def _line(line: LineItem, zone: str) -> dict[str, Any]:
    return sheets.line(
        line.description or "Item", sheets.period(line.period_start, line.period_end, zone), line.quantity_decimal,
        sheets.unit_price(line.unit_amount_decimal, line.currency), line.amount, line.currency,
    )  # fmt: skip


def come_to(lines: Sequence[LineItem]) -> int:
    """The first of the sums, before any discount: `subtotal` is after the lines' own, which are listed with the others."""
    return sum(line.amount for line in lines)


def _rows(invoice: Invoice, subtotal: int, discounts: Named, taxes: Named) -> list[tuple[str, int, bool]]:
    rows = [("Subtotal", subtotal, False)]
    shipping = [(f"Shipping: {invoice.shipped.name}", invoice.amount_shipping)] if invoice.shipped else []
    rows += [(name, amount, False) for name, amount in (*discounts, *shipping, *taxes)]
    rows.append(("Total", invoice.total, True))
    for name, amount in (
        ("From your credit" if invoice.applied_balance > 0 else "Brought forward", -invoice.applied_balance),
        ("Credit notes", -invoice.pre_payment_credit_notes_amount),
        ("Paid", -invoice.amount_paid),
    ):
        if amount:
            rows.append((name, amount, False))
    return [*rows, ("To pay", invoice.amount_remaining, True)] if invoice.status == "open" else rows
