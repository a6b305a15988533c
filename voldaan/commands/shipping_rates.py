"""Shipping rates: made, changed, and looked up for an invoice that names one or describes its own."""

from __future__ import annotations

from voldaan.resources.params import Unset
from voldaan.resources.shipping_rates import (
    Shipped,
    ShippingCostParams,
    ShippingRate,
    ShippingRateCreate,
    ShippingRateUpdate,
)
from voldaan.rules import shipping
from voldaan.rules import shipping_rates as rules
from voldaan.rules.decision import Decision, Update
from voldaan.rules.refusals import missing
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

PARAM = "shipping_cost[shipping_rate]"
DATA = "shipping_cost[shipping_rate_data]"


async def create(tx: Transaction, params: ShippingRateCreate) -> ShippingRate:
    """POST /v1/shipping_rates"""
    rate = rules.make(params, id=new_id("shr"), at=tx.now, livemode=tx.account.livemode)
    await write(tx, [Decision(inserts=[rate])])
    return rate


async def update(tx: Transaction, params: ShippingRateUpdate, id: str) -> ShippingRate:
    """POST /v1/shipping_rates/{id}. Invoices that were charged at the rate keep their amounts."""
    was = await tx.need(ShippingRate, id, lock=True)
    rate = rules.update(was, params)
    if rate != was:
        await write(tx, [Decision(updates=[Update(rate, was)])])
    return rate


async def charged(
    tx: Transaction, given: ShippingCostParams | Unset | None, currency: str, decision: Decision
) -> Shipped | None:
    """What `shipping_cost` of a request comes to before tax; a rate that it describes is made. Raises Missing or Refused."""
    if not given:
        return None
    if given.shipping_rate_data is not None:
        rate = rules.make(
            given.shipping_rate_data, id=new_id("shr"), at=tx.now, livemode=tx.account.livemode, under=DATA
        )
        decision.inserts.append(rate)
        return shipping.charged(rate, currency, f"{DATA}[fixed_amount][currency]")
    if given.shipping_rate is None:
        raise missing(PARAM)
    rate = await tx.need(ShippingRate, given.shipping_rate, param=PARAM)
    return shipping.charged(rate, currency, PARAM)
