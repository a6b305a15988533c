"""A business moves 1,000 customers to a new price: in batches, once each, whatever dies on the way."""

from __future__ import annotations

import pytest

from voldaan.bench import seed
from voldaan.commands import mass_changes, price_migrations, prices, replays
from voldaan.reports.verify import verify
from voldaan.resources.accounts import Account
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.price_migrations import (
    MigrationPreviewParams,
    PriceMigration,
    PriceMigrationCreate,
    PriceMigrationStart,
)
from voldaan.resources.prices import PriceCreate
from voldaan.resources.quantity_changes import QuantitiesUpdate
from voldaan.resources.replays import ReplayCreate
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.store.pool import Pool
from voldaan.store.transaction import Transaction, transaction
from voldaan.work import clock
from voldaan.work.handlers import BY_KIND
from voldaan.work.worker import Worker

pytestmark = pytest.mark.anyio

CUSTOMERS = 1_000
NEW = 2_400


class PowerCut(Exception):
    pass


async def price_of(tx: Transaction, old: str) -> str:
    """A new price of the same product."""
    product = (await tx.need(prices.Price, old)).product
    given = {"currency": "eur", "product": product, "unit_amount": NEW, "recurring": {"interval": "month"}}
    return (await prices.create(tx, PriceCreate.model_validate(given))).id


async def started(pool: Pool, book: Account, old: str, when: str, wall: int) -> str:
    """A migration that may run, to a new price of the same product."""
    async with transaction(pool, book, wall, wall) as tx:
        asked = PriceMigrationCreate.model_validate({"price": old, "to": await price_of(tx, old), "when": when})
        made = await price_migrations.create(tx, asked)
        assert made.subscriptions.total == CUSTOMERS
        await price_migrations.start(tx, PriceMigrationStart(), made.id)
    return made.id


async def rested(pool: Pool, book: Account) -> None:
    """The pause between two batches is over."""
    async with pool.connection() as connection:
        await connection.execute("update due set due_at = due_at - interval '2 seconds' where account_id = %s", (book.id,))


async def test_all_move_once_although_a_worker_dies(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = clock.wall()
    async with running(dsn, Settings()) as engine:
        book, old = await seed.account(engine.pool, wall, "Moves")
        await seed.subscribers(engine.pool, book, old, CUSTOMERS, wall)
        renewing = Worker(engine, [BY_KIND["subscription.renew"]])
        while await renewing.inside(renewing.handlers[0], book):
            pass
        id = await started(engine.pool, book, old, "now", wall)
        monkeypatch.setattr(price_migrations, "BATCH", 300)
        handler = BY_KIND["price_migration.run"]
        worker = Worker(engine, [handler])
        assert await worker.inside(handler, book) == 1
        await rested(engine.pool, book)
        with monkeypatch.context() as cut:
            calls: list[int] = []

            async def dies(tx: object, decisions: object) -> object:
                calls.append(1)
                raise PowerCut

            cut.setattr(price_migrations, "write", dies)
            with pytest.raises(PowerCut):
                await worker.run_inside(handler, book)
            assert calls
        async with transaction(engine.pool, book, wall, wall) as tx:
            assert (await tx.need(PriceMigration, id)).subscriptions.moved == 300
        for _ in range(10):
            await worker.inside(handler, book)
            await rested(engine.pool, book)
        async with transaction(engine.pool, book, wall, wall) as tx:
            migration = await tx.need(PriceMigration, id)
            items = await tx.select(SubscriptionItem, "true")
            waiting = await tx.select(InvoiceItem, "t.invoice_id is null")
        assert (migration.status, migration.subscriptions.moved, migration.subscriptions.failed) == ("completed", CUSTOMERS, 0)
        assert {item.price for item in items} == {migration.to}
        assert len(waiting) == 2 * CUSTOMERS  # one credit and one debit each, however often it was begun
        verdict = await verify(engine.pool, wall, account=book.id, processors=engine.processors)
        assert verdict.clean, verdict.findings
        async with engine.pool.connection() as connection:
            await connection.execute(
                "update price_migration_subscriptions set status = 'failed' where id in "
                "(select id from price_migration_subscriptions where account_id = %s limit 1)", (book.id,)
            )  # fmt: skip
        broken = await verify(engine.pool, wall, account=book.id, processors=engine.processors)
        assert [finding.invariant for finding in broken.findings] == ["R2_migrations_count_their_subscriptions"]


async def test_at_renewal_all_are_billed_the_new_price_and_a_replay_tells_the_difference(dsn: str) -> None:
    wall = clock.wall()
    async with running(dsn, Settings()) as engine:
        book, old = await seed.account(engine.pool, wall, "Renews")
        await seed.subscribers(engine.pool, book, old, CUSTOMERS, wall)
        id = await started(engine.pool, book, old, "renewal", wall)
        for kind in ("price_migration.run", "subscription.renew"):
            worker = Worker(engine, [BY_KIND[kind]])
            for _ in range(4):
                await worker.inside(worker.handlers[0], book)
                await rested(engine.pool, book)
        async with transaction(engine.pool, book, wall, wall) as tx:
            migration = await tx.need(PriceMigration, id)
            invoices = await tx.select(Invoice, "true")
            assert (migration.status, migration.subscriptions.moved) == ("completed", CUSTOMERS)
            assert [i.total for i in invoices] == [NEW] * CUSTOMERS
            asked = {"start": "0", "end": str(clock.wall() + 10), "limit": "1000"}
            same = await replays.create(tx, ReplayCreate.model_validate(asked))
            back = {**asked, "prices": [{"price": migration.to, "replace_with": old}]}
            before = await replays.create(tx, ReplayCreate.model_validate(back))
        assert (same.invoices, same.differences) == (CUSTOMERS, [])
        assert [(s.before, s.after) for s in before.sums] == [(NEW * CUSTOMERS, seed.AMOUNT * CUSTOMERS)]
        assert len(before.differences) == 2 * CUSTOMERS  # each line, and each total


async def test_many_take_as_many_queries_as_few(dsn: str, asked: list[str]) -> None:
    """Of quantities, of a page of a preview, of a replay."""
    wall = clock.wall()
    tallies: list[list[int]] = []
    async with running(dsn, Settings()) as engine:
        for many in (2, 60):
            book, old = await seed.account(engine.pool, wall, f"{many} customers")
            await seed.subscribers(engine.pool, book, old, many, wall)
            worker = Worker(engine, [BY_KIND["subscription.renew"]])
            await worker.inside(worker.handlers[0], book)
            tally: list[int] = []
            async with transaction(engine.pool, book, wall, wall) as tx:
                new = await price_of(tx, old)
                made = await price_migrations.create(tx, PriceMigrationCreate.model_validate({"price": old, "to": new}))
                items = [item.id for item in await tx.select(SubscriptionItem, "true")]
                asked.clear()
                page = await price_migrations.preview(tx, MigrationPreviewParams.model_validate({"limit": "100"}), made.id)
                tally.append(len(asked))
                assert [each.after.next for each in page.data if each.after] == [NEW] * many
                asked.clear()
                wanted = {"items": [{"subscription_item": id, "quantity": "3"} for id in items]}
                found = await mass_changes.quantities(tx, QuantitiesUpdate.model_validate(wanted))
                tally.append(len(asked))
                assert found.changed == many
                asked.clear()
                replay = await replays.create(tx, ReplayCreate.model_validate({"start": "0", "end": str(clock.wall() + 9)}))
                tally.append(len(asked))
                assert (replay.invoices, replay.differences) == (many, [])
            tallies.append(tally)
    assert tallies[0] == tallies[1]
