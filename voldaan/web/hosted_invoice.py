"""The invoice as its customer sees it: a long private address, no sign-in, ready for the printer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from voldaan.documents import invoices as documents
from voldaan.documents.sheets import Look
from voldaan.engine import Engine
from voldaan.reports.overview import snapshot
from voldaan.resources.accounts import Account
from voldaan.resources.base import UNSET
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.test_clocks import TestClock
from voldaan.rules.tax_notes import notes
from voldaan.store import accounts
from voldaan.store.transaction import Transaction
from voldaan.web import papers
from voldaan.web.templates import render


@dataclass(slots=True)
class Sheet:
    """What is printed. `taxes` and `discounts` are (name, amount) in minor units; `confirm_at` is where the bank waits."""

    invoice: Invoice
    lines: list[LineItem]
    now: int
    issuer: dict[str, Any]
    look: Look
    taxes: list[tuple[str, int]]
    discounts: list[tuple[str, int]]
    confirm_at: str | None

    @property
    def overdue(self) -> bool:
        due = self.invoice.due_date
        return self.invoice.status == "open" and due is not None and due < self.now

    @property
    def status(self) -> tuple[str, str]:
        """In words, and its tone."""
        if self.overdue:
            return "Overdue", "bad"
        return {
            "open": ("Due", "warn"), "paid": ("Paid", "good"), "void": ("Void", ""), "uncollectible": ("Written off", "bad"),
        }.get(self.invoice.status or "", ("Draft", ""))  # fmt: skip

    @property
    def subtotal(self) -> int:
        """What the lines come to, in minor units."""
        return documents.come_to(self.lines)

    @property
    def recipient(self) -> dict[str, Any]:
        """Who the customer was when the invoice was finalized."""
        return documents.recipient(self.invoice)

    @property
    def notes(self) -> list[str]:
        """What must be said of the tax."""
        return notes(self.invoice)


class HostedInvoice:
    """GET /i/{account}/{token}, and the same under /pdf on paper."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def page(self, request: Request) -> Response:
        account = await accounts.find(self.engine.pool, request.path_params["account"])
        token = request.path_params["token"]
        sheet = await self._sheet(account, token) if account else None
        if sheet is None or account is None:
            text = "This address belongs to no invoice. Ask the sender for a new one."
            return render(request, "problem.html", title="No invoice here", text=text, status=404)
        if newer := await self._revision(account, sheet.invoice):
            return RedirectResponse(newer, status_code=302)
        return render(request, "invoice.html", sheet=sheet, invoice=sheet.invoice, account=account)

    async def pdf(self, request: Request) -> Response:
        """The same on paper, to be kept."""
        account = await accounts.find(self.engine.pool, request.path_params["account"])
        sheet = await self._sheet(account, request.path_params["token"]) if account else None
        if sheet is None or account is None:
            return await self.page(request)
        invoice = sheet.invoice
        set_as = documents.sheet(sheet.issuer, invoice, sheet.lines, sheet.discounts, sheet.taxes, sheet.look)
        return await papers.printed(set_as, invoice.finalized_at or sheet.now, invoice.number or invoice.id)

    async def _revision(self, account: Account, invoice: Invoice) -> str | None:
        """The path of the latest revision, which stands in the place of an invoice that was revised."""
        if invoice.latest_revision is None:
            return None
        async with snapshot(self.engine.pool, account, self.engine.wall()) as tx:
            newer = (await tx.get(Invoice, [invoice.latest_revision])).get(invoice.latest_revision)
        return urlsplit(newer.hosted_invoice_url).path if newer and newer.hosted_invoice_url else None

    async def _sheet(self, account: Account, token: str) -> Sheet | None:
        """The invoice whose private address ends in this token. The id in front only finds the row; the rest is the secret."""
        async with snapshot(self.engine.pool, account, self.engine.wall()) as tx:
            invoice = (await tx.get(Invoice, [token.rpartition("_")[0]])).get(token.rpartition("_")[0])
            if invoice is None or not papers.opens(token, invoice.hosted_invoice_url):
                return None
            return await _gather(tx, invoice)


async def _gather(tx: Transaction, invoice: Invoice) -> Sheet:
    payments = await tx.select(InvoicePayment, "t.invoice_id = %(invoice)s", invoice=invoice.id)
    intents = await tx.get(PaymentIntent, [p.payment_intent for p in payments if p.status == "open"])
    clocks = await tx.get(TestClock, [invoice.test_clock])
    now = next((c.frozen_time for c in clocks.values()), tx.wall)
    waiting = [address for intent in intents.values() if (address := _confirm_at(intent))]
    return Sheet(
        invoice, await papers.lines(tx, invoice), now, await papers.issuer(tx, invoice), await papers.look(tx, invoice),
        await papers.taxes(tx, invoice.total_taxes), await papers.off(tx, invoice.total_pretax_credit_amounts),
        waiting[0] if waiting else None,
    )  # fmt: skip


def _confirm_at(intent: PaymentIntent) -> str | None:
    """The path where the customer's bank waits, if it does."""
    action = intent.next_action
    if intent.status != "requires_action" or action is None:
        return None
    if action.redirect_to_url is not UNSET:
        return urlsplit(action.redirect_to_url.url or "").path or None
    if action.use_stripe_sdk is not UNSET:
        return urlsplit(str(action.use_stripe_sdk.get("stripe_js") or "")).path or None
    return None
