"""Attempts: what a processor is asked, when it is asked again, and which state an answer leads to.

The rule that keeps anybody from being charged twice: an attempt's id is the reference and the key of its one request;
while it may still succeed (LIVE) no other attempt for the same invoice or payment intent exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from voldaan.processors.protocol import (
    Decline,
    Declined,
    NotSent,
    Outcome,
    Processing,
    RequiresAction,
    Succeeded,
    Unknown,
)
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import WAITING, Attempt, AttemptFlow, AttemptState
from voldaan.resources.balance_transactions import BalanceTransaction
from voldaan.resources.charges import Charge
from voldaan.resources.disputes import Dispute
from voldaan.resources.mandates import Mandate
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.payouts import Payout
from voldaan.resources.refunds import Refund
from voldaan.resources.setup_intents import SetupIntent
from voldaan.rules.balance import Moved
from voldaan.rules.decision import Decision, Due, Update
from voldaan.rules.ids import NewId

Initiator = Literal["customer", "merchant"]

SAFETY_NET = 60                                  # seconds of real time until a worker looks after a dispatched attempt
MINUTE, HOUR, DAY = 60, 3600, 86400
# After an unknown outcome the processor is asked again after so many seconds, then daily until a week has passed.
ASK_AFTER = (10, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 12 * HOUR)
ASK_UNTIL = 7 * DAY
TRANSFER = "display_bank_transfer_instructions"  # a payer who is to transfer money is waited for without end
NOT_SENT_TRIES = 5                               # proven so often not to have arrived: it is given up, and nothing moved


def attempt_for(
    intent: PaymentIntent,
    payment_method: PaymentMethod,
    *,
    off_session: bool,
    initiator: Initiator,
    now: int,
    wall: int,
    new_id: NewId,
    return_url: str | None = None,
    usage: Literal["recurring", "unscheduled"] = "recurring",
) -> Attempt:
    """One try at an intent's whole amount with this payment method; captured at once unless the intent says manual."""
    options = intent.payment_method_options
    card = options.card if options and options.card else None
    manual = intent.capture_method == "manual" or bool(card and card.capture_method == "manual")
    request = method_ref(payment_method) | {
        "capture": "manual" if manual and payment_method.type == "card" else "automatic",
        "descriptor": intent.statement_descriptor_suffix or intent.statement_descriptor,
        "description": intent.description,
        "return_url": return_url,
        "three_d_secure": card.request_three_d_secure if card else None,
        "mandate": intent.mandate or payment_method.mandate,
    }
    if payment_method.network_transaction_id and (off_session or initiator == "merchant"):
        request |= {"network_transaction_id": payment_method.network_transaction_id, "usage": usage}
    return _new(
        "authorize", new_id, now, wall,
        processor=payment_method.processor, amount=intent.amount, currency=intent.currency, customer=intent.customer,
        invoice=intent.invoice, payment_intent=intent.id, payment_method=payment_method.id, clock=intent.clock,
        off_session=off_session, initiator=initiator, request=_given(request),
    )  # fmt: skip


def charge_attempt(
    charge: Charge, payment_method: PaymentMethod, *, capture: bool, now: int, wall: int, new_id: NewId
) -> Attempt:
    """The one try at a charge that has no intent. Nobody is there to act: a bank that asks for its customer declines."""
    request = method_ref(payment_method) | {
        "capture": "automatic" if capture or payment_method.type != "card" else "manual",
        "descriptor": charge.statement_descriptor_suffix or charge.statement_descriptor,
        "description": charge.description,
        "mandate": payment_method.mandate,
        "network_transaction_id": payment_method.network_transaction_id,
    }
    return _new(
        "authorize", new_id, now, wall,
        processor=payment_method.processor, amount=charge.amount, currency=charge.currency, customer=charge.customer,
        charge=charge.id, payment_method=payment_method.id, clock=charge.clock, off_session=True,
        request=_given(request),
    )  # fmt: skip


def capture_for(charge: Charge, amount: int, now: int, wall: int, new_id: NewId) -> Attempt:
    """Take what a charge holds."""
    return _new(
        "capture", new_id, now, wall,
        processor=charge.processor, amount=amount, currency=charge.currency, customer=charge.customer,
        invoice=charge.invoice, payment_intent=charge.payment_intent, charge=charge.id,
        payment_method=charge.payment_method, clock=charge.clock, request={"processor_id": charge.processor_id},
    )  # fmt: skip


