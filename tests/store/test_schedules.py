"""Subscription schedules on a real database: a phase that begins as a period ends, whoever comes first and however late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from tests.store import payments_world
from tests.store.billing_world import BillingWorld
from tests.store.payments_world import DAY, HOUR
from voldaan.commands import coupons, customers, previews, promotion_codes, subscription_schedules, subscriptions
from voldaan.resources.base import UNSET
from voldaan.resources.coupons import Coupon, CouponCreate
from voldaan.resources.customers import CustomerDelete
from voldaan.resources.discounts import Discount
from voldaan.resources.invoice_params import InvoiceCreatePreview
from voldaan.resources.prices import Price
from voldaan.resources.promotion_codes import PromotionCode, PromotionCodeCreate
from voldaan.resources.render import to_dict
from voldaan.resources.schedule_params import SubscriptionScheduleCreate, SubscriptionScheduleUpdate
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription, SubscriptionCancel, SubscriptionUpdate
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Missing

pytestmark = pytest.mark.anyio
payments_world.INSIDE.update(
    {
        "schedule.phase": subscription_schedules.begin_phases,
        "schedule.pause": subscription_schedules.begin_phases,
        "schedule.expiring": subscription_schedules.expiring,
    }
)
MONTH = {"interval": "month"}


async def scheduled(world: BillingWorld, *phases: tuple[Price, int, dict[str, Any]], **more: Any) -> SubscriptionSchedule:
    customer = more.pop("customer", None) or (await world.customer()).id
    wanted = [{"items": [{"price": p.id, "quantity": n}], **terms} for p, n, terms in phases]
    params = SubscriptionScheduleCreate(customer=customer, start_date=more.pop("start", "now"), phases=wanted, **more)
    made: SubscriptionSchedule = await world.do(subscription_schedules.create, params)
    return made


async def billed(world: BillingWorld, schedule: SubscriptionSchedule) -> list[list[int]]:
    """The lines of the subscription's invoices, oldest first."""
    subscription = await world.see(Subscription, schedule.subscription or schedule.released_subscription)
    return [[line.amount for line in invoice.lines.data] for invoice in await world.invoices(subscription)]


PHASE, RENEWAL = "schedule.phase", "subscription.renew"


@pytest.mark.parametrize("order", ["phase first", "renewal first", "both at once"])
async def test_a_phase_on_a_renewal_is_billed_once_whoever_comes_first(world: BillingWorld, order: str) -> None:
    """The renewal bills what was agreed: no old terms, no proration, one invoice."""
    pro, top = await world.price(), await world.price(9300, name="Max")
    schedule = await scheduled(world, (pro, 1, {"duration": MONTH}), (top, 2, {"duration": {"interval": "year"}}))
    at = schedule.next_at
    assert at is not None
    world.now = at
    kinds = [(PHASE, schedule.id), (RENEWAL, schedule.subscription)]
    if order == "both at once":
        await asyncio.gather(*(world.run(kind, [subject], at) for kind, subject in kinds))
    else:
        for kind, subject in kinds if order == "phase first" else reversed(kinds):
            await world.run(kind, [subject], at)
    assert await billed(world, schedule) == [[3100], [18600]]
    renewed = await world.whole(await world.see(Subscription, schedule.subscription))
    assert [(item.price.id, item.quantity, item.current_period_start) for item in renewed.items.data] == [(top.id, 2, at)]
    entered = await world.see(SubscriptionSchedule, schedule.id)
    assert entered.current_phase.start_date == at
    for kind, subject in kinds:  # once more, as a worker would whose transaction was lost
        await world.run(kind, [subject], at)
    assert len(await billed(world, schedule)) == 2


@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice", "none"])
async def test_another_interval_on_a_renewal_is_one_invoice_too(world: BillingWorld, behavior: str) -> None:
    pro, year = await world.price(), await world.price(30000, "year")
    schedule = await scheduled(
        world, (pro, 1, {"duration": MONTH}), (year, 1, {"duration": {"interval": "year"}, "proration_behavior": behavior})
    )
    world.now = at = schedule.next_at or 0
    await world.pass_time(0)
    assert await billed(world, schedule) == [[3100], [30000]]
    renewed = await world.see(Subscription, schedule.subscription)
    assert (renewed.billing_cycle_anchor, renewed.current_period_end) == (at, at + 365 * DAY)


