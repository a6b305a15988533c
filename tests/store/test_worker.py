"""Workers share what is due, survive what their work raises, and take over from the dead."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.store.blocking import waits_for
from voldaan.engine import Again, Engine, Leased
from voldaan.resources.accounts import Account
from voldaan.resources.test_clocks import TestClock
from voldaan.rules.decision import Decision, Due, Posting, Update
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import write
from voldaan.work import test_clocks, worker
from voldaan.work.due import Claimed
from voldaan.work.handlers import Handler
from voldaan.work.worker import Worker

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000


@dataclass
class Desk:
    """Work of a kind of its own, which a test can watch and disturb. `wall` is what its workers read from the clock."""

    pool: Pool
    account: Account
    kind: str
    wall: int = NOW
    bad: set[str] = field(default_factory=set)
    seen: list[list[str]] = field(default_factory=list)

    def worker(self, *, batch: int = 1000, lease: int = 120, outside: Callable[..., object] | None = None) -> Worker:
        engine = Engine(self.pool, lambda name: None, lambda: self.wall, lambda: 0.0, lease_seconds=lease, batch_max=batch)
        inside = None if outside else self.work
        return Worker(engine, [Handler(self.kind, inside=inside, outside=outside)])

    async def work(self, tx: Transaction, subjects: list[str]) -> None:
        """Posts once for each subject: doing one twice breaks the ledger's primary key."""
        self.seen.append(subjects)
        await write(tx, [Decision(postings=[Posting(s, self.kind, 1, "bank", "revenue", 1, "eur", NOW) for s in subjects])])
        await asyncio.sleep(0)
        if wrong := self.bad & set(subjects):
            raise ValueError(f"cannot do {sorted(wrong)}")

    async def add(self, subjects: list[str], at: int = NOW) -> None:
        async with transaction(self.pool, self.account, NOW, NOW) as tx:
            await write(tx, [Decision(due=[Due(self.kind, s, at) for s in subjects])])

    async def rows(self) -> list[tuple]:
        """subject, tries, error, parked for what is still due."""
        async with transaction(self.pool, self.account, NOW, NOW) as tx:
            return await tx.all(
                "select subject, tries, error, parked_at is not null from due where account_id = %(account)s and kind = %(kind)s "
                "order by subject", kind=self.kind,
            )  # fmt: skip

    async def posted(self) -> set[str]:
        async with transaction(self.pool, self.account, NOW, NOW) as tx:
            posted = "select source from postings where account_id = %(account)s and fact = %(fact)s"
            return {row[0] for row in await tx.all(posted, fact=self.kind)}


@pytest.fixture
def desk(pool: Pool, account: Account) -> Desk:
    return Desk(pool, account, new_id("test"))


def names(count: int) -> list[str]:
    return [f"subject_{n:04}" for n in range(count)]


async def test_two_workers_share_a_run_and_do_nothing_twice(desk: Desk) -> None:
    await desk.add(names(1000))
    shares = await asyncio.gather(*(emptied(desk.worker(batch=25)) for _ in range(2)))
    assert await desk.posted() == set(names(1000))
    assert await desk.rows() == []
    assert Counter(s for batch in desk.seen for s in batch) == Counter(names(1000))
    assert min(shares) >= 200, "one of them did it all alone"


async def emptied(working: Worker) -> int:
    count = 0
    while done := await working.drain():
        count += done
    return count


async def test_work_that_is_for_many_is_about_all_of_them(desk: Desk) -> None:
    await desk.add(["first", "single"])
    async with transaction(desk.pool, desk.account, NOW, NOW) as tx:
        many = "update due set subjects = '{first,second,third}' where account_id = %(account)s and subject = 'first'"
        await tx.run(many)
    await desk.worker().drain()
    assert [sorted(batch) for batch in desk.seen] == [["first", "second", "single", "third"]]
    assert await desk.rows() == []


