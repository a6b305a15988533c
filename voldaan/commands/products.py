"""Products: made, changed, deleted as long as they have no price."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import prices
from voldaan.resources.params import Params
from voldaan.resources.prices import Price, PriceCreate, ProductData, RecurringParams
from voldaan.resources.products import DefaultPriceData, Product, ProductCreate, ProductDelete, ProductUpdate
from voldaan.resources.tax_locations import TaxLocation
from voldaan.rules import prices as price_rules
from voldaan.rules import products as rules
from voldaan.rules.decision import Decision, Event, Refused, Update
from voldaan.rules.refusals import refused, renamed
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def retrieve(tx: Transaction, params: Params, id: str) -> Product:
    """GET /v1/products/{product}; a deleted one is gone."""
    return await living(tx, id)


async def create(tx: Transaction, params: ProductCreate) -> Product:
    """A product, together with its first price if the caller describes one."""
    bare = rules.changed(await _empty(tx, params.id, params.name, params.type), params)
    await _check_place(tx, bare)
    if params.default_price_data is None:
        await write(tx, [Decision(inserts=[bare], events=[Event("product.created", bare)])])
        return bare
    price = _first_price(tx, bare, params.default_price_data)
    product = replace(bare, default_price=price.id)
    await write(
        tx,
        [
            Decision(
                inserts=[bare, price],
                updates=[Update(product, bare)],
                events=[Event("product.created", product), *prices.events("created", price)],
            )
        ],
    )
    return product


async def update(tx: Transaction, params: ProductUpdate, id: str) -> Product:
    """The changed product. A default price must be one of its own that is for sale."""
    was = await living(tx, id, lock=True)
    product = rules.changed(was, params)
    await _check_place(tx, product, was)
    if "default_price" in params.model_fields_set:
        product = replace(product, default_price=params.default_price or None)
    if product.default_price and product.default_price != was.default_price:
        await _check_default(tx, product, product.default_price)
    if product == was:
        return product
    product = replace(product, updated=tx.now)
    await write(tx, [Decision(updates=[Update(product, was)], events=[Event("product.updated", product, was)])])
    return product


async def delete(tx: Transaction, params: ProductDelete, id: str) -> Product:
    """The deleted product. Refuses one with a price: invoices and subscriptions may tell of it."""
    was = await living(tx, id, lock=True)
    if await tx.one("select 1 from prices where account_id = %(account)s and product_id = %(id)s limit 1", id=id):
        raise refused("This product cannot be deleted because it has one or more user-created prices.", "id")
    product = replace(was, deleted_at=tx.now, active=False)
    await write(tx, [Decision(updates=[Update(product, was)], events=[Event("product.deleted", was)])])
    return product


async def from_data(tx: Transaction, data: ProductData | ProductCreate) -> tuple[Product, Decision]:
    """A product that is made together with a price or a line, and what writes it."""
    try:
        product = rules.changed(await _empty(tx, data.id, data.name, "service"), data)
        await _check_place(tx, product)
    except Missing as error:
        raise Missing(error.object_name, error.id, _within(error.param)) from error
    except Refused as error:
        raise renamed(error, _within(error.refusal.param)) from error
    return product, Decision(inserts=[product], events=[Event("product.created", product)])


def _within(param: str | None) -> str | None:
    """A parameter of a product as a price calls it."""
    if param is None:
        return None
    name, opened, rest = param.partition("[")
    return f"product_data[{name}]{opened}{rest}"


async def _check_place(tx: Transaction, product: Product, was: Product | None = None) -> None:
    """Makes sure that the place where it is performed is known. Raises Missing."""
    place = product.tax_details.performance_location if product.tax_details else None
    if place and (was is None or product.tax_details != was.tax_details):
        await tx.need(TaxLocation, place, param="tax_details[performance_location]")


async def living(tx: Transaction, id: str, *, lock: bool = False, param: str | None = None) -> Product:
    """The product of this id. Raises Missing for a deleted one too, blaming `param` if the id came as a parameter."""
    product = await tx.need(Product, id, lock=lock, param=param)
    if product.deleted_at is not None:
        raise Missing("product", id, param)
    return product


async def _empty(tx: Transaction, id: str | None, name: str, type: str) -> Product:
    """A product with nothing but a name. Refuses an id that is taken, by a deleted product too."""
    if id is not None:
        rules.check_id(id)
        if await tx.get(Product, [id]):
            raise refused("Product already exists.", "id", "resource_already_exists")
    return Product(
        id=id or new_id("prod"),
        created=tx.now,
        livemode=tx.account.livemode,
        name=name,
        sort_key=new_id("at"),
        type="good" if type == "good" else "service",
        updated=tx.now,
    )


def _first_price(tx: Transaction, product: Product, data: DefaultPriceData) -> Price:
    given = data.given()
    if data.recurring:
        given["recurring"] = RecurringParams(
            interval=data.recurring.interval, interval_count=data.recurring.interval_count
        )
    try:
        return price_rules.make(
            PriceCreate(**given),
            id=new_id("price"),
            sort_key=new_id("at"),
            product=product.id,
            at=tx.now,
            livemode=tx.account.livemode,
        )
    except Refused as error:
        said = error.refusal.param
        raise renamed(error, f"default_price_data[{said}]" if said else None) from error


async def _check_default(tx: Transaction, product: Product, id: str) -> None:
    price = await prices.living(tx, id, param="default_price")
    if price.product != product.id:
        raise refused(f"The price `{id}` does not belong to the product `{product.id}`.", "default_price")
    if not price.active:
        raise refused(f"The price `{id}` is archived and cannot be the default price.", "default_price")
