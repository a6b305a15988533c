"""Usage in the corners: what waits as an invoice item, what is late when nobody pays, and previews of nothing but usage."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.store.billing_world import BillingWorld, shown
from tests.store.payments_world import DAY, HOUR
from voldaan.commands import explanations, invoice_items, previews
from voldaan.commands import subscriptions as subscription_commands
from voldaan.resources.invoice_items import InvoiceItem, InvoiceItemUpdate
from voldaan.resources.invoice_params import InvoiceCreatePreview
from voldaan.resources.params import Params
from voldaan.resources.subscriptions import Subscription, SubscriptionCancel, SubscriptionUpdate
from voldaan.resources.usage_periods import UsagePeriod

pytestmark = pytest.mark.anyio


async def dearer(world: BillingWorld, used: float) -> tuple[Any, Subscription]:
    """A customer whose price changes after so much usage, which then waits as an invoice item."""
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(10))
    await world.used(anna, used)
    await world.pass_time(10 * DAY)
    item = subscription.items.data[0].id
    change = SubscriptionUpdate(items=[{"id": item, "price": (await world.metered(20)).id}])
    await world.do(subscription_commands.update, change, subscription.id)
    return anna, subscription


async def test_what_waits_is_counted_anew_with_its_draft_and_earned_at_once(world: BillingWorld) -> None:
    anna, subscription = await dearer(world, 100)
    await world.pass_time(20 * DAY + 60)
    [draft] = await world.invoices(subscription)
    assert (draft.status, sorted(amount for _, amount in shown(draft))) == ("draft", [0, 1000])
    await world.used(anna, 30, ago=25 * DAY)
    await world.pass_time(2 * HOUR)
    [invoice] = await world.invoices(subscription)
    assert (invoice.status, sorted(amount for _, amount in shown(invoice))) == ("paid", [0, 1300])
    [item] = await world.rows(InvoiceItem)
    assert (item.amount, item.quantity) == (1300, 130)
    assert (await world.balances())["revenue"] == -1300
    explained = await world.do(explanations.of_invoice, Params(), invoice.id)
    assert explained.holds, explained.equations


async def test_what_is_late_for_what_waits_is_billed_once(world: BillingWorld) -> None:
    """The renewal bills the item as it waits and the rest as late; the draft counts only the last of the two anew."""
    anna, subscription = await dearer(world, 100)
    await world.used(anna, 30, ago=5 * DAY)
    await world.pass_time(20 * DAY + 60)
    await world.used(anna, 7, ago=25 * DAY)
    await world.pass_time(2 * HOUR)
    [invoice] = await world.invoices(subscription)
    assert sorted(amount for _, amount in shown(invoice)) == [0, 370, 1000]
    period = next(p for p in await world.rows(UsagePeriod) if p.amount)
    assert (period.quantity, period.amount) == (137, 1370)


async def test_what_somebody_says_of_an_item_stands(world: BillingWorld) -> None:
    anna, subscription = await dearer(world, 100)
    [item] = await world.rows(InvoiceItem)
    await world.do(invoice_items.update, InvoiceItemUpdate(amount=500), item.id)
    await world.pass_time(20 * DAY + 60)
    await world.used(anna, 30, ago=25 * DAY)
    await world.pass_time(2 * HOUR)
    [invoice] = await world.invoices(subscription)
    assert sorted(amount for _, amount in shown(invoice)) == [0, 500]
    await world.pass_time(31 * DAY)
    assert sorted(amount for _, amount in shown((await world.invoices(subscription))[-1])) == [0, 300]


@pytest.mark.parametrize("more", [30, -30])
async def test_who_did_not_pay_only_gets_back(world: BillingWorld, more: int) -> None:
    world.account.settings_billing = replace(
        world.account.settings_billing, retry_offsets=[DAY], retry_final_action="cancel"
    )
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_thresholds={"amount_gte": 5000})
    await world.used(anna, 100)
    await world.give_card(anna, "pm_card_chargeCustomerFail")
    await world.pass_time(30 * DAY + HOUR + 2 * DAY)
    ended = await world.whole(subscription)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    await world.used(anna, more, ago=10 * DAY)
    await world.pass_time(40 * DAY)
    totals = [invoice.total for invoice in await world.invoices(subscription)]
    assert totals == ([1000] if more > 0 else [1000, -300])
    assert not any(period.open for period in await world.rows(UsagePeriod))


async def test_a_threshold_that_is_not_paid_ends_the_period_with_the_subscription(world: BillingWorld) -> None:
    """What is used after the last threshold is not asked for, and what is used after the end is nobody's."""
    world.account.settings_billing = replace(
        world.account.settings_billing, retry_offsets=[DAY], retry_final_action="cancel"
    )
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_thresholds={"amount_gte": 1000})
    await world.give_card(anna, "pm_card_chargeCustomerFail")
    await world.used(anna, 100)
    await world.pass_time(HOUR)
    await world.used(anna, 20)
    await world.pass_time(2 * DAY)
    ended = await world.whole(subscription)
    assert ended.status == "canceled"
    await world.used(anna, 500)
    await world.used(anna, -40, ago=2 * DAY)
    await world.pass_time(40 * DAY)
    assert [invoice.total for invoice in await world.invoices(subscription)] == [1000, -200]
    [period] = await world.rows(UsagePeriod)
    assert (period.period_end, period.quantity, period.open) == (ended.ended_at, 80, False)


async def test_a_preview_of_nothing_but_usage_is_an_invoice_of_nothing(world: BillingWorld) -> None:
    anna, calls = await world.customer(), await world.metered()
    params = {"customer": anna.id, "subscription_details": {"items": [{"price": calls.id}]}}
    made = await world.do(previews.create, InvoiceCreatePreview.model_validate(params))
    assert (made.total, made.lines.data, made.billing_reason) == (0, [], "subscription_create")
    classic = {**params["subscription_details"], "billing_mode": {"type": "classic"}}
    told = await world.do(
        previews.create, InvoiceCreatePreview.model_validate({"customer": anna.id, "subscription_details": classic})
    )
    assert [amount for _, amount in shown(told)] == [0]


async def test_clear_usage_clears_nothing_of_a_meter(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), await world.price(3000))
    await world.used(anna, 100)
    await world.pass_time(DAY)
    [item] = [i for i in subscription.items.data if i.price.recurring.usage_type == "metered"]
    gone = {"id": item.id, "deleted": True, "clear_usage": True}
    await world.do(subscription_commands.update, SubscriptionUpdate(items=[gone]), subscription.id)
    [waits] = await world.rows(InvoiceItem)
    assert waits.amount == 1000
    await world.do(subscription_commands.cancel, SubscriptionCancel(), subscription.id)
