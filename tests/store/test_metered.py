"""Metered prices on a real database: events become lines, late ones the difference; a draft counts until it is finalized."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import GRADUATED, BillingWorld, shown
from tests.store.payments_world import DAY, HOUR
from tests.store.test_invoices import rate
from voldaan.commands import alerts, current_usage, explanations, meters, subscription_schedules, usage
from voldaan.commands import invoices as invoice_commands
from voldaan.commands import subscriptions as subscription_commands
from voldaan.resources.alerts import Alert, AlertChange, AlertCreate, AlertTriggered
from voldaan.resources.invoice_params import InvoiceFinalize
from voldaan.resources.invoices import Invoice
from voldaan.resources.meters import MeterPolicyUpdate
from voldaan.resources.params import Params
from voldaan.resources.schedule_params import SubscriptionScheduleCreate
from voldaan.resources.subscriptions import (
    Subscription,
    SubscriptionCancel,
    SubscriptionPause,
    SubscriptionResume,
    SubscriptionUpdate,
)
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Transaction, transaction
from voldaan.work.due import claim, done, subjects_of

pytestmark = pytest.mark.anyio


async def test_usage_is_billed_when_its_period_is_over(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), await world.price(3000, name="Pro"))
    [first] = await world.invoices(subscription)
    assert shown(first) == [("1 × Pro (at €30.00 / month)", 3000)]
    assert subscription.items.data[0].quantity is not None
    began = world.now
    await world.pass_time(3 * DAY)
    await world.used(anna, "12.5")
    await world.used(anna, 30)
    expected = await world.preview(subscription)
    assert shown(expected) == [("1 × Pro (at €30.00 / month)", 3000), ("42.5 × Calls (at €0.10 / month)", 425)]

    await world.pass_time(27 * DAY + 2 * HOUR)
    second = (await world.invoices(subscription))[-1]
    assert (second.status, second.amount_paid, shown(second)) == ("paid", 3425, shown(expected))
    usage = second.lines.data[1]
    assert (usage.period_start, usage.period_end) == (began, second.lines.data[0].period_start)
    assert str(usage.quantity_decimal) == "42.5"
    assert (await world.balances())["revenue"] == -(941 + 425)  # nine days of September of Pro, and all that was used


async def test_nothing_but_usage_makes_no_first_invoice(world: BillingWorld) -> None:
    anna = await world.customer(card=None)
    subscription = await world.subscribe(anna, await world.metered())
    assert (subscription.status, subscription.latest_invoice) == ("active", None)
    assert await world.invoices(subscription) == []


async def test_classic_billing_announces_usage_with_a_line_of_zero(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), billing_mode={"type": "classic"})
    [first] = await world.invoices(subscription)
    assert (first.status, shown(first)) == ("paid", [("0 × Calls (at €0.10 / month)", 0)])


async def test_a_quantity_is_refused(world: BillingWorld) -> None:
    anna, calls = await world.customer(), await world.metered()
    with pytest.raises(Refused) as caught:
        await world.subscribe(anna, {"price": calls.id, "quantity": 2})
    assert caught.value.refusal.param == "items[0][quantity]"


async def test_a_draft_counts_until_it_is_finalized_and_what_is_later_comes_next(world: BillingWorld) -> None:
    anna = await world.customer()
    tiers = await world.metered(tiers=GRADUATED, tiers_mode="graduated", billing_scheme="tiered")
    subscription = await world.subscribe(anna, tiers)
    await world.used(anna, 90)
    await world.pass_time(30 * DAY + 60)
    [draft] = await world.invoices(subscription)
    assert (draft.status, shown(draft)) == ("draft", [("90 × Calls", 900)])

    await world.used(anna, 30, ago=DAY)
    await world.do(invoice_commands.finalize, InvoiceFinalize(), draft.id)
    [first] = await world.invoices(subscription)
    assert (first.status, first.total, shown(first)) == ("paid", 1100, [("120 × Calls", 1100)])
    assert [(str(t.quantity), t.amount) for t in first.lines.data[0].usage.tiers] == [("100", 1000), ("20", 100)]

    await world.used(anna, 40, ago=DAY)
    await world.used(anna, 5)
    await world.pass_time(31 * DAY)
    second = (await world.invoices(subscription))[-1]
    assert shown(second) == [("5 × Calls", 50), ("40 × Calls, reported after 21 Oct 2026", 200)]
    await world.pass_time(31 * DAY)
    assert shown((await world.invoices(subscription))[-1]) == [("0 × Calls", 0)]


async def test_a_correction_after_the_bill_is_given_back(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered())
    await world.used(anna, 100)
    await world.pass_time(30 * DAY + 2 * HOUR)
    await world.used(anna, -30, ago=DAY)
    await world.used(anna, 50)
    await world.pass_time(31 * DAY)
    second = (await world.invoices(subscription))[-1]
    assert [amount for _, amount in shown(second)] == [500, -300]


async def test_another_price_bills_what_was_used_before(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(10))
    other = await world.metered(20)
    await world.used(anna, 100)
    await world.pass_time(10 * DAY)
    item = subscription.items.data[0].id
    await world.do(
        subscription_commands.update, SubscriptionUpdate(items=[{"id": item, "price": other.id}]), subscription.id
    )
    await world.used(anna, 7)
    await world.pass_time(21 * DAY)
    [invoice] = await world.invoices(subscription)
    assert sorted(amount for _, amount in shown(invoice)) == [140, 1000]


async def test_canceled_now_usage_is_billed_if_asked_for(world: BillingWorld) -> None:
    anna, calls = await world.customer(), await world.metered()
    quiet, told = await world.subscribe(anna, calls), await world.subscribe(anna, calls)
    await world.used(anna, 100, ago=0)
    await world.pass_time(DAY)
    await world.do(subscription_commands.cancel, SubscriptionCancel(), quiet.id)
    await world.do(subscription_commands.cancel, SubscriptionCancel(invoice_now=True), told.id)
    await world.used(anna, 10, ago=HOUR)
    await world.pass_time(2 * HOUR)
    assert await world.invoices(quiet) == []
    [last] = await world.invoices(told)
    assert (last.status, last.total) == ("paid", 1100)
    await world.used(anna, 90, ago=DAY)
    await world.pass_time(40 * DAY)
    assert [i.total for i in await world.invoices(told)] == [1100, 900]


async def test_the_end_of_the_period_bills_its_usage(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), cancel_at_period_end=True)
    await world.used(anna, 100)
    await world.pass_time(31 * DAY)
    [last] = await world.invoices(subscription)
    assert (last.status, last.total) == ("paid", 1000)


async def test_a_trial_is_free(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(), trial_period_days=10)
    await world.used(anna, 100)
    await world.pass_time(11 * DAY)
    assert await world.invoices(subscription) == []
    await world.used(anna, 3)
    await world.pass_time(31 * DAY)
    assert [i.total for i in await world.invoices(subscription)] == [30]


async def test_paused_and_resumed(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered())
    await world.used(anna, 100)
    await world.pass_time(DAY)
    await world.do(subscription_commands.pause, SubscriptionPause(invoicing_behavior="invoice"), subscription.id)
    assert [i.total for i in await world.invoices(subscription)] == [1000]
    await world.used(anna, 500)
    await world.pass_time(DAY)
    await world.do(subscription_commands.resume, SubscriptionResume(), subscription.id)
    assert (await world.whole(subscription)).status == "active"
    await world.used(anna, 5)
    await world.pass_time(31 * DAY)
    assert [i.total for i in await world.invoices(subscription)] == [1000, 50]


async def test_a_yearly_plan_with_monthly_usage(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.price(36000, "year", name="Plan"), await world.metered())
    for month in range(3):
        await world.used(anna, 100 + month)
        await world.pass_time(31 * DAY)
    assert [shown(i) for i in await world.invoices(subscription)] == [
        [("1 × Plan (at €360.00 / year)", 36000)],
        [("100 × Calls (at €0.10 / month)", 1000)],
        [("101 × Calls (at €0.10 / month)", 1010)],
        [("102 × Calls (at €0.10 / month)", 1020)],
    ]


async def test_a_batch_of_renewals_takes_as_many_queries_as_one(world: BillingWorld, asked: list[str]) -> None:
    calls, pro = await world.metered(), await world.price(3000)
    tallies = []
    for many in (1, 12):
        subscriptions = []
        for _ in range(many):
            anna = await world.customer()
            subscriptions.append(await world.subscribe(anna, calls, pro))
            await world.used(anna, 5)
        world.now += 31 * DAY
        due = subscriptions[0].items.data[0].current_period_end
        asked.clear()
        await world.run("subscription.renew", [s.id for s in subscriptions], due)
        tallies.append(len(asked))
        for each in subscriptions:
            assert (await world.invoices(each))[-1].total == 3050
    assert tallies[0] == tallies[1]


async def test_the_policy_of_a_meter_decides_over_late_usage(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered())
    await world.used(anna, 100)
    await world.pass_time(30 * DAY + 2 * HOUR)
    await world.do(meters.set_policy, MeterPolicyUpdate(late_events="credit"), (await world.meter()).id)
    await world.used(anna, 30, ago=DAY)
    await world.pass_time(31 * DAY)
    assert [amount for _, amount in shown((await world.invoices(subscription))[-1])] == [0]


async def test_late_usage_is_taxed_as_it_would_have_been_in_time(world: BillingWorld) -> None:
    """Whatever rates its item has by now."""
    anna, old, new = await world.customer(), await rate(world, "20"), await rate(world, "5")
    subscription = await world.subscribe(anna, {"price": (await world.metered()).id, "tax_rates": [old]})
    await world.used(anna, 100)
    await world.pass_time(30 * DAY + 2 * HOUR)
    asked = SubscriptionUpdate(items=[{"id": subscription.items.data[0].id, "tax_rates": [new]}])
    await world.do(subscription_commands.update, asked, subscription.id)
    await world.used(anna, 30, ago=DAY)
    expected = await world.preview(subscription)
    await world.pass_time(31 * DAY)
    last = (await world.invoices(subscription))[-1]
    assert sorted((line.amount, line.tax) for line in last.lines.data) == [(0, 0), (300, 60)]
    assert (expected.total, last.total) == (360, 360)


async def test_what_is_used_and_what_it_costs_so_far(world: BillingWorld) -> None:
    anna = await world.customer()
    tiers = await world.metered(tiers=GRADUATED, tiers_mode="graduated", billing_scheme="tiered")
    subscription = await world.subscribe(anna, tiers)
    await world.used(anna, "120.5")
    found = (await world.do(current_usage.of_customer, Params(), anna.id))["data"]
    assert [(entry["quantity"], entry["amount"], entry["late"]) for entry in found] == [("120.5", 1103, False)]
    expected = await world.preview(subscription)
    assert [(t["quantity"], t["amount"]) for t in found[0]["tiers"]] == [("100", 1000), ("20.5", 103)]
    assert expected.total == 1103


async def test_every_line_of_usage_explains_itself(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(tiers=GRADUATED, tiers_mode="volume", billing_scheme="tiered"))
    await world.used(anna, 90)
    await world.pass_time(30 * DAY + 2 * HOUR)
    await world.used(anna, 30, ago=DAY)
    await world.pass_time(31 * DAY)
    for invoice in await world.invoices(subscription):
        explained = await world.do(explanations.of_invoice, Params(), invoice.id)
        assert explained.holds, explained.equations
    late = next(line for line in explained.lines if line.usage and line.usage.billed_before is not None)
    assert (str(late.usage.billed_before), str(late.usage.quantity), late.amount) == ("90", "120", 600 - 900)


# Alerts ----------------------------------------------------------------------------------------------------------------


async def alert(world: BillingWorld, gte: int, customer: Any = None) -> Alert:
    threshold: dict[str, Any] = {"gte": gte, "meter": (await world.meter()).id, "recurrence": "one_time"}
    if customer is not None:
        threshold["filters"] = [{"type": "customer", "customer": customer.id}]
    params = {"alert_type": "usage_threshold", "title": "Many calls", "usage_threshold": threshold}
    made: Alert = await world.do(alerts.create, AlertCreate.model_validate(params))
    return made


async def told(world: BillingWorld) -> list[AlertTriggered]:
    found: list[AlertTriggered] = await world.rows(AlertTriggered)
    assert (await world.events()).count("billing.alert.triggered") == len(found)
    return found


async def test_an_alert_is_told_once_for_each_customer(world: BillingWorld) -> None:
    anna, bert = await world.customer(), await world.customer()
    await world.used(anna, 500)
    await world.pass_time(1)
    many, hers = await alert(world, 100), await alert(world, 150, anna)
    for who, value in ((anna, 60), (bert, 99), (anna, 50), (anna, 1)):
        await world.pass_time(1)
        await world.used(who, value)
        await world.pass_time(1)
    [first] = await told(world)
    assert (first.alert_id, first.customer, first.value) == (many.id, anna.id, 110)
    await world.used(anna, 40)
    await world.used(bert, 1)
    await world.pass_time(1)
    assert {(t.alert_id, t.customer) for t in await told(world)} == {(many.id, anna.id), (hers.id, anna.id), (many.id, bert.id)}


async def test_an_alert_that_is_off_is_not_told(world: BillingWorld) -> None:
    anna = await world.customer()
    made = await alert(world, 10)
    assert (await world.do(alerts.deactivate, AlertChange(), made.id)).status == "inactive"
    await world.used(anna, 10)
    await world.pass_time(1)
    assert await told(world) == []
    await world.do(alerts.activate, AlertChange(), made.id)
    await world.used(anna, 1)
    await world.pass_time(1)
    assert len(await told(world)) == 1
    await world.do(alerts.archive, AlertChange(), made.id)
    with pytest.raises(Refused):
        await world.do(alerts.activate, AlertChange(), made.id)


async def test_usage_that_is_committed_while_an_alert_is_looked_at_is_looked_at_again(world: BillingWorld) -> None:
    """Forced: it comes in the same second, when what was used before has been counted already."""
    anna = await world.customer()
    await alert(world, 100)
    await world.pass_time(1)
    await world.used(anna, 60)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        rows = await claim(tx, "alert.evaluate", 10)
        assert len(rows) == 1
        await alerts.evaluate(tx, subjects_of(rows))
        await world.used(anna, 60)  # committed
        await done(tx, "alert.evaluate", rows)
    assert await told(world) == []
    await world.pass_time(1)
    assert [each.value for each in await told(world)] == [120]


async def test_no_more_alerts_than_stripe_allows(world: BillingWorld) -> None:
    for _ in range(25):
        await alert(world, 1)
    with pytest.raises(Refused):
        await alert(world, 1)
    await alert(world, 1, await world.customer())


# At once, and by the thousand ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["subscription.renew", "invoice.finalize"])
async def test_an_event_between_the_count_and_the_bill_is_billed_later(
    world: BillingWorld, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Forced: the usage is read, then an event is committed, then the bill."""
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered())
    await world.used(anna, 100)
    count, came = usage.quantities, []

    async def counting(tx: Transaction, keys: Any) -> Any:
        found = await count(tx, keys)
        if not came and world.running == kind:
            came.append(True)
            await world.used(anna, 7, ago=2 * HOUR)
        return found

    monkeypatch.setattr(usage, "quantities", counting)
    await world.pass_time(30 * DAY + 2 * HOUR)
    assert came
    await world.pass_time(31 * DAY)
    totals = [invoice.total for invoice in await world.invoices(subscription)]
    assert totals == ([1070, 0] if kind == "subscription.renew" else [1000, 70])


