"""Billing on a real database: purchase, renewal, changes, failure and recovery, the end; with the books after each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import BillingWorld, shown
from tests.store.payments_world import DAY, HOUR
from tests.store.test_invoices import coupon
from voldaan.commands import invoices, previews, subscription_items, webhook_endpoints
from voldaan.commands import subscriptions as subscription_commands
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import (
    InvoiceCreatePreview,
    InvoicePay,
)
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.subscription_items import SubscriptionItemCreate, SubscriptionItemDelete, SubscriptionItemUpdate
from voldaan.resources.subscriptions import (
    Subscription,
    SubscriptionCancel,
    SubscriptionResume,
    SubscriptionUpdate,
)
from voldaan.resources.webhook_endpoints import WebhookEndpointCreate
from voldaan.rules.decision import Refused

pytestmark = pytest.mark.anyio


async def update(world: BillingWorld, subscription: Subscription, **params: Any) -> Subscription:
    changed = await world.do(subscription_commands.update, SubscriptionUpdate(**params), subscription.id)
    return await world.whole(changed)


async def since(world: BillingWorld, count: int) -> list[str]:
    """Events after the first `count`, without those of the catalogue and of payouts."""
    return [e for e in (await world.events())[count:] if not e.startswith(("balance", "payout", "product", "price", "plan"))]


# Purchase and renewal --------------------------------------------------------------------------------------------------


async def test_a_purchase_and_its_renewal(world: BillingWorld) -> None:
    anna = await world.customer()
    pro = await world.price()
    before = len(await world.events())
    subscription = await world.subscribe(anna, pro)
    assert (subscription.status, subscription.items.data[0].current_period_start) == ("active", world.now)
    assert await since(world, before) == [
        "customer.updated", "customer.subscription.created", "invoice.created", "invoice.finalized",
        "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "invoice_payment.paid", "invoice.paid",
        "invoice.payment_succeeded", "customer.subscription.updated",
    ]  # fmt: skip
    [first] = await world.invoices()
    assert shown(first) == [("1 × Pro (at €31.00 / month)", 3100)]
    assert (first.status, first.number, first.amount_paid) == ("paid", f"{anna.invoice_prefix}-0001", 3100)
    assert (first.attempt_count, first.attempted, first.billing_reason) == (1, True, "subscription_create")
    assert await world.balances() == {"deferred_revenue": -3100, "processor_pending": 3028, "fees": 72}

    await world.pass_time(30 * DAY)  # a month from 21 September is 21 October
    before = len(await world.events())
    drafts = [i for i in await world.invoices() if i.status == "draft"]
    assert [i.automatically_finalizes_at for i in drafts] == [world.now + HOUR]
    renewed = await world.whole(subscription)
    item = renewed.items.data[0]
    assert (item.current_period_start, item.current_period_end) == (world.now, world.now + 31 * DAY)
    await world.pass_time(HOUR)
    assert await since(world, before) == [
        "invoice.finalized", "payment_intent.created", "charge.succeeded", "payment_intent.succeeded",
        "invoice_payment.paid", "invoice.paid", "invoice.payment_succeeded",
    ]  # fmt: skip
    _, second = await world.invoices()
    assert (second.status, second.number, second.billing_reason) == ("paid", f"{anna.invoice_prefix}-0002", "subscription_cycle")
    assert second.starting_balance == second.ending_balance == 0


async def test_a_draft_waits_until_its_webhook_is_received_for_three_days_at_most(world: BillingWorld) -> None:
    anna, lou = await world.customer(), await world.customer()
    pro = await world.price()
    for customer in (anna, lou):
        await world.subscribe(customer, pro)
    params = WebhookEndpointCreate(url="https://example.com/hook", enabled_events=["invoice.created"])
    await world.do(webhook_endpoints.create, params)
    await world.pass_time(31 * DAY + 2 * HOUR)
    drafts = [invoice for invoice in await world.invoices() if invoice.status == "draft"]
    assert len(drafts) == 2
    heard = next(invoice for invoice in drafts if invoice.customer == anna.id)
    await world.change(
        "delete from due where account_id = %(account)s and kind = 'webhook.deliver' and subject like "
        "(select id from each_event where account_id = %(account)s and type = 'invoice.created' and object_id = %(id)s) || ':%%'",
        id=heard.id,
    )
    await world.pass_time(2 * HOUR)
    assert [i.customer for i in await world.invoices() if i.status == "draft"] == [lou.id]
    await world.pass_time(3 * DAY)
    assert [i.status for i in await world.invoices() if i.status == "draft"] == []



async def test_a_renewal_happens_once_however_often_it_is_run(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price())
    world.now = subscription.current_period_end
    for _ in range(2):
        await world.run("subscription.renew", [subscription.id], world.now)
    assert len(await world.invoices(subscription)) == 2


async def test_a_batch_renews_and_is_collected_as_one(world: BillingWorld) -> None:
    pro = await world.price()
    for _ in range(3):
        anna = await world.customer()
        for _ in range(2):
            await world.subscribe(anna, pro)
    ids = [s.id for s in await world.rows(Subscription)]
    world.now += 30 * DAY
    await world.run("subscription.renew", ids, world.now)
    drafts = [i for i in await world.invoices() if i.status == "draft"]
    assert len(drafts) == 6
    world.now += HOUR
    await world.run("invoice.finalize", [i.id for i in drafts], world.now)
    found = await world.invoices()
    assert {i.status for i in found} == {"paid"}
    assert len({i.number for i in found}) == 12


async def test_several_intervals_in_one_subscription(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(), await world.price(30000, "year"))
    [first] = await world.invoices()
    assert first.total == 33100
    await world.pass_time(30 * DAY + HOUR)
    _, second = await world.invoices()
    assert shown(second) == [("1 × Pro (at €31.00 / month)", 3100)]
    ends = [item.current_period_end for item in (await world.whole(subscription)).items.data]
    assert max(ends) - min(ends) > 300 * DAY


# The first payment -----------------------------------------------------------------------------------------------------


async def test_a_first_payment_that_fails_and_is_never_made(world: BillingWorld) -> None:
    anna = await world.customer("pm_card_chargeCustomerFail")
    subscription = await world.subscribe(anna, await world.price())
    [invoice] = await world.invoices()
    assert (subscription.status, invoice.status, invoice.next_payment_attempt) == ("incomplete", "open", None)
    with pytest.raises(Refused, match="incomplete"):
        await update(world, subscription, items=[{"id": subscription.items.data[0].id, "quantity": 2}])
    await world.pass_time(23 * HOUR)
    expired = await world.whole(subscription)
    [invoice] = await world.invoices()
    assert (expired.status, invoice.status) == ("incomplete_expired", "void")
    [intent] = await world.rows(PaymentIntent)
    assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
    assert await world.balances() == {}
    assert await world.all("select 1 from due where account_id = %(account)s and kind like 'subscription.%%'") == []


async def test_a_first_payment_that_waits_for_its_customer(world: BillingWorld) -> None:
    from voldaan.commands import payment_intents
    from voldaan.resources.payment_intents import PaymentIntentConfirm

    anna = await world.customer(None)
    with pytest.raises(Refused, match="no attached payment source"):
        await world.subscribe(anna, await world.price())
    settings = {"save_default_payment_method": "on_subscription"}
    subscription = await world.subscribe(
        anna, await world.price(), payment_behavior="default_incomplete", payment_settings=settings
    )
    assert subscription.status == "incomplete"
    [invoice] = await world.invoices()
    [payment] = await world.rows(InvoicePayment)
    assert invoice.confirmation_secret
    assert (invoice.amount_due, payment.amount_requested, payment.status) == (3100, 3100, "open")
    await world.do(
        payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_visa"), payment.payment_intent
    )
    paid = await world.whole(subscription)
    assert (paid.status, bool(paid.default_payment_method)) == ("active", True)
    [payment] = await world.rows(InvoicePayment)
    assert (payment.status, payment.amount_paid) == ("paid", 3100)


async def test_error_if_incomplete_leaves_nothing_that_lives(world: BillingWorld) -> None:
    anna = await world.customer("pm_card_chargeCustomerFail")
    subscription = await world.subscribe(anna, await world.price(), payment_behavior="error_if_incomplete")
    assert subscription.status == "incomplete_expired"
    [invoice] = await world.invoices()
    assert invoice.status == "void"
    assert await world.balances() == {}


# Trials ----------------------------------------------------------------------------------------------------------------


async def test_a_trial_and_what_follows(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(), trial_period_days=14)
    [nothing] = await world.invoices()
    assert (subscription.status, nothing.status, nothing.total) == ("trialing", "paid", 0)
    assert shown(nothing) == [("Trial period for Pro", 0)]
    assert subscription.billing_cycle_anchor == subscription.trial_end == world.now + 14 * DAY
    await world.pass_time(11 * DAY)
    assert "customer.subscription.trial_will_end" in await world.events()
    await world.pass_time(3 * DAY + HOUR)
    after = await world.whole(subscription)
    _, first = await world.invoices()
    assert (after.status, first.status, first.total, first.billing_reason) == ("active", "paid", 3100, "subscription_cycle")
    assert after.items.data[0].current_period_start == subscription.trial_end


@pytest.mark.parametrize(
    ("behavior", "status", "invoices_made"),
    [("cancel", "canceled", 1), ("pause", "paused", 1), ("create_invoice", "past_due", 2)],
)
async def test_a_trial_that_ends_without_a_method(
    world: BillingWorld, behavior: str, status: str, invoices_made: int
) -> None:
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    subscription = await world.subscribe(
        await world.customer(None), await world.price(), trial_period_days=7, trial_settings=settings
    )
    await world.pass_time(7 * DAY + HOUR)
    assert (await world.whole(subscription)).status == status
    assert len(await world.invoices()) == invoices_made


async def test_a_paused_subscription_resumes(world: BillingWorld) -> None:
    anna = await world.customer(None)
    settings = {"end_behavior": {"missing_payment_method": "pause"}}
    subscription = await world.subscribe(anna, await world.price(), trial_period_days=7, trial_settings=settings)
    await world.pass_time(8 * DAY)
    await world.give_card(anna, "pm_card_visa")
    await world.do(subscription_commands.resume, SubscriptionResume(), subscription.id)
    resumed = await world.whole(subscription)
    _, invoice = await world.invoices()
    assert (resumed.status, resumed.billing_cycle_anchor, invoice.status, invoice.total) == ("active", world.now, "paid", 3100)
    assert "customer.subscription.resumed" in await world.events()


async def test_a_trial_ended_by_hand_is_billed_at_once(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(), trial_period_days=14)
    world.now += DAY
    ended = await update(world, subscription, trial_end="now")
    _, invoice = await world.invoices()
    assert (ended.status, ended.trial_end, invoice.status, invoice.total) == ("active", world.now, "paid", 3100)
    assert ended.items.data[0].current_period_end == world.now + 30 * DAY


# Changes in the middle of a period ---------------------------------------------------------------------------------------


async def test_an_upgrade_waits_for_the_next_invoice_and_the_preview_agrees(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    world.now += 10 * DAY  # 20 of 30 days are left
    asked = InvoiceCreatePreview(
        subscription=subscription.id,
        subscription_details={"items": [{"id": subscription.items.data[0].id, "quantity": 3}]},
    )
    preview = await world.do(previews.create, asked)
    await update(world, subscription, items=[{"id": subscription.items.data[0].id, "quantity": 3}])
    waiting = await world.rows(InvoiceItem)
    assert [(i.amount, i.proration, i.quantity) for i in waiting] == [(-2000, True, 1), (6000, True, 3)]
    [credit] = [i for i in waiting if i.amount < 0]
    [first] = await world.invoices()
    credited = credit.proration_details.credited_items
    assert credited.invoice_line_item_details.invoice_line_items == [first.lines.data[0].id]
    await world.pass_time(20 * DAY + HOUR)
    _, second = await world.invoices()
    assert second.total == 4000 + 9000 == preview.total
    assert shown(second) == shown(preview)
    assert [text for text, _ in shown(second)] == [
        "Remaining time on 3 × Pro after 01 Oct 2026", "Unused time on Pro after 01 Oct 2026", "3 × Pro (at €30.00 / month)",
    ]  # fmt: skip


async def test_a_second_change_gives_back_what_the_first_charged(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    item = subscription.items.data[0].id
    world.now += 10 * DAY
    await update(world, subscription, items=[{"id": item, "quantity": 3}])
    world.now += 10 * DAY
    await update(world, subscription, items=[{"id": item, "quantity": 1}])
    amounts = [i.amount for i in await world.rows(InvoiceItem)]
    assert amounts == [-2000, 6000, -3000, 1000]
    [_, _, credit, _] = await world.rows(InvoiceItem)
    assert credit.proration_details.credited_items.type == "invoice_item"


async def test_an_upgrade_that_is_billed_now_and_a_downgrade_that_becomes_credit(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price(3000))
    item = subscription.items.data[0].id
    world.now += 15 * DAY
    await update(world, subscription, items=[{"id": item, "quantity": 2}], proration_behavior="always_invoice")
    _, now = await world.invoices()
    assert (now.status, now.total, now.billing_reason) == ("paid", 1500, "subscription_update")
    await update(world, subscription, items=[{"id": item, "quantity": 1}], proration_behavior="always_invoice")
    *_, less = await world.invoices()
    assert (less.status, less.total, less.amount_due, less.ending_balance) == ("paid", -1500, 0, -1500)
    assert (await world.see(Customer, anna.id)).balance == -1500
    await world.pass_time(15 * DAY + HOUR)
    *_, renewed = await world.invoices()
    assert (renewed.total, renewed.starting_balance, renewed.ending_balance, renewed.amount_paid) == (3000, -1500, 0, 1500)


async def test_without_proration_the_change_shows_at_renewal(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    world.now += 15 * DAY
    item = subscription.items.data[0].id
    await update(world, subscription, items=[{"id": item, "quantity": 2}], proration_behavior="none")
    assert await world.rows(InvoiceItem) == []
    await world.pass_time(15 * DAY + HOUR)
    _, second = await world.invoices()
    assert second.total == 6000


async def test_another_interval_begins_a_new_period_now(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    yearly = await world.price(30000, "year", name="Pro, a year")
    world.now += 15 * DAY
    item = subscription.items.data[0].id
    changed = await update(world, subscription, items=[{"id": item, "price": yearly.id}])
    _, invoice = await world.invoices()
    assert (invoice.status, invoice.total, changed.billing_cycle_anchor) == ("paid", 28500, world.now)
    assert changed.items.data[0].current_period_end == world.now + 365 * DAY
    assert changed.items.data[0].price.id == yearly.id


async def test_the_anchor_is_set_to_now(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    world.now += 20 * DAY
    changed = await update(world, subscription, billing_cycle_anchor={"type": "now"})
    _, invoice = await world.invoices()
    assert (invoice.total, changed.items.data[0].current_period_start) == (2000, world.now)
    await world.pass_time(31 * DAY + HOUR)
    assert [i.total for i in await world.invoices()] == [3000, 2000, 3000]


async def test_items_come_and_go(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    seat = await world.price(600, name="Seat")
    world.now += 15 * DAY
    added = await world.do(
        subscription_items.create, SubscriptionItemCreate(subscription=subscription.id, price=seat.id, quantity=2)
    )
    assert added.current_period_end == subscription.current_period_end
    assert [i.amount for i in await world.rows(InvoiceItem)] == [600]
    await world.do(subscription_items.update, SubscriptionItemUpdate(quantity=3), added.id)
    assert [i.amount for i in await world.rows(InvoiceItem)] == [600, -600, 900]
    gone = await world.do(subscription_items.delete, SubscriptionItemDelete(), added.id)
    assert gone == {"id": added.id, "object": "subscription_item", "deleted": True}
    assert sum(i.amount for i in await world.rows(InvoiceItem)) == 0
    with pytest.raises(Refused, match="at least one active plan"):
        await world.do(subscription_items.delete, SubscriptionItemDelete(), subscription.items.data[0].id)


async def test_a_stub_until_the_anchor(world: BillingWorld) -> None:
    price = await world.price(3000)
    charged = await world.subscribe(await world.customer(), price, billing_cycle_anchor=world.now + 10 * DAY)
    free = await world.subscribe(
        await world.customer(), price, billing_cycle_anchor=world.now + 10 * DAY, proration_behavior="none"
    )
    [first] = await world.invoices(charged)
    [nothing] = await world.invoices(free)
    assert (first.total, nothing.total, nothing.status) == (1000, 0, "paid")
    assert charged.current_period_end == free.current_period_end == world.now + 10 * DAY


async def test_an_items_coupon_for_one_invoice_waits_for_an_invoice_of_that_item(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(), await world.price(30000, "year"))
    yearly = next(item for item in subscription.items.data if item.price.recurring_interval == "year")
    once = await coupon(world, percent_off="50", duration="once")
    changed = await update(world, subscription, items=[{"id": yearly.id, "discounts": [{"coupon": once}]}])
    [discount] = next(item for item in changed.items.data if item.id == yearly.id).discounts
    await world.pass_time(32 * DAY)
    assert [i.total for i in await world.invoices()][1:] == [3100], "a month of the other item"
    await world.pass_time(335 * DAY)
    [whole] = [i for i in await world.invoices() if i.total_discount_amounts]
    assert (whole.subtotal, whole.total) == (18100, 18100), "a month, and half of a year: its own coupon is in the subtotal"
    assert [(d.amount, d.discount) for d in whole.total_discount_amounts or []] == [(15000, discount)]
    after = await world.whole(subscription)
    assert [item.discounts for item in after.items.data] == [[], []]


# The end ---------------------------------------------------------------------------------------------------------------


async def test_canceled_at_the_end_of_the_period(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price())
    world.now += DAY
    ending = await update(world, subscription, cancel_at_period_end=True)
    assert (ending.cancel_at, ending.canceled_at, ending.status) == (subscription.current_period_end, world.now, "active")
    canceled_at = world.now
    await world.pass_time(31 * DAY)
    over = await world.whole(subscription)
    assert (over.status, over.canceled_at, over.ended_at) == ("canceled", canceled_at, subscription.current_period_end)
    assert len(await world.invoices()) == 1
    assert "customer.subscription.deleted" in await world.events()


async def test_canceled_now_with_what_is_left_given_back(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price(3000))
    world.now += 20 * DAY
    canceled = await world.do(
        subscription_commands.cancel, SubscriptionCancel(prorate=True, invoice_now=True), subscription.id
    )
    assert (canceled.status, canceled.cancellation_details.reason) == ("canceled", "cancellation_requested")
    await world.pass_time(HOUR)
    _, last = await world.invoices()
    assert (last.status, last.total) == ("paid", -1000)
    assert (await world.see(Customer, anna.id)).balance == -1000


async def test_an_end_inside_the_period_shortens_it(world: BillingWorld) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price(3000))
    changed = await update(world, subscription, cancel_at=world.now + 10 * DAY)
    assert changed.items.data[0].current_period_end == world.now + 10 * DAY
    assert [i.amount for i in await world.rows(InvoiceItem)] == [-2000]
    back = await update(world, changed, cancel_at="")
    assert back.items.data[0].current_period_end == subscription.current_period_end
    assert sum(i.amount for i in await world.rows(InvoiceItem)) == 0
    await update(world, back, cancel_at=world.now + 10 * DAY)
    await world.pass_time(10 * DAY + 2 * HOUR)
    assert (await world.whole(subscription)).status == "canceled"


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")]
)
async def test_collection_is_paused(world: BillingWorld, behavior: str, status: str) -> None:
    subscription = await world.subscribe(await world.customer(), await world.price())
    resumes = subscription.current_period_end + 5 * DAY
    paused = await update(world, subscription, pause_collection={"behavior": behavior, "resumes_at": resumes})
    assert paused.status == "active"
    await world.pass_time(31 * DAY)
    _, second = await world.invoices()
    assert second.status == status
    await world.pass_time(5 * DAY)
    assert (await world.whole(subscription)).pause_collection is None
    await world.pass_time(31 * DAY)
    assert (await world.invoices())[-1].status == "paid"


# Failure and recovery ----------------------------------------------------------------------------------------------------


async def test_a_renewal_fails_and_recovers(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price())
    await world.give_card(anna, "pm_card_chargeCustomerFail")
    await world.pass_time(30 * DAY)
    before = len(await world.events())
    await world.pass_time(HOUR)
    assert await since(world, before) == [
        "invoice.finalized", "payment_intent.created", "charge.failed", "payment_intent.payment_failed",
        "invoice.payment_failed", "invoice.updated", "customer.updated", "customer.subscription.updated",
    ]  # fmt: skip
    _, second = await world.invoices()
    assert (second.status, second.attempt_count, second.next_payment_attempt) == ("open", 1, world.now + DAY)
    assert (await world.whole(subscription)).status == "past_due"
    assert (await world.see(Customer, anna.id)).delinquent
    await world.give_card(anna, "pm_card_visa")
    await world.pass_time(DAY)
    _, second = await world.invoices()
    assert (second.status, second.attempt_count) == ("paid", 2)
    assert (await world.whole(subscription)).status == "active"
    assert not (await world.see(Customer, anna.id)).delinquent


@pytest.mark.parametrize(("action", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")])
async def test_the_last_try_fails(world: BillingWorld, action: str, status: str) -> None:
    from msgspec.structs import replace

    settings = replace(world.account.settings_billing, retry_offsets=[DAY, 3 * DAY], retry_final_action=action)
    world.account.settings_billing = settings
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price())
    await world.give_card(anna, "pm_card_chargeCustomerFail")
    await world.pass_time(30 * DAY + HOUR + 4 * DAY)
    _, second = await world.invoices()
    assert (second.status, second.attempt_count, second.next_payment_attempt) == ("open", 3, None)
    after = await world.whole(subscription)
    assert after.status == status
    await world.pass_time(31 * DAY)
    found = await world.invoices()
    if action == "unpaid":
        assert [i.status for i in found] == ["paid", "open", "draft"]
        paid = await world.do(invoices.pay, InvoicePay(payment_method=await attached(world, anna)), second.id)
        assert (paid.status, (await world.whole(subscription)).status) == ("paid", "active")
    if action == "cancel":
        assert after.cancellation_details.reason == "payment_failed"
        assert len(found) == 2


async def attached(world: BillingWorld, customer: Customer) -> str:
    from voldaan.commands import payment_methods
    from voldaan.resources.payment_methods import PaymentMethodAttach

    method = await world.do(payment_methods.attach, PaymentMethodAttach(customer=customer.id), "pm_card_visa")
    return str(method.id)


async def test_an_invoice_that_is_sent_and_paid_late(world: BillingWorld) -> None:
    anna = await world.customer(None)
    subscription = await world.subscribe(
        anna, await world.price(), collection_method="send_invoice", days_until_due=14
    )
    assert subscription.status == "active"
    await world.pass_time(HOUR)
    [invoice] = await world.invoices()
    assert (invoice.status, invoice.due_date) == ("open", world.now + 14 * DAY)
    assert "invoice.sent" in await world.events()
    await world.pass_time(14 * DAY)
    assert (await world.whole(subscription)).status == "past_due"
    assert "invoice.overdue" in await world.events()
    paid = await world.do(invoices.pay, InvoicePay(paid_out_of_band=True), invoice.id)
    assert (paid.status, paid.amount_paid, paid.amount_paid_off_stripe) == ("paid", 3100, 3100)
    assert (await world.whole(subscription)).status == "active"
    balances = await world.balances()
    assert (balances["external_cash"], balances["deferred_revenue"] + balances.get("revenue", 0)) == (3100, -3100)


# Pausing ---------------------------------------------------------------------------------------------------------------


async def test_a_subscription_is_paused_and_resumed(world: BillingWorld) -> None:
    from voldaan.resources.subscriptions import SubscriptionPause

    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price(3000))
    world.now += 10 * DAY
    await world.do(subscription_commands.pause, SubscriptionPause(invoicing_behavior="invoice"), subscription.id)
    paused = await world.whole(subscription)
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    _, back = await world.invoices()
    assert (back.total, (await world.see(Customer, anna.id)).balance) == (-2000, -2000)
    await world.pass_time(60 * DAY)
    assert len(await world.invoices()) == 2
    params = SubscriptionResume(payment_behavior="resume_on_payment_success")
    await world.do(subscription_commands.resume, params, subscription.id)
    resumed = await world.whole(subscription)
    *_, last = await world.invoices()
    assert (resumed.status, last.total, last.amount_paid) == ("active", 3000, 1000)
    assert resumed.items.data[0].current_period_start == world.now


async def test_resuming_waits_for_the_payment_if_asked_to(world: BillingWorld) -> None:
    from voldaan.resources.subscriptions import SubscriptionPause

    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price(3000))
    nothing_back = {"unused_time_from": {"type": "none"}}
    await world.do(subscription_commands.pause, SubscriptionPause(bill_for=nothing_back), subscription.id)
    assert await world.rows(InvoiceItem) == []
    await world.give_card(anna, "pm_card_chargeCustomerFail")
    params = SubscriptionResume(payment_behavior="resume_on_payment_success")
    await world.do(subscription_commands.resume, params, subscription.id)
    assert (await world.whole(subscription)).status == "paused"
    *_, last = await world.invoices()
    with pytest.raises(Refused, match=last.id):  # it would be billed a second time
        await world.do(subscription_commands.resume, params, subscription.id)
    assert (await world.invoices())[-1].id == last.id
    await world.do(invoices.pay, InvoicePay(payment_method=await attached(world, anna)), last.id)
    assert (await world.whole(subscription)).status == "active"


async def test_amounts_stay_within_what_the_currency_takes(world: BillingWorld) -> None:
    price = await world.price(3000)
    with pytest.raises(Refused, match="Amount must be no more than"):
        await world.subscribe(await world.customer(), {"price": price.id, "quantity": 100_000})
    with pytest.raises(Refused, match="five years"):
        await world.subscribe(await world.customer(), price, trial_end=world.now + 3000 * DAY)


async def test_a_fixed_discount_is_prorated_with_the_price(world: BillingWorld) -> None:
    from voldaan.commands import coupons
    from voldaan.resources.coupons import CouponCreate

    made = await world.do(coupons.create, CouponCreate(amount_off=1000, currency="eur", duration="forever"))
    subscription = await world.subscribe(
        await world.customer(), await world.price(3000), discounts=[{"coupon": made.id}]
    )
    world.now += 15 * DAY
    item = subscription.items.data[0].id
    await update(world, subscription, items=[{"id": item, "quantity": 2}], proration_behavior="always_invoice")
    assert [i.total for i in await world.invoices()] == [2000, 1500]  # (60 - 10) / 2 less (30 - 10) / 2
