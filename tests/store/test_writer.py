"""One writer for every size of batch; a state that was left meanwhile is a conflict; another account's rows are out of reach."""

from __future__ import annotations

import psycopg
import pytest
from msgspec.structs import replace

from voldaan.events.reading import read_events
from voldaan.events.snapshots import pack
from voldaan.resources.accounts import Account
from voldaan.resources.render import to_dict
from voldaan.resources.test_clocks import Advancing, TestClock, TestClockStatusDetails
from voldaan.rules.decision import Decision, Due, Event, Posting, Refusal, Update
from voldaan.store import accounts
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.transaction import Missing, Transaction, transaction
from voldaan.store.writer import Conflict, write

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000
CREATED = "test_helpers.test_clock.created"


def clock(number: int = 0) -> TestClock:
    return TestClock(
        id=new_id("clock"), created=NOW, deletes_after=NOW + 10, frozen_time=NOW + number, livemode=False, name=f"ø {number}"
    )


async def told(tx: Transaction) -> list[str]:
    """The ids of all events, as they happened."""
    return [row[0] for row in await tx.all("select id from each_event where account_id = %(account)s order by row_id, nth")]


@pytest.mark.parametrize("size", [1, 2, 99, 100, 250])
async def test_rows_come_back_as_they_were_written(pool: Pool, account: Account, size: int) -> None:
    """By JSON array and by COPY alike."""
    made = [clock(n) for n in range(size)]
    async with transaction(pool, account, NOW, NOW) as tx:
        await write(
            tx,
            [
                Decision(
                    inserts=[c],
                    events=[Event(CREATED, c)],
                    due=[Due("test", c.id, NOW)],
                    postings=[Posting(c.id, "made", 1, "bank", "revenue", 5, "eur", NOW)],
                )
                for c in made
            ],
        )
    async with transaction(pool, account, NOW, NOW) as tx:
        found = await tx.get(TestClock, [c.id for c in made])
        assert list(found.values()) == sorted(made, key=lambda c: c.id)
        assert await tx.one("select count(*), sum(amount) from postings where account_id = %(account)s") == (size, 5 * size)
        assert (await tx.one("select count(*) from due where account_id = %(account)s and kind = 'test'"))[0] == size
        events = list((await read_events(tx, await told(tx))).values())
        assert [(event.type, event.data.object) for event in events] == [(CREATED, to_dict(c)) for c in made]


async def test_work_that_is_one_row_for_many_is_joined_by_instant(pool: Pool, account: Account) -> None:
    due = [Due("attempt.look_after", subject, NOW + second) for subject, second in (("a", 0), ("b", 1), ("c", 0), ("a", 0))]
    async with transaction(pool, account, NOW, NOW) as tx:
        await write(tx, [Decision(due=[*due, Due("test", "d", NOW)])])
        added = "select kind, subject, due_at, subjects from due where account_id = %(account)s and subject <= 'd' order by 2"
        rows = await tx.all(added)
    assert rows == [
        ("attempt.look_after", "a", NOW, ["a", "c"]),
        ("attempt.look_after", "b", NOW + 1, ["b"]),
        ("test", "d", NOW, None),
    ]


async def test_events_are_read_as_the_version_before_wrote_them(pool: Pool, account: Account) -> None:
    """Each in a row of its own, of which the first has the frame (migration 0034)."""
    made = [clock(n) for n in range(3)]
    [row] = pack([Event(CREATED, c) for c in made], new_id)
    ids = [new_id("evt") for _ in made]
    write_old = "insert into events (account_id, id, type, created_at, recorded_at, object_id, data, held_by, place) " \
        "values (%(account)s, %(id)s, %(type)s, now(), now(), %(object)s, %(data)s, %(holder)s, %(place)s)"  # fmt: skip
    async with transaction(pool, account, NOW, NOW) as tx:
        for place, (id, c) in enumerate(zip(ids, made, strict=True)):
            data, holder = (None, ids[0]) if place else (row.frame, None)
            await tx.run(write_old, id=id, type=CREATED, object=c.id, data=data, holder=holder, place=place)
        await write(tx, [Decision(events=[Event(CREATED, c) for c in made])])
        events = list((await read_events(tx, await told(tx))).values())
    assert [event.id for event in events[:3]] == ids
    assert [event.data.object for event in events] == [to_dict(c) for c in made] * 2


