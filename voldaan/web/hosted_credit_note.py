"""A credit note as its customer keeps it: on paper, at the private address that the note names."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from voldaan.documents import credit_notes as documents
from voldaan.engine import Engine
from voldaan.reports.overview import snapshot
from voldaan.resources.credit_notes import CreditNote
from voldaan.resources.invoices import Invoice
from voldaan.store import accounts
from voldaan.web import papers
from voldaan.web.templates import render


class HostedCreditNote:
    """GET /credit_notes/{account}/{token}/pdf"""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def pdf(self, request: Request) -> Response:
        token = request.path_params["token"]
        account = await accounts.find(self.engine.pool, request.path_params["account"])
        if account is None:
            return _nothing(request)
        async with snapshot(self.engine.pool, account, self.engine.wall()) as tx:
            note = next(iter((await tx.get(CreditNote, [token.rpartition("_")[0]])).values()), None)
            if note is None or not papers.opens(token, note.pdf):
                return _nothing(request)
            invoice = await tx.need(Invoice, note.invoice)
            lines = await papers.lines_of_note(tx, note)
            off, taxes = await papers.off(tx, note.pretax_credit_amounts), await papers.taxes(tx, note.total_taxes)
            issuer, look = await papers.issuer(tx, invoice), await papers.look(tx, invoice)
        sheet = documents.sheet(issuer, note, lines, invoice, off, taxes, look)
        return await papers.printed(sheet, note.created, note.number)


def _nothing(request: Request) -> Response:
    text = "This address belongs to no credit note. Ask the sender for a new one."
    return render(request, "problem.html", title="No credit note here", text=text, status=404)
