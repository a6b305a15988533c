"""A subscription changed once its period is over, before anybody has renewed it: the renewal bills what the change left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import BillingWorld, shown
from tests.store.payments_world import DAY
from voldaan.commands import previews, subscriptions
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import InvoiceCreatePreview
from voldaan.resources.subscriptions import SubscriptionUpdate

pytestmark = pytest.mark.anyio
RENEWAL = "subscription.renew"
CHANGES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "more of it": ({"quantity": 2}, [6000]),
    "another price": ({"price": "top"}, [9000]),
    "one more": ({"more": "top"}, [9000, 3000]),
    "one less": ({"deleted": True, "more": "top"}, [9000]),
}


@pytest.mark.parametrize("late", [0, 7], ids=["at its end", "seconds later"])
@pytest.mark.parametrize("behavior", ["create_prorations", "always_invoice", "none"])
@pytest.mark.parametrize("how", CHANGES)
async def test_it_costs_nothing_by_itself(world: BillingWorld, how: str, behavior: str, late: int) -> None:
    pro, top = await world.price(3000), await world.price(9000, name="Max")
    subscription = await world.subscribe(await world.customer(), pro)
    [item] = subscription.items.data
    said, amounts = CHANGES[how]
    given: dict[str, Any] = {"id": item.id} | {name: top.id if value == "top" else value for name, value in said.items()}
    more = given.pop("more", None)
    items = [given, *([{"price": more}] if more else [])] if len(given) > 1 else [{"price": more}]
    world.now = item.current_period_end + late
    asked = InvoiceCreatePreview(
        subscription=subscription.id, subscription_details={"items": items, "proration_behavior": behavior}
    )
    preview = await world.do(previews.create, asked)
    assert [line.amount for line in preview.lines.data] == amounts
    await world.do(subscriptions.update, SubscriptionUpdate(items=items, proration_behavior=behavior), subscription.id)
    assert await world.rows(InvoiceItem) == []
    assert len(await world.invoices(subscription)) == 1
    await world.run(RENEWAL, [subscription.id], item.current_period_end)
    [_, second] = await world.invoices(subscription)
    assert [line.amount for line in second.lines.data] == amounts
    renewed = await world.whole(subscription)
    assert {each.current_period_start for each in renewed.items.data} == {item.current_period_end}


@pytest.mark.parametrize("late", [0, 7], ids=["at its end", "seconds later"])
async def test_usage_has_the_price_of_its_period(world: BillingWorld, late: int) -> None:
    """Until the end the old one, from then on the new one, whenever the change came."""
    cheap, dear, anna = await world.metered(10), await world.metered(50, name="Dear calls"), await world.customer()
    subscription = await world.subscribe(anna, cheap)
    [item] = subscription.items.data
    world.now = item.current_period_end - 1
    await world.used(anna, 4)
    world.now = item.current_period_end + late
    if late:
        await world.used(anna, 3, ago=2)
    params = SubscriptionUpdate(items=[{"id": item.id, "price": dear.id}])
    await world.do(subscriptions.update, params, subscription.id)
    await world.run(RENEWAL, [subscription.id], item.current_period_end)
    [first] = await world.invoices(subscription)
    assert shown(first) == [("4 × Calls (at €0.10 / month)", 40)]
    await world.pass_time(32 * DAY)
    expected = [("3 × Dear calls (at €0.50 / month)", 150)] if late else [("0 × Dear calls (at €0.50 / month)", 0)]
    assert shown((await world.invoices(subscription))[1]) == expected
