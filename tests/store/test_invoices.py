"""Invoices on a real database: drafts and their lines, discounts and taxes, the balance, the verbs, and the books of all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.payments_world import DAY, HOUR
from voldaan.commands import (
    attempts,
    coupons,
    customer_balance_transactions,
    invoice_drafts,
    invoice_items,
    invoices,
    line_items,
    previews,
    tax_rates,
)
from voldaan.resources.coupons import CouponCreate
from voldaan.resources.customer_balance_transactions import (
    CustomerBalanceTransaction,
    CustomerBalanceTransactionCreate,
)
from voldaan.resources.customers import Customer
from voldaan.resources.discounts import Discount
from voldaan.resources.invoice_items import InvoiceItem, InvoiceItemCreate, InvoiceItemDelete, InvoiceItemUpdate
from voldaan.resources.invoice_params import (
    InvoiceAttachPayment,
    InvoiceCreate,
    InvoiceCreatePreview,
    InvoiceDelete,
    InvoiceFinalize,
    InvoiceMarkUncollectible,
    InvoicePay,
    InvoiceSend,
    InvoiceUpdate,
    InvoiceVoid,
)
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LinesAdd, LinesRemove, LinesUpdate, LineUpdate
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.tax_rates import TaxRateCreate
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Missing, transaction
from voldaan.web import papers

pytestmark = pytest.mark.anyio


async def item(world: BillingWorld, customer: Customer, amount: int, **more: Any) -> InvoiceItem:
    params = InvoiceItemCreate(customer=customer.id, amount=amount, currency="eur", **more)
    made: InvoiceItem = await world.do(invoice_items.create, params)
    return made


async def draft(world: BillingWorld, customer: Customer, *amounts: int, **more: Any) -> Invoice:
    """A draft with a line for each amount."""
    made = await world.do(invoice_drafts.create, InvoiceCreate(customer=customer.id, currency="eur", **more))
    for amount in amounts:
        await item(world, customer, amount, invoice=made.id, description=f"Work for {amount}")
    whole: Invoice = await world.whole(made)
    return whole


async def finalized(world: BillingWorld, customer: Customer, *amounts: int, **more: Any) -> Invoice:
    made = await draft(world, customer, *amounts, **more)
    whole: Invoice = await world.whole(await world.do(invoices.finalize, InvoiceFinalize(), made.id))
    return whole


async def rate(world: BillingWorld, percentage: str, inclusive: bool = False) -> str:
    params = TaxRateCreate(display_name="VAT", percentage=percentage, inclusive=inclusive)
    return str((await world.do(tax_rates.create, params)).id)


async def coupon(world: BillingWorld, **params: Any) -> str:
    return str((await world.do(coupons.create, CouponCreate(**params))).id)


async def give(world: BillingWorld, customer: Customer, amount: int) -> None:
    params = CustomerBalanceTransactionCreate(amount=amount, currency="eur")
    await world.do(customer_balance_transactions.create, params, customer.id)


# Drafts ------------------------------------------------------------------------------------------------------------------


async def test_a_draft_is_made_changed_finalized_and_paid(world: BillingWorld) -> None:
    anna = await world.customer()
    made = await draft(world, anna, 2000, 500)
    assert (made.status, made.total, made.amount_due, made.number, made.billing_reason) == ("draft", 2500, 2500, None, "manual")
    changed = await world.do(invoice_drafts.update, InvoiceUpdate(description="Thanks", metadata={"po": "7"}), made.id)
    assert (changed.description, changed.metadata, changed.auto_advance) == ("Thanks", {"po": "7"}, False)
    opened = await world.whole(await world.do(invoices.finalize, InvoiceFinalize(), made.id))
    assert (opened.status, opened.number, opened.amount_remaining) == ("open", f"{anna.invoice_prefix}-0001", 2500)
    assert opened.hosted_invoice_url.startswith("http")
    with pytest.raises(Refused, match="already finalized"):
        await world.do(invoices.finalize, InvoiceFinalize(), made.id)
    with pytest.raises(Refused, match="can't be updated"):
        await world.do(invoice_drafts.update, InvoiceUpdate(description="Too late"), made.id)
    paid = await world.do(invoices.pay, InvoicePay(), made.id)
    assert (paid.status, paid.amount_paid, paid.status_transitions.paid_at) == ("paid", 2500, world.now)
    with pytest.raises(Refused, match="already paid"):
        await world.do(invoices.pay, InvoicePay(), made.id)
    # what is for no time at all is earned at once
    assert (await world.balances())["revenue"] == -2500


async def test_lines_are_added_changed_and_removed(world: BillingWorld) -> None:
    anna = await world.customer()
    once = await world.price(700, None, name="Setup")
    made = await draft(world, anna, 2000)
    lines = [{"amount": 300, "description": "More"}, {"pricing": {"price": once.id}, "quantity": 2}]
    more = await world.do(line_items.add, LinesAdd(lines=lines), made.id)
    assert (more.total, len(more.lines.data)) == (3700, 3)
    [setup] = [line for line in more.lines.data if line.price]
    assert (setup.description, setup.quantity, setup.pricing.unit_amount_decimal) == ("Setup", 2, 700)
    changed = await world.do(line_items.update, LineUpdate(quantity=3), made.id, setup.id)
    assert (changed.amount, (await world.whole(made)).total) == (2100, 4400)
    [first] = [line for line in more.lines.data if line.amount == 300]
    update = LinesUpdate(lines=[{"id": first.id, "amount": 350, "description": "A little more"}])
    assert (await world.do(line_items.update_many, update, made.id)).total == 4450
    remove = LinesRemove(lines=[{"id": first.id, "behavior": "unassign"}, {"id": setup.id, "behavior": "delete"}])
    assert (await world.do(line_items.remove, remove, made.id)).total == 2000
    waiting = [(i.amount, i.invoice) for i in await world.rows(InvoiceItem) if i.invoice is None]
    assert waiting == [(350, None)]


async def test_many_lines_take_as_many_queries_as_few(world: BillingWorld, asked: list[str]) -> None:
    """Prices, coupons, and items that wait are read at once."""
    anna = await world.customer()
    once = [(await world.price(100 * n, None, name=f"Cake {n}")).id for n in range(1, 9)]
    codes = [(await world.do(coupons.create, CouponCreate(percent_off=str(n), duration="forever"))).id for n in range(1, 9)]
    tallies = []
    for many in (1, 8):
        named = zip(once[:many], codes, strict=False)
        lines: list[dict[str, Any]] = [{"pricing": {"price": price}, "discounts": [{"coupon": code}]} for price, code in named]
        lines += [{"invoice_item": (await item(world, anna, 50)).id} for _ in range(many)]
        made = await draft(world, anna)
        asked.clear()
        await world.do(line_items.add, LinesAdd(lines=lines), made.id)
        tallies.append(len(asked))
    assert tallies[0] == tallies[1]


async def test_what_waits_is_swept_into_a_draft_and_freed_with_it(world: BillingWorld) -> None:
    anna = await world.customer()
    one, two = await item(world, anna, 1000), await item(world, anna, -300)
    await world.do(invoice_items.update, InvoiceItemUpdate(amount=1200), one.id)
    asked = InvoiceCreate(customer=anna.id, pending_invoice_items_behavior="include")
    made = await world.do(invoice_drafts.create, asked)
    assert (made.total, [line.invoice_item for line in made.lines.data]) == (900, [two.id, one.id])
    await world.do(invoice_items.delete, InvoiceItemDelete(), two.id)
    assert (await world.whole(made)).total == 1200
    gone = await world.do(invoice_drafts.delete, InvoiceDelete(), made.id)
    assert gone == {"id": made.id, "object": "invoice", "deleted": True}
    [freed] = await world.rows(InvoiceItem)
    assert (freed.id, freed.invoice) == (one.id, None)
    with pytest.raises(Missing):
        await world.do(invoices.finalize, InvoiceFinalize(), made.id)


async def test_a_draft_that_advances_by_itself(world: BillingWorld) -> None:
    made = await draft(world, await world.customer(), 2000, auto_advance=True)
    assert made.automatically_finalizes_at == world.now + HOUR
    await world.pass_time(HOUR)
    assert (await world.whole(made)).status == "paid"


# Discounts and taxes -----------------------------------------------------------------------------------------------------


async def test_discounts_and_taxes_on_a_subscription(world: BillingWorld) -> None:
    anna = await world.customer()
    vat = await rate(world, "21")
    once = await coupon(world, percent_off="50", duration="once")
    price = await world.price(10000)
    subscription = await world.subscribe(
        anna, price, default_tax_rates=[vat], discounts=[{"coupon": once}]
    )
    [first] = await world.invoices()
    assert (first.subtotal, first.total_excluding_tax, first.tax, first.total) == (10000, 5000, 1050, 6050)
    [discount] = await world.rows(Discount)
    assert [(d.amount, d.discount) for d in first.total_discount_amounts or []] == [(5000, discount.id)]
    assert [(t.amount, t.taxable_amount, t.tax_behavior) for t in first.total_taxes or []] == [(1050, 5000, "exclusive")]
    assert subscription.discounts == []  # it was for one invoice
    assert "customer.discount.deleted" in await world.events()
    await world.pass_time(30 * DAY + HOUR)
    _, second = await world.invoices()
    assert (second.subtotal, second.total) == (10000, 12100)


async def test_an_item_has_its_own_discount_and_an_inclusive_tax(world: BillingWorld) -> None:
    vat = await rate(world, "21", inclusive=True)
    fixed = await coupon(world, amount_off=100, currency="eur", duration="forever")
    ten = await coupon(world, percent_off="10", duration="repeating", duration_in_months=2)
    price, other = await world.price(1210), await world.price(2000, name="Other")
    wanted = {"price": price.id, "discounts": [{"coupon": fixed}], "tax_rates": [vat]}
    await world.subscribe(await world.customer(), wanted, other, discounts=[{"coupon": ten}])
    [first] = await world.invoices()
    by_name = {line.description.split(" ")[2]: line for line in first.lines.data}
    pro, rest = by_name["Pro"], by_name["Other"]
    assert (pro.amount, pro.discount, pro.net, pro.tax, rest.net) == (1210, 211, 826, 173, 1800)
    assert (first.subtotal, first.total, first.total_excluding_tax) == (3110, 2799, 2626)
    assert first.subtotal_excluding_tax == 3110 - 193  # the tax inside 1110
    await world.pass_time(100 * DAY)
    totals = [i.total for i in await world.invoices()]
    assert totals == [2799, 2799, 3110, 3110]  # two months of ten percent


async def test_an_exempt_customer_pays_no_tax(world: BillingWorld) -> None:
    anna = await world.customer(tax_exempt="reverse")
    vat = await rate(world, "21")
    made = await draft(world, anna, 2000, default_tax_rates=[vat])
    assert (made.total, [t.taxability_reason for t in made.total_taxes or []]) == (2000, ["reverse_charge"])


# The balance -------------------------------------------------------------------------------------------------------------


async def test_credit_pays_first(world: BillingWorld) -> None:
    anna = await world.customer()
    await give(world, anna, -500)
    opened = await finalized(world, anna, 2000)
    assert (opened.starting_balance, opened.ending_balance, opened.amount_due) == (-500, 0, 1500)
    assert opened.confirmation_secret
    [intent] = await world.rows(PaymentIntent)
    assert intent.amount == 1500
    _, used = await world.rows(CustomerBalanceTransaction)
    assert (used.type, used.amount, used.ending_balance, used.invoice) == ("applied_to_invoice", 500, 0, opened.id)
    voided = await world.do(invoices.void, InvoiceVoid(), opened.id)
    assert voided.status == "void"
    assert (await world.see(Customer, anna.id)).balance == -500
    assert (await world.rows(CustomerBalanceTransaction))[-1].type == "unapplied_from_invoice"
    with pytest.raises(Refused, match="You can only pass in open invoices"):
        await world.do(invoices.void, InvoiceVoid(), opened.id)


async def test_what_is_too_little_waits_on_the_balance(world: BillingWorld) -> None:
    anna = await world.customer()
    small = await finalized(world, anna, 30)
    assert (small.status, small.amount_due, small.ending_balance) == ("paid", 0, 30)
    more = await finalized(world, anna, 1000)
    assert (more.amount_due, more.ending_balance) == (1030, 0)
    types = [t.type for t in await world.rows(CustomerBalanceTransaction)]
    assert types == ["invoice_too_small", "applied_to_invoice"]


async def test_a_negative_invoice_becomes_credit(world: BillingWorld) -> None:
    anna = await world.customer()
    owed = await finalized(world, anna, -700)
    assert (owed.status, owed.total, owed.amount_due, owed.ending_balance) == ("paid", -700, 0, -700)
    assert (await world.see(Customer, anna.id)).balance == -700


# The verbs of an invoice that is owed ------------------------------------------------------------------------------------


async def test_a_decline_leaves_it_open(world: BillingWorld) -> None:
    anna = await world.customer("pm_card_chargeCustomerFail")
    opened = await finalized(world, anna, 2000)
    tried = await world.do(invoices.pay, InvoicePay(), opened.id)
    assert (tried.status, tried.attempt_count, tried.attempted, tried.next_payment_attempt) == ("open", 1, True, None)


async def test_nothing_to_charge(world: BillingWorld) -> None:
    opened = await finalized(world, await world.customer(None), 2000)
    with pytest.raises(Refused, match="no `default_payment_method`"):
        await world.do(invoices.pay, InvoicePay(), opened.id)


async def test_while_an_attempt_is_live_nothing_else_may_happen(world: BillingWorld) -> None:
    """The race of two ways to pay: the second is refused, and the first still counts (killbill#1015)."""
    opened = await finalized(world, await world.customer(), 2000)
    await world.do(invoices.pay, InvoicePay(), opened.id, carry_out=False)
    for command, params in (
        (invoices.void, InvoiceVoid()),
        (invoices.pay, InvoicePay(paid_out_of_band=True)),
        (invoices.pay, InvoicePay()),
        (invoices.mark_uncollectible, InvoiceMarkUncollectible()),
    ):
        with pytest.raises(Refused, match="in progress"):
            await world.do(command, params, opened.id)
    ids = [row[0] for row in await world.all("select id from attempts where account_id = %(account)s")]
    await attempts.carry_out(world.engine, world.account, ids)
    assert (await world.whole(opened)).status == "paid"


async def test_written_off_and_paid_after_all(world: BillingWorld) -> None:
    anna = await world.customer()
    vat = await rate(world, "20")
    period = {"start": world.now - 10 * DAY, "end": world.now + 20 * DAY}
    made = await world.do(
        invoice_drafts.create, InvoiceCreate(customer=anna.id, currency="eur", default_tax_rates=[vat])
    )
    await item(world, anna, 3000, invoice=made.id, period=period)
    await world.do(invoices.finalize, InvoiceFinalize(), made.id)
    lost = await world.do(invoices.mark_uncollectible, InvoiceMarkUncollectible(), made.id)
    assert (lost.status, lost.status_details.uncollectible.reason) == ("uncollectible", "user_forgiven")
    assert await world.balances() == {"bad_debt": 600, "tax_payable": -600}
    paid = await world.do(invoices.pay, InvoicePay(), made.id)
    assert (paid.status, paid.amount_paid) == ("paid", 3600)
    balances = await world.balances()
    assert (balances.get("bad_debt"), balances["recoverables"], balances["tax_payable"]) == (None, -3000, -600)


async def test_voided_after_some_was_earned(world: BillingWorld) -> None:
    anna = await world.customer(None)
    period = {"start": world.now, "end": world.now + 100 * DAY}
    made = await world.do(invoice_drafts.create, InvoiceCreate(customer=anna.id, currency="eur"))
    await item(world, anna, 10000, invoice=made.id, period=period)
    await world.do(invoices.finalize, InvoiceFinalize(), made.id)
    await world.pass_time(20 * DAY)  # over the end of September
    earned = -(await world.balances())["revenue"]
    assert 0 < earned < 2000
    await world.do(invoices.void, InvoiceVoid(), made.id)
    assert await world.balances() == {"revenue": -earned, "voids": earned}
    await world.pass_time(60 * DAY)
    assert await world.balances() == {"revenue": -earned, "voids": earned}


async def test_sent_by_hand(world: BillingWorld) -> None:
    anna = await world.customer(None)
    made = await draft(world, anna, 2000, collection_method="send_invoice", days_until_due=30)
    assert made.due_date == world.now + 30 * DAY
    sent = await world.do(invoices.send, InvoiceSend(), made.id)
    assert (sent.status, sent.number) == ("open", f"{anna.invoice_prefix}-0001")
    assert (await world.events())[-1] == "invoice.sent"
    plain = await draft(world, anna, 2000)
    with pytest.raises(Refused, match="send_invoice"):
        await world.do(invoices.send, InvoiceSend(), plain.id)


async def test_a_payment_is_attached(world: BillingWorld) -> None:
    anna = await world.customer()
    opened = await finalized(world, anna, 2000)
    intent = await world.pay(anna.invoice_settings.default_payment_method or "", 2300, customer=anna.id)
    paid = await world.do(invoices.attach_payment, InvoiceAttachPayment(payment_intent=intent.id), opened.id)
    assert (paid.status, paid.amount_paid, paid.amount_overpaid) == ("paid", 2000, 300)
    assert (await world.see(Customer, anna.id)).balance == -300
    states = {p.is_default: p.status for p in await world.rows(InvoicePayment)}
    assert states[False] == "paid"


async def test_one_series_of_numbers_for_the_whole_book(world: BillingWorld) -> None:
    from msgspec.structs import replace

    world.account.settings_billing = replace(world.account.settings_billing, numbering="account")
    found = [await finalized(world, await world.customer(), 2000) for _ in range(3)]
    assert [i.number for i in found] == ["INV-0001", "INV-0002", "INV-0003"]


# Previews ----------------------------------------------------------------------------------------------------------------


async def test_previews_agree_with_what_is_billed_and_write_nothing(world: BillingWorld) -> None:
    anna = await world.customer()
    vat = await rate(world, "21")
    price = await world.price(3333)
    before = await world.all("select count(*) from invoices where account_id = %(account)s")
    asked = InvoiceCreatePreview(
        customer=anna.id,
        discounts=[{"coupon": await coupon(world, percent_off="33.3", duration="forever")}],
        subscription_details={
            "items": [{"price": price.id, "quantity": 3}], "default_tax_rates": [vat], "start_date": world.now,
        },
    )  # fmt: skip
    new = await world.do(previews.create, asked)
    assert await world.all("select count(*) from invoices where account_id = %(account)s") == before
    subscription = await world.subscribe(
        anna, {"price": price.id, "quantity": 3}, default_tax_rates=[vat],
        discounts=[{"coupon": asked.discounts[0].coupon}],
    )  # fmt: skip
    [first] = await world.invoices()
    assert (new.total, new.tax, new.subtotal) == (first.total, first.tax, first.subtotal)
    assert new.id.startswith("upcoming_in_")

    await item(world, anna, 1234)
    upcoming = await world.do(previews.create, InvoiceCreatePreview(subscription=subscription.id))
    extra = InvoiceCreatePreview(
        subscription=subscription.id, invoice_items=[{"amount": 100, "currency": "eur", "discountable": False}]
    )
    assert (await world.do(previews.create, extra)).total == upcoming.total + 121
    await world.pass_time(30 * DAY + HOUR)
    _, second = await world.invoices()
    assert (upcoming.total, upcoming.tax, upcoming.billing_reason) == (second.total, second.tax, "upcoming")
    nobody = InvoiceCreatePreview(
        customer_details={"tax_exempt": "exempt"}, currency="eur",
        subscription_details={"items": [{"price": price.id}], "default_tax_rates": [vat]},
    )  # fmt: skip
    assert (await world.do(previews.create, nobody)).total == 3333
    gone = InvoiceCreatePreview(subscription=subscription.id, subscription_details={"cancel_now": True})
    assert (await world.do(previews.create, gone)).total < 0
    with pytest.raises(Refused, match="No upcoming invoices"):
        await world.do(previews.create, InvoiceCreatePreview(customer=(await world.customer()).id))


# Revenue -----------------------------------------------------------------------------------------------------------------


async def test_revenue_is_earned_by_the_second_and_adds_up(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3100))
    start, end = subscription.current_period_start, subscription.current_period_end
    await world.pass_time(25 * DAY)
    by_month = "select fact, sum(amount)::bigint from postings where account_id = %(account)s"
    by_month += " and credit = 'revenue' group by fact order by fact"
    october = 1_790_812_800  # 1 October 2026
    assert await world.all(by_month) == [("recognised:2026-09", round(3100 * (october - start) / (end - start)))]
    await world.do(_cancel_now, None, subscription.id)
    await world.pass_time(60 * DAY)
    assert sum(amount for _, amount in await world.all(by_month)) == 3100
    assert "deferred_revenue" not in await world.balances()


