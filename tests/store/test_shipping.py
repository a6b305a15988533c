"""Shipping on a real database: what is sent takes as many queries for one invoice as for many, each at a rate of its own."""

from __future__ import annotations

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.payments_world import HOUR
from tests.store.test_invoices import draft, rate
from voldaan.commands import shipping_rates
from voldaan.resources.invoices import Invoice
from voldaan.resources.shipping_rates import ShippingRateCreate
from voldaan.store.children import attach
from voldaan.store.transaction import transaction

pytestmark = pytest.mark.anyio


async def shipped(world: BillingWorld, number: int, *amounts: int) -> Invoice:
    """A draft that is taxed and sent at rates that no other invoice has."""
    fixed = {"amount": 500 + number, "currency": "eur"}
    post = await world.do(shipping_rates.create, ShippingRateCreate(display_name="Post", fixed_amount=fixed))
    vat = await rate(world, str(number))
    more = {"default_tax_rates": [vat], "shipping_cost": {"shipping_rate": post.id}, "auto_advance": True}
    return await draft(world, await world.customer(None), *amounts, **more)


async def test_a_batch_that_is_sent_takes_as_many_queries_as_one(world: BillingWorld, asked: list[str]) -> None:
    counts = []
    for many in (1, 4):
        drafts = [await shipped(world, 10 + number, 1000) for number in range(many)]
        world.now += HOUR
        asked.clear()
        await world.run("invoice.finalize", [each.id for each in drafts], world.now)
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            found = list((await tx.get(Invoice, [each.id for each in drafts])).values())
            await attach(tx, found)
        counts.append(len(asked))
        shown = sorted((each.status, each.amount_shipping, each.total) for each in found)
        assert shown == [("open", 510, 1661), ("open", 511, 1677), ("open", 512, 1693), ("open", 513, 1710)][:many]
    assert counts[0] == counts[1]
