"""Payouts: from the available balance to one's own bank account. The money leaves the balance when the payout is made."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from voldaan.processors.protocol import Decline, Declined, Outcome, Processing, Succeeded
from voldaan.resources.accounts import Account
from voldaan.resources.payouts import Payout, TraceId
from voldaan.rules import balance
from voldaan.rules.attempts import Facts, Settled, answered, dispatch, payout_for
from voldaan.rules.balance import Moved
from voldaan.rules.decision import Decision, Event, Refusal, Update
from voldaan.rules.ids import NewId

DAY = 86400
FAILURES = {
    "account_closed": ("account_closed", "The bank account has been closed."),
    "no_account": ("no_account", "The bank account details on file are probably incorrect. No bank account could be located."),
    "insufficient_funds": ("insufficient_funds", "The account has insufficient funds to cover this payout."),
    "debit_not_authorized": ("debit_not_authorized", "Debit transactions are not approved on this bank account."),
    "invalid_currency": ("invalid_currency", "The bank was unable to process this payout because of its currency."),
    "could_not_process": ("could_not_process", "The bank could not process this payout."),
}


def payout(
    account: Account,
    amount: int,
    currency: str,
    available: int,
    destination: str | None,
    processor: str,
    *,
    now: int,
    wall: int,
    new_id: NewId,
    automatic: bool = False,
    clock: str | None = None,
    description: str | None = None,
    statement_descriptor: str | None = None,
    metadata: dict[str, str] | None = None,
    method: str = "standard",
) -> tuple[Decision, Moved] | Refusal:
    """Sends `amount` of what is available to the bank account. The decision's answer is the payout."""
    if amount > available:
        return Refusal(
            "balance_insufficient",
            "You have insufficient funds in your account for this transfer. Your card balance is too low. You can use the "
            "/v1/balance endpoint to view your balance.",
        )
    if destination is None:
        return Refusal(
            "no_account",
            f"Sorry, you don't have any external accounts in that currency ({currency}).",
            "currency",
        )
    id = new_id("po")
    transaction = balance.movement(
        "payout", -amount, currency, id, now=now, available_on=now, new_id=new_id, clock=clock,
        description=description or "PAYOUT",
    )  # fmt: skip
    new = Payout(
        id=id,
        amount=amount,
        arrival_date=(now // DAY + 1) * DAY,
        automatic=automatic,
        balance_transaction=transaction.id,
        clock=clock,
        created=now,
        currency=currency,
        description=description or ("PAYOUT" if automatic else None),
        destination=destination,
        livemode=account.livemode,
        metadata=metadata or {},
        method=method,
        reconciliation_status="in_progress" if automatic else "not_applicable",
        statement_descriptor=statement_descriptor,
        status="pending",
    )
    attempt = payout_for(new, processor, now, wall, new_id)
    new = replace(new, attempt=attempt.id)
    transaction = replace(transaction, payout=new.id if automatic else None)
    decision = dispatch(attempt)
    decision.inserts += [new, transaction]
    decision.events.append(Event("payout.created", new))
    decision.answer = new
    return decision, Moved("payout", new.id, amount, currency, now, transaction)


def settle(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """The payout after the answer: on its way, arrived, or back."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    payout = facts.payout
    assert payout is not None
    settled = Settled(decision)
    if attempt.state == "not_sent" or isinstance(outcome, Declined):
        failed(settled, payout, outcome.decline if isinstance(outcome, Declined) else None, now, new_id)
        return settled
    if attempt.state == "processing" and isinstance(outcome, Processing):
        trace = payout.trace_id or TraceId(status="pending")
        new = replace(payout, arrival_date=outcome.expected_at, status="in_transit", trace_id=trace)
        if new != payout:
            decision.updates.append(Update(new, payout))
            decision.events.append(Event("payout.updated", new, payout))
    if attempt.state == "succeeded" and isinstance(outcome, Succeeded):
        arrived(settled, payout, outcome.processor_id, now)
    return settled


def arrived(settled: Settled, payout: Payout, trace: str, now: int) -> None:
    """The money is on the bank account."""
    new = replace(
        payout, arrival_date=now // DAY * DAY, status="paid", trace_id=TraceId(status="supported", value=trace),
        reconciliation_status="completed" if payout.automatic else payout.reconciliation_status,
    )  # fmt: skip
    settled.decision.updates.append(Update(new, payout))
    settled.decision.events.append(Event("payout.paid", new))
    if payout.automatic:
        settled.decision.events.append(Event("payout.reconciliation_completed", new))
    settled.moved.append(Moved("payout_arrived", payout.id, payout.amount, payout.currency, now))


def failed(settled: Settled, payout: Payout, decline: Decline | None, now: int, new_id: NewId) -> None:
    """The bank did not take it: the money is back in the balance, available."""
    code, message = FAILURES.get(decline.code if decline else "could_not_process", FAILURES["could_not_process"])
    transaction = balance.movement(
        "payout_failure", payout.amount, payout.currency, payout.id,
        now=now, available_on=now, new_id=new_id, clock=payout.clock, description="PAYOUT FAILURE",
    )  # fmt: skip
    new = replace(
        payout, failure_balance_transaction=transaction.id, failure_code=code, failure_message=message, status="failed",
    )  # fmt: skip
    settled.decision.inserts.append(transaction)
    settled.decision.updates.append(Update(new, payout))
    settled.decision.events.append(Event("payout.failed", new))
    what: Literal["payout_returned", "payout_failed"] = "payout_returned" if payout.status == "paid" else "payout_failed"
    settled.moved.append(Moved(what, payout.id, payout.amount, payout.currency, now, transaction))


