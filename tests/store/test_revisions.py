"""Revisions of invoices: drafted anew, and the original void as soon as the revision is finalized."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.payments_world import HOUR
from tests.store.test_invoices import finalized, give, rate
from voldaan.commands import attempts, credit_notes, invoice_drafts, invoices, line_items
from voldaan.resources.attempts import Attempt
from voldaan.resources.credit_notes import CreditNoteCreate
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import (
    InvoiceCreate,
    InvoiceFinalize,
    InvoiceMarkUncollectible,
    InvoicePay,
    InvoiceUpdate,
    InvoiceVoid,
)
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LinesUpdate
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Missing

pytestmark = pytest.mark.anyio


async def revised(world: BillingWorld, original: Invoice, **more: Any) -> Invoice:
    params = InvoiceCreate(from_invoice={"action": "revision", "invoice": original.id}, **more)  # type: ignore[arg-type]
    draft: Invoice = await world.whole(await world.do(invoice_drafts.create, params))
    return draft


async def now(world: BillingWorld, invoice: Invoice) -> Invoice:
    found: Invoice = await world.see(Invoice, invoice.id)
    return found


async def test_a_revision_takes_over_what_was_said_and_replaces_the_original(world: BillingWorld) -> None:
    vat = await rate(world, "21")
    original = await finalized(
        world, await world.customer(), 1000, 500, default_tax_rates=[vat], description="March", footer="Thanks",
        collection_method="send_invoice", days_until_due=14, metadata={"po": "17"},
    )  # fmt: skip
    draft = await revised(world, original, footer="Thank you")
    assert (draft.status, draft.from_invoice.invoice, draft.from_invoice.action) == ("draft", original.id, "revision")
    assert (draft.description, draft.footer, draft.metadata) == ("March", "Thank you", {"po": "17"})
    assert (draft.total, draft.number, draft.due_date is not None) == (original.total, None, True)
    assert [line.description for line in draft.lines.data] == [line.description for line in original.lines.data]
    assert (await now(world, original)).status == "open", "as long as the revision is a draft"

    change = [{"id": draft.lines.data[0].id, "amount": 900}]
    await world.do(line_items.update_many, LinesUpdate(lines=change), draft.id)
    made = await world.do(invoices.finalize, InvoiceFinalize(), draft.id)
    was = await now(world, original)
    assert (made.status, made.total) == ("open", original.total - round(121 * (original.lines.data[0].amount - 900) / 100))
    assert (was.status, was.latest_revision) == ("void", made.id)
    events = await world.events()
    assert events.index("invoice.voided") < len(events) - 1 - events[::-1].index("invoice.finalized")
    assert len(await world.rows(InvoiceItem)) == 4

    again = await world.do(invoices.finalize, InvoiceFinalize(), (await revised(world, made)).id)
    assert {(await now(world, each)).latest_revision for each in (original, made)} == {again.id}


async def test_the_balance_that_had_paid_pays_the_revision(world: BillingWorld) -> None:
    anna = await world.customer()
    await give(world, anna, -300)
    original = await finalized(world, anna, 1000)
    assert original.amount_due == 700
    made = await world.do(invoices.finalize, InvoiceFinalize(), (await revised(world, original)).id)
    assert (made.amount_due, made.starting_balance, made.ending_balance) == (700, -300, 0)
    assert (await world.see(Customer, anna.id)).balance == 0


async def test_what_was_written_off_is_revised_too(world: BillingWorld) -> None:
    original = await finalized(world, await world.customer(), 1000)
    await world.do(invoices.mark_uncollectible, InvoiceMarkUncollectible(), original.id)
    await world.do(invoices.pay, InvoicePay(), (await revised(world, original)).id)
    assert (await now(world, original)).status == "void"
    assert "bad_debt" not in await world.balances()


async def test_what_cannot_be_void_cannot_be_revised(world: BillingWorld) -> None:
    anna = await world.customer()
    with pytest.raises(Missing):
        await world.do(invoice_drafts.create, InvoiceCreate(from_invoice={"action": "revision", "invoice": "in_x"}))  # type: ignore[arg-type]
    paid = await finalized(world, anna, 1000)
    await world.do(invoices.pay, InvoicePay(), paid.id)
    void = await finalized(world, anna, 1000)
    await world.do(invoices.void, InvoiceVoid(), void.id)
    noted = await finalized(world, anna, 1000)
    await world.do(credit_notes.create, CreditNoteCreate(invoice=noted.id, amount=100))
    subscription = await world.subscribe(anna, await world.price())
    billed = (await world.invoices(subscription))[0]
    for one in (paid, void, noted, billed):
        with pytest.raises(Refused) as said:
            await revised(world, one)
        assert said.value.refusal.param == "from_invoice[invoice]"
    fine = await finalized(world, anna, 1000)
    with pytest.raises(Refused, match="keeps the customer"):
        await revised(world, fine, customer=anna.id)


async def test_an_original_that_is_being_paid_is_not_replaced(world: BillingWorld) -> None:
    """The revision stays a draft, whoever finalizes it: money for the original may come."""
    original = await finalized(world, await world.customer(), 1000)
    draft = await revised(world, original)
    await world.do(invoices.pay, InvoicePay(), original.id, carry_out=False)
    with pytest.raises(Refused) as said:
        await world.do(invoices.finalize, InvoiceFinalize(), draft.id)
    assert said.value.refusal.code == "invoice_payment_in_progress"
    await attempts.carry_out(world.engine, world.account, [a.id for a in await world.rows(Attempt)])
    with pytest.raises(Refused) as said:
        await world.do(invoices.finalize, InvoiceFinalize(), draft.id)
    assert said.value.refusal.code == "invoice_not_voidable"
    await world.do(invoice_drafts.update, InvoiceUpdate(auto_advance=True), draft.id)
    await world.pass_time(2 * HOUR)
    left = await now(world, draft)
    assert (left.status, left.last_finalization_error["code"]) == ("draft", "invoice_not_editable")
    assert "invoice.finalization_failed" in await world.events()
    assert len(await world.charged()) == 1


async def test_a_revision_advances_by_itself(world: BillingWorld) -> None:
    original = await finalized(world, await world.customer(), 1000)
    draft = await revised(world, original, auto_advance=True)
    await world.pass_time(2 * HOUR)
    assert (await now(world, draft)).status == "paid"
    assert (await now(world, original)).latest_revision == draft.id
    assert [r.amount for r in await world.charged()] == [1000]
