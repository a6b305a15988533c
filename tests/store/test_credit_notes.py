"""Credit notes on a real database: racing a payment in both orders, refunds that fail, and the invariants that watch them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.test_invoices import coupon, draft, finalized, give, rate
from voldaan.commands import attempts, credit_notes, invoices, refunds
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import (
    CreditedLine,
    CreditNote,
    CreditNoteCreate,
    CreditNotePreview,
    CreditNoteVoid,
)
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_params import InvoiceFinalize, InvoiceMarkUncollectible, InvoicePay, InvoiceVoid
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.refunds import Refund, RefundCreate
from voldaan.rules.decision import Refusal, Refused
from voldaan.store.transaction import transaction
from voldaan.web import papers

pytestmark = pytest.mark.anyio


async def credit(world: BillingWorld, invoice: Invoice, amount: int | None = None, **more: Any) -> CreditNote:
    params = CreditNoteCreate(invoice=invoice.id, **({"amount": amount} if amount else {}), **more)
    note: CreditNote = await world.do(credit_notes.create, params)
    return note


async def refusal(world: BillingWorld, *args: Any, **more: Any) -> Refusal:
    with pytest.raises(Refused) as said:
        await credit(world, *args, **more)
    return said.value.refusal


async def now(world: BillingWorld, invoice: Invoice) -> Invoice:
    found: Invoice = await world.see(Invoice, invoice.id)
    return found


async def intent_of(world: BillingWorld) -> PaymentIntent:
    (intent,) = await world.rows(PaymentIntent)
    return intent  # type: ignore[no-any-return]


# A note and a payment ---------------------------------------------------------------------------------------------------


async def test_while_a_payment_is_under_way_no_note_lowers_what_it_pays(world: BillingWorld) -> None:
    """The payment came first: the note waits for its outcome, and then gives back."""
    invoice = await finalized(world, await world.customer(), 1000)
    await world.do(invoices.pay, InvoicePay(), invoice.id, carry_out=False)
    assert (await refusal(world, invoice, 400)).code == "invoice_payment_in_progress"
    assert (await refusal(world, invoice, 1000)).code == "invoice_payment_in_progress"
    await attempts.carry_out(world.engine, world.account, [a.id for a in await world.rows(Attempt)])
    assert (await now(world, invoice)).status == "paid"
    assert (await refusal(world, invoice, 400)).param == "refund_amount", "nobody said how to give it back"
    note = await credit(world, invoice, 400, refund_amount=400)
    assert (note.type, note.post_payment_amount) == ("post_payment", 400)


@pytest.mark.parametrize("fault", ["lost_reply", "lost_request"])
async def test_what_is_not_known_is_waited_for(world: BillingWorld, fault: str) -> None:
    invoice = await finalized(world, await world.customer(), 1000)
    world.faults(**{fault: 1.0})
    await world.do(invoices.pay, InvoicePay(), invoice.id)
    assert (await refusal(world, invoice, 400)).code == "invoice_payment_in_progress"
    world.faults()
    await world.pass_time(3600)
    assert (await now(world, invoice)).status == "paid"


async def test_a_payment_after_a_note_takes_only_the_rest(world: BillingWorld) -> None:
    """The note came first."""
    invoice = await finalized(world, await world.customer(), 1000)
    note = await credit(world, invoice, 400)
    assert (note.type, note.pre_payment_amount, (await intent_of(world)).amount) == ("pre_payment", 400, 600)
    await world.do(invoices.pay, InvoicePay(), invoice.id)
    paid = await now(world, invoice)
    assert (paid.status, paid.amount_due, paid.amount_paid, paid.amount_remaining) == ("paid", 600, 600, 0)
    assert [r.amount for r in await world.charged()] == [600]


async def test_of_a_note_and_a_payment_at_one_instant_the_sum_is_right(world: BillingWorld) -> None:
    """Both at once, many times: whoever is first, the customer pays the invoice less the note and no more."""
    anna = await world.customer()
    for number in range(8):
        invoice = await finalized(world, anna, 1000)
        pay = world.do(invoices.pay, InvoicePay(), invoice.id)
        note = credit(world, invoice, 1000 if number % 3 == 2 else 400)
        asked = (pay, note) if number % 2 else (note, pay)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(a, Refused) for a in answers if isinstance(a, BaseException)), answers
        after = await now(world, invoice)
        taken = sum(n.pre_payment_amount for n in await world.rows(CreditNote, "t.invoice_id = %(id)s", id=invoice.id))
        assert after.status == "paid"
        assert after.amount_paid + taken == 1000
        assert after.amount_overpaid == 0
        if number < 7:
            await world.check_invariants()


async def test_nothing_is_left_to_pay(world: BillingWorld) -> None:
    invoice = await finalized(world, await world.customer(), 1000)
    await credit(world, invoice, 1000)
    paid = await now(world, invoice)
    assert (paid.status, paid.amount_due, paid.pre_payment_credit_notes_amount) == ("paid", 0, 1000)
    assert (await intent_of(world)).status == "canceled"
    assert await world.charged() == []


async def asked_by_the_bank(world: BillingWorld) -> tuple[Invoice, Attempt]:
    """An invoice whose customer has yet to approve 1000 at their bank."""
    invoice = await finalized(world, await world.customer("pm_card_threeDSecure2Required"), 1000)
    await world.do(invoices.pay, InvoicePay(off_session=False), invoice.id)
    attempt = await world.attempt(await intent_of(world))
    assert attempt.state == "requires_action"
    return invoice, attempt


async def test_what_the_bank_was_asked_is_withdrawn(world: BillingWorld) -> None:
    invoice, attempt = await asked_by_the_bank(world)
    await credit(world, invoice, 400)
    assert (await world.see(Attempt, attempt.id)).state == "voided"
    intent = await intent_of(world)
    assert (intent.status, intent.amount, intent.next_action) == ("requires_payment_method", 600, None)
    await world.do(invoices.pay, InvoicePay(paid_out_of_band=True), invoice.id)
    assert (await now(world, invoice)).amount_paid == 600


@pytest.mark.parametrize("amount", [400, 1000])
async def test_the_customer_was_faster_than_the_note(world: BillingWorld, amount: int) -> None:
    """What they approved is more than is asked now: the excess is their credit."""
    invoice, attempt = await asked_by_the_bank(world)
    await world.network.authenticate(attempt.processor_id or "", succeed=True)
    await credit(world, invoice, amount)
    paid = await now(world, invoice)
    asked = 1000 - amount
    assert (paid.status, paid.amount_due, paid.amount_paid, paid.amount_overpaid) == ("paid", asked, asked, amount)
    assert (await world.see(Customer, invoice.customer)).balance == -amount
    assert len(await world.charged()) == 1


async def test_a_note_is_not_voided_while_the_bank_asks(world: BillingWorld) -> None:
    invoice = await finalized(world, await world.customer("pm_card_threeDSecure2Required"), 1000)
    note = await credit(world, invoice, 400)
    await world.do(invoices.pay, InvoicePay(off_session=False), invoice.id)
    with pytest.raises(Refused) as said:
        await world.do(credit_notes.void, CreditNoteVoid(), note.id)
    assert said.value.refusal.code == "invoice_payment_in_progress"


async def test_a_note_that_is_void_is_asked_for_again(world: BillingWorld) -> None:
    invoice = await finalized(world, await world.customer(), 1000)
    note = await credit(world, invoice, 400)
    await world.do(invoices.pay, InvoicePay(), invoice.id, carry_out=False)
    with pytest.raises(Refused) as said:
        await world.do(credit_notes.void, CreditNoteVoid(), note.id)
    assert said.value.refusal.code == "invoice_payment_in_progress"
    await attempts.carry_out(world.engine, world.account, [a.id for a in await world.rows(Attempt)])
    with pytest.raises(Refused, match="if its invoice is open"):
        await world.do(credit_notes.void, CreditNoteVoid(), note.id)

    other = await finalized(world, await world.customer(name="Bob", email="bob@example.com"), 1000)
    note = await credit(world, other, 400)
    voided = await world.do(credit_notes.void, CreditNoteVoid(), note.id)
    assert (voided.status, (await now(world, other)).amount_remaining) == ("void", 1000)
    again = await credit(world, other, 1000)
    assert (again.number[-5:], (await now(world, other)).status) == ("CN-02", "paid")


# After notes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["void", "write off"])
async def test_the_rest_is_voided_or_written_off(world: BillingWorld, verb: str) -> None:
    vat = await rate(world, "21")
    invoice = await finalized(world, await world.customer(), 1000, default_tax_rates=[vat])
    await credit(world, invoice, 605)
    if verb == "void":
        await world.do(invoices.void, InvoiceVoid(), invoice.id)
        assert await world.balances() == {"revenue": -1000, "credit_notes": 500, "voids": 500}
        return
    await world.do(invoices.mark_uncollectible, InvoiceMarkUncollectible(), invoice.id)
    assert (await refusal(world, invoice, 100)).param == "invoice"
    assert await world.balances() == {"revenue": -1000, "credit_notes": 500, "bad_debt": 605, "tax_payable": -105}
    await world.do(invoices.pay, InvoicePay(paid_out_of_band=True), invoice.id)
    assert (await world.balances())["external_cash"] == 605


async def test_mixed_of_what_the_balance_had_paid(world: BillingWorld) -> None:
    """A balance of 150 has paid a part of 200: a note of 200 lowers the 50 that is asked and gives back the 150."""
    anna = await world.customer()
    await give(world, anna, -15000)
    invoice = await finalized(world, anna, 20000)
    assert (await refusal(world, invoice, 20000)).param == "refund_amount"
    assert (await refusal(world, invoice, 20000, refund_amount=15000)).param == "refund_amount", "no payment to refund"
    note = await credit(world, invoice, 20000, credit_amount=15000)
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 5000, 15000)
    assert (await now(world, invoice)).status == "paid"
    assert (await world.see(Customer, anna.id)).balance == -15000
    assert note.customer_balance_transaction is not None


async def test_a_refund_of_a_note_that_is_not_known_yet_is_promised(world: BillingWorld) -> None:
    vat = await rate(world, "21")
    invoice = await finalized(world, await world.customer(), 1000, default_tax_rates=[vat])
    await world.do(invoices.pay, InvoicePay(), invoice.id)
    world.faults(lost_reply=1.0)
    note = await credit(world, invoice, 605, refund_amount=605)
    assert [r.status for r in await world.rows(Refund)] == ["pending"]
    balances = await world.balances()
    assert (balances["refunds_payable"], balances["tax_payable"], balances["credit_notes"]) == (-605, -105, 500)
    await world.check_invariants()
    world.faults()
    await world.pass_time(3600)
    (refund,) = await world.rows(Refund)
    assert (refund.status, note.refunds[0].refund) == ("succeeded", refund.id)
    assert "refunds_payable" not in await world.balances()


async def test_refunds_beside_notes_count(world: BillingWorld) -> None:
    invoice = await finalized(world, await world.customer(), 1000)
    await world.do(invoices.pay, InvoicePay(), invoice.id)
    (charge,) = await world.rows(Charge)
    refund = await world.do(refunds.create, RefundCreate(charge=charge.id, amount=300))
    assert (await refusal(world, invoice, 701, credit_amount=701)).param == "amount"
    await credit(world, invoice, 700, credit_amount=700)
    part = [{"refund": refund.id, "amount_refunded": 100}]
    assert (await credit(world, invoice, 100, refunds=part)).refund_amount == 100
    assert (await credit(world, invoice, 200, refunds=[part[0] | {"amount_refunded": 200}])).number.endswith("CN-03")
    assert (await refusal(world, invoice, 1, credit_amount=1)).param == "amount"


async def test_a_draft_cannot_be_credited(world: BillingWorld) -> None:
    made = await draft(world, await world.customer(), 1000)
    assert (await refusal(world, made, 100)).param == "invoice"
    await world.do(invoices.finalize, InvoiceFinalize(), made.id)
    await credit(world, made, 100)


async def test_a_note_is_as_previewed_and_a_preview_leaves_nothing(world: BillingWorld) -> None:
    half = await coupon(world, percent_off=Decimal(33), duration="once")
    vat, more = await rate(world, "21"), await rate(world, "9", inclusive=True)
    invoice = await finalized(
        world, await world.customer(), 999, 501, default_tax_rates=[vat, more], discounts=[{"coupon": half}]
    )
    first, second = (line.id for line in invoice.lines.data)
    lines = [
        {"type": "invoice_line_item", "invoice_line_item": first, "amount": 333},
        {"type": "custom_line_item", "unit_amount": 17, "quantity": 3, "description": "Delay", "tax_rates": [more]},
        {"type": "invoice_line_item", "invoice_line_item": second, "quantity": 1},
    ]
    events = await world.events()
    seen = await world.do(credit_notes.preview, CreditNotePreview(invoice=invoice.id, lines=lines))
    assert (await world.rows(CreditNote), await world.events()) == ([], events)
    made = await world.whole(await credit(world, invoice, lines=lines))
    for name in ("total", "subtotal", "total_excluding_tax", "discount_amounts", "total_taxes", "number", "type"):
        assert getattr(made, name) == getattr(seen, name)
    assert [line.amount for line in made.lines.data] == [333, 51, 501]
    rest = (await now(world, invoice)).amount_remaining
    last = await credit(world, invoice, rest)
    assert made.total + last.total == invoice.total
    shares = await world.rows(CreditedLine)
    for line in invoice.lines.data:
        mine = [s for s in shares if s.invoice_line == line.id]
        assert (sum(s.net for s in mine), sum(s.tax for s in mine)) == (line.net, line.tax)


async def test_a_note_takes_as_many_queries_for_one_line_as_for_many(world: BillingWorld, asked: list[str]) -> None:
    anna = await world.customer()
    counts = []
    for size in (1, 30):
        invoice = await finalized(world, anna, *[100] * size)
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            lines = [line[0] for line in await tx.all(LINES, invoice=invoice.id)]
            part = [{"type": "invoice_line_item", "invoice_line_item": id, "amount": 50} for id in lines]
            asked.clear()
            await credit_notes.create(tx, CreditNoteCreate(invoice=invoice.id, lines=part))
            counts.append(len(asked))
    assert counts[0] == counts[1]


LINES = "select id from invoice_line_items where account_id = %(account)s and invoice_id = %(invoice)s"

# Invariants: each is broken by hand, and seen ------------------------------------------------------------------------------


BREAKS = {
    "N1": "update invoices set doc = doc || '{\"credited_tax\": 1}' where account_id = %(account)s",
    "N2": "update credited_lines set doc = jsonb_set(doc, '{taxes}', '{\"%s\": 5000}') where account_id = %(account)s",
    "N3": "update credited_lines set net = net - 1 where account_id = %(account)s",
    "N4": "update credit_notes set net = net - 1, tax = tax + 1 where account_id = %(account)s",
    "N5": "update refunds set doc = doc - 'balance_transaction' where account_id = %(account)s",
}


@pytest.mark.parametrize("invariant", BREAKS)
async def test_an_invariant_sees_what_breaks_it(tampered: BillingWorld, invariant: str) -> None:
    vat = await rate(tampered, "21")
    invoice = await finalized(tampered, await tampered.customer(), 1000, default_tax_rates=[vat])
    await tampered.do(invoices.pay, InvoicePay(), invoice.id)
    await credit(tampered, invoice, 605, refund_amount=605)
    await tampered.check_invariants()
    await tampered.change(BREAKS[invariant].replace("%s", vat, 1) if invariant == "N2" else BREAKS[invariant])
    assert invariant in await tampered.breaches()


async def test_more_credited_than_billed_is_seen(tampered: BillingWorld) -> None:
    invoice = await finalized(tampered, await tampered.customer(), 1000)
    await credit(tampered, invoice, 600)
    await tampered.change("update invoices set total = 500 where account_id = %(account)s")
    await tampered.change("update invoice_line_items set net = 500, amount = 500 where account_id = %(account)s")
    assert {"N1", "N2"} <= (await tampered.breaches()).keys()


async def test_paper_says_how_many_lines_are_not_on_it(world: BillingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what they come to, so that it adds up."""
    monkeypatch.setattr(papers, "LINES_MAX", 2)
    invoice = await finalized(world, await world.customer(), 500, 700, 900, 1100)
    lines = [{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": 100} for line in invoice.lines.data]
    note = await credit(world, invoice, lines=lines)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        shown = await papers.lines_of_note(tx, note)
    assert [(line.description, line.amount) for line in shown] == [
        ("Work for 500", 100), ("Work for 700", 100), ("2 more lines", 200),
    ]  # fmt: skip
