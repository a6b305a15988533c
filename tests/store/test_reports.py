"""Reports against a database: what was read of events adds up, late events are found, windows end where they should."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from voldaan.ledger.journal import postings
from voldaan.reports import mrr
from voldaan.reports.overview import Overview, gather, snapshot
from voldaan.reports.recurring import GAINS
from voldaan.reports.verify import verify
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt
from voldaan.resources.base import ListObject, Resource
from voldaan.resources.contracts import Contract, PriceOverride
from voldaan.resources.coupons import Coupon
from voldaan.resources.customers import Customer
from voldaan.resources.discounts import Discount, DiscountSource
from voldaan.resources.invoices import Invoice
from voldaan.resources.numbers import Number
from voldaan.resources.prices import Price, Recurring
from voldaan.resources.products import Product
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.test_clocks import TestClock
from voldaan.rules.contracts import changed
from voldaan.rules.decision import Decision, Event, Update
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import write
from voldaan.work import clock

pytestmark = pytest.mark.anyio
DAY = 86_400


def at(month: int, day: int = 1, hour: int = 0) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp())


WALL = at(7, 1)


class Shop:
    """An account whose past is written directly, as the engine would."""

    def __init__(self, pool: Pool, account: Account) -> None:
        self.pool = pool
        self.account = account

    async def put(self, now: int, *rows: Resource, wall: int = WALL, **more: Any) -> None:
        async with transaction(self.pool, self.account, now, wall) as tx:
            await write(tx, [Decision(inserts=list(rows), **more)])

    async def price(self, amount: int = 1000, interval: str = "month", currency: str = "eur") -> Price:
        product = Product(id=new_id("prod"), name="Bread", created=WALL, updated=WALL, livemode=False, sort_key="a")
        price = Price(
            id=new_id("price"), created=WALL, currency=currency, livemode=False, product=product.id, type="recurring",
            recurring=Recurring(interval=interval), recurring_interval=interval, recurring_interval_count=1,  # type: ignore[arg-type]
            recurring_usage_type="licensed", unit_amount=amount, unit_amount_decimal=Decimal(amount), sort_key="a",
        )  # fmt: skip
        await self.put(WALL, product, price)
        return price

    async def customer(self, **facts: Any) -> Customer:
        made = Customer(id=new_id("cus"), created=WALL, livemode=False, invoice_prefix=new_id("")[-8:], **facts)
        await self.put(WALL, made)
        return made

    async def subscribe(self, customer: Customer, price: Price, now: int, **facts: Any) -> Subscription:
        id = new_id("sub")
        item = SubscriptionItem(
            id=new_id("si"), subscription=id, price=price, quantity=1, created=now, current_period_start=now,
            current_period_end=now + 30 * DAY,
        )  # fmt: skip
        given = {"status": "active", **facts}
        made = Subscription(
            id=id, billing_cycle_anchor=now, created=now, currency=price.currency, customer=customer.id, livemode=False,
            start_date=now, current_period_start=now, current_period_end=now + 30 * DAY,
            items=ListObject(data=[item], url="/v1/subscription_items"), **given,
        )  # fmt: skip
        await self.put(now, made, item, events=[Event("customer.subscription.created", made)])
        return made

    async def change(self, was: Subscription, now: int, *, quantity: int | None = None, **facts: Any) -> Subscription:
        new = replace(was, **facts)
        if quantity is not None:
            items = [replace(item, quantity=quantity) for item in was.items.data]
            new = replace(new, items=replace(was.items, data=items))
        type = "customer.subscription.deleted" if new.status == "canceled" else "customer.subscription.updated"
        await self.put(now, updates=[Update(new, was)], events=[Event(type, new)])
        return new

    async def end(self, was: Subscription, now: int) -> Subscription:
        return await self.change(was, now, status="canceled", canceled_at=now, ended_at=now)

    async def read(self, wall: int = WALL, batch: int = mrr.BATCH) -> None:
        while True:
            async with transaction(self.pool, self.account, wall, wall) as tx:
                if await mrr.catch_up(tx, batch):
                    return

    async def figures(self, now: int) -> dict[str, mrr.Recurring]:
        async with snapshot(self.pool, self.account, now) as tx:
            return await mrr.recurring(tx, now)

    async def movements(self) -> list[tuple[Any, ...]]:
        async with snapshot(self.pool, self.account, WALL) as tx:
            return await tx.all(
                "select event_id, subscription_id, kind, amount, at from mrr_movements"
                " where account_id = %(account)s order by 1, 2, 5"
            )

    async def overview(self, wall: int = WALL) -> Overview:
        async with snapshot(self.pool, self.account, wall) as tx:
            return await gather(tx)


@pytest.fixture
def shop(pool: Pool, account: Account) -> Shop:
    return Shop(pool, account)


# ── recurring revenue ───────────────────────────────────────────────────────────────────────────────────────────────


async def a_year(shop: Shop) -> None:
    """Two customers: one grows, shrinks, leaves and comes back; one tries, stays, and falls behind."""
    price, yearly = await shop.price(1000), await shop.price(24000, "year")
    anna, bob = await shop.customer(name="Anna"), await shop.customer(name="Bob")
    first = await shop.subscribe(anna, price, at(1, 10))
    second = await shop.subscribe(anna, yearly, at(1, 10) + 600)            # within the hour: one `new`
    first = await shop.change(first, at(2, 5), quantity=3)                  # + 20.00
    first = await shop.change(first, at(3, 5), quantity=2)                  # - 10.00
    await shop.end(second, at(3, 20))                                       # - 20.00, one of two: contraction
    await shop.end(first, at(4, 2))                                         # - 20.00, the last: churn
    await shop.subscribe(anna, price, at(5, 15))                            # + 10.00, came back
    trial = await shop.subscribe(bob, price, at(2, 1), status="trialing", trial_start=at(2, 1), trial_end=at(3, 1))
    trial = await shop.change(trial, at(3, 1), status="active")             # + 10.00, new
    trial = await shop.change(trial, at(4, 1), status="past_due")           # counts on
    trial = await shop.change(trial, at(5, 1), status="unpaid")             # - 10.00, churn
    trial = await shop.change(trial, at(5, 3), status="active")             # + 10.00, came back
    await shop.change(trial, at(6, 3), cancel_at_period_end=True)           # - 10.00, told to end


EXPECTED = {
    "2026-01": {"new": 3000},
    "2026-02": {"expansion": 2000},
    "2026-03": {"new": 1000, "contraction": 3000},
    "2026-04": {"churn": 2000},
    "2026-05": {"reactivation": 2000, "churn": 1000},
    "2026-06": {"churn": 1000},
}


async def test_a_year_of_movements(shop: Shop) -> None:
    await a_year(shop)
    await shop.read()
    found = (await shop.figures(at(6, 30)))["eur"]
    assert {m.name: m.moved for m in found.months if m.moved} == EXPECTED
    assert (found.amount, found.subscribers, found.per_subscriber) == (1000, 1, 1000)
    assert [m.name for m in found.months] == [f"2025-{n:02}" for n in range(7, 13)] + [f"2026-{n:02}" for n in range(1, 7)]
    for month in found.months:
        assert month.start + sum(v if k in GAINS else -v for k, v in month.moved.items()) == month.end
    assert all(earlier.end == later.start for earlier, later in zip(found.months, found.months[1:], strict=False))
    assert found.months[-1].end == found.amount
    assert (found.recent.start, found.recent.moved, found.recent.end) == (2000, {"churn": 1000}, 1000)


async def test_months_before_the_window_are_its_start(shop: Shop) -> None:
    await a_year(shop)
    await shop.read()
    found = (await shop.figures(at(6, 30)))["eur"]
    async with snapshot(shop.pool, shop.account, WALL) as tx:
        window = (await mrr.recurring(tx, at(6, 30), 2))["eur"]
    assert [(m.start, m.end) for m in window.months] == [(m.start, m.end) for m in found.months[-2:]]
    assert window.months[0].start == 1000


async def test_verify_finds_revenue_that_did_not_come_about(shop: Shop) -> None:
    await a_year(shop)
    await shop.read()

    async def found() -> list[str]:
        findings = (await verify(shop.pool, WALL, account=shop.account.id)).findings
        return [finding.id for finding in findings if finding.invariant == "R3_recurring_revenue_is_its_movements"]

    assert await found() == []
    async with shop.pool.connection() as connection:
        more = "update mrr_subscriptions set amount = amount + 1 where account_id = %s and amount > 0 returning subscription_id"
        [changed] = await (await connection.execute(more, (shop.account.id,))).fetchall()
    assert await found() == [changed[0]]


@pytest.mark.parametrize("batch", [1, 2, 5])
async def test_reading_in_pieces_and_reading_again_give_the_same(shop: Shop, batch: int) -> None:
    await a_year(shop)
    await shop.read(batch=batch)
    first = await shop.movements()
    await shop.read()
    assert await shop.movements() == first
    async with transaction(shop.pool, shop.account, WALL, WALL) as tx:
        await mrr.forget(tx)
    await shop.read()
    assert await shop.movements() == first


async def test_an_event_that_becomes_visible_late_is_read(shop: Shop) -> None:
    """Its id was made before one that was read already, and its transaction took longer."""
    price = await shop.price()
    early, late = await shop.customer(), await shop.customer()
    async with transaction(shop.pool, shop.account, at(3), WALL) as slow:
        item = SubscriptionItem(
            id=new_id("si"), subscription="sub_slow", price=price, quantity=1, created=at(3), current_period_start=at(3),
            current_period_end=at(4),
        )  # fmt: skip
        made = Subscription(
            id="sub_slow", billing_cycle_anchor=at(3), created=at(3), currency="eur", customer=early.id, livemode=False,
            start_date=at(3), current_period_start=at(3), current_period_end=at(4), status="active",
            items=ListObject(data=[item], url=""),
        )  # fmt: skip
        await write(slow, [Decision(inserts=[made, item], events=[Event("customer.subscription.created", made)])])
        await shop.subscribe(late, price, at(3))
        await shop.read(wall=clock.wall())
        assert (await shop.figures(at(3)))["eur"].amount == 1000
    await shop.read(wall=clock.wall())
    assert (await shop.figures(at(3)))["eur"].amount == 2000


async def test_two_who_read_at_once_read_once(shop: Shop) -> None:
    await shop.read()
    await a_year(shop)
    async with transaction(shop.pool, shop.account, WALL, WALL) as one:
        await mrr.catch_up(one, 3)
        async with transaction(shop.pool, shop.account, WALL, WALL) as other:
            assert await mrr.catch_up(other) is True
            assert await shop.movements() == []
    await shop.read()
    assert (await shop.figures(at(6, 30)))["eur"].amount == 1000


def coupon(**facts: Any) -> Coupon:
    return Coupon(id=new_id("co"), created=WALL, livemode=False, sort_key="a", **facts)


def discount(of: Coupon, now: int, **facts: Any) -> Discount:
    return Discount(id=new_id("di"), source=DiscountSource(coupon=of.id), coupon=of.id, start=now, **facts)


async def test_discounts_that_last_subtract_and_others_do_not(shop: Shop) -> None:
    price, anna = await shop.price(1000), await shop.customer()
    half, once = coupon(percent_off=Number(50), duration="forever"), coupon(percent_off=Number(50), duration="once")
    await shop.put(WALL, half, once)
    sub = await shop.subscribe(anna, price, at(2))
    used = [discount(each, at(3), customer=anna.id, subscription=sub.id) for each in (half, once)]
    await shop.put(at(3), *used)
    sub = await shop.change(sub, at(3), discounts=[used[1].id])
    sub = await shop.change(sub, at(4), discounts=[d.id for d in used])
    await shop.change(sub, at(5), discounts=[])
    await shop.read()
    months = {m.name: m.moved for m in (await shop.figures(at(5, 2)))["eur"].months if m.moved}
    assert months == {"2026-02": {"new": 1000}, "2026-04": {"contraction": 500}, "2026-05": {"expansion": 500}}


async def test_a_customers_own_discount_counts_from_when_it_is_given_until_it_is_taken_away(shop: Shop) -> None:
    price, anna = await shop.price(1000), await shop.customer()
    off = coupon(amount_off=300, currency="eur", duration="forever")
    await shop.put(WALL, off)
    await shop.subscribe(anna, price, at(2))
    given = discount(off, at(3), customer=anna.id)
    await shop.put(at(3), given, events=[Event("customer.discount.created", given)])
    taken = replace(given, end=at(5))
    await shop.put(at(5), updates=[Update(taken, given)], events=[Event("customer.discount.deleted", taken)])
    await shop.read(batch=1)
    months = {m.name: m.moved for m in (await shop.figures(at(5, 2)))["eur"].months if m.moved}
    assert months == {"2026-02": {"new": 1000}, "2026-03": {"contraction": 300}, "2026-05": {"expansion": 300}}


async def agree(shop: Shop, customer: Customer, price: Price, amount: int, now: int, **time: int) -> Contract:
    """A contract that is made now."""
    override = await shop.price(amount)
    prices = [PriceOverride(price=price.id, override=override.id)]
    made = Contract(
        id=new_id("ctr"), created=now, currency="eur", customer=customer.id, livemode=False, name="Guild", price_overrides=prices,
        **{"starts_at": now, **time},
    )  # fmt: skip
    await shop.put(now, made)
    return made


@pytest.mark.parametrize("batch", [None, 1, 2, 2000])
async def test_a_contract_moves_it_when_it_begins_changes_and_ends(shop: Shop, batch: int | None) -> None:
    """Read after each step (None), or all at the end in pieces: it comes to the same."""
    price, anna = await shop.price(1000), await shop.customer()

    async def past(now: int) -> None:
        if batch is None:
            await shop.read(wall=now)

    sub = await shop.subscribe(anna, price, at(1, 10))
    await past(at(1, 20))
    guild = await agree(shop, anna, price, 800, at(2, 10), starts_at=at(2, 1), ends_at=at(4, 10))  # known since it was made
    await past(at(2, 20))
    sub = await shop.change(sub, at(3, 5), quantity=2)
    await past(at(3, 6))
    cheaper = replace(guild, price_overrides=[PriceOverride(price=price.id, override=(await shop.price(700)).id)])
    guild, was = changed(cheaper, guild, at(3, 20)), guild
    await shop.put(at(3, 20), updates=[Update(guild, was)])
    await past(at(4, 20))
    await agree(shop, anna, price, 0, at(4, 25), starts_at=at(5, 1), ends_at=at(5, 10))
    await past(at(5, 5))
    await past(at(5, 20))
    await shop.end(sub, at(6, 1))
    await shop.read(batch=batch or mrr.BATCH)
    found = (await shop.figures(at(6, 30)))["eur"]
    assert {m.name: m.moved for m in found.months if m.moved} == {
        "2026-01": {"new": 1000},
        "2026-02": {"contraction": 200},
        "2026-03": {"expansion": 800, "contraction": 200},       # the second one of them; then 7.00 for each
        "2026-04": {"expansion": 600},                           # 10.00 again
        "2026-05": {"churn": 2000, "reactivation": 2000},        # nothing for ten days
        "2026-06": {"churn": 2000},
    }
    first = await shop.movements()
    assert [(m[3], m[4]) for m in first if m[0] == guild.id] == [(200, at(2, 10)), (200, at(3, 20)), (600, at(4, 10))]
    async with transaction(shop.pool, shop.account, WALL, WALL) as tx:
        await mrr.forget(tx)
    await shop.read()
    assert await shop.movements() == first


async def test_a_test_clock_turns_contracts_at_its_own_time(shop: Shop) -> None:
    slow = TestClock(id=new_id("clock"), created=WALL, deletes_after=WALL + DAY, frozen_time=at(2), livemode=False)
    await shop.put(WALL, slow)
    price, anna = await shop.price(1000), await shop.customer(test_clock=slow.id)
    await shop.subscribe(anna, price, at(2), test_clock=slow.id)
    guild = await agree(shop, anna, price, 800, at(2), ends_at=at(3))
    await shop.put(at(2), updates=[Update(replace(guild, test_clock=slow.id), guild)])
    await shop.read()
    assert (await shop.figures(at(6)))["eur"].amount == 800
    await shop.put(at(3), updates=[Update(replace(slow, frozen_time=at(3)), slow)])
    await shop.read()
    assert (await shop.figures(at(6)))["eur"].amount == 1000


async def test_who_does_not_inherit_the_customers_discount_is_worth_the_whole(shop: Shop) -> None:
    price, anna = await shop.price(1000), await shop.customer()
    off = coupon(amount_off=300, currency="eur", duration="forever")
    await shop.put(WALL, off, discount(off, at(1), customer=anna.id))
    await shop.subscribe(anna, price, at(2))
    await shop.subscribe(anna, price, at(2), ignores_customers_discount=True)
    await shop.read()
    assert (await shop.figures(at(3)))["eur"].amount == 700 + 1000


async def test_at_the_beginning_of_a_month_the_last_one_is_shown_with_what_happens_at_that_instant(shop: Shop) -> None:
    await shop.subscribe(await shop.customer(), await shop.price(1000), at(5))
    await shop.read()
    found = (await shop.figures(at(5)))["eur"]
    assert [(m.name, m.moved) for m in found.months[-1:]] == [("2026-04", {"new": 1000})]
    assert found.months[-1].end == found.amount
    found = (await shop.figures(at(5) + 1))["eur"]
    assert [(m.name, m.moved) for m in found.months[-2:]] == [("2026-04", {}), ("2026-05", {"new": 1000})]


async def test_currencies_do_not_mix(shop: Shop) -> None:
    anna = await shop.customer()
    await shop.subscribe(anna, await shop.price(1000), at(2))
    await shop.subscribe(anna, await shop.price(700, currency="usd"), at(3))
    await shop.read()
    found = await shop.figures(at(3, 2))
    assert {c: (f.amount, f.months[-1].moved) for c, f in found.items()} == {"eur": (1000, {}), "usd": (700, {"new": 700})}


# ── the rest of the overview ────────────────────────────────────────────────────────────────────────────────────────


def invoice(customer: Customer, amount: int, **facts: Any) -> Invoice:
    given = {"status": "open", "finalized_at": WALL, "amount_remaining": amount, **facts}
    return Invoice(
        id=new_id("in"), created=WALL, currency="eur", customer=customer.id, livemode=False, lines=ListObject(data=[], url=""),
        number=new_id("")[-12:], period_start=WALL, period_end=WALL, amount_due=amount, subtotal=amount, total=amount, **given,
    )  # fmt: skip


async def test_aging_rounds_days_up(shop: Shop) -> None:
    anna = await shop.customer()
    late = [0, -DAY, 60, 30 * DAY, 30 * DAY + DAY // 2, 60 * DAY, 60 * DAY + 1, 90 * DAY, 90 * DAY + 1]
    await shop.put(WALL, *[invoice(anna, 10**place, due_date=WALL - by) for place, by in enumerate(late)])
    await shop.put(WALL, invoice(anna, 5 * 10**9, status="paid", paid_at=WALL, amount_remaining=0))
    found = (await shop.overview()).receivables["eur"]
    assert [(b.count, b.amount) for b in found.buckets] == [
        (2, 11), (2, 1100), (2, 110_000), (2, 11_000_000), (1, 100_000_000),
    ]  # fmt: skip
    assert found.overdue == found.amount - 11
    assert found.sales == 5 * 10**9 + 111_111_111
    assert found.days_sales_outstanding == 111_111_111 * 900 // found.sales


async def test_an_invoice_without_a_due_date_is_due_when_it_is_finalized(shop: Shop) -> None:
    anna = await shop.customer()
    await shop.put(WALL, invoice(anna, 7, finalized_at=WALL - 2 * DAY))
    assert [b.amount for b in (await shop.overview()).receivables["eur"].buckets] == [0, 7, 0, 0, 0]


def attempt(of: Invoice, state: str, when: int, code: str | None = None) -> Attempt:
    return Attempt(
        id=new_id("att"), flow="authorize", state=state, processor="sandbox", idempotency_key=new_id("k"), amount=of.total,  # type: ignore[arg-type]
        currency="eur", customer=of.customer, invoice=of.id, at=when, dispatched=when, resolved=when, decline_code=code,
    )  # fmt: skip


async def test_failed_payments_and_what_became_of_them(shop: Shop) -> None:
    anna = await shop.customer()
    cycle = {"billing_reason": "subscription_cycle"}
    paid = {"status": "paid", "paid_at": WALL, "amount_remaining": 0}
    good, saved, tried = invoice(anna, 100, **cycle, **paid), invoice(anna, 20, **cycle, **paid), invoice(anna, 3, **cycle)
    lost = invoice(anna, 4, status="uncollectible", marked_uncollectible_at=WALL, **cycle)
    manual, old = invoice(anna, 50), invoice(anna, 60, **cycle)
    await shop.put(WALL, good, saved, tried, lost, manual, old)
    when = WALL - 10 * DAY
    for each in (
        attempt(good, "succeeded", when),
        attempt(saved, "declined", when, "insufficient_funds"), attempt(saved, "declined", when + DAY, "do_not_honor"),
        attempt(saved, "succeeded", when + 2 * DAY),
        attempt(tried, "declined", when, "insufficient_funds"),
        attempt(lost, "declined", when, "lost_card"),
        attempt(manual, "declined", when, "insufficient_funds"),
        attempt(old, "declined", WALL - 100 * DAY, "expired_card"),
    ):  # fmt: skip
        await shop.put(when, each)
    found = (await shop.overview()).payments["eur"]
    assert (found.succeeded.count, found.succeeded.amount, found.declined.count, found.answered) == (2, 120, 5, 7)
    assert [(code, t.count, t.amount) for code, t in found.top_codes] == [
        ("insufficient_funds", 3, 73), ("do_not_honor", 1, 20), ("lost_card", 1, 4),
    ]  # fmt: skip
    assert [t.amount for t in (found.recovered, found.retrying, found.lost, found.failed_first)] == [20, 3, 4, 27]
    by_month = {m.month: m.declined.count for m in found.months if m.declined.count}
    assert by_month == {"2026-03": 1, "2026-06": 5}


async def test_revenue_by_month_and_what_is_deferred(shop: Shop) -> None:
    def fact(name: str, when: int, *legs: tuple[str, str, int]) -> Any:
        return postings("in_1", name, "eur", when, legs)

    await shop.put(
        WALL,
        postings=[
            *fact("finalized", at(5, 1), ("receivable", "deferred_revenue", 3100), ("receivable", "tax_payable", 651)),
            *fact("may", at(5, 31), ("deferred_revenue", "revenue", 1000)),
            *fact("june", at(6, 30), ("deferred_revenue", "revenue", 900)),
            *fact("refund", at(6, 12), ("refunds", "processor_pending", 250), ("deferred_revenue", "processor_pending", 100)),
            *fact("paid", at(5, 2), ("processor_pending", "receivable", 3751), ("fees", "processor_pending", 81)),
        ],
    )
    found = await shop.overview(at(6, 30))
    months = found.revenue["eur"]
    assert [(m.month, m.gross, m.reversed, m.net, m.deferred) for m in months[-2:]] == [
        ("2026-05", 1000, 0, 1000, 2100), ("2026-06", 900, 250, 650, 1100),
    ]  # fmt: skip
    assert all((m.net, m.deferred) == (0, 0) for m in months[:-2])
    ledger = found.ledgers["eur"]
    assert (ledger.balanced, ledger.balance("processor_pending"), ledger.balance("deferred_revenue"), ledger.cash) == (
        True, 3751 - 81 - 350, 1100, 3320,
    )  # fmt: skip


async def test_balances_are_rollups_and_what_came_after(shop: Shop) -> None:
    legs = [("bank", "revenue", 7)]
    await shop.put(at(5), wall=at(5), postings=postings("a", "x", "eur", at(5), legs))
    await shop.put(at(6), wall=at(6), postings=postings("b", "x", "eur", at(6), legs))
    before = (await shop.overview()).ledgers
    async with transaction(shop.pool, shop.account, WALL, WALL) as tx:
        await tx.run(
            "insert into ledger_rollups (account_id, ledger_account, currency, through, debits, credits)"
            " select %(account)s, name, 'eur', to_timestamp(%(at)s), debits, credits"
            " from (values ('bank', 7, 0), ('revenue', 0, 7)) r(name, debits, credits)",
            at=at(5),
        )
    assert (await shop.overview()).ledgers == before
    assert before["eur"].balance("bank") == 14


async def test_what_time_it_is(shop: Shop) -> None:
    def test_clock(frozen: int) -> TestClock:
        return TestClock(id=new_id("clock"), created=WALL, deletes_after=WALL + DAY, frozen_time=frozen, livemode=False)

    assert (await shop.overview()).clock.now == WALL
    one, two = test_clock(WALL + 300 * DAY), test_clock(WALL - 300 * DAY)
    await shop.put(WALL, two)
    assert (await shop.overview()).clock.now == two.frozen_time
    await shop.put(WALL, one)
    found = (await shop.overview()).clock
    assert (found.now, found.clocks, found.on_clock) == (one.frozen_time, 2, True)
    await shop.customer(test_clock=one.id)
    assert (await shop.overview()).clock.on_clock
    async with transaction(shop.pool, shop.account, WALL, WALL) as tx:
        await write(tx, [Decision(updates=[Update(replace(one, deleted_at=WALL), one)])])
    await shop.customer()
    found = (await shop.overview()).clock
    assert (found.now, found.on_clock) == (WALL, False)


async def test_the_number_of_queries_does_not_grow_with_the_book(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()
    ran = Transaction.all

    async def counting(self: Transaction, sql: str, **params: Any) -> list[Any]:
        counted["all"] += 1
        return await ran(self, sql, **params)

    monkeypatch.setattr(Transaction, "all", counting)
    await shop.overview()
    empty = counted.pop("all")
    await a_year(shop)
    anna = await shop.customer(name="Eve")
    await shop.put(WALL, invoice(anna, 5), events=[Event("customer.created", anna)])
    await shop.read()
    counted.clear()
    await shop.overview()
    assert counted["all"] <= empty + 1  # the names of the customers in the feed
    assert counted["all"] <= 12