def void_for(intent: PaymentIntent, authorization: Attempt, now: int, wall: int, new_id: NewId) -> Attempt:
    """Release what an intent holds, or withdraw what still waits for the customer."""
    return _new(
        "void", new_id, now, wall,
        processor=authorization.processor, amount=authorization.amount, currency=intent.currency,
        customer=intent.customer, invoice=intent.invoice, payment_intent=intent.id, charge=intent.latest_charge,
        payment_method=authorization.payment_method, clock=intent.clock,
        request={"processor_id": authorization.processor_id},
    )  # fmt: skip


def setup_for(
    intent: SetupIntent,
    payment_method: PaymentMethod,
    *,
    now: int,
    wall: int,
    new_id: NewId,
    return_url: str | None = None,
) -> Attempt:
    """Make a payment method ready for later use."""
    request = method_ref(payment_method) | {"usage": intent.usage, "return_url": return_url}
    return _new(
        "setup", new_id, now, wall,
        processor=payment_method.processor, amount=0, currency="", customer=intent.customer, setup_intent=intent.id,
        payment_method=payment_method.id, clock=intent.clock, request=_given(request),
    )  # fmt: skip


def refund_for(refund: Refund, charge: Charge, now: int, wall: int, new_id: NewId) -> Attempt:
    """Give (part of) a charge back."""
    return _new(
        "refund", new_id, now, wall,
        processor=charge.processor, amount=refund.amount, currency=refund.currency, customer=charge.customer,
        charge=charge.id, refund=refund.id, payment_method=charge.payment_method, clock=charge.clock,
        initiator="merchant", request=_given({"processor_id": charge.processor_id, "reason": refund.reason}),
    )  # fmt: skip


def answer_for(dispute: Dispute, what: Literal["evidence", "close"], text: str, *, now: int, wall: int, new_id: NewId) -> Attempt:
    """Tell the payer's bank what we have to say, or that we accept the loss."""
    return _new(
        "dispute", new_id, now, wall,
        processor=dispute.processor, amount=0, currency=dispute.currency, customer=dispute.customer,
        charge=dispute.charge, clock=dispute.clock, initiator="merchant",
        request={"dispute": dispute.id, "processor_id": dispute.processor_id, "what": what, "text": text},
    )  # fmt: skip


def payout_for(payout: Payout, processor: str, now: int, wall: int, new_id: NewId) -> Attempt:
    """Send money to the account's own bank account."""
    return _new(
        "payout", new_id, now, wall,
        processor=processor, amount=payout.amount, currency=payout.currency, payout=payout.id, clock=payout.clock,
        initiator="merchant",
        request=_given({"destination": payout.destination, "descriptor": payout.statement_descriptor}),
    )  # fmt: skip


def method_ref(payment_method: PaymentMethod) -> dict[str, Any]:
    """What a processor must know of the payment method; never a number."""
    card = payment_method.card or None
    debit = payment_method.sepa_debit or None
    known = card or debit
    return {
        "type": payment_method.type,
        "token": payment_method.token,
        "brand": card.brand if card else None,
        "last4": known.last4 if known else None,
        "country": known.country if known else None,
        "fingerprint": known.fingerprint if known else None,
    }


def dispatch(attempt: Attempt) -> Decision:
    """Writes the attempt and what makes sure that somebody looks after it; the door carries it out after the commit."""
    return Decision(inserts=[attempt], due=[safety_net(attempt)], attempts=[attempt.id])


def safety_net(attempt: Attempt) -> Due:
    """In real time, whatever clock the attempt lives by: a process may have died. Attempts that are dispatched together have
    one (store/writer.py, JOINED_DUE); of whom nothing was heard by then, each is asked about."""
    return Due("attempt.look_after", attempt.id, attempt.dispatched + SAFETY_NET)


def _new(flow: AttemptFlow, new_id: NewId, now: int, wall: int, **facts: Any) -> Attempt:
    id = new_id("att")
    return Attempt(id=id, flow=flow, idempotency_key=f"{id}:{flow}", at=now, dispatched=wall, **facts)


def _given(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if value is not None}


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Facts:
    """An attempt, locked, with everything that its answer may change."""

    attempt: Attempt
    account: Account
    intent: PaymentIntent | None = None
    method: PaymentMethod | None = None
    mandate: Mandate | None = None
    charge: Charge | None = None                     # the attempt's own, or the intent's latest
    charge_transaction: BalanceTransaction | None = None
    authorization: Attempt | None = None             # what a capture or void is about
    next_method: PaymentMethod | None = None         # what is tried once the void has succeeded
    setup: SetupIntent | None = None
    refund: Refund | None = None
    deferred: int = 0                                # what the books hold of the charge's invoice that is not earned yet
    refund_deferred: int = 0                         # how much of it the refund has taken
    payout: Payout | None = None
    dispute: Dispute | None = None


