"""Price migrations: a cohort is fixed, shown before and after by the preview's own functions, and moved in batches as due work.

Each batch is one transaction: the subscriptions move, and their rows say so. A worker that dies in between has moved
nothing of it, and the next one goes on with what is pending.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from voldaan.commands import billing, mass_changes, metered
from voldaan.resources.params import Range
from voldaan.resources.price_migrations import (
    CohortFilter,
    MigratedSubscription,
    MigrationCounts,
    MigrationPreview,
    MigrationPreviewParams,
    MoveFailure,
    PreviewedMove,
    PreviewedSum,
    PriceMigration,
    PriceMigrationCancel,
    PriceMigrationCreate,
    PriceMigrationStart,
)
from voldaan.resources.prices import Price
from voldaan.resources.products import Product
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import lines, migrating
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Due, Refusal, Update
from voldaan.rules.refusals import missing, refused
from voldaan.rules.subscription_items import NewItem, with_price
from voldaan.store.adapt import Json
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

BATCH = 500              # subscriptions of one transaction
PAUSE = 1                # seconds between two batches
FOR_EVER = 253_402_300_799


async def create(tx: Transaction, params: PriceMigrationCreate) -> PriceMigration:
    """The migration with its cohort. Nothing moves yet."""
    to = await tx.need(Price, params.to, param="to")
    await _check(tx, params, to)
    where = params.filter or CohortFilter()
    start, end = _span(where.created)
    rows = await tx.all(
        query("price_migrations", "cohort"), to=to.id, price=params.price, product=params.product, customer=where.customer,
        currency=where.currency, collection_method=where.collection_method, **{"from": start, "until": end},
        metadata=Json(msgspec.json.encode(where.metadata)),
    )  # fmt: skip
    id = new_id("pmig")
    made = PriceMigration(
        id=id,
        created=tx.now,
        filter=where.model_dump(exclude_defaults=True, mode="json"),
        livemode=tx.account.livemode,
        price=params.price,
        product=params.product,
        proration_behavior=params.proration_behavior,
        subscriptions=MigrationCounts(total=len(rows)),
        to=to.id,
        when=params.when,
    )
    cohort = [
        MigratedSubscription(id=new_id("pmigs"), migration=id, subscription=subscription, customer=customer, test_clock=clock)
        for subscription, customer, clock in rows
    ]
    await write(tx, [Decision(inserts=[made, *cohort])])
    return made


async def start(tx: Transaction, params: PriceMigrationStart, id: str) -> PriceMigration:
    """From now on the cohort moves, batch by batch. Starting again what has been started changes nothing."""
    was = await tx.need(PriceMigration, id, lock=True)
    if was.status == "running":
        return was
    if was.status != "draft":
        raise refused(f"A price migration that is {was.status} cannot be started.")
    started = replace(was, status="running", started_at=tx.now)
    await write(tx, [Decision(updates=[Update(started, was)], due=[Due("price_migration.run", id, tx.now)])])
    return started


async def cancel(tx: Transaction, params: PriceMigrationCancel, id: str) -> PriceMigration:
    """What has not moved stays where it is; what has moved stays moved."""
    was = await tx.need(PriceMigration, id, lock=True)
    if was.status not in ("draft", "running"):
        raise refused(f"A price migration that is {was.status} cannot be canceled.")
    canceled = replace(was, status="canceled", ended_at=tx.now)
    gone = [("price_migration.run", id)]
    await write(tx, [Decision(updates=[Update(canceled, was)], due_cancelled=gone)])
    return canceled


async def preview(tx: Transaction, params: MigrationPreviewParams, id: str) -> MigrationPreview:
    """What each subscription of a page of the cohort is billed next, as things are and after the move."""
    migration = await tx.need(PriceMigration, id)
    where = "t.migration_id = %(migration)s and t.subscription_id > %(after)s"
    after = params.starting_after or ""
    page = await tx.select(
        MigratedSubscription, where, f"t.subscription_id limit {params.limit + 1}", migration=id, after=after
    )
    more, page = len(page) > params.limit, page[: params.limit]
    ids = [row.subscription for row in page]
    plain = await billing.load(tx, subscriptions=ids, prices=[migration.to])
    moved = await billing.load(tx, subscriptions=ids, prices=[migration.to])
    times = await mass_changes.times(tx, moved.parties.subscriptions.values())
    for facts in (plain, moved):
        await metered.know(tx, facts, times.values())
    debits = await mass_changes.debits(tx, moved)
    data = []
    for row in page:
        was = plain.parties.subscriptions[row.subscription]
        now = times.get(was.test_clock, tx.now)
        before = migrating.next_sum(plain, was, now, new_id)
        wanted = _wanted(migration, moved, moved.parties.subscriptions[row.subscription])
        found = migrating.moved_sum(moved, migration, row.subscription, wanted, debits, now, new_id)
        failed = _failure(found) if isinstance(found, Refusal) else None
        data.append(
            PreviewedMove(
                subscription=was.id,
                customer=was.customer,
                currency=was.currency,
                before=PreviewedSum(at_once=None, next=before),
                after=None if isinstance(found, Refusal) else PreviewedSum(at_once=found[0], next=found[1]),
                failure=failed,
            )
        )
    return MigrationPreview(
        id="", migration=id, data=data, has_more=more, next_subscription=ids[-1] if more else None
    )


async def run(tx: Transaction, subjects: list[str]) -> None:
    """Due work price_migration.run: the next batch of each migration; when nothing is pending it is completed."""
    for id in sorted(subjects):
        migration = (await tx.get(PriceMigration, [id], lock=True)).get(id)
        if migration is not None and migration.status == "running":
            await _batch(tx, migration)


async def _batch(tx: Transaction, migration: PriceMigration) -> None:
    wall = tx.now
    found = await tx.all(query("price_migrations", "next_batch"), migration=migration.id, limit=BATCH)
    rows = sorted((await tx.get(MigratedSubscription, [row[0] for row in found])).values(), key=lambda r: r.id)
    facts = await billing.load(tx, subscriptions=[row.subscription for row in rows], prices=[migration.to])
    wanted = {}
    for row in rows:
        subscription = facts.parties.subscriptions.get(row.subscription)
        if subscription is not None and (items := _wanted(migration, facts, subscription)):
            wanted[row.subscription] = items
    if migration.when == "now":
        answers = await mass_changes.change_all(tx, facts, wanted, migration.proration_behavior)
    else:
        answers = await mass_changes.change_at_renewal(tx, facts, wanted)
    tx.now = wall
    changed = [(_told(row, answers), row) for row in rows]
    counts = migration.subscriptions
    status = [new.status for new, _ in changed]
    counts = replace(
        counts,
        moved=counts.moved + status.count("moved"),
        failed=counts.failed + status.count("failed"),
        skipped=counts.skipped + status.count("skipped"),
    )
    waits = "pending" in status or len(rows) == BATCH
    after = replace(migration, subscriptions=counts)
    if not waits:
        after = replace(after, status="completed", ended_at=wall)
    decision = Decision(updates=[Update(new, was) for new, was in changed if new is not was])
    if after != migration:
        decision.updates.append(Update(after, migration))
    if waits:
        decision.due.append(Due("price_migration.run", migration.id, wall + PAUSE))
    await write(tx, [decision])


def _told(row: MigratedSubscription, answers: dict[str, Refusal | None]) -> MigratedSubscription:
    """Without anything to move it is skipped; on a clock that is advancing it waits."""
    if row.subscription not in answers:
        return replace(row, status="skipped")
    refusal = answers[row.subscription]
    if refusal is None:
        return replace(row, status="moved")
    return row if refusal is mass_changes.ADVANCING else replace(row, status="failed", failure=_failure(refusal))


def _wanted(migration: PriceMigration, facts: BillingFacts, subscription: Subscription) -> dict[str, NewItem]:
    """The items that move, as they shall be."""
    prices = facts.catalogue.prices
    moving = [
        item
        for item in subscription.items.data
        if lines.price_id(item) != migration.to
        and (lines.price_id(item) == migration.price or prices[lines.price_id(item)].product == migration.product)
    ]
    return {item.id: with_price(facts.catalogue, item, migration.to) for item in moving}


async def _check(tx: Transaction, params: PriceMigrationCreate, to: Price) -> None:
    """Refuses a price that the cohort cannot have."""
    if params.price is None and params.product is None:
        raise missing("price")
    if to.recurring is None:
        raise refused("A subscription can only move to a recurring price.", "to")
    if not to.active:
        raise refused("The price specified is inactive. This field only accepts active prices.", "to")
    if params.product is not None:
        await tx.need(Product, params.product, param="product")
        return
    source = await tx.need(Price, params.price or "", param="price")
    if source.id == to.id:
        raise refused("The two prices are the same.", "to")
    terms = [(p.recurring.interval, p.recurring.interval_count) for p in (source, to) if p.recurring is not None]
    if params.when == "renewal" and len(set(terms)) > 1:
        raise refused("At renewal a subscription can only move to a price of the same interval.", "to")


def _span(created: Any) -> tuple[int, int]:
    """[start, end) of a filter by instant or range."""
    if created is None:
        return 0, FOR_EVER
    if isinstance(created, Range):
        start = created.gte if created.gte is not None else created.gt + 1 if created.gt is not None else 0
        end = created.lt if created.lt is not None else created.lte + 1 if created.lte is not None else FOR_EVER
        return start, end
    return created, created + 1


def _failure(refusal: Refusal) -> MoveFailure:
    return MoveFailure(code=refusal.code, message=refusal.message)