@pytest.mark.parametrize("first", [PHASE, RENEWAL])
async def test_a_worker_that_was_off_for_months_bills_each_with_its_own_terms(world: BillingWorld, first: str) -> None:
    """Two months of Pro, two of Max with the change in the middle of a month, then free again; all of it late."""
    pro, top = await world.price(3100), await world.price(6200, name="Max")
    start = world.now
    schedule = await scheduled(
        world,
        (pro, 1, {"duration": {"interval": "month", "interval_count": 2}}),
        (top, 1, {"duration": {"interval": "month", "interval_count": 2}}),
        (pro, 3, {"duration": MONTH}),
    )
    world.now = start + 140 * DAY
    for _ in range(20):
        due = await world.all(
            "select kind, subject, due_at from due where account_id = %(account)s "
            f"and kind in ('{PHASE}', '{RENEWAL}') and due_at <= to_timestamp({world.now}) "
            f"order by (kind = '{first}') desc, due_at limit 1"
        )
        if not due:
            break
        kind, subject, at = due[0]
        await world.run(kind, [subject], at)
    assert await billed(world, schedule) == [[3100], [3100], [6200], [6200], [9300]]
    entered = await world.see(SubscriptionSchedule, schedule.id)
    assert (entered.status, entered.current_phase.end_date) == ("active", schedule.agreed[2].end_date)


async def test_a_phase_in_the_middle_of_a_period_is_prorated_from_its_own_instant(world: BillingWorld) -> None:
    """Although the worker comes three hours late."""
    pro, top = await world.price(3000), await world.price(6000, name="Max")
    start = world.now  # 21 September: a month of thirty days
    schedule = await scheduled(
        world,
        (pro, 1, {"end_date": start + 15 * DAY}),
        (top, 1, {"duration": MONTH, "proration_behavior": "always_invoice"}),
    )
    world.now += 15 * DAY + 3 * HOUR
    await world.run(PHASE, [schedule.id], start + 15 * DAY)
    assert await billed(world, schedule) == [[3000], [-1500, 3000]]
    [_, second] = await world.invoices()
    assert (second.status, second.billing_reason, second.subscription_proration_date) == (
        "draft", "subscription_update", start + 15 * DAY,
    )  # fmt: skip


async def test_a_batch_of_phases_is_decided_in_a_fixed_number_of_queries(world: BillingWorld, asked: list[str]) -> None:
    pro, top = await world.price(), await world.price(9300, name="Max")
    counts: list[list[int]] = []
    for count in (1, 12):
        made = [
            await scheduled(world, (pro, 1, {"duration": MONTH}), (top, 1, {"duration": MONTH, "proration_behavior": "none"}))
            for _ in range(count)
        ]
        at, began = made[0].next_at or 0, world.now
        world.now = at
        counts.append([])
        for kind, subjects in ((PHASE, [s.id for s in made]), (RENEWAL, [s.subscription for s in made])):
            asked.clear()
            await world.run(kind, [s for s in subjects if s], at)
            counts[-1].append(len(asked))
        assert [await billed(world, s) for s in made] == [[[3100], [9300]]] * count
        world.now = began
    assert counts[0] == counts[1]


# With its subscription ----------------------------------------------------------------------------------------------------


async def test_direct_changes_show_in_the_present_phase_and_hold_until_the_next(world: BillingWorld) -> None:
    pro, top = await world.price(), await world.price(9300, name="Max")
    schedule = await scheduled(world, (pro, 1, {"duration": MONTH}), (top, 1, {"duration": MONTH}))
    subscription = await world.see(Subscription, schedule.subscription)
    item = (await world.whole(subscription)).items.data[0]
    params = SubscriptionUpdate(items=[{"id": item.id, "quantity": 4}], proration_behavior="none")
    await world.do(subscriptions.update, params, subscription.id)
    after = await world.see(SubscriptionSchedule, schedule.id)
    assert [i.quantity for i in after.agreed[0].items] == [4]
    assert after.agreed[1] == schedule.agreed[1]
    for given in ({"cancel_at_period_end": True}, {"cancel_at": world.now + DAY}):
        with pytest.raises(Refused, match="updating any cancelation behavior directly is not allowed"):
            await world.do(subscriptions.update, SubscriptionUpdate(**given), subscription.id)


