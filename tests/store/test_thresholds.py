"""Billing thresholds on a real database: noticed as usage comes in, billed once however often they are looked at."""

from __future__ import annotations

import anyio
import pytest

from tests.store.billing_world import GRADUATED, BillingWorld, shown
from tests.store.blocking import waits_for
from tests.store.payments_world import DAY, HOUR
from voldaan.commands import explanations, subscription_items, subscription_schedules, thresholds
from voldaan.commands import invoices as invoice_commands
from voldaan.commands import subscriptions as subscription_commands
from voldaan.resources.invoice_params import InvoiceFinalize
from voldaan.resources.invoices import Invoice
from voldaan.resources.params import Params
from voldaan.resources.schedule_params import SubscriptionScheduleCreate
from voldaan.resources.subscription_items import SubscriptionItemUpdate
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription, SubscriptionCancel, SubscriptionUpdate
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.store.ids import new_id
from voldaan.store.transaction import transaction

pytestmark = pytest.mark.anyio
TEN = {"amount_gte": 1000}


async def amounts(world: BillingWorld, subscription: Subscription) -> list[list[int]]:
    return [[line.amount for line in invoice.lines.data] for invoice in await world.invoices(subscription)]


async def test_each_crossing_is_billed_once_and_explains_itself(world: BillingWorld) -> None:
    anna = await world.customer()
    calls = await world.metered(tiers=GRADUATED, tiers_mode="graduated", billing_scheme="tiered")
    subscription = await world.subscribe(anna, calls, billing_thresholds=TEN)
    for value in (60, 30, 20, 5, 200, 30):
        await world.used(anna, value)
        await world.pass_time(2 * HOUR)
    # 110 calls are 10.50; 205 more at 0.05 are 10.25
    assert await amounts(world, subscription) == [[1050], [1025]]
    first, _ = await world.invoices(subscription)
    assert (first.billing_reason, first.threshold_reason.amount_gte, first.status) == ("subscription_threshold", 1000, "paid")
    assert [line.amount for line in (await world.preview(subscription)).lines.data] == [150]
    await world.pass_time(31 * DAY)
    every = await world.invoices(subscription)
    assert await amounts(world, subscription) == [[1050], [1025], [150]]
    assert sum(invoice.total for invoice in every) == 1000 + 245 * 5
    for invoice in every:
        explained = await world.do(explanations.of_invoice, Params(), invoice.id)
        assert explained.holds, explained.equations
    assert shown(every[2])[0][0].startswith("30 × Calls")
    assert "reported after" not in shown(every[2])[0][0]


async def test_two_that_look_at_once_bill_once(world: BillingWorld) -> None:
    """Forced: the second begins while the first has counted and not committed; it waits, and finds it billed."""
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_thresholds=TEN)
    await world.used(anna, 150)
    done: list[str] = []

    async def second() -> None:
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await thresholds.evaluate(tx, [f"{subscription.id}:2"])
        done.append("second")

    async with anyio.create_task_group() as group, transaction(world.pool, world.account, world.now, world.now) as tx:
        await thresholds.evaluate(tx, [f"{subscription.id}:1"])
        group.start_soon(second)
        await waits_for(world.pool, tx)
        done.append("first")
    assert done == ["first", "second"]
    assert await amounts(world, subscription) == [[1500]]


async def test_usage_that_is_committed_after_it_was_counted_is_looked_at_again(world: BillingWorld) -> None:
    """Forced: two events reach it together; each is noticed by due work of its own."""
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_thresholds=TEN)
    await world.pass_time(1)
    await world.used(anna, 60)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await world.used(anna, 60)  # committed
        [first, _] = await tx.all(
            "select subject from due where account_id = %(account)s and kind = 'subscription.threshold' order by subject"
        )
        assert first[0].startswith(f"{subscription.id}:")
    await world.pass_time(1)
    assert await amounts(world, subscription) == [[1200]]


async def test_units_of_an_item_and_a_threshold_that_is_reached_already(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered())
    await world.used(anna, 70)
    await world.pass_time(1)
    assert await amounts(world, subscription) == []
    [item] = subscription.items.data
    changed = await world.do(
        subscription_items.update, SubscriptionItemUpdate(billing_thresholds={"usage_gte": 50}), item.id
    )
    assert changed.billing_thresholds.usage_gte == 50
    await world.pass_time(1)
    [invoice] = await world.invoices(subscription)
    [line] = invoice.lines.data
    assert [(r.line_item_ids, r.usage_gte) for r in invoice.threshold_reason.item_reasons] == [([line.id], 50)]
    await world.do(subscription_items.update, SubscriptionItemUpdate(billing_thresholds=""), item.id)
    await world.used(anna, 70)
    await world.pass_time(1)
    assert await amounts(world, subscription) == [[700]]


