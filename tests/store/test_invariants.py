"""Invariants of periods and of revenue that is to be earned: quiet over what changes do to both, and each sees what breaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.payments_world import DAY
from voldaan.commands import credit_notes, refunds, subscriptions
from voldaan.processors.sandbox import Faults, SandboxNetwork
from voldaan.reports.verify import verify
from voldaan.resources.accounts import Account
from voldaan.resources.charges import Charge
from voldaan.resources.credit_notes import CreditNoteCreate
from voldaan.resources.invoices import Invoice
from voldaan.resources.refunds import RefundCreate
from voldaan.resources.subscription_items import BilledPeriod
from voldaan.resources.subscriptions import SubscriptionUpdate
from voldaan.store.pool import Pool

pytestmark = pytest.mark.anyio
PERIODS = "I6_periods_tile_time"
REVENUE = "L6_revenue_is_not_recognised_beyond_what_was_deferred"


@pytest.fixture(scope="module")
async def network(dsn: str, anyio_backend: str) -> AsyncIterator[SandboxNetwork]:
    network = SandboxNetwork(dsn, Faults())
    await network.open()
    yield network
    await network.close()


@pytest.fixture
def world(pool: Pool, account: Account, network: SandboxNetwork) -> BillingWorld:
    world = BillingWorld(pool, account, network)
    world.faults()
    return world


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


async def test_a_billed_period_ends_where_a_change_begins_another(world: BillingWorld) -> None:
    began = world.now
    _, periods = await a_year_that_became_months(world)
    assert await broken(world) == set()
    assert [period.period_start for period in periods[:1]] == [began]
    assert periods[0].period_end == began + 40 * DAY
    assert len(periods) == 3
    assert periods[1].period_end == periods[2].period_start


TAMPERED = {
    "min": "period_end_at = period_end_at + interval '325 days'",      # the year, as it was before the change
    "max": "period_start_at = period_start_at - interval '1 second'",  # the second renewal of a month
}


@pytest.mark.parametrize("which", TAMPERED)
async def test_periods_that_overlap_are_seen(world: BillingWorld, which: str) -> None:
    await a_year_that_became_months(world)
    assert await broken(world) == set()
    one = f"account_id = %(account)s and id = (select {which}(id) from billed_periods where account_id = %(account)s)"
    await change(world, f"update billed_periods set {TAMPERED[which]} where {one}")
    assert await broken(world) == {PERIODS}


async def test_revenue_between_what_lines_give_back_and_charge_is_seen(world: BillingWorld) -> None:
    """The invoice of the change holds some ninety thousand less than nothing: of one cent more, all sums still are possible."""
    invoice, _ = await a_year_that_became_months(world)
    nets = sorted(line.net for line in invoice.lines.data)
    assert nets[0] < -100_000 < 0 < nets[-1]
    assert await broken(world) == set()
    await change(
        world,
        "update postings set amount = amount - 1 where account_id = %(account)s and fact like 'recognised:2%%' and invoice_id = "
        f"'{invoice.id}' and leg = 0",
    )
    assert await broken(world) == {REVENUE}


async def test_revenue_that_notes_and_refunds_have_taken_of(world: BillingWorld) -> None:
    anna = await world.customer()
    first = await world.subscribe(anna, await world.price(120_000, "year"))
    second = await world.subscribe(anna, await world.price(36_000, "year"), await world.price(9_900, "year"))
    await world.pass_time(40 * DAY)
    [refunded], [noted] = await world.invoices(first), await world.invoices(second)
    [charge] = [charge for charge in await world.rows(Charge) if charge.invoice == refunded.id]
    await world.do(refunds.create, RefundCreate(charge=charge.id, amount=50_001))
    await world.do(credit_notes.create, CreditNoteCreate(invoice=noted.id, amount=10_007, credit_amount=10_007))
    await world.pass_time(90 * DAY)
    assert await broken(world) == set()
    for invoice, much in ((refunded, 100_000), (noted, 100)):
        more = f"update postings set amount = amount + {much} where account_id = %(account)s and invoice_id = '{invoice.id}'"
        await change(world, more + " and fact = 'finalized' and credit = 'deferred_revenue'")
        found = (await verify(world.pool, world.now, account=world.account.id)).findings
        assert invoice.id in [finding.id for finding in found if finding.invariant == REVENUE]