@pytest.mark.parametrize("how", ["canceled", "gone", "aborted"])
async def test_it_ends_with_its_subscription(world: BillingWorld, how: str) -> None:
    settings = replace(world.account.settings_billing, retry_offsets=[], retry_final_action="cancel")
    world.account = replace(world.account, settings_billing=settings)
    pro, anna = await world.price(), await world.customer("pm_card_chargeCustomerFail" if how == "aborted" else "pm_card_visa")
    schedule = await scheduled(world, (pro, 1, {"duration": {"interval": "year"}}), customer=anna.id)
    waiting = await scheduled(world, (pro, 1, {"duration": MONTH}), customer=anna.id, start=world.now + 90 * DAY)
    if how == "canceled":
        await world.do(subscriptions.cancel, SubscriptionCancel(), schedule.subscription)
    elif how == "gone":
        await world.do(customers.delete, CustomerDelete(), anna.id)
    else:
        await world.pass_time(2 * HOUR)
    after = await world.see(SubscriptionSchedule, schedule.id)
    assert (after.status, after.current_phase, after.next_at) == ("canceled", None, None)
    assert (await world.see(SubscriptionSchedule, waiting.id)).status == ("canceled" if how == "gone" else "not_started")
    told = [e for e in await world.events() if e.startswith("subscription_schedule")]
    assert f"subscription_schedule.{'aborted' if how == 'aborted' else 'canceled'}" in told


async def test_what_is_not_alive_cannot_be_changed(world: BillingWorld) -> None:
    schedule = await scheduled(world, (await world.price(), 1, {"duration": MONTH}))
    await world.do(subscriptions.cancel, SubscriptionCancel(), schedule.subscription)
    with pytest.raises(Refused, match="currently in the `canceled` status"):
        await world.do(subscription_schedules.update, SubscriptionScheduleUpdate(end_behavior="cancel"), schedule.id)


# The invariants -----------------------------------------------------------------------------------------------------------

BREAK = {
    "I9": "update subscriptions set schedule_id = null where account_id = %(account)s",
    "I10": "delete from due where account_id = %(account)s and kind = 'schedule.phase'",
    "I11": "update subscription_schedules set next_at = next_at + interval '1 day' "
    "where account_id = %(account)s",
}


@pytest.mark.parametrize("order", ["pause first", "renewal first", "both at once"])
async def test_a_pause_on_a_renewal_happens_once_whoever_comes_first(world: BillingWorld, order: str) -> None:
    """It spares the customer the renewal. Run again, as by a worker whose transaction was lost, it changes nothing."""
    pro = await world.price()
    schedule = await scheduled(world, (pro, 1, {"duration": MONTH}), (pro, 1, {"duration": MONTH}))
    at = schedule.next_at
    assert at is not None
    pause = [{"pause": {"pause_at": {"type": "timestamp", "timestamp": at}}}]
    await world.do(subscription_schedules.update, SubscriptionScheduleUpdate(pause_schedules=pause), schedule.id)
    world.now = at
    kinds = [("schedule.pause", schedule.id), (PHASE, schedule.id), (RENEWAL, schedule.subscription)]
    if order == "both at once":
        await asyncio.gather(*(world.run(kind, [subject], at) for kind, subject in kinds))
    else:
        for kind, subject in kinds if order == "pause first" else reversed(kinds):
            await world.run(kind, [subject], at)
    for kind, subject in kinds:
        await world.run(kind, [subject], at)
    assert await billed(world, schedule) == [[3100]]
    paused = await world.see(Subscription, schedule.subscription)
    assert paused.status == "paused"
    entry = (await world.see(SubscriptionSchedule, schedule.id)).pause_schedules[0]
    assert entry.pause.status.type == "succeeded"
    assert (await world.events()).count("customer.subscription.paused") == 1


