"""What a customer has used in the present periods and what it costs so far, by the functions that will bill it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from voldaan.commands import billing, clocks, metered
from voldaan.resources.customers import Customer
from voldaan.resources.line_items import LineItem
from voldaan.resources.params import Params
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import metered as rules
from voldaan.rules import states
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction


async def of_customer(tx: Transaction, params: Params, id: str) -> dict[str, Any]:
    """GET /voldaan/customers/{id}/usage: one entry for each metered item, and for usage that is late for a bill before."""
    customer = await tx.need(Customer, id)
    if customer.deleted_at is not None:
        raise Missing("customer", id)
    await clocks.now_for(tx, customer.test_clock)
    where = "t.customer_id = %(id)s and t.status = any(%(living)s)"
    living = await tx.select(Subscription, where, id=id, living=sorted(states.SUBSCRIPTION_RENEWS))
    facts = await billing.load(tx, customers=[id], subscriptions=[each.id for each in living], pending=False)
    await metered.know(tx, facts)
    lines: list[LineItem] = []
    for subscription in facts.parties.subscriptions.values():
        lines += rules.so_far(facts, subscription, tx.now, new_id)
    return {
        "object": "list",
        "url": f"/voldaan/customers/{id}/usage",
        "has_more": False,
        "data": [shown(line) for line in lines],
    }


def shown(line: LineItem) -> dict[str, Any]:
    """The entry of a line that is not billed yet. `quantity` is exact; `amount` is minor units, before discounts and tax."""
    usage = line.usage
    assert usage is not None
    return {
        "object": "voldaan.current_usage",
        "amount": line.amount,
        "currency": line.currency,
        "description": line.description,
        "late": usage.is_late,
        "meter": usage.meter,
        "period": {"start": usage.start, "end": usage.end},
        "price": line.price,
        "quantity": format(line.quantity_decimal or Decimal(0), "f"),
        "subscription": line.subscription,
        "subscription_item": line.subscription_item,
        "tiers": [{"up_to": t.up_to, "quantity": format(t.quantity, "f"), "amount": t.amount} for t in usage.tiers],
    }