@dataclass(slots=True)
class InvoiceNews:
    """What the attempt means for the invoice that it was to pay."""

    what: Literal["succeeded", "failed", "action_required", "processing"]
    amount: int
    decline: Decline | None = None


@dataclass(slots=True)
class Settled:
    """What an answer leads to: rows and events, the money to post, and news for the invoice."""

    decision: Decision = field(default_factory=Decision)
    attempt: Attempt | None = None                   # as it is now
    moved: list[Moved] = field(default_factory=list)
    invoice: InvoiceNews | None = None


def may_settle(attempt: Attempt, outcome: Outcome) -> bool:
    """The fence: an answer counts once. Only money that did move after all is heard once more: it is never dropped."""
    if attempt.state in WAITING:
        return True
    return attempt.state in ("declined", "not_sent", "voided") and attempt.flow == "authorize" and isinstance(outcome, Succeeded)


def contradicts(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether another amount or currency moved than was asked for: that is never taken as paid."""
    if not isinstance(outcome, Succeeded | Processing) or attempt.flow not in ("authorize", "capture", "refund", "payout"):
        return False
    return (outcome.amount, outcome.currency) != (attempt.amount, attempt.currency)


def answered(attempt: Attempt, outcome: Outcome, now: int, wall: int) -> tuple[Attempt, Decision]:
    """The attempt after an answer, with what is due next: asking again, or asking for news.

    A customer who has yet to act keeps the attempt in requires_action, however often nothing is heard.
    """
    said = {"type": type(outcome).__name__, **msgspec.to_builtins(outcome)}
    kept: dict[str, Any] = {"tries": attempt.tries + 1, "outcome": said}
    due: list[Due] = []
    state: AttemptState
    if contradicts(attempt, outcome):
        return _moved(attempt, replace(attempt, state="needs_reconciliation", resolved=None, **kept), [])
    match outcome:
        case Succeeded(processor_id=processor_id):
            state = "succeeded" if outcome.captured or attempt.flow != "authorize" else "authorized"
            kept |= {"processor_id": processor_id, "resolved": wall, "decline_code": None}
            if outcome.follow_up_at is not None:
                due.append(Due("attempt.follow_up", attempt.id, max(outcome.follow_up_at, now), attempt.clock))
        case Processing(processor_id=processor_id, expected_at=expected_at):
            state = "processing"
            kept |= {"processor_id": processor_id}
            due.append(Due("attempt.resolve", attempt.id, max(expected_at, now + MINUTE), attempt.clock))
        case RequiresAction(processor_id=processor_id):
            state = "requires_action"
            kept |= {"processor_id": processor_id}
            due += _ask_again(attempt, wall)
            if not due and outcome.kind == TRANSFER:
                due.append(Due("attempt.resolve", attempt.id, wall + DAY))
        case Declined(processor_id=processor_id, decline=decline):
            state = "declined"
            kept |= {"resolved": wall, "processor_id": processor_id or attempt.processor_id, "decline_code": decline.code}
        case NotSent() if attempt.tries + 1 >= NOT_SENT_TRIES and attempt.processor_id is None:
            state = "not_sent"                       # what was once acknowledged is never taken as not sent
            kept |= {"resolved": wall}
        case NotSent() | Unknown():
            due += _ask_again(attempt, wall)
            state = "unknown" if due else "needs_reconciliation"
            if attempt.state == "requires_action":
                state = "requires_action"
    return _moved(attempt, replace(attempt, state=state, **kept), due)


def _moved(was: Attempt, new: Attempt, due: list[Due]) -> tuple[Attempt, Decision]:
    return new, Decision(updates=[Update(new, was)], due=due, due_cancelled=[("attempt.resolve", was.id)])


def _ask_again(attempt: Attempt, wall: int) -> list[Due]:
    at = ask_again_at(attempt, wall)
    return [] if at is None else [Due("attempt.resolve", attempt.id, at)]


def ask_again_at(attempt: Attempt, wall: int) -> int | None:
    """When the processor is asked next about an outcome that is still unknown (real time); None: a person must look."""
    if attempt.tries < len(ASK_AFTER):
        return wall + ASK_AFTER[attempt.tries]
    return wall + DAY if wall + DAY <= attempt.dispatched + ASK_UNTIL else None
