"""Features and the products that bring them. What customers have follows by itself (store/access.py)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import products
from voldaan.resources.customers import Customer
from voldaan.resources.entitlements import (
    Feature,
    FeatureCreate,
    FeatureUpdate,
    ProductFeature,
    ProductFeatureCreate,
    ProductFeatureDelete,
)
from voldaan.rules.decision import Decision, Due, Update
from voldaan.rules.entitlements import GIVES_ACCESS
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.store import access
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

CUSTOMERS_AT_ONCE = 1_000


async def create(tx: Transaction, params: FeatureCreate) -> Feature:
    """A feature. Its lookup key is its own among those that are active."""
    await _check_key(tx, params.lookup_key)
    feature = Feature(
        id=new_id("feat"),
        livemode=tx.account.livemode,
        lookup_key=params.lookup_key,
        metadata=merged({}, params.metadata),
        name=params.name,
    )
    await write(tx, [Decision(inserts=[feature])])
    return feature


async def update(tx: Transaction, params: FeatureUpdate, id: str) -> Feature:
    """The changed feature. Archived, it can be attached to no product any more; who has it keeps it."""
    was = await tx.need(Feature, id, lock=True)
    if not was.active and params.given():
        raise refused("An archived feature cannot be changed.", code="")
    feature = replace(
        was,
        active=was.active if params.active is None else params.active,
        metadata=merged(was.metadata, params.metadata),
        name=params.name or was.name,
    )
    await write(tx, [Decision(updates=[Update(feature, was)])])
    return feature


async def attach(tx: Transaction, params: ProductFeatureCreate, product: str) -> ProductFeature:
    """The product brings the feature from now on, also to those who have it already."""
    await products.living(tx, product, lock=True)
    feature = await tx.need(Feature, params.entitlement_feature, param="entitlement_feature")
    if not feature.active:
        raise refused("An archived feature cannot be attached to a product.", "entitlement_feature")
    where = "t.product_id = %(product)s and t.feature_id = %(feature)s"
    if await tx.select(ProductFeature, where, product=product, feature=feature.id):
        raise refused(f"The feature `{feature.id}` is attached to this product already.", "entitlement_feature")
    attached = ProductFeature(
        id=new_id("prodft"), entitlement_feature=feature, livemode=tx.account.livemode, product=product
    )
    await write(tx, [Decision(inserts=[attached], due=[_look_through(tx, product)])])
    return attached


async def detach(tx: Transaction, params: ProductFeatureDelete, product: str, id: str) -> dict[str, object]:
    """The product brings the feature no more."""
    await products.living(tx, product, lock=True)
    found = await tx.need(ProductFeature, id)
    if found.product != product:
        raise Missing("product_feature", id)
    await write(tx, [Decision(deletes=[found], due=[_look_through(tx, product)])])
    return {"id": id, "object": "product_feature", "deleted": True}


async def look_through(tx: Transaction, subjects: Sequence[str]) -> None:
    """Due work entitlements.follow: the customers of a product get what it brings now, a thousand at a time."""
    for product in subjects:
        statuses = sorted(GIVES_ACCESS)
        rows = await tx.all(
            query("entitlements", "stale_of_product"), product=product, statuses=statuses, limit=CUSTOMERS_AT_ONCE
        )
        customers = [row[0] for row in rows]
        await tx.get(Customer, customers, lock=True)
        decision = await access.following(tx, customers)
        if len(customers) == CUSTOMERS_AT_ONCE:
            decision.due.append(Due("entitlements.follow", product, tx.now + 1))
        await write(tx, [decision])


def _look_through(tx: Transaction, product: str) -> Due:
    return Due("entitlements.follow", product, tx.wall)


async def _check_key(tx: Transaction, key: str) -> None:
    if await tx.select(Feature, "t.active and t.lookup_key = %(key)s", key=key):
        raise refused(f"A feature with lookup_key `{key}` already exists.", "lookup_key", "resource_already_exists")
