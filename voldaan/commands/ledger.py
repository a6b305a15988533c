"""The ledger's upkeep: balances are rolled up once a day, so that reading one never sums more than a day's postings."""

from __future__ import annotations

from voldaan.rules.decision import Decision, Due
from voldaan.store.accounts import DAY, next_roll_up
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def roll_up(tx: Transaction, subjects: list[str]) -> None:
    """Handler of ledger.roll_up: everything recorded before today, and the next day's turn."""
    await tx.run(query("ledger", "roll_up"), through=tx.wall - tx.wall % DAY - 1)
    await write(tx, [Decision(due=[Due("ledger.roll_up", "daily", next_roll_up(tx.wall))])])