async def test_a_batch_of_finalizations_takes_as_many_queries_as_one(world: BillingWorld, asked: list[str]) -> None:
    calls = await world.metered()
    tallies = []
    for many in (1, 12):
        drafts = []
        customers = [await world.customer() for _ in range(many)]
        began = [await world.subscribe(anna, calls) for anna in customers]
        world.now += 31 * DAY
        await world.run("subscription.renew", [s.id for s in began], began[0].items.data[0].current_period_end)
        for anna, each in zip(customers, began, strict=True):
            await world.used(anna, 5, ago=31 * DAY - 60)
            drafts += [invoice.id for invoice in await world.invoices(each)]
        world.now += HOUR
        asked.clear()
        await world.run("invoice.finalize", drafts, world.now)
        tallies.append(len(asked))
        assert [(await world.see(Invoice, id)).subtotal for id in drafts] == [50] * many
    assert tallies[0] == tallies[1]


BREAKS = {
    "M1": "update usage_periods set period_end_at = period_end_at + interval '1 second' where account_id = %(account)s",
    "M2": "update invoice_line_items set doc = doc #- '{usage,before}' where account_id = %(account)s and doc ? 'usage'",
    "M3": "update usage_periods set amount = amount + 1 where account_id = %(account)s",
    "M4": """update subscriptions set doc = doc || '{"billing_thresholds": {"amount_gte": 90}}' where account_id = %(account)s""",
}


