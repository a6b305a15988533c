"""Items with usage, changed by the thousand or moved: what was used is billed as for any other change, and so is what comes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import BillingWorld, shown
from tests.store.payments_world import DAY
from voldaan.commands import billing, item_moves, mass_changes, price_migrations
from voldaan.resources.base import UNSET
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.item_moves import ItemMove
from voldaan.resources.price_migrations import (
    MigrationPreviewParams,
    PriceMigration,
    PriceMigrationCreate,
    PriceMigrationStart,
)
from voldaan.resources.quantity_changes import QuantitiesUpdate
from voldaan.resources.subscription_items import ItemThresholds
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Missing, Transaction, transaction

pytestmark = pytest.mark.anyio


async def migration(world: BillingWorld, old: str, new: str, when: str = "now") -> PriceMigration:
    asked = PriceMigrationCreate.model_validate({"price": old, "to": new, "when": when})
    made: PriceMigration = await world.do(price_migrations.create, asked)
    return made


async def moved(world: BillingWorld, migration: PriceMigration) -> None:
    await world.do(price_migrations.start, PriceMigrationStart(), migration.id)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await price_migrations.run(tx, [migration.id])
    assert (await world.see(PriceMigration, migration.id)).subscriptions.moved == 1


async def test_a_migration_bills_the_usage_until_then_at_the_old_price(world: BillingWorld) -> None:
    anna, old, new = await world.customer(), await world.metered(10), await world.metered(20)
    subscription = await world.subscribe(anna, {"price": old.id, "billing_thresholds": {"usage_gte": 500}})
    await world.pass_time(3 * DAY)
    await world.used(anna, 30, ago=60)
    planned = await migration(world, old.id, new.id)
    preview = await world.do(price_migrations.preview, MigrationPreviewParams(), planned.id)
    [each] = preview.data
    assert (each.before.next, each.after.next) == (300, 300)

    await moved(world, planned)
    [waiting] = await world.rows(InvoiceItem)
    assert (waiting.amount, waiting.quantity_decimal, waiting.price) == (300, 30, old.id)
    [item] = (await world.whole(subscription)).items.data
    assert (item.price.id, item.quantity, item.billing_thresholds) == (new.id, UNSET, ItemThresholds(usage_gte=500))
    await world.used(anna, 1)
    await world.pass_time(31 * DAY)
    [invoice] = await world.invoices(subscription)
    assert shown(invoice) == [("30 × Calls (at €0.10 / month)", 300), ("1 × Calls (at €0.20 / month)", 20)]


async def test_from_a_quantity_to_usage_and_back(world: BillingWorld) -> None:
    anna, seats, calls = await world.customer(), await world.price(1000), await world.metered()
    subscription = await world.subscribe(anna, {"price": seats.id, "quantity": 3})
    await moved(world, await migration(world, seats.id, calls.id))
    [item] = (await world.whole(subscription)).items.data
    assert (item.price.id, item.quantity) == (calls.id, UNSET)
    await world.pass_time(DAY)
    await moved(world, await migration(world, calls.id, seats.id))
    [item] = (await world.whole(subscription)).items.data
    assert (item.price.id, item.quantity) == (seats.id, 1)


async def test_an_item_that_moves_leaves_its_usage_behind(world: BillingWorld) -> None:
    anna, calls, pro = await world.customer(), await world.metered(), await world.price(3000)
    given = {"price": calls.id, "billing_thresholds": {"usage_gte": 500}}
    source, target = await world.subscribe(anna, given, pro), await world.subscribe(anna, pro)
    await world.pass_time(3 * DAY)
    await world.used(anna, 30, ago=60)
    counted = next(item for item in source.items.data if item.price.id == calls.id)
    item = await world.do(item_moves.move, ItemMove(subscription_item=counted.id, to=target.id))
    [waiting] = await world.rows(InvoiceItem)
    assert (waiting.amount, waiting.quantity_decimal, waiting.subscription) == (300, 30, source.id)
    assert (item.quantity, item.billing_thresholds) == (UNSET, ItemThresholds(usage_gte=500))


async def test_a_quantity_for_usage_is_refused(world: BillingWorld) -> None:
    anna = await world.customer()
    subscription = await world.subscribe(anna, await world.metered())
    [item] = subscription.items.data
    asked = QuantitiesUpdate.model_validate({"items": [{"subscription_item": item.id, "quantity": 1}]})
    [result] = (await world.do(mass_changes.quantities, asked)).data
    assert (result.result, result.message) == ("refused", "You cannot set the quantity for metered plans.")
    [after] = (await world.whole(subscription)).items.data
    assert after.quantity is UNSET


FLAT = [{"up_to": 10, "unit_amount": 10, "flat_amount": 2000}, {"up_to": "inf", "unit_amount": 5}]


async def test_flat_fees_do_not_come_to_a_threshold_by_a_change_or_a_move(world: BillingWorld) -> None:
    """They would reach it alone, and be billed again and again."""
    anna, calls, pro = await world.customer(), await world.metered(), await world.price(3000)
    flat = await world.metered(tiers=FLAT, tiers_mode="graduated", billing_scheme="tiered")
    watched = await world.subscribe(anna, calls, pro, billing_thresholds={"amount_gte": 1500})
    planned = await migration(world, calls.id, flat.id)
    [each] = (await world.do(price_migrations.preview, MigrationPreviewParams(), planned.id)).data
    assert each.failure.message.startswith("The threshold must be greater than the flat fees")
    source = await world.subscribe(anna, flat, await world.price(100))
    item = next(each for each in source.items.data if each.price.id == flat.id)
    with pytest.raises(Refused, match="The threshold must be greater") as no:
        await world.do(item_moves.move, ItemMove(subscription_item=item.id, to=watched.id))
    assert no.value.refusal.param == "to"


async def test_an_item_that_two_move_moves_once(world: BillingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second has read the item before the first one moved it."""
    anna, pro = await world.customer(), await world.price(3000)
    source = await world.subscribe(anna, pro, await world.price(9000))
    target = await world.subscribe(anna, await world.price(100))
    item = next(each for each in source.items.data if each.price.id == pro.id)
    asked = ItemMove(subscription_item=item.id, to=target.id)
    load, overtakes = billing.load, [True]

    async def overtaken(tx: Transaction, **named: Any) -> Any:
        if overtakes:
            overtakes.clear()
            await world.do(item_moves.move, asked)
        return await load(tx, **named)

    monkeypatch.setattr(billing, "load", overtaken)
    with pytest.raises(Missing):
        await world.do(item_moves.move, asked)
    assert [len((await world.whole(each)).items.data) for each in (source, target)] == [1, 2]


async def test_a_price_that_was_agreed_for_the_renewal_moves_along(world: BillingWorld) -> None:
    anna, old, new = await world.customer(), await world.price(3000), await world.price(4000)
    source, target = await world.subscribe(anna, old, await world.price(100)), await world.subscribe(anna, await world.price(200))
    await moved(world, await migration(world, old.id, new.id, "renewal"))
    item = next(each for each in source.items.data if each.price.id == old.id)
    made = await world.do(item_moves.move, ItemMove(subscription_item=item.id, to=target.id))
    assert (made.price.id, made.next_price) == (old.id, new.id)
    await world.pass_time(32 * DAY)
    [_, renewed] = await world.invoices(target)
    assert sorted(line.amount for line in renewed.lines.data if not line.proration) == [200, 4000]
