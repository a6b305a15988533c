"""A credit note on paper: what of which invoice is taken back, and how it was given. Its customer is the invoice's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voldaan.documents import invoices, sheets
from voldaan.documents.invoices import Named
from voldaan.documents.sheets import PLAIN, Look
from voldaan.resources.credit_notes import CreditNote, CreditNoteLine
from voldaan.resources.invoices import Invoice
from voldaan.rules.tax_notes import notes
from voldaan.web.amounts import day, money, words

STATES = {"void": "Void"}


def sheet(
    issuer: dict[str, Any],
    note: CreditNote,
    lines: Sequence[CreditNoteLine],
    invoice: Invoice,
    discounts: Named,
    taxes: Named,
    look: Look = PLAIN,
) -> dict[str, Any]:
    """What is credited, to whom, and where it went. A note by its amount alone has no lines: its sum is one."""
    facts = [("Date", day(note.effective_at or note.created, look.zone)), ("Invoice", invoice.number or invoice.id)]
    if note.reason:
        facts.append(("Reason", words(note.reason)))
    shown = [_line(line, note.currency) for line in lines]
    if not shown and note.subtotal:
        shown = [sheets.line(f"Credit of invoice {invoice.number}", None, None, "", note.subtotal, note.currency)]
    return sheets.sheet(
        kind="Credit note",
        number=note.number,
        state=STATES.get(note.status),
        issuer=issuer,
        recipient=invoices.recipient(invoice),
        facts=facts,
        text=note.memo,
        lines=shown,
        sums=[sheets.sums(None, _rows(note, lines, discounts, taxes), note.currency)],
        notes=notes(invoice),
        footer=invoice.footer,
        paper=invoices.paper(invoice),
        look=look,
    )


def _line(line: CreditNoteLine, currency: str) -> dict[str, Any]:
    unit = "" if line.unit_amount is None else money(line.unit_amount, currency)
    return sheets.line(line.description or "Item", None, line.quantity, unit, line.amount, currency)


def _rows(
    note: CreditNote, lines: Sequence[CreditNoteLine], discounts: Named, taxes: Named
) -> list[tuple[str, int, bool]]:
    subtotal = sum(line.amount for line in lines) if lines else note.subtotal  # as documents/invoices.come_to
    shipping = [(f"Shipping: {note.shipped.name}", note.amount_shipping)] if note.shipped else []
    rows = [(name, amount, False) for name, amount in (("Subtotal", subtotal), *discounts, *shipping, *taxes)]
    given = (
        ("Taken off the invoice", note.pre_payment_amount),
        ("Refunded", note.refund_amount),
        ("To your credit", note.credit_amount),
        ("Given back otherwise", note.out_of_band_amount or 0),
    )
    return [*rows, ("Total credited", note.total, True), *((name, amount, False) for name, amount in given if amount)]
