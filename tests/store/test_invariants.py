"""Invariants of periods and of revenue that is to be earned: quiet over what changes do to both, and each sees what breaks it."""

from __future__ import annotations

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.payments_world import DAY
from voldaan.commands import credit_notes, refunds, subscriptions
from voldaan.reports.verify import verify
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import CreditNoteCreate
from voldaan.resources.invoices import Invoice
from voldaan.resources.refunds import RefundCreate
from voldaan.resources.subscription_items import BilledPeriod
from voldaan.resources.subscriptions import SubscriptionUpdate

pytestmark = pytest.mark.anyio
PERIODS = "I6_periods_tile_time"
REVENUE = "L6_revenue_is_not_recognised_beyond_what_was_deferred"
NAMED, WHOLE = "R1_what_is_named_is_there", "R4_parts_have_their_whole"


async def broken(world: BillingWorld) -> set[str]:
    found = (await verify(world.pool, world.now, account=world.account.id)).findings
    return {finding.invariant for finding in found}


async def change(world: BillingWorld, sql: str) -> None:
    """As the owner of the tables, who alone can rewrite the books."""
    async with world.pool.connection() as connection:
        assert (await connection.execute(sql, {"account": world.account.id})).rowcount > 0


async def a_year_that_became_months(world: BillingWorld) -> tuple[Invoice, list[BilledPeriod]]:
    """After forty days of a year it is monthly. The invoice of the change, which gives a year back bit by bit and earns a month;
    and what renewals have billed, in order."""
    anna = await world.customer()
    year, month = await world.price(120_000, "year"), await world.price(11_000)
    subscription = await world.subscribe(anna, year)
    await world.pass_time(40 * DAY)
    [item] = subscription.items.data
    changed = SubscriptionUpdate(items=[{"id": item.id, "price": month.id}])
    await world.do(subscriptions.update, changed, subscription.id)
    await world.pass_time(70 * DAY)
    of_change = (await world.invoices(subscription))[1]
    return of_change, sorted(await world.rows(BilledPeriod), key=lambda period: period.period_start)


async def test_a_billed_period_ends_where_a_change_begins_another(tampered: BillingWorld) -> None:
    began = tampered.now
    _, periods = await a_year_that_became_months(tampered)
    assert await broken(tampered) == set()
    assert [period.period_start for period in periods[:1]] == [began]
    assert periods[0].period_end == began + 40 * DAY
    assert len(periods) == 3
    assert periods[1].period_end == periods[2].period_start


TAMPERED = {
    "min": "period_end_at = period_end_at + interval '325 days'",      # the year, as it was before the change
    "max": "period_start_at = period_start_at - interval '1 second'",  # the second renewal of a month
}


@pytest.mark.parametrize("which", TAMPERED)
async def test_periods_that_overlap_are_seen(tampered: BillingWorld, which: str) -> None:
    await a_year_that_became_months(tampered)
    assert await broken(tampered) == set()
    one = f"account_id = %(account)s and id = (select {which}(id) from billed_periods where account_id = %(account)s)"
    await change(tampered, f"update billed_periods set {TAMPERED[which]} where {one}")
    assert await broken(tampered) == {PERIODS}


async def test_revenue_between_what_lines_give_back_and_charge_is_seen(tampered: BillingWorld) -> None:
    """The invoice of the change holds some ninety thousand less than nothing: of one cent more, all sums still are possible."""
    invoice, _ = await a_year_that_became_months(tampered)
    nets = sorted(line.net for line in invoice.lines.data)
    assert nets[0] < -100_000 < 0 < nets[-1]
    assert await broken(tampered) == set()
    await change(
        tampered,
        "update postings set amount = amount - 1 where account_id = %(account)s and fact = 'recognised:2026-10' and invoice_id = "
        f"'{invoice.id}'",
    )
    assert await broken(tampered) == {REVENUE}


async def test_revenue_that_notes_and_refunds_have_taken_of(tampered: BillingWorld) -> None:
    anna = await tampered.customer()
    first = await tampered.subscribe(anna, await tampered.price(120_000, "year"))
    second = await tampered.subscribe(anna, await tampered.price(36_000, "year"), await tampered.price(9_900, "year"))
    await tampered.pass_time(40 * DAY)
    [refunded], [noted] = await tampered.invoices(first), await tampered.invoices(second)
    [charge] = [charge for charge in await tampered.rows(Charge) if charge.invoice == refunded.id]
    await tampered.do(refunds.create, RefundCreate(charge=charge.id, amount=50_001))
    await tampered.do(credit_notes.create, CreditNoteCreate(invoice=noted.id, amount=10_007, credit_amount=10_007))
    await tampered.pass_time(90 * DAY)
    assert await broken(tampered) == set()
    for invoice, much in ((refunded, 100_000), (noted, 100)):
        more = f"update postings set amount = amount + {much} where account_id = %(account)s and invoice_id = '{invoice.id}'"
        await change(tampered, more + " and fact = 'finalized' and credit = 'deferred_revenue'")
        found = (await verify(tampered.pool, tampered.now, account=tampered.account.id)).findings
        assert invoice.id in [finding.id for finding in found if finding.invariant == REVENUE]


@pytest.mark.parametrize("holder", ["'evt_1'", "id"], ids=["gone", "itself"])
async def test_an_event_whose_frame_nobody_holds_is_seen(tampered: BillingWorld, holder: str) -> None:
    await tampered.subscribe(await tampered.customer(), await tampered.price(1_000, "month"))
    assert await broken(tampered) == set()
    of_one = "(select max(id) from events where account_id = %(account)s)"
    lost = f"update events set data = null, held_by = {holder} where account_id = %(account)s and id = {of_one}"
    await change(tampered, lost)
    assert await broken(tampered) == {"E2_events_have_their_snapshots"}


@pytest.mark.parametrize(
    ("invariant", "table", "column"),
    [(NAMED, "invoices", "customer_id"), (NAMED, "invoices", "subscription_id"), (NAMED, "payment_intents", "customer_id"),
     (NAMED, "usage_periods", "customer_id"), (NAMED, "usage_periods", "subscription_id"), (NAMED, "usage_periods", "price_id"),
     (WHOLE, "invoice_line_items", "invoice_id"), (WHOLE, "invoice_payments", "invoice_id"),
     (WHOLE, "attempts", "payment_intent_id")],
)  # fmt: skip
async def test_what_names_nobody_is_seen(tampered: BillingWorld, invariant: str, table: str, column: str) -> None:
    await tampered.subscribe(await tampered.customer(), await tampered.price(1_000, "month"), await tampered.metered(7))
    await tampered.pass_time(32 * DAY)
    assert await broken(tampered) == set()
    await change(tampered, f"update {table} set {column} = {column} || 'x' where account_id = %(account)s")
    assert invariant in await broken(tampered)