@pytest.mark.parametrize("hold", [False, True])
async def test_a_pause_comes_at_its_own_time_however_late(world: BillingWorld, hold: bool) -> None:
    """A worker that was off for months pauses and resumes as of then."""
    pro = await world.price()
    schedule = await scheduled(world, (pro, 1, {"duration": {"interval": "year"}}))
    begun = schedule.agreed[0].start_date
    resume = {"resume_at": {"type": "duration", "duration": {"interval": "day", "interval_count": 20}}}
    pause = {"pause_at": {"type": "timestamp", "timestamp": begun + 10 * DAY}}
    entry = [{"pause": pause, **({} if hold else {"resume": resume})}]
    await world.do(subscription_schedules.update, SubscriptionScheduleUpdate(pause_schedules=entry), schedule.id)
    world.now = begun + 70 * DAY
    await world.run("schedule.pause", [schedule.id], world.now)
    found = await world.see(Subscription, schedule.subscription)
    told = (await world.see(SubscriptionSchedule, schedule.id)).pause_schedules[0]
    assert told.pause.status.type == "succeeded"
    if hold:
        assert (found.status, await billed(world, schedule)) == ("paused", [[3100]])
        return
    assert told.resume is not None
    assert (found.status, told.resume.status.type) == ("active", "succeeded")
    whole = await world.whole(found)
    assert whole.items.data[0].current_period_start == begun + 30 * DAY


PAUSE_BREAK = {
    "I14": "delete from due where account_id = %(account)s and kind = 'schedule.pause'",
    "I15": "update subscription_schedules set status = 'released', released_at = now(), subscription_id = null, next_at = null, "
    "released_subscription_id = subscription_id where account_id = %(account)s",
}


@pytest.mark.parametrize("name", PAUSE_BREAK)
async def test_an_invariant_of_pauses_finds_what_breaks_it(tampered: BillingWorld, name: str) -> None:
    schedule = await scheduled(tampered, (await tampered.price(), 1, {"duration": MONTH}))
    entry = [{"pause": {"pause_at": {"type": "timestamp", "timestamp": tampered.now + 5 * DAY}}}]
    await tampered.do(subscription_schedules.update, SubscriptionScheduleUpdate(pause_schedules=entry), schedule.id)
    await tampered.check_invariants()
    await tampered.change(PAUSE_BREAK[name])
    assert name in await tampered.breaches()


@pytest.mark.parametrize("name", BREAK)
async def test_an_invariant_finds_what_breaks_it(tampered: BillingWorld, name: str) -> None:
    await scheduled(tampered, (await tampered.price(), 1, {"duration": MONTH}))
    await tampered.check_invariants()
    await tampered.change(BREAK[name])
    assert name in await tampered.breaches()


# What phases name ---------------------------------------------------------------------------------------------------------


async def test_a_code_is_redeemed_when_its_phase_begins(world: BillingWorld) -> None:
    """And takes its coupon's other codes along when the coupon is used up; what was agreed stands."""
    coupon = await world.do(coupons.create, CouponCreate(id="TENTH", percent_off="10", duration="forever", max_redemptions=1))
    codes = [
        await world.do(
            promotion_codes.create, PromotionCodeCreate(promotion={"type": "coupon", "coupon": coupon.id}, code=code)
        )
        for code in ("ONE", "TWO")
    ]
    pro = await world.price(3000)
    phases = [(pro, 1, {"duration": MONTH}), (pro, 1, {"duration": MONTH, "discounts": [{"promotion_code": codes[0].id}]})]
    schedule = await scheduled(world, *phases)
    other = await scheduled(world, *phases)
    assert (await world.see(Coupon, coupon.id)).times_redeemed == 0
    world.now = schedule.next_at or 0
    await world.run(PHASE, [schedule.id, other.id], world.now)
    await world.run(RENEWAL, [s for s in (schedule.subscription, other.subscription) if s], world.now)
    for each in (schedule, other):
        [_, second] = await world.invoices(await world.see(Subscription, each.subscription))
        assert second.total == 2700
        assert [d.promotion_code for d in await world.rows(Discount, "t.subscription_id = %(id)s", id=each.subscription)] == [
            codes[0].id
        ]
    assert (await world.see(Coupon, coupon.id)).times_redeemed == 1
    after = [await world.see(PromotionCode, code.id) for code in codes]
    assert [(code.active, code.times_redeemed) for code in after] == [(False, 2), (False, 0)]