async def _cancel_now(tx: Any, params: Any, id: str) -> Any:
    from voldaan.commands import subscriptions
    from voldaan.resources.subscriptions import SubscriptionCancel

    return await subscriptions.cancel(tx, SubscriptionCancel(), id)


async def test_customers_keep_their_currency(world: BillingWorld) -> None:
    anna = await world.customer()
    await world.subscribe(anna, await world.price())
    dollars = await world.price(3100, currency="usd")
    with pytest.raises(Refused, match="cannot combine currencies"):
        await world.subscribe(anna, dollars)


async def test_many_at_once_are_written_by_copy(world: BillingWorld) -> None:
    """A hundred rows and more take another road; due work that all of them ask for is there once."""
    anna = await world.customer()
    period = {"start": world.now, "end": world.now + 90 * DAY}
    made = []
    for _ in range(120):
        invoice = await world.do(
            invoice_drafts.create, InvoiceCreate(customer=anna.id, currency="eur", auto_advance=True)
        )
        await item(world, anna, 2000, invoice=invoice.id, period=period)
        made.append(invoice.id)
    world.now += HOUR
    await world.run("invoice.finalize", made, world.now)
    found = await world.invoices()
    assert ({i.status for i in found}, len({i.number for i in found})) == ({"paid"}, 120)
    months = await world.all("select subject from due where account_id = %(account)s and kind = 'revenue.recognise'")
    assert months == [("2026-09",)]
    await world.pass_time(120 * DAY)
    assert "deferred_revenue" not in await world.balances()


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ((500,), [("Work for 500", 500)]),
        ((500, 700), [("Work for 500", 500), ("Work for 700", 700)]),
        ((500, 700, 900, 1100), [("Work for 500", 500), ("Work for 700", 700), ("2 more lines", 2000)]),
    ],
)
async def test_paper_says_how_many_lines_are_not_on_it(
    world: BillingWorld, monkeypatch: pytest.MonkeyPatch, amounts: tuple[int, ...], said: list[tuple[str, int]]
) -> None:
    """And what they come to, so that it adds up."""
    monkeypatch.setattr(papers, "LINES_MAX", 2)
    made = await draft(world, await world.customer(), *amounts)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        assert [(line.description, line.amount) for line in await papers.lines(tx, made)] == said
