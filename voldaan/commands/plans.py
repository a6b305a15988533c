"""Plans: recurring prices under their old name. What is written is the price."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import prices, products
from voldaan.resources.params import Params
from voldaan.resources.plans import Plan, PlanCreate, PlanDelete, PlanUpdate, plan_of
from voldaan.resources.prices import Price, PriceCreate, ProductData, RecurringParams
from voldaan.rules import prices as rules
from voldaan.rules.decision import Decision, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.products import check_id
from voldaan.rules.refusals import missing, refused, renamed
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

SAME = ("active", "billing_scheme", "currency", "metadata", "nickname", "tiers", "tiers_mode")

# What the price calls a parameter, and what the plan calls it.
PLAN_WORDS = {
    "unit_amount": "amount",
    "unit_amount_decimal": "amount_decimal",
    "transform_quantity": "transform_usage",
    "recurring[interval_count]": "interval_count",
    "recurring[meter]": "meter",
    "product_data": "product",
}


async def retrieve(tx: Transaction, params: Params, id: str) -> Plan:
    """GET /v1/plans/{plan}"""
    return plan_of(await _living(tx, id))


async def create(tx: Transaction, params: PlanCreate) -> Plan:
    """A recurring price, and its product if it is described rather than named."""
    if params.product is None:
        raise missing("product")
    if params.id is not None:
        check_id(params.id)
        if await tx.get(Price, [params.id]):
            raise refused("Plan already exists.", "id", "resource_already_exists")
    try:
        asked = _as_price(params)
        product, made = await prices.product_of(tx, asked)
        price = rules.make(
            asked,
            id=params.id or new_id("plan"),
            sort_key=new_id("at"),
            product=product.id,
            at=tx.now,
            livemode=tx.account.livemode,
        )
    except Refused as error:
        said = error.refusal.param or ""
        first, bracket, rest = said.partition("[")
        raise renamed(error, PLAN_WORDS.get(said) or PLAN_WORDS.get(first, first) + bracket + rest) from error
    await prices.need_meter(tx, price)
    await write(tx, [made, Decision(inserts=[price], events=prices.events("created", price))])
    return plan_of(price)


async def update(tx: Transaction, params: PlanUpdate, id: str) -> Plan:
    """The changed plan; what it costs stays."""
    was = await _living(tx, id, lock=True)
    given = params.model_fields_set
    price = replace(was, metadata=merged(was.metadata, params.metadata))
    if params.active is not None:
        price = replace(price, active=params.active)
    if "nickname" in given:
        price = replace(price, nickname=params.nickname or None)
    if params.product is not None and params.product != was.product:
        await prices.refuse_default(tx, was, "product")
        price = replace(price, product=(await products.living(tx, params.product, param="product")).id)
    if "trial_period_days" in given and was.recurring:
        price = rules.with_recurring(price, replace(was.recurring, trial_period_days=params.trial_period_days or None))
    if was.active and not price.active:
        await prices.refuse_default(tx, price, "active")
    return plan_of(await prices.write_change(tx, price, was))


async def delete(tx: Transaction, params: PlanDelete, id: str) -> Plan:
    """The deleted plan. Nobody new can subscribe; who has, stays."""
    was = await _living(tx, id, lock=True)
    await prices.refuse_default(tx, was, None)
    gone = replace(was, active=False, lookup_key=None, deleted_at=tx.now)
    await write(tx, [Decision(updates=[Update(gone, was)], events=prices.events("deleted", was))])
    return plan_of(gone)


async def _living(tx: Transaction, id: str, *, lock: bool = False) -> Price:
    """The recurring price of this id. Raises Missing for one that was deleted or does not recur."""
    price = (await tx.get(Price, [id], lock=lock)).get(id)
    if price is None or price.deleted_at is not None or price.recurring is None:
        raise Missing("plan", id)
    return price


def _as_price(params: PlanCreate) -> PriceCreate:
    """The same wishes in the words of a price."""
    given = {name: getattr(params, name) for name in SAME if name in params.model_fields_set}
    given["recurring"] = RecurringParams(
        interval=params.interval,
        interval_count=params.interval_count,
        meter=params.meter,
        trial_period_days=params.trial_period_days or None,
        usage_type=params.usage_type,
    )
    return PriceCreate(
        **given,
        unit_amount=params.amount,
        unit_amount_decimal=params.amount_decimal,
        transform_quantity=params.transform_usage,
        product=params.product if isinstance(params.product, str) else None,
        product_data=params.product if isinstance(params.product, ProductData) else None,
    )
