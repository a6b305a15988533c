"""What the papers that customers are sent have in common: a private address, and names for what is taken off and taxed."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from voldaan.documents import pdf, sheets
from voldaan.documents.sheets import Look
from voldaan.resources.billing import PretaxCreditAmount, TaxAmount
from voldaan.resources.coupons import Coupon
from voldaan.resources.credit_notes import CreditNote, CreditNoteLine
from voldaan.resources.customers import Customer
from voldaan.resources.discounts import Discount
from voldaan.resources.invoice_rendering_templates import InvoiceRenderingTemplate
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_rates import TaxRate
from voldaan.resources.tax_settings import TaxSettings
from voldaan.rules import credits_used
from voldaan.rules.invoice_rendering_templates import look_of
from voldaan.store.transaction import Transaction

LINES_MAX = 1000
NOT_LEVIED = {"reverse_charge", "customer_exempt", "product_exempt"}
Named = list[tuple[str, int]]  # what it is, and minor units


def opens(token: str, address: str | None) -> bool:
    """Whether the token stands in this private address. The id in front only finds the row; the rest is the secret."""
    parts = urlsplit(address or "").path.removesuffix("/pdf")
    return hmac.compare_digest(parts.rpartition("/")[2].encode(), token.encode())


async def printed(sheet: dict[str, Any], at: int, name: str) -> Response:
    """A sheet as of `at` (epoch seconds), under the name that it is kept by."""
    made = await pdf.print_out(sheet, at)
    return Response(made, headers=pdf.headers(f"{name}.pdf", inline=True))


async def lines(tx: Transaction, invoice: Invoice) -> list[LineItem]:
    """Its lines; of more than a thousand the last one says how many others there are, and what they come to."""
    found = await tx.select(LineItem, "t.invoice_id = %(whole)s", f"t.id limit {LINES_MAX}", whole=invoice.id)
    count, amount = await _beyond(tx, "invoice_line_items t where t.invoice_id = %(whole)s", invoice.id, found)
    if not count:
        return found
    rest = LineItem(
        id="", amount=amount, subtotal=amount, currency=invoice.currency, description=f"{count} more lines",
        invoice=invoice.id, livemode=invoice.livemode, period_start=invoice.created, period_end=invoice.created,
    )  # fmt: skip
    return [*found, rest]


async def lines_of_note(tx: Transaction, note: CreditNote) -> list[CreditNoteLine]:
    """The same of a credit note."""
    found = await tx.select(CreditNoteLine, "t.credit_note_id = %(whole)s", f"t.id limit {LINES_MAX}", whole=note.id)
    count, amount = await _beyond(tx, "credit_note_line_items t where t.credit_note_id = %(whole)s", note.id, found)
    if not count:
        return found
    rest = CreditNoteLine(
        id="", amount=amount, credit_note=note.id, description=f"{count} more lines", livemode=note.livemode,
        type="custom_line_item",
    )  # fmt: skip
    return [*found, rest]


async def _beyond(tx: Transaction, of_whole: str, whole: str, found: Sequence[LineItem | CreditNoteLine]) -> tuple[int, int]:
    """How many lines there are beyond those that were found, and what they come to. No query where all were found."""
    if len(found) < LINES_MAX:
        return 0, 0
    later = f"select count(*), sum(t.amount)::bigint from {of_whole} and t.account_id = %(account)s and t.id > %(last)s"
    count, amount = await tx.one(later, whole=whole, last=found[-1].id)
    return count, amount


async def issuer(tx: Transaction, invoice: Invoice) -> dict[str, Any]:
    """The business as it was when the invoice was made, at its head office, with the tax ids that the invoice names; without
    any it bears all that the business has.
    """
    settings = await tx.select(TaxSettings, "true")
    head = settings[0].head_office if settings else None
    if named := invoice.account_tax_ids:
        numbers = list((await tx.get(TaxId, named)).values())
    else:
        numbers = await tx.select(TaxId, "t.customer_id is null")
    return sheets.issuer(tx.account, head.address if head else None, numbers, invoice.account_name)


async def look(tx: Transaction, invoice: Invoice) -> Look:
    """The color of the invoice's rendering template, and the days of its subscription, else of its customer or the book."""
    subscriptions = await tx.get(Subscription, [invoice.subscription])
    customers = await tx.get(Customer, [invoice.customer])
    zones = [*(each.timezone for each in (*subscriptions.values(), *customers.values())), tx.account.settings_billing.timezone]
    return Look(await _accent(tx, invoice), next(zone for zone in zones if zone))


async def _accent(tx: Transaction, invoice: Invoice) -> str | None:
    rendering = invoice.rendering
    if rendering is None or rendering.template is None:
        return None
    template = (await tx.get(InvoiceRenderingTemplate, [rendering.template])).get(rendering.template)
    return look_of(template, rendering.template_version).accent_color if template else None


async def taxes(tx: Transaction, amounts: Iterable[TaxAmount] | None) -> Named:
    """By the names of their rates; a rate that is not levied has no percentage."""
    levied = list(amounts or [])
    rates = await tx.get(TaxRate, [tax.rate for tax in levied])
    found = []
    for tax in levied:
        rate = rates.get(tax.rate)
        name = "Tax" if rate is None else rate.display_name
        if rate and tax.taxability_reason not in NOT_LEVIED:
            name = f"{name} {rate.percentage:f}%"
        found.append((f"{name} included" if tax.tax_behavior == "inclusive" else name, tax.amount))
    return found


async def off(tx: Transaction, amounts: Iterable[PretaxCreditAmount] | None) -> Named:
    """What comes off before tax: discounts by their names, then what billing credits paid."""
    taken = list(amounts or [])
    reduced = [each for each in taken if each.discount and each.amount]
    discounts = await tx.get(Discount, [each.discount for each in reduced])
    coupons = await tx.get(Coupon, [d.source.coupon for d in discounts.values()])
    found = []
    for each in reduced:
        discount = discounts.get(each.discount or "")
        coupon = coupons.get(discount.source.coupon or "") if discount else None
        found.append((coupon.name or coupon.id if coupon else "Discount", -each.amount))
    if credits := credits_used.shown(taken):
        found.append(("Credit grant applied", -credits))
    return found
