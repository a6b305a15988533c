"""Quotes on a real database: lines that come and go, an offer that runs out, and what would break them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store import payments_world
from tests.store.billing_world import BillingWorld
from tests.store.payments_world import DAY
from voldaan.commands import coupons, quotes, subscription_schedules, subscriptions, test_clocks
from voldaan.resources.coupons import CouponCreate
from voldaan.resources.quotes import Quote, QuoteAccept, QuoteCreate, QuoteFinalize, QuoteLineItem, QuoteUpdate
from voldaan.resources.render import to_dict
from voldaan.resources.schedule_params import SubscriptionScheduleCreate
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate, SubscriptionUpdate
from voldaan.resources.test_clocks import TestClockCreate
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Transaction

pytestmark = pytest.mark.anyio
payments_world.INSIDE["quote.expire"] = quotes.expire


async def quoted(world: BillingWorld, *prices: str, **more: Any) -> Quote:
    lines = [{"price": price} for price in prices]
    made: Quote = await world.do(quotes.create, QuoteCreate(line_items=lines, **more))
    return made


async def test_lines_keep_what_is_not_said_of_them_and_go_when_they_are_not_named(world: BillingWorld) -> None:
    pro, once = (await world.price(3000)).id, (await world.price(500, None)).id
    quote = await quoted(world, pro, once)
    first, second = await world.rows(QuoteLineItem, "not t.upfront")
    assert (quote.amount_total, first.amount_total, second.amount_total) == (3500, 3000, 500)
    params = QuoteUpdate(line_items=[{"id": first.id, "quantity": 2}, {"price": once, "quantity": 4}])
    after = await world.do(quotes.update, params, quote.id)
    left = await world.rows(QuoteLineItem, "not t.upfront")
    assert [(item.id == first.id, item.quantity, item.amount_total) for item in left] == [(True, 2, 6000), (False, 4, 2000)]
    assert (after.amount_total, after.computed.recurring.amount_total, after.computed.upfront.amount_total) == (8000, 6000, 8000)
    assert len(await world.rows(QuoteLineItem, "t.upfront")) == 2


@pytest.mark.parametrize("kind", ["classic", "flexible"])
async def test_what_is_billed_is_what_was_offered(world: BillingWorld, kind: str) -> None:
    """Also to a customer with a discount of their own, which is no part of the offer."""
    anna, pro, once = await world.customer(), (await world.price(3000)).id, (await world.price(500, None)).id
    await world.always_off(anna)
    quote = await quoted(world, pro, once, customer=anna.id, subscription_data={"billing_mode": {"type": kind}})
    assert ("flexible" in to_dict(quote)["subscription_data"]["billing_mode"]) is (kind == "flexible")
    stored = await world.see(Quote, quote.id)
    assert to_dict(stored) == to_dict(quote)
    await world.do(quotes.finalize, QuoteFinalize(), quote.id)
    accepted = await world.do(quotes.accept, QuoteAccept(), quote.id)
    subscription = await world.see(Subscription, accepted.subscription)
    assert (subscription.billing_mode.type, subscription.billing_mode.flexible is None) == (kind, kind == "classic")
    [first] = await world.invoices()
    assert first.total == quote.computed.upfront.amount_total == 3500
    await world.pass_time(31 * DAY)
    [_, second] = await world.invoices()
    assert second.total == quote.computed.recurring.amount_total == 3000


async def test_without_a_customer_it_cannot_be_finalized(world: BillingWorld) -> None:
    quote = await quoted(world, (await world.price()).id)
    with pytest.raises(Refused) as no:
        await world.do(quotes.finalize, QuoteFinalize(), quote.id)
    assert no.value.refusal.param == "customer"
    anna = await world.customer()
    await world.do(quotes.update, QuoteUpdate(customer=anna.id), quote.id)
    opened = await world.do(quotes.finalize, QuoteFinalize(), quote.id)
    assert opened.number == f"QT-{anna.invoice_prefix}-0001-1"


async def test_an_offer_that_ran_out_cannot_be_accepted_even_before_anybody_noticed(world: BillingWorld) -> None:
    quote = await quoted(world, (await world.price()).id, customer=(await world.customer()).id, expires_at=world.now + DAY)
    await world.do(quotes.finalize, QuoteFinalize(), quote.id)
    world.now += DAY
    with pytest.raises(Refused, match="expired"):
        await world.do(quotes.accept, QuoteAccept(), quote.id)
    await world.pass_time(0)
    assert (await world.see(Quote, quote.id)).status == "canceled"


BREAK = {
    "I12": "delete from due where account_id = %(account)s and kind = 'quote.expire'",
    "I13": "update quotes set amount_total = amount_total + 1 where account_id = %(account)s",
}


@pytest.mark.parametrize("name", BREAK)
async def test_an_invariant_finds_what_breaks_it(tampered: BillingWorld, name: str) -> None:
    await quoted(tampered, (await tampered.price()).id)
    await tampered.check_invariants()
    await tampered.change(BREAK[name])
    assert name in await tampered.breaches()


async def test_many_lines_take_as_many_queries_as_few(world: BillingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coupons, prices and tax rates are read at once; so are those of a schedule's phases, and of a subscription's items."""
    asked: list[str] = []
    every = Transaction.all

    async def counting(self: Transaction, sql: str, **params: object) -> Any:
        asked.append(sql)
        return await every(self, sql, **params)

    anna = await world.customer()
    prices = [(await world.price(100 * n, name=f"Bread {n}")).id for n in range(1, 13)]
    once = [(await world.price(100 * n, None, name=f"Cake {n}")).id for n in range(1, 13)]
    codes = [(await world.do(coupons.create, CouponCreate(percent_off=str(n), duration="forever"))).id for n in range(1, 13)]
    monkeypatch.setattr(Transaction, "all", counting)
    tallies: dict[str, set[int]] = {"quote": set(), "schedule": set(), "subscription": set(), "change": set()}
    for many in (1, 12):
        named = zip(prices[:many], codes, strict=False)
        items = [{"price": price, "discounts": [{"coupon": code}]} for price, code in named]
        asked.clear()
        quote = await world.do(quotes.create, QuoteCreate(line_items=items, customer=anna.id))
        tallies["quote"].add(len(asked))
        assert quote.total_details.amount_discount == sum(n * n for n in range(1, many + 1))
        asked.clear()
        params = SubscriptionScheduleCreate(customer=anna.id, start_date=world.now + DAY, phases=[{"items": items}])
        await world.do(subscription_schedules.create, params)
        tallies["schedule"].add(len(asked))
        asked.clear()
        added = [{"price": price, "discounts": [{"coupon": code}]} for price, code in zip(once[:many], codes, strict=False)]
        made = await world.do(
            subscriptions.create, SubscriptionCreate(customer=anna.id, items=items, add_invoice_items=added)
        )
        tallies["subscription"].add(len(asked))
        asked.clear()
        changed = [{"id": item.id, "discounts": [{"coupon": codes[-1]}]} for item in made.items.data]
        await world.do(subscriptions.update, SubscriptionUpdate(items=changed), made.id)
        tallies["change"].add(len(asked))
    assert {what: len(found) for what, found in tallies.items()} == dict.fromkeys(tallies, 1), tallies


