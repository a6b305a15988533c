"""Prices: made, changed, taken out of sale."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import products
from voldaan.resources.base import Resource
from voldaan.resources.meters import Meter
from voldaan.resources.params import Params
from voldaan.resources.plans import plan_of
from voldaan.resources.prices import Price, PriceCreate, PriceUpdate
from voldaan.resources.products import Product
from voldaan.rules import prices as rules
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.refusals import exclusive, refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def retrieve(tx: Transaction, params: Params, id: str) -> Price:
    """GET /v1/prices/{price}; a deleted one is gone."""
    return await living(tx, id)


async def create(tx: Transaction, params: PriceCreate) -> Price:
    """A price of a product that exists, or of one made together with it."""
    product, made = await product_of(tx, params)
    price = rules.make(
        params,
        id=new_id("price"),
        sort_key=new_id("at"),
        product=product.id,
        at=tx.now,
        livemode=tx.account.livemode,
    )
    await need_meter(tx, price)
    await _take_lookup_key(tx, price, params.transfer_lookup_key)
    await write(tx, [made, Decision(inserts=[price], events=events("created", price))])
    return price


async def update(tx: Transaction, params: PriceUpdate, id: str) -> Price:
    """The changed price. Refuses to take the default price of a product out of sale."""
    was = await living(tx, id, lock=True)
    price = rules.update(was, params)
    if was.active and not price.active:
        await refuse_default(tx, price, "active")
    if price.lookup_key != was.lookup_key:
        await _take_lookup_key(tx, price, params.transfer_lookup_key)
    return await write_change(tx, price, was)


async def write_change(tx: Transaction, price: Price, was: Price) -> Price:
    """Writes a changed price with its events; nothing if nothing has changed."""
    if price != was:
        await write(tx, [Decision(updates=[Update(price, was)], events=events("updated", price, was))])
    return price


def events(verb: str, price: Price, was: Price | None = None) -> list[Event]:
    """The events of a price, and of its plan if it recurs: callers of either kind hear of it."""
    found: list[tuple[str, Resource, Resource | None]] = []
    if price.recurring:
        found.append(("plan", plan_of(price), plan_of(was) if was else None))
    found.append(("price", price, was))
    return [Event(f"{name}.{verb}", new, old) for name, new, old in found]


async def living(tx: Transaction, id: str, *, lock: bool = False, param: str | None = None) -> Price:
    """The price of this id. Raises Missing for a deleted one too, blaming `param` if the id came as a parameter."""
    price = await tx.need(Price, id, lock=lock, param=param)
    if price.deleted_at is not None:
        raise Missing("price", id, param)
    return price


async def product_of(tx: Transaction, params: PriceCreate) -> tuple[Product, Decision]:
    """The product that the price is of, and what writes it if it is new."""
    if params.product is not None and params.product_data is not None:
        raise exclusive("product", "product_data")
    if params.product_data is not None:
        return await products.from_data(tx, params.product_data)
    if params.product is None:
        raise refused("You must specify either `product` or `product_data` when creating a price.")
    return await products.living(tx, params.product, param="product"), Decision()


async def need_meter(tx: Transaction, price: Price) -> None:
    """Raises Missing if the price names a meter that is not there, and refuses one that counts no more."""
    if price.recurring is None or price.recurring.meter is None:
        return
    meter = await tx.need(Meter, price.recurring.meter, param="recurring[meter]")
    if meter.status != "active":
        raise refused(f"The meter {meter.id} is inactive. This field only accepts active meters.", "recurring[meter]")


async def refuse_default(tx: Transaction, price: Price, param: str | None) -> None:
    """A product that is for sale by default at this price would be left without one."""
    product = await tx.need(Product, price.product)
    if product.default_price == price.id:
        raise refused("This price cannot be archived because it is the default price of its product.", param)


async def _take_lookup_key(tx: Transaction, price: Price, transfer: bool) -> None:
    """Frees the lookup key that the price is about to have, if the caller says so; else refuses one that is taken."""
    if price.lookup_key is None:
        return
    holders: Sequence[Price] = await tx.select(
        Price, "t.lookup_key = %(key)s and t.id <> %(id)s", order="t.id for update", key=price.lookup_key, id=price.id
    )
    if holders and not transfer:
        raise refused(f"A price (`{holders[0].id}`) already uses that lookup key.", "lookup_key")
    for was in holders:
        await write_change(tx, replace(was, lookup_key=None), was)
