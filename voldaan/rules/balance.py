"""Balance transactions: each movement of the money that a processor holds, with its fee and the day it can be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voldaan.resources.balance_transactions import (
    REPORTING_CATEGORIES,
    BalanceTransaction,
    BalanceTransactionType,
    FeeDetail,
)
from voldaan.rules.decision import Due
from voldaan.rules.ids import NewId


def movement(
    type: BalanceTransactionType,
    amount: int,
    currency: str,
    source: str,
    *,
    now: int,
    available_on: int,
    new_id: NewId,
    fee: int = 0,
    fee_description: str = "Processing fees",
    description: str | None = None,
    clock: str | None = None,
    category: str | None = None,
) -> BalanceTransaction:
    """`amount` in minor units is negative when money leaves; `fee` is what the processor keeps of it (negative: gives back)."""
    return BalanceTransaction(
        id=new_id("txn"),
        amount=amount,
        available_on=max(available_on, now),
        clock=clock,
        created=now,
        currency=currency,
        description=description,
        fee=fee,
        fee_details=[FeeDetail(amount=fee, currency=currency, description=fee_description)] if fee else [],
        net=amount - fee,
        reporting_category=category or REPORTING_CATEGORIES[type],
        source=source,
        status="available" if available_on <= now else "pending",
        type=type,
    )


def becomes_available(transaction: BalanceTransaction) -> list[Due]:
    """The work that moves a pending amount to the available balance; nothing for what is available already."""
    if transaction.status == "available":
        return []
    subject = key(transaction.currency, transaction.available_on, transaction.clock)
    return [Due("balance.available", subject, transaction.available_on, transaction.clock)]


def key(currency: str, at: int, clock: str | None) -> str:
    """All pending amounts of a currency and a clock that become available at one instant are one piece of work."""
    return f"{currency}:{at}" + (f":{clock}" if clock else "")


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that moved, or began to, for the ledger to post: `what` happened to which object, and the amount in minor units.

    `transaction` is what it did to the balance; None while it did nothing. `noted` is how much of it a credit note has
    promised; of the rest, `recognised` was revenue already earned; None: all of it.
    """

    what: Literal[
        "payment", "debit_accepted", "debit_confirmed", "debit_failed", "refund", "refund_failed",
        "dispute_withdrawn", "dispute_reinstated", "payout", "payout_arrived", "payout_failed", "payout_returned",
        "payout_canceled",
    ]  # fmt: skip
    source: str
    amount: int
    currency: str
    at: int
    transaction: BalanceTransaction | None = None
    customer: str | None = None
    invoice: str | None = None
    recognised: int | None = None
    noted: int = 0
