"""Balances are the latest rollup and the tail after it, whenever the rollup was made."""

from __future__ import annotations

import pytest

from voldaan.commands.ledger import roll_up
from voldaan.reports.books import trial_balance
from voldaan.resources.accounts import Account
from voldaan.rules.decision import Decision, Posting
from voldaan.store.pool import Pool
from voldaan.store.transaction import transaction
from voldaan.store.writer import write

pytestmark = pytest.mark.anyio
DAY = 86_400
MONDAY = 1_790_000_000 - 1_790_000_000 % DAY


async def post(pool: Pool, account: Account, at: int, source: str, amount: int) -> None:
    async with transaction(pool, account, at, at) as tx:
        await write(tx, [Decision(postings=[Posting(source, "made", 1, "bank", "revenue", amount, "eur", at)])])


async def balances(pool: Pool, account: Account) -> dict[str, tuple[int, int, int]]:
    return {b.account: (b.debits, b.credits, b.normal) for b in await trial_balance(pool, account.id)}


async def test_rollups_and_tail_give_the_same_balance(pool: Pool, account: Account) -> None:
    await post(pool, account, MONDAY + 10, "a", 100)
    await post(pool, account, MONDAY + DAY - 1, "b", 50)
    await post(pool, account, MONDAY + DAY, "c", 7)
    before = await balances(pool, account)
    assert before == {"bank": (157, 0, 157), "revenue": (0, 157, 157)}
    for day in (1, 1, 2, 3):  # the same day twice changes nothing
        async with transaction(pool, account, MONDAY + day * DAY + 7200, MONDAY + day * DAY + 7200) as tx:
            await roll_up(tx, ["daily"])
            through = await tx.one(
                "select sum(debits) from ledger_rollups where account_id = %(account)s and ledger_account = 'bank' "
                "and through = (select max(through) from ledger_rollups where account_id = %(account)s)"
            )
            assert through == ((150,) if day == 1 else (157,))
        assert await balances(pool, account) == before
    await post(pool, account, MONDAY + 3 * DAY + 8000, "d", 3)
    assert (await balances(pool, account))["bank"] == (160, 0, 160)
    async with transaction(pool, account, MONDAY + 3 * DAY + 9000, MONDAY + 3 * DAY + 9000) as tx:
        assert (await tx.one("select count(*) from due where account_id = %(account)s and kind = 'ledger.roll_up'"))[0] >= 1
