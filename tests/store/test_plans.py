"""A query reads what it asks for, in a book that the planner has never heard of too."""

from __future__ import annotations

import psycopg
import pytest

from tests.store.rows_read import rows_read
from voldaan.api import idempotency
from voldaan.bench import seed
from voldaan.commands import billing, renewals
from voldaan.events.reading import read_events
from voldaan.resources.accounts import Account
from voldaan.resources.customers import Customer
from voldaan.rules.decision import Decision, Event
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.queries import query
from voldaan.store.transaction import transaction
from voldaan.store.writer import write
from voldaan.work import clock, due

pytestmark = pytest.mark.anyio

BOOK = 4_000     # subscribers of each book; what is due in a smaller one fits on pages so few that PostgreSQL reads them all
ASKED = 8
CHANGED = "select relname, n_tup_upd::int, n_tup_hot_upd::int from pg_stat_xact_user_tables"


@pytest.fixture(scope="module", params=["never analyzed", "analyzed before the book was there"])
async def book(pool: Pool, dsn: str, request: pytest.FixtureRequest) -> Account:
    """A book that is not in the planner's statistics: they know one other book only, or nothing at all."""
    wall = clock.wall()
    if request.param != "never analyzed":
        other, price = await seed.account(pool, wall, "Known")
        await seed.subscribers(pool, other, price, BOOK, wall)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("analyze")
    book, price = await seed.account(pool, wall, "Unheard of")
    await seed.subscribers(pool, book, price, BOOK, wall)
    return book


async def ids_of(pool: Pool, book: Account, table: str) -> list[str]:
    async with transaction(pool, book, 0, 0) as tx:
        found = await tx.all(f"select id from {table} where account_id = %(account)s order by id limit {ASKED}")
    return [row[0] for row in found]


async def test_objects_are_found_by_their_ids(pool: Pool, book: Account) -> None:
    ids = await ids_of(pool, book, "customers")
    async with transaction(pool, book, 0, 0) as tx:
        before = await rows_read(tx)
        assert len(await tx.get(Customer, ids)) == ASKED
        assert await rows_read(tx) - before <= ASKED


async def test_all_that_a_renewal_needs_is_found_by_ids(pool: Pool, book: Account) -> None:
    ids = await ids_of(pool, book, "subscriptions")
    async with transaction(pool, book, 0, 0) as tx:
        before = await rows_read(tx)
        facts = await billing.load(tx, subscriptions=ids)
        assert len(facts.parties.subscriptions) == ASKED
        assert await rows_read(tx) - before <= ASKED * 10


async def test_what_a_renewal_changes_stays_on_its_page(pool: Pool, book: Account) -> None:
    """Then no index is touched (a heap-only tuple)."""
    async with transaction(pool, book, 0, 0) as tx:
        found = await tx.all("select id from subscriptions where account_id = %(account)s order by id offset %(n)s", n=ASKED)
    async with transaction(pool, book, clock.wall(), clock.wall()) as tx:
        before = {name: counts for name, *counts in await tx.all(CHANGED)}  # what the connection has not reported yet
        await renewals.renew(tx, [row[0] for row in found])
        changed = {name: counts for name, *counts in await tx.all(CHANGED)}
    for table in ("customers", "subscriptions", "subscription_items"):
        n, hot = (now - was for now, was in zip(changed[table], before.get(table, (0, 0)), strict=True))
        assert n == len(found), table
        assert hot > n * 0.8, table


