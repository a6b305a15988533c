"""What is written down of money that people move, and how it stands at a given time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voldaan.processors.declines import decline
from voldaan.processors.manual.references import creditor_reference, printed
from voldaan.processors.protocol import Declined, Outcome, Processing, RequiresAction, Succeeded

DAY = 86_400
TRANSFERS = frozenset({"customer_balance", "bank_transfer"})     # the payer gets instructions and a reference
OUT_OF_BAND = frozenset({"custom", "out_of_band"})               # nobody is told anything; a person confirms
PATIENCE = {"authorize": 30 * DAY, "refund": 3 * DAY, "payout": 3 * DAY}


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where customers transfer to."""

    account_holder_name: str
    iban: str
    bic: str | None = None
    country: str = "NL"


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of processor_manual.operations."""

    processor_id: str
    account_id: str
    reference: str
    idempotency_key: str
    flow: str
    original: str | None
    method: str | None
    amount: int
    currency: str
    creditor_number: int
    decided: str | None
    decided_at: int | None
    failure: str | None
    at: int
    recorded_at: object


@dataclass(frozen=True, slots=True)
class Line:
    """Money that came in: a line of a bank statement, or cash that somebody counted."""

    line_id: str
    written: str
    operation: str | None
    amount: int
    currency: str
    at: int


@dataclass(frozen=True, slots=True)
class Unapplied:
    """Money that came in and pays for nothing (yet): a person must say what it is for, or send it back."""

    line_id: str
    written: str
    amount: int
    currency: str
    at: int
    reason: Literal["unmatched", "overpaid", "paid_after_cancellation"]
    processor_id: str | None = None


def paid_at(operation: Operation, lines: Sequence[Line]) -> int | None:
    """When a payment was complete; None while it is not."""
    if operation.decided == "confirmed":
        return operation.decided_at
    total = 0
    for line in lines:
        total += line.amount
        if total >= operation.amount:
            return line.at
    return None


def state(operation: Operation, lines: Sequence[Line], at: int) -> str:
    """As in a Record, at `at`."""
    seen = [line for line in lines if line.at <= at]
    if operation.decided == "canceled" and (operation.decided_at or 0) <= at:
        return "canceled"
    if operation.flow == "authorize" and (done := paid_at(operation, seen)) is not None and done <= at:
        return "succeeded"
    if operation.decided and (operation.decided_at or 0) <= at:
        return "succeeded" if operation.decided == "confirmed" else "declined"
    return "requires_action" if operation.flow == "authorize" and operation.method in TRANSFERS else "processing"


def outcome(operation: Operation, lines: Sequence[Line], at: int, bank: BankAccount | None) -> Outcome:
    pid, amount, currency = operation.processor_id, operation.amount, operation.currency
    match state(operation, lines, at):
        case "succeeded":
            settled_at = (paid_at(operation, lines) if operation.flow == "authorize" else operation.decided_at) or at
            return Succeeded(pid, amount, currency, settles_at=settled_at)
        case "canceled":
            return Declined(decline("payment_canceled"), pid)
        case "declined":
            return Declined(decline("could_not_process", operation.failure), pid)
        case "processing":
            return Processing(pid, amount, currency, expected_at=operation.at + PATIENCE[operation.flow])
        case _:
            return RequiresAction(
                pid, "display_bank_transfer_instructions", None, _instructions(operation, lines, at, bank))


def _instructions(
    operation: Operation, lines: Sequence[Line], at: int, bank: BankAccount | None
) -> dict[str, object]:
    received = sum(line.amount for line in lines if line.at <= at)
    reference = creditor_reference(operation.creditor_number)
    return {
        "type": "eu_bank_transfer",
        "reference": reference,
        "printed_reference": printed(reference),
        "amount_remaining": operation.amount - received,
        "currency": operation.currency,
        "iban": bank and bank.iban,
        "bic": bank and bank.bic,
        "account_holder_name": bank and bank.account_holder_name,
        "country": bank and bank.country,
    }


def unapplied(operation: Operation, lines: Sequence[Line]) -> list[Unapplied]:
    """What came in for a payment beyond its amount, or although it was canceled; taken from the last lines."""
    canceled = operation.decided == "canceled"
    wanted = 0 if canceled or operation.decided == "confirmed" else operation.amount
    left = []
    for line in lines:
        used = min(wanted, line.amount)
        wanted -= used
        if used < line.amount:
            left.append(Unapplied(
                line.line_id, line.written, line.amount - used, line.currency, line.at,
                "paid_after_cancellation" if canceled else "overpaid", operation.processor_id))
    return left