@pytest.mark.parametrize("lock", [False, True])
async def test_rows_are_got_in_the_order_of_their_ids_wherever_they_stand(pool: Pool, account: Account, lock: bool) -> None:
    """What is done with them one by one makes events: which come first must not hang on where the table keeps a row."""
    made = [clock(n) for n in range(20)]
    async with transaction(pool, account, NOW, NOW) as tx:
        await write(tx, [Decision(inserts=[c]) for c in reversed(made)])
    async with transaction(pool, account, NOW, NOW) as tx:
        await tx.run("set local enable_indexscan = off")
        await tx.run("set local enable_bitmapscan = off")
        found = await tx.get(TestClock, [c.id for c in made], lock=lock)
    assert list(found) == [c.id for c in made]


@pytest.mark.parametrize("size", [1, 150])
async def test_only_what_differs_is_written_and_a_lost_state_is_a_conflict(pool: Pool, account: Account, size: int) -> None:
    made = [clock(n) for n in range(size)]
    details = TestClockStatusDetails(advancing=Advancing(target_frozen_time=1))
    moving = [replace(c, status="advancing", target=NOW + 500, status_details=details) for c in made]
    async with transaction(pool, account, NOW, NOW) as tx:
        await write(tx, [Decision(inserts=list(made))])
        await write(tx, [Decision(updates=[Update(new, was)]) for new, was in zip(moving, made, strict=True)])
        assert list((await tx.get(TestClock, [c.id for c in made])).values()) == sorted(moving, key=lambda c: c.id)
    with pytest.raises(Conflict):
        async with transaction(pool, account, NOW, NOW) as tx:
            await write(tx, [Decision(updates=[Update(moving[0], made[0])])])


async def test_refusals_write_nothing(pool: Pool, account: Account) -> None:
    async with transaction(pool, account, NOW, NOW) as tx:
        await write(tx, [Refusal("no", "No.")])
        assert (await tx.one("select count(*) from each_event where account_id = %(account)s"))[0] == 0


async def test_posting_a_fact_twice_is_impossible(pool: Pool, account: Account) -> None:
    posting = Posting("in_1", "paid", 1, "bank", "revenue", 5, "eur", NOW)
    async with transaction(pool, account, NOW, NOW) as tx:
        await write(tx, [Decision(postings=[posting])])
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with transaction(pool, account, NOW, NOW) as tx:
            await write(tx, [Decision(postings=[posting])])


async def test_a_failed_block_leaves_nothing(pool: Pool, account: Account) -> None:
    made = clock()

    async def fail() -> None:
        async with transaction(pool, account, NOW, NOW) as tx:
            await write(tx, [Decision(inserts=[made])])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with transaction(pool, account, NOW, NOW) as tx:
        with pytest.raises(Missing):
            await tx.need(TestClock, made.id)


async def test_another_account_is_out_of_reach_even_without_a_predicate(pool: Pool, account: Account) -> None:
    other = (await accounts.create(pool, NOW)).account
    made = clock()
    async with transaction(pool, other, NOW, NOW) as tx:
        await write(tx, [Decision(inserts=[made])])
        assert (await tx.one("select count(*) from test_clocks"))[0] == 1
    async with transaction(pool, account, NOW, NOW) as tx:
        assert (await tx.one("select count(*) from test_clocks"))[0] == 0
        assert await tx.run("update test_clocks set frozen_at = frozen_at") == 0


async def test_history_cannot_be_changed(pool: Pool, account: Account) -> None:
    changes = (
        "update postings set amount = 1", "delete from postings", "update events set type = 'x'", "delete from events",
        "delete from customers", "delete from subscriptions", "delete from prices",
    )  # fmt: skip
    for statement in changes:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool, account, NOW, NOW) as tx:
                await tx.run(statement)