async def test_a_discount_that_is_there_already_counts_from_the_first_draft_on(world: BillingWorld) -> None:
    anna, pro = await world.customer(), await world.price(3000)
    coupon = await world.do(coupons.create, CouponCreate(percent_off="10", duration="forever"))
    subscription = await world.subscribe(anna, pro, discounts=[{"coupon": coupon.id}])
    quote = await quoted(world, pro.id, customer=anna.id, discounts=[{"discount": subscription.discounts[0]}])
    assert quote.amount_total == 2700


async def test_a_line_that_was_usage_is_one_of_what_it_becomes(world: BillingWorld) -> None:
    quote = await quoted(world, (await world.metered()).id)
    [line] = await world.rows(QuoteLineItem, "not t.upfront")
    params = QuoteUpdate(line_items=[{"id": line.id, "price": (await world.price(3000)).id}])
    after = await world.do(quotes.update, params, quote.id)
    [line] = await world.rows(QuoteLineItem, "not t.upfront")
    assert (line.quantity, after.amount_total) == (1, 3000)


async def test_it_begins_within_five_years(world: BillingWorld) -> None:
    """The calendar of later ones may end before their first period does."""
    for at in (world.now + 6 * 366 * DAY, 253_402_300_799):
        with pytest.raises(Refused) as no:
            await quoted(world, (await world.price()).id, subscription_data={"effective_date": at})
        assert no.value.refusal.param == "subscription_data[effective_date]"


async def test_a_quote_and_its_customer_live_by_the_same_clock(world: BillingWorld) -> None:
    """Also where the customer is named later."""
    clock = await world.do(test_clocks.create, TestClockCreate(frozen_time=world.now))
    anna, pro = await world.customer(), (await world.price()).id
    quote = await quoted(world, pro, test_clock=clock.id)
    with pytest.raises(Refused) as no:
        await world.do(quotes.update, QuoteUpdate(customer=anna.id), quote.id)
    assert no.value.refusal.param == "customer"
    bo = await world.customer(None, test_clock=clock.id)
    assert (await world.do(quotes.update, QuoteUpdate(customer=bo.id), quote.id)).customer == bo.id