async def test_a_draft_of_a_threshold_is_not_counted_anew(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_thresholds=TEN)
    await world.used(anna, 100)
    await world.pass_time(60)
    await world.used(anna, 120)
    await world.pass_time(60)
    first, second = await world.invoices(subscription)
    for draft in (second, first):
        assert draft.status == "draft"
        await world.do(invoice_commands.finalize, InvoiceFinalize(), draft.id)
    assert await amounts(world, subscription) == [[1000], [1200]]
    await world.pass_time(31 * DAY)
    assert await amounts(world, subscription) == [[1000], [1200], [0]]


@pytest.mark.parametrize("how", ["price", "cancel", "cancel_and_bill"])
async def test_what_ends_a_period_bills_the_rest_of_it(world: BillingWorld, how: str) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_thresholds=TEN)
    await world.used(anna, 100)
    await world.pass_time(DAY)
    await world.used(anna, 30)
    await world.pass_time(DAY)
    [item] = subscription.items.data
    if how == "price":
        dear = await world.metered(20)
        update = SubscriptionUpdate(items=[{"id": item.id, "price": dear.id}], proration_behavior="always_invoice")
        await world.do(subscription_commands.update, update, subscription.id)
    else:
        await world.do(subscription_commands.cancel, SubscriptionCancel(invoice_now=how == "cancel_and_bill"), subscription.id)
    ended = world.now
    await world.pass_time(2 * HOUR)
    assert await amounts(world, subscription) == ([[1000]] if how == "cancel" else [[1000], [300]])
    [period] = await world.rows(UsagePeriod)
    assert (period.period_end, period.open) == (ended, how != "cancel")
    await world.used(anna, 7, ago=DAY)  # before the end: late, or forgotten as the rest was
    await world.pass_time(40 * DAY)
    rest = (await amounts(world, subscription))[1 if how == "cancel" else 2 :]
    assert sum(sum(each) for each in rest) == (0 if how == "cancel" else 70)


async def test_a_batch_takes_as_many_queries_as_one(world: BillingWorld, asked: list[str]) -> None:
    calls, seat = await world.metered(), await world.price(3000)
    tallies = []
    for many in (2, 8):  # of both kinds
        subjects = []
        for _ in range(many):
            anna = await world.customer()
            subscription = await world.subscribe(
                anna, calls, seat, billing_thresholds={**TEN, "reset_billing_cycle_anchor": len(subjects) % 2 == 0}
            )
            await world.used(anna, 150, ago=-1)
            subjects.append(f"{subscription.id}:{new_id('e')}")
        world.now += DAY
        asked.clear()
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await thresholds.evaluate(tx, subjects)
        tallies.append(len(asked))
        for subject in subjects:
            id = subject.partition(":")[0]
            [_, billed] = await world.rows(Invoice, "t.subscription_id = %(id)s", id=id)
            assert billed.billing_reason == "subscription_threshold"
    assert tallies[0] == tallies[1], tallies


async def test_thresholds_of_phases(world: BillingWorld) -> None:
    """The first phase bills at ten euros, or fifty units; the second at nothing; what is changed directly is in the phase."""
    anna, calls = await world.customer(), await world.metered()
    month = {"duration": {"interval": "month", "interval_count": 1}}
    first = {"items": [{"price": calls.id, "billing_thresholds": {"usage_gte": 50}}], "billing_thresholds": TEN, **month}
    params = {"customer": anna.id, "start_date": "now", "phases": [first, {"items": [{"price": calls.id}], **month}]}
    schedule = await world.do(subscription_schedules.create, SubscriptionScheduleCreate.model_validate(params))
    assert schedule.phases[0].billing_thresholds.amount_gte == 1000
    [subscription] = await world.rows(Subscription)
    await world.used(anna, 60)
    await world.pass_time(DAY)
    assert await amounts(world, subscription) == [[600]]
    subscription = await world.whole(subscription)
    [item] = subscription.items.data
    await world.do(subscription_items.update, SubscriptionItemUpdate(billing_thresholds={"usage_gte": 70}), item.id)
    [kept] = await world.rows(SubscriptionSchedule)
    assert (kept.phases[0].items[0].billing_thresholds.usage_gte, kept.phases[1].items[0].billing_thresholds) == (70, None)
    await world.used(anna, 60)
    await world.pass_time(31 * DAY)
    assert await amounts(world, subscription) == [[600], [600]]
    later = await world.whole(subscription)
    assert (later.billing_thresholds, later.items.data[0].billing_thresholds, later.has_thresholds) == (None, None, False)
    await world.used(anna, 600)
    await world.pass_time(DAY)
    assert len(await world.invoices(subscription)) == 2


async def test_a_subscription_with_thresholds_that_a_schedule_takes_over(world: BillingWorld) -> None:
    anna = await world.customer()
    calls = await world.metered()
    subscription = await world.subscribe(
        anna, {"price": calls.id, "billing_thresholds": {"usage_gte": 50}}, billing_thresholds=TEN
    )
    made = await world.do(
        subscription_schedules.create, SubscriptionScheduleCreate.model_validate({"from_subscription": subscription.id})
    )
    assert made.default_settings.billing_thresholds.amount_gte == 1000
    assert made.phases[0].items[0].billing_thresholds.usage_gte == 50
