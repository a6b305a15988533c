"""An event that arrives while its invoice is finalized: on that invoice or on the next one, never on both and never on none."""

from __future__ import annotations

import pytest

from tests.store.billing_world import BillingWorld, shown
from tests.store.payments_world import DAY
from voldaan.commands import invoices as invoice_commands
from voldaan.commands import meter_events
from voldaan.resources.invoice_params import InvoiceFinalize
from voldaan.resources.invoices import Invoice
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.usage import Given
from voldaan.store.transaction import transaction

pytestmark = pytest.mark.anyio


async def draft_of(world: BillingWorld) -> tuple[str, Subscription, Invoice]:
    """A customer who used 90, and the draft that bills it."""
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered(10))
    await world.used(anna, 90)
    await world.pass_time(30 * DAY + 60)
    [draft] = await world.invoices(subscription)
    assert (draft.status, draft.total) == ("draft", 900)
    return anna.id, subscription, draft


def event(world: BillingWorld, customer: str) -> Given:
    return Given("calls", {"stripe_customer_id": customer, "value": "30"}, "late", world.now - DAY)


async def test_one_that_is_not_committed_yet_comes_next(world: BillingWorld) -> None:
    customer, subscription, draft = await draft_of(world)
    async with transaction(world.pool, world.account, world.now, world.now) as arriving:
        assert await meter_events.record(arriving, [event(world, customer)]) == [None]
        await world.do(invoice_commands.finalize, InvoiceFinalize(), draft.id)  # does not wait for it
    await billed_once(world, subscription, customer)


async def test_one_that_is_committed_after_the_usage_was_read_comes_next(world: BillingWorld) -> None:
    customer, subscription, draft = await draft_of(world)
    async with transaction(world.pool, world.account, world.now, world.now) as finalizing:
        await invoice_commands.finalize(finalizing, InvoiceFinalize(), draft.id)
        async with transaction(world.pool, world.account, world.now, world.now) as arriving:  # nor does it wait
            assert await meter_events.record(arriving, [event(world, customer)]) == [None]
    await billed_once(world, subscription, customer)


async def billed_once(world: BillingWorld, subscription: Subscription, customer: str) -> None:
    [first] = await world.invoices(subscription)
    assert first.total == 900
    async with transaction(world.pool, world.account, world.now, world.now) as again:
        [refused] = await meter_events.record(again, [event(world, customer)])
    assert refused is not None
    assert refused.code == "duplicate_meter_event"
    await world.pass_time(31 * DAY)
    second = (await world.invoices(subscription))[-1]
    assert [amount for _, amount in shown(second)] == [0, 300]
    await world.pass_time(31 * DAY)
    assert [amount for _, amount in shown((await world.invoices(subscription))[-1])] == [0]