async def test_only_what_was_claimed_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same subject may be due at another time, and other work at the same."""
    await desk.add(["again"])
    work = desk.work

    async def asked_again(tx: Transaction, subjects: list[str]) -> None:
        await desk.add(["again", "other"], NOW + 60)
        await work(tx, subjects)

    monkeypatch.setattr(desk, "work", asked_again)
    await desk.worker().drain()
    assert [row[0] for row in await desk.rows()] == ["again", "other"]


PLACE = "select ctid::text from due where account_id = %(account)s and kind = %(kind)s"


async def test_a_row_that_was_moved_on_as_it_was_claimed_is_ended_where_it_stands_now(desk: Desk) -> None:
    """Forced: the claim has read the row, and waits; the row is changed, and so stands elsewhere; then it is locked."""
    await desk.add(["moved"])
    async with desk.pool.connection() as claiming:
        async with transaction(desk.pool, desk.account, NOW, NOW) as tx:
            await tx.run("select pg_advisory_xact_lock(77)")
            held_up = query("due", "claim").replace("where ", "where pg_advisory_xact_lock_shared(77) is not null and ", 1)
            given = {"account": desk.account.id, "kind": desk.kind, "now": NOW, "limit": 10}
            task = asyncio.create_task(claiming.execute(held_up, given))
            await waits_for(desk.pool, tx)
            before = await tx.one(PLACE, kind=desk.kind)
            await tx.run("update due set error = 'tried' where account_id = %(account)s")
        [claimed] = [Claimed(*row) for row in await (await task).fetchall()]
        now = await (await claiming.execute(PLACE, given)).fetchone()
        assert before != now == (claimed.place,)


async def test_future_work_waits(desk: Desk) -> None:
    await desk.add(["now"])
    await desk.add(["later"], NOW + 60)
    working = desk.worker()
    await working.drain()
    assert await desk.posted() == {"now"}
    desk.wall += 60
    await working.drain()
    assert await desk.posted() == {"now", "later"}


async def test_what_fails_is_found_by_halving_and_put_off_while_the_rest_goes_on(desk: Desk) -> None:
    desk.bad = {"subject_0017", "subject_0063"}
    await desk.add(names(100))
    await desk.worker().drain()
    assert await desk.posted() == set(names(100)) - desk.bad
    left = await desk.rows()
    assert [(subject, tries, parked) for subject, tries, _, parked in left] == [(s, 1, False) for s in sorted(desk.bad)]
    assert left[0][2] == "ValueError: cannot do ['subject_0017']"
    assert await desk.worker().drain() == 0, "they are put off"


async def test_what_keeps_failing_is_parked_and_what_recovers_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "TRIES_MAX", 3)
    desk.bad = {"never", "at first"}
    await desk.add(["never", "at first"])
    working = desk.worker()
    for pause in (2, 4, 8):
        await working.drain()
        desk.wall += pause + 1
        desk.bad = {"never"}
    assert await desk.posted() == {"at first"}
    [(subject, tries, error, parked)] = await desk.rows()
    assert (subject, tries, parked) == ("never", 3, True)
    assert error == "ValueError: cannot do ['never']"
    desk.wall += 10**6
    assert await working.drain() == 0


async def test_a_row_that_postgresql_refuses_is_the_rows_fault_and_a_lost_connection_is_not(desk: Desk) -> None:
    async def disturbed(tx: Transaction, subjects: list[str]) -> None:
        if "huge" in subjects:
            raise psycopg.errors.ProgramLimitExceeded("index row size 3000 exceeds maximum")
        if "cut" in subjects:
            raise psycopg.OperationalError("the connection is lost")

    await desk.add(["huge", "good"])
    working = desk.worker()
    working.handlers = [Handler(desk.kind, inside=disturbed)]
    await working.drain()
    assert [(subject, tries) for subject, tries, _, _ in await desk.rows()] == [("huge", 1)]
    await desk.add(["cut"])
    with pytest.raises(psycopg.OperationalError):
        await working.drain()
    assert ("cut", 0, None, False) in await desk.rows()


async def test_a_dead_workers_lease_ends_and_its_late_word_does_not_count(desk: Desk) -> None:
    called: list[str] = []

    async def outside(engine: Engine, account: Account, work: list[Leased], now: int) -> list[Again]:
        called.extend(w.subject for w in work)
        return []

    await desk.add(["call"])
    first, second = desk.worker(lease=30, outside=outside), desk.worker(lease=30, outside=outside)
    held = await first.lease(desk.kind, desk.account, "lease_first", 10)
    assert [(w.subject, w.tries) for w in held] == [("call", 1)]
    assert await second.drain() == 0, "somebody has it"
    desk.wall += 31
    taken = await second.lease(desk.kind, desk.account, "lease_second", 10)
    assert [(w.subject, w.tries) for w in taken] == [("call", 2)]
    await first.run_outside(first.handlers[0], desk.account, "lease_first", held, desk.wall)
    assert len(await desk.rows()) == 1, "a zombie cannot end what another has taken over"
    await second.run_outside(second.handlers[0], desk.account, "lease_second", taken, desk.wall)
    assert await desk.rows() == []
    assert called == ["call", "call"]


async def test_outside_work_that_fails_is_tried_alone_and_parked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "TRIES_MAX", 2)
    called: list[str] = []

    async def outside(engine: Engine, account: Account, work: list[Leased], now: int) -> list[Again]:
        if any(w.subject == "bad" for w in work):
            raise ValueError("bad")
        called.extend(w.subject for w in work)
        return [Again(w.subject, now + 60, "not yet") for w in work if w.subject == "slow"]

    await desk.add(["bad", "good", "slow"])
    working = desk.worker(outside=outside)
    await working.drain()
    assert sorted(called) == ["good", "slow"]
    assert await desk.rows() == [("bad", 1, "ValueError: bad", False), ("slow", 1, "not yet", False)]
    desk.wall += 10
    await working.drain()
    assert (await desk.rows())[0] == ("bad", 2, "ValueError: bad", True)


async def test_a_clock_that_cannot_advance_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.bad = {"subject"}
    monkeypatch.setitem(test_clocks.BY_KIND, desk.kind, Handler(desk.kind, inside=desk.work))
    monkeypatch.setattr(test_clocks, "TRIES_MAX", 2)
    ready = TestClock(id=new_id("clock"), created=NOW, deletes_after=NOW + 10**6, frozen_time=NOW, livemode=False)
    moving = TestClock(
        id=ready.id, created=NOW, deletes_after=NOW + 10**6, frozen_time=NOW, livemode=False, status="advancing", target=NOW + 500
    )
    async with transaction(desk.pool, desk.account, NOW, NOW) as tx:
        await write(tx, [Decision(inserts=[ready])])
        work = [Due(desk.kind, "subject", NOW + 100, ready.id), Due(test_clocks.KIND, ready.id, NOW)]
        await write(tx, [Decision(updates=[Update(moving, ready)], due=work)])
    working = desk.worker()
    for _ in range(2):
        await working.advance_clocks()
        desk.wall += 10
    async with transaction(desk.pool, desk.account, NOW, NOW) as tx:
        clock = await tx.need(TestClock, ready.id)
        told = await tx.one("select type from each_event where account_id = %(account)s and object_id = %(id)s", id=ready.id)
    assert (clock.status, clock.frozen_time, clock.target) == ("internal_failure", NOW, None)
    assert told == ("test_helpers.test_clock.internal_failure",)
    assert await desk.posted() == set()