async def test_events_are_found_by_their_ids_and_objects_and_pages_go_on_where_they_ended(pool: Pool, book: Account) -> None:
    page = dict.fromkeys(("types", "gte", "lt", "delivered"))
    async with transaction(pool, book, 0, 0) as tx:
        customers = await tx.select(Customer, "true")
        await write(tx, [Decision(events=[Event("customer.updated", customer) for customer in customers])])
        told = await tx.all("select id, object_id from each_event where account_id = %(account)s order by row_id, nth")
        told = told[-len(customers) :]
        some = told[7 :: len(told) // ASKED]
        before = await rows_read(tx)
        assert [e.data.object["id"] for e in (await read_events(tx, [id for id, _ in some])).values()] == [o for _, o in some]
        assert await rows_read(tx) - before <= ASKED
        for way, at, after in (("page", slice(989, 999), "after"), ("page_back", slice(1_000, 1_010), "before")):
            before = await rows_read(tx)
            found = await tx.all(query("events", way), **page, limit=10, **{after: told[999][0]})
            assert sorted(id for (id,) in found) == [id for id, _ in told[at]]
            assert await rows_read(tx) - before <= 3
        before = await rows_read(tx)
        rows = await tx.all("select event_rows_about(%(objects)s)", objects=[object for _, object in some])
        assert sorted(row[0] for row in rows) == [id[:30] for id, _ in some]
        assert await rows_read(tx) - before <= ASKED
    other, _ = await seed.account(pool, clock.wall(), "Others")
    async with transaction(pool, other, 0, 0) as tx:  # the function runs as the owner, and tells nobody of another's events
        assert await tx.all("select event_rows_about(%(objects)s)", objects=[object for _, object in told]) == []


async def test_what_is_known_of_a_key_is_found_by_the_key(pool: Pool, book: Account) -> None:
    keys = [idempotency.key_of(f"key-{n}", "POST", "/v1/customers", b"") for n in range(500)]
    async with transaction(pool, book, 0, 0) as tx:
        await idempotency.keep(tx, [idempotency.Answered(key, "req_1", 200, b"{}") for key in keys])
        before = await rows_read(tx)
        assert len(await idempotency.look(tx, keys[:ASKED])) == ASKED
        assert await rows_read(tx) - before <= ASKED


async def test_work_is_taken_and_ended_without_looking_at_all_there_is(pool: Pool, book: Account) -> None:
    """Of a kind of which the book has much to do, and the most overdue: whoever is served first."""
    sooner = "update due set due_at = due_at - interval '20 years' where account_id = %s"
    async with pool.connection() as connection:
        await connection.execute(sooner, [book.id])
    work = {"kind": "subscription.renew", "now": clock.wall() + 400 * 86_400}
    async with transaction(pool, book, 0, 0) as tx:
        before = await rows_read(tx)
        taken = await tx.all(query("due", "lease"), lease="mine", until=work["now"] + 60, limit=ASKED, **work)
        assert len(taken) == ASKED
        assert await rows_read(tx) - before <= ASKED * 5
        subjects, times = [row[0] for row in taken], [row[1] for row in taken]
        before = await rows_read(tx)
        await tx.run(query("due", "done_leased"), subjects=subjects[:4], lease="mine", **work)
        await tx.run(query("due", "done_on_clock"), subjects=subjects[4:], times=times[4:], **work)
        assert await rows_read(tx) - before <= ASKED * 5
    async with transaction(pool, book, 0, work["now"]) as tx:
        before = await rows_read(tx)
        claimed = await due.claim(tx, work["kind"], ASKED)
        assert len(claimed) == ASKED
        assert await rows_read(tx) - before <= ASKED * 3
        before = await rows_read(tx)
        await due.done(tx, work["kind"], claimed)
        assert await rows_read(tx) - before <= ASKED


@pytest.mark.parametrize("apart", [0, 1], ids=["of one instant", "each of a second of its own"])
async def test_a_small_book_does_not_read_what_is_due_in_a_large_one(pool: Pool, book: Account, apart: int) -> None:
    """Twenty thousand rows are more overdue than its own."""
    small, _ = await seed.account(pool, clock.wall(), "Small")
    kind, now = f"plans.{new_id('k')}", clock.wall()
    many = """insert into due (account_id, kind, subject, due_at)
              select %s, %s, 's' || n, to_timestamp(%s) - %s * interval '1 second' from generate_series(1, %s) n"""
    async with pool.connection() as connection:
        await connection.execute(many.replace("- %s *", "- n * %s *"), [book.id, kind, now - 100, apart, 20_000])
        await connection.execute(many, [small.id, kind, now - 50, 0, ASKED])
        cursor = await connection.execute(query("due", "next_account"), {"kind": kind, "now": now, "skip": []})
        assert await cursor.fetchone() == (book.id,)
    async with transaction(pool, small, now, now) as tx:
        before = await rows_read(tx)
        taken = await tx.all(query("due", "claim"), kind=kind, now=now, limit=1000)
        assert len(taken) == ASKED
        leased = await tx.all(query("due", "lease"), kind=kind, now=now, lease="mine", until=now + 60, limit=1000)
        assert len(leased) == ASKED
        assert await rows_read(tx) - before <= ASKED * 5


async def test_what_was_tried_and_waits_is_not_read_again_and_again(pool: Pool, book: Account) -> None:
    """Twenty thousand deliveries to an endpoint that is down; eight others are due after them."""
    kind, now = f"plans.{new_id('k')}", clock.wall()
    many = """insert into due (account_id, kind, subject, due_at, tries, leased_until)
              select %s, %s, 's' || n, to_timestamp(%s), 1, to_timestamp(%s) from generate_series(1, %s) n"""
    fresh = """insert into due (account_id, kind, subject, due_at)
               select %s, %s, 't' || n, to_timestamp(%s) from generate_series(1, %s) n"""
    async with pool.connection() as connection:
        await connection.execute(many, [book.id, kind, now - 100, now + 600, 20_000])
        await connection.execute(fresh, [book.id, kind, now - 50, ASKED])
    async with transaction(pool, book, now, now) as tx:
        before = await rows_read(tx)
        assert await tx.all(query("due", "next_account"), kind=kind, now=now, skip=[]) == [(book.id,)]
        assert len(await tx.all(query("due", "claim"), kind=kind, now=now, limit=1000)) == ASKED
        leased = await tx.all(query("due", "lease"), kind=kind, now=now, lease="mine", until=now + 60, limit=1000)
        assert len(leased) == ASKED
        assert await tx.all(query("due", "next_account"), kind=kind, now=now, skip=[]) == []
        assert await rows_read(tx) - before <= ASKED * 8


async def test_a_table_made_later_has_it_too(dsn: str) -> None:
    """What a book's share of a table is said to be (store/migrate.py)."""
    with psycopg.connect(dsn) as connection:
        without = connection.execute(
            """
            select c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname = 'account_id'
               and (not coalesce(a.attoptions @> '{n_distinct=1}', false) or a.attstattarget is distinct from 0)
            """
        ).fetchall()
    assert without == []