@pytest.mark.parametrize("invariant", BREAKS)
async def test_an_invariant_sees_what_breaks_it(tampered: BillingWorld, invariant: str) -> None:
    anna = await tampered.customer()
    await tampered.subscribe(anna, await tampered.metered())
    await tampered.used(anna, 100)
    await tampered.pass_time(30 * DAY + 2 * HOUR)
    await tampered.used(anna, 30, ago=DAY)
    await tampered.pass_time(31 * DAY)
    await tampered.check_invariants()
    await tampered.change(BREAKS[invariant])
    assert invariant in await tampered.breaches()


async def test_a_phase_with_another_price_bills_what_was_used_before_it(world: BillingWorld) -> None:
    anna = await world.customer()
    cheap, dear = await world.metered(10), await world.metered(20)
    phases = [
        {"items": [{"price": cheap.id}], "duration": {"interval": "month", "interval_count": 1}},
        {"items": [{"price": dear.id}], "duration": {"interval": "month", "interval_count": 1}},
    ]
    params = {"customer": anna.id, "start_date": "now", "end_behavior": "release", "phases": phases}
    await world.do(subscription_schedules.create, SubscriptionScheduleCreate.model_validate(params))
    await world.used(anna, 100)
    await world.pass_time(30 * DAY + 2 * HOUR)
    await world.used(anna, 10)
    await world.pass_time(31 * DAY)
    [subscription] = await world.rows(Subscription)
    assert [invoice.total for invoice in await world.invoices(subscription)] == [1000, 200]
