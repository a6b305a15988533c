"""Invoices on paper: processor time each, with the compiler warm as a server has it. Every invoice is another one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.bench.machine import described, peak_rss_mb
from voldaan.documents import invoices, pdf, sheets
from voldaan.resources.accounts import Account
from voldaan.resources.base import ListObject
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.work import clock

START = 1_767_225_600  # 1 January 2026
MONTH = 31 * 86_400


def bench(count: int, lines: int) -> dict[str, Any]:
    """Prints `count` invoices of `lines` lines, one after the other."""
    issuer = sheets.issuer(Account(id="acct_1", created=START, business_name="Bakery on the Dike"), None)
    wanted = [_line(number) for number in range(lines)]
    total = sum(line.amount for line in wanted)
    invoice = Invoice(
        id="in_1", created=START, currency="eur", customer="cus_1", customer_name="Café de Jaren", livemode=False,
        lines=ListObject(data=[], url=""), period_start=START, period_end=START + MONTH, effective_at=START, status="open",
        subtotal=total, total=total, amount_due=total, amount_remaining=total,
    )  # fmt: skip
    size = len(pdf.make(invoices.sheet(issuer, invoice, wanted, [], []), START))  # fonts and template are read
    cpu, wall = clock.cpu(), clock.elapsed()
    for number in range(count):
        numbered = replace(invoice, number=f"BENCH-{number:04}")
        pdf.make(invoices.sheet(issuer, numbered, wanted, [], []), START)
    spent, passed = clock.cpu() - cpu, clock.elapsed() - wall
    return {
        "cpu_ms_per_invoice": round(spent * 1000 / count, 1),
        "invoices_per_second": int(count / passed) if passed else 0,
        "bytes": size,
        "peak_rss_mb": peak_rss_mb(),
        "what": f"{count} invoices of {lines} lines, each another one, set by typst in one process; the first is not counted",
        "on": described(),
    }


def _line(number: int) -> LineItem:
    amount = 3100 + number
    return LineItem(
        id=f"il_{number}", invoice="in_1", amount=amount, currency="eur", livemode=False, period_start=START,
        period_end=START + MONTH, subtotal=amount, quantity_decimal=Decimal(1), unit_amount_decimal=Decimal(amount),
        description=f"1 × Bread of kind {number} (at €31.00 / month)",
    )  # fmt: skip