async def test_a_phase_inherits_the_customers_discount_unless_it_says_it_does_not(world: BillingWorld) -> None:
    pro, anna = await world.price(3000), await world.customer()
    await world.always_off(anna)
    two = {"interval": "month", "interval_count": 2}
    schedule = await scheduled(
        world,
        (pro, 1, {"duration": MONTH, "discounts": ""}),
        (pro, 1, {"duration": two, "discounts": ""}),
        (pro, 1, {"duration": MONTH}),
        customer=anna.id,
    )

    async def upcoming(**more: Any) -> int:
        preview = await world.do(previews.create, InvoiceCreatePreview(subscription=schedule.subscription, **more))
        assert isinstance(preview.total, int)
        return preview.total

    assert all(phase["discounts"] == [] for phase in to_dict(schedule)["phases"])
    assert "ignores_customers_discount" not in to_dict(schedule)["phases"][0]
    world.now = schedule.next_at or 0
    await world.pass_time(0)
    assert await upcoming() == 3000
    await world.do(subscriptions.update, SubscriptionUpdate(discounts=""), schedule.subscription)  # now it inherits
    after = await world.see(SubscriptionSchedule, schedule.id)
    assert [phase.ignores_customers_discount for phase in after.agreed] == [True, UNSET, UNSET]
    assert (await upcoming(), await upcoming(discounts="")) == (2700, 3000)
    await world.pass_time(92 * DAY)
    invoices = await world.invoices(await world.see(Subscription, schedule.subscription))
    assert [invoice.total for invoice in invoices][:4] == [3000, 3000, 2700, 2700]


async def test_phases_that_cannot_be_are_refused_by_name(world: BillingWorld) -> None:
    pro, year, once = await world.price(), await world.price(30000, "year"), await world.price(500, None)
    day = world.now + DAY
    refused = {
        "phases": {"phases": []},
        "phases[0][items][0][price]": {"phases": [{"items": [{"price": once.id}]}]},
        "phases[0][end_date]": {"phases": [{"items": [{"price": pro.id}], "end_date": world.now}]},
        "phases[1][end_date]": {"phases": [{"items": [{"price": pro.id}]}, {"items": [{"price": pro.id}], "end_date": day}]},
        "phases[0][trial_end]": {"phases": [{"items": [{"price": pro.id}], "end_date": day, "trial_end": day + 1}]},
        "phases[0][invoice_settings][days_until_due]": {
            "phases": [{"items": [{"price": pro.id}], "collection_method": "send_invoice"}]
        },
        "phases[0][billing_cycle_anchor]": {
            "phases": [{"items": [{"price": pro.id}], "trial": True, "billing_cycle_anchor": "phase_start"}]
        },
        "phases[0][discounts][0][promotion_code]": {
            "phases": [{"items": [{"price": pro.id}], "discounts": [{"promotion_code": "promo_1"}]}]
        },
        "start_date": {"phases": [{"items": [{"price": year.id}]}], "start_date": None},
        "phases[0][duration]": {"phases": [{"items": [{"price": year.id}]}], "start_date": 253_402_300_799},
    }
    anna = await world.customer()
    for param, given in refused.items():
        params = SubscriptionScheduleCreate(**{"customer": anna.id, "start_date": "now", **given})
        with pytest.raises((Refused, Missing)) as no:
            await world.do(subscription_schedules.create, params)
        assert (no.value.refusal.param if isinstance(no.value, Refused) else no.value.param) == param
    assert await world.rows(SubscriptionSchedule) == []
