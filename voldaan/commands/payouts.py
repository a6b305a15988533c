"""Payouts: what is available goes to the bank account, every day by itself or when it is asked for."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands.answers import Answer
from voldaan.commands.balance import balance_of
from voldaan.commands.routing import processor_for_payouts
from voldaan.ledger.payments import became_available, moved
from voldaan.resources.payouts import Payout, PayoutCancel, PayoutCreate, PayoutReverse, PayoutUpdate
from voldaan.rules import payouts as rules
from voldaan.rules.balance import key
from voldaan.rules.decision import Decision, Due, Event, Refusal, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: PayoutCreate) -> Answer:
    """Pays out by hand, from all that is available."""
    if params.method == "instant":
        raise refused("Instant payouts are not available for this account.", "method")
    await tx.all(query("balance", "lock"))
    available, _ = await tx.one(query("balance", "available"), currency=params.currency, clock=None)
    decision = _payout(
        tx, params.amount, params.currency, available,
        params.payout_method or params.destination or destination(tx, params.currency),
        description=params.description, statement_descriptor=params.statement_descriptor,
        metadata=merged({}, params.metadata or {}),
    )  # fmt: skip
    if isinstance(decision, Refusal):
        raise Refused(decision)
    await write(tx, [decision])
    return Answer(decision.answer.id, Payout)


def _payout(
    tx: Transaction, amount: int, currency: str, available: int, to: str | None, **more: Any
) -> Decision | Refusal:
    made = rules.payout(
        tx.account, amount, currency, available, to, processor_for_payouts(tx.account.livemode),
        now=tx.now, wall=tx.wall, new_id=new_id, **more,
    )  # fmt: skip
    if isinstance(made, Refusal):
        return made
    decision, movement = made
    decision.postings += moved(movement)
    return decision


def destination(tx: Transaction, currency: str) -> str | None:
    """The bank account for a currency: as the account says, and in test mode one that takes everything."""
    configured: dict[str, str] = tx.account.details.get("payout_destinations", {})
    if currency in configured:
        return configured[currency]
    return None if tx.account.livemode else f"ba_{tx.account.id.removeprefix('acct_')}{currency}"


async def update(tx: Transaction, params: PayoutUpdate, id: str) -> Payout:
    """Changes the metadata."""
    was = await tx.need(Payout, id, lock=True)
    payout = was if params.metadata is None else replace(was, metadata=merged(was.metadata or {}, params.metadata))
    if payout != was:
        await write(tx, [Decision(updates=[Update(payout, was)], events=[Event("payout.updated", payout, was)])])
    return payout


async def cancel(tx: Transaction, params: PayoutCancel, id: str) -> Payout:
    """A payout goes to the bank the moment it is made, and a bank takes no orders back."""
    payout = await tx.need(Payout, id)
    raise refused(
        f"Payout {id} cannot be canceled because it has a status of {payout.status} and has been sent to the bank already.",
        code="payout_not_allowed",
    )


async def reverse(tx: Transaction, params: PayoutReverse, id: str) -> Payout:
    """No bank here lets itself be debited for a payout that has arrived."""
    payout = await tx.need(Payout, id)
    raise refused(
        f"Payout {id} cannot be reversed: it has a status of {payout.status}, and its bank account cannot be debited.",
        code="payout_not_allowed",
    )


# ── by itself ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def make_available(tx: Transaction, subjects: list[str]) -> None:
    """Due work balance.available: amounts whose day has come can be used, and are paid out if the account says daily.

    Whatever is ripe is taken, also what was settled late; what was taken already is not there any more.
    """
    decision = Decision()
    for clock, currencies in _by_clock(subjects).items():
        rows = await tx.all(query("balance", "make_available"), now=tx.now, currencies=sorted(currencies), clock=clock)
        for currency, net, last in rows:
            decision.postings += became_available(key(currency, tx.now, clock), f"available up to {last}", currency, net, tx.now)
            if tx.account.settings_billing.payout_interval == "daily":
                decision.due.append(Due("payout.create", key(currency, tx.now, clock), tx.now, clock))
    if decision.postings:
        decision.events.append(Event("balance.available", await balance_of(tx)))
    await write(tx, [decision])


async def create_due(tx: Transaction, subjects: list[str]) -> None:
    """Due work payout.create: everything available goes to the bank account, unless there is none or nothing to send."""
    if tx.account.settings_billing.payout_interval != "daily":
        return
    await tx.all(query("balance", "lock"))
    for clock, currencies in _by_clock(subjects).items():
        for currency in sorted(currencies):
            whole, own = await tx.one(query("balance", "available"), currency=currency, clock=clock)
            amount = min(whole, own)
            if amount <= 0:
                continue
            decision = _payout(tx, amount, currency, whole, destination(tx, currency), automatic=True, clock=clock)
            if isinstance(decision, Refusal):
                continue
            await write(tx, [decision])
            await tx.run(query("balance", "take"), payout=decision.answer.id, currency=currency, clock=clock)


def _by_clock(subjects: list[str]) -> dict[str | None, set[str]]:
    """Currencies per clock, from subjects like eur:1790000000 and eur:1790000000:clock_…."""
    found: dict[str | None, set[str]] = {}
    for subject in subjects:
        currency, _, *clock = subject.split(":")
        found.setdefault(clock[0] if clock else None, set()).add(currency)
    return found
