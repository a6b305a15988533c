"""The worker: claims due work in batches of one kind and one account, and runs it. Start as many processes as there are cores.

Work inside the database holds its rows locked and ends them in the transaction of the work. Work that calls the outside
holds a lease instead, so that no transaction is open during the call. A row that fails is tried alone, and parked when it
keeps failing; the rest goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import psycopg

from voldaan.commands import tax_asking
from voldaan.commands.attempts import carry_out
from voldaan.engine import Again, Engine, Leased
from voldaan.resources.accounts import Account
from voldaan.rules.tax_provider import Recorded
from voldaan.store import accounts
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import transaction
from voldaan.work import test_clocks
from voldaan.work.due import Row, claim, claim_again, done, subjects_of
from voldaan.work.failpoints import fp
from voldaan.work.handlers import HANDLERS, Handler

POLL_SECONDS = 0.5           # how long due work may lie when nothing wakes the worker
TRIES_MAX = 25
PAUSE_SECONDS_MAX = 6 * 3600
BATCHES_AT_ONCE = 4          # of one kind, before the others get a turn

# The database's own troubles. Others were in the way: the same work will go well later.
BUSY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
)
# It cannot be reached, or not be written to. A row that PostgreSQL finds too large is no trouble of the database's.
LOST = (psycopg.OperationalError, psycopg.InterfaceError)
POISON = (psycopg.errors.ProgramLimitExceeded,)


log = logging.getLogger("voldaan.work")


class Worker:
    """Runs due work until it is stopped."""

    def __init__(self, engine: Engine, handlers: list[Handler] = HANDLERS) -> None:
        self.engine = engine
        self.handlers = handlers
        self.stopping = False

    def stop(self) -> None:
        """Ends `run` after the batch that is under way."""
        self.stopping = True
        self.engine.wake.set()

    async def run(self) -> None:
        """Drains what is due, then waits for more."""
        while not self.stopping:
            self.engine.wake.clear()
            try:
                busy = await self.drain()
            except LOST as lost:
                log.warning("the database is out of reach, trying again: %s", lost)
                busy = 0
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.engine.wake.wait(), POLL_SECONDS)

    async def drain(self) -> int:
        """One round over all kinds; returns how many rows were worked on."""
        done = await self.advance_clocks()
        for handler in self.handlers:
            for _ in range(BATCHES_AT_ONCE):
                if self.stopping:
                    return done
                count = await self.batch(handler)
                done += count
                if not count:
                    break
        return done

    async def batch(self, handler: Handler) -> int:
        """Works on one batch of a kind. Accounts whose rows other workers hold are passed over."""
        skip: list[str] = []
        while account := await self.next_account(handler.kind, skip):
            try:
                count = await (self.inside(handler, account) if handler.inside else self.outside(handler, account))
            except BUSY as busy:
                log.info("%s of %s waits for others: %s", handler.kind, account.id, busy)
                count = 0
            if count:
                return count
            skip.append(account.id)
        return 0

    async def next_account(self, kind: str, skip: list[str]) -> Account | None:
        async with self.engine.pool.connection() as connection:
            cursor = await connection.execute(
                query("due", "next_account"), {"kind": kind, "now": self.engine.wall(), "skip": skip}
            )
            row = await cursor.fetchone()
        return await accounts.find(self.engine.pool, row[0]) if row else None

    def size(self, handler: Handler) -> int:
        return min(handler.batch, self.engine.batch_max)

    # work inside the database ---------------------------------------------------------------------------------------

    async def inside(self, handler: Handler, account: Account) -> int:
        """Claims and runs a batch in one transaction. If it fails, its rows are tried in halves, down to the one at fault."""
        try:
            rows, attempts = await self.run_inside(handler, account)
        except Exception as failure:
            if not at_fault(failure):
                raise
            log.warning("a batch of %s failed and is split: %s", handler.kind, failure)
            rows = await self.claimable(handler, account)
            await self.split(handler, account, rows)
        else:
            await self.carry_out(account, attempts)
        return len(rows)

    async def run_inside(self, handler: Handler, account: Account, only: list[Row] | None = None) -> tuple[list[Row], list[str]]:
        """Runs the next batch, or those of `only` that are still there. Returns its rows, and attempts to carry out."""
        wanted = only

        async def decided(recorded: Recorded) -> tuple[list[Row], list[str]]:
            assert handler.inside is not None
            nonlocal wanted
            wall = self.engine.wall()
            async with transaction(self.engine.pool, account, wall, wall, recorded=recorded) as tx:
                claiming = claim_again(tx, handler.kind, wanted) if wanted else claim(tx, handler.kind, self.size(handler))
                claimed = await claiming
                wanted = [each.row for each in claimed]
                if not claimed:
                    return [], []
                fp(f"{handler.kind}.claimed")
                await handler.inside(tx, subjects_of(claimed))
                await done(tx, handler.kind, claimed)
                fp(f"{handler.kind}.before_commit")
            fp(f"{handler.kind}.committed")
            return wanted, tx.attempts

        return await tax_asking.with_answers(self.engine, account, decided)

    async def carry_out(self, account: Account, attempts: list[str]) -> None:
        """What was committed goes outside. Should that fail, each attempt's safety net brings it back."""
        try:
            await carry_out(self.engine, account, attempts)
        except Exception as failure:
            if not at_fault(failure):
                raise
            log.exception("%d attempts are left to their safety net", len(attempts))

    async def claimable(self, handler: Handler, account: Account) -> list[Row]:
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            return [each.row for each in await claim(tx, handler.kind, self.size(handler))]

    async def split(self, handler: Handler, account: Account, rows: list[Row]) -> None:
        """Runs rows that failed together in halves; a row that fails alone is put off, and parked after too many tries."""
        half = len(rows) // 2
        for part in filter(None, (rows[:half], rows[half:])):
            try:
                _, attempts = await self.run_inside(handler, account, part)
            except Exception as failure:
                if not at_fault(failure):
                    raise
                if len(part) > 1:
                    await self.split(handler, account, part)
                    continue
                log.exception("%s of %s failed", handler.kind, part[0][0])
                await self.failed(handler.kind, account, part[0], failure)
            else:
                await self.carry_out(account, attempts)

    async def failed(self, kind: str, account: Account, row: Row, failure: Exception) -> None:
        """A row that raised is tried again later, and parked when it keeps failing."""
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            await tx.run(
                query("due", "failed"),
                kind=kind, subject=row[0], due=row[1], now=wall, tries_max=TRIES_MAX, pause_max=PAUSE_SECONDS_MAX,
                error=worded(failure),
            )  # fmt: skip

    # work that calls the outside ------------------------------------------------------------------------------------

    async def outside(self, handler: Handler, account: Account) -> int:
        """Leases a batch and runs it with no transaction open. If it fails, each row is tried alone."""
        lease, wall = new_id("lease"), self.engine.wall()
        work = await self.lease(handler.kind, account, lease, self.size(handler))
        if not work:
            return 0
        fp(f"{handler.kind}.leased")
        try:
            await self.run_outside(handler, account, lease, work, wall)
        except Exception as failure:
            if not at_fault(failure):
                raise
            if len(work) > 1:
                log.warning("a batch of %s failed and is tried one by one: %s", handler.kind, failure)
            for one in work:
                try:
                    await self.run_outside(handler, account, lease, [one], wall)
                except Exception as failure:
                    if not at_fault(failure):
                        raise
                    log.exception("%s of %s failed", handler.kind, one.subject)
                    await self.failed_leased(handler.kind, account, lease, one, failure)
        return len(work)

    async def lease(self, kind: str, account: Account, lease: str, limit: int) -> list[Leased]:
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            rows = await tx.all(
                query("due", "lease"),
                kind=kind, lease=lease, now=wall, until=wall + self.engine.lease_seconds, limit=limit,
            )  # fmt: skip
        return [Leased(subject, tries) for subject, _, tries in rows]

    async def run_outside(self, handler: Handler, account: Account, lease: str, work: list[Leased], wall: int) -> None:
        """Runs leased work and ends it, as far as the lease is still ours; what is not done yet is put off."""
        assert handler.outside is not None
        again: list[Again] = await handler.outside(self.engine, account, work, wall)
        postponed = {a.subject for a in again}
        async with transaction(self.engine.pool, account, wall, self.engine.wall()) as tx:
            await tx.run(
                query("due", "done_leased"),
                kind=handler.kind, lease=lease, subjects=[w.subject for w in work if w.subject not in postponed],
            )  # fmt: skip
            if again:
                await tx.run(
                    query("due", "postpone"),
                    kind=handler.kind, lease=lease, subjects=[a.subject for a in again],
                    until=[a.at for a in again], errors=[a.reason for a in again],
                )  # fmt: skip

    async def failed_leased(self, kind: str, account: Account, lease: str, one: Leased, failure: Exception) -> None:
        wall = self.engine.wall()
        async with transaction(self.engine.pool, account, wall, wall) as tx:
            await tx.run(
                query("due", "failed_leased"),
                kind=kind, subject=one.subject, lease=lease, now=wall, tries_max=TRIES_MAX, pause_max=PAUSE_SECONDS_MAX,
                error=worded(failure),
            )  # fmt: skip

    async def advance_clocks(self) -> int:
        """Advances the test clocks that were asked to."""
        skip: list[str] = []
        count = 0
        while account := await self.next_account(test_clocks.KIND, skip):
            lease = new_id("lease")
            work = await self.lease(test_clocks.KIND, account, lease, 1)
            for one in work:
                try:
                    await test_clocks.advance(self.engine, account, one.subject, lease)
                except Exception as failure:
                    if not at_fault(failure):
                        raise
                    log.exception("test clock %s cannot advance", one.subject)
                    await test_clocks.failed(self.engine, account, one, lease, worded(failure))
            count += len(work)
            if not work:
                skip.append(account.id)
        return count


def at_fault(failure: Exception) -> bool:
    """Whether the work itself is to blame, and not that the database is busy or out of reach."""
    return isinstance(failure, POISON) or not isinstance(failure, LOST)


def worded(failure: Exception) -> str:
    """What stands in the due row for people."""
    return f"{type(failure).__name__}: {failure}".replace("\0", "")[:2000]
