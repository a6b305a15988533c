"""Holds: money reserved on a card until it is captured, released, or lapses; and payments withdrawn before they are made."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.processors.protocol import Declined, Outcome, Succeeded
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.payment_intents import CancellationReason, PaymentIntent
from voldaan.rules import balance, charges
from voldaan.rules.attempts import Facts, InvoiceNews, Settled, answered, attempt_for, dispatch, void_for
from voldaan.rules.balance import Moved
from voldaan.rules.decision import Decision, Due, Event, Refusal, Update
from voldaan.rules.ids import NewId
from voldaan.rules.payments import dispatched, payment_error

CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
LAPSED = frozenset({"charge_expired_for_capture", "payment_canceled"})


def cancel(
    intent: PaymentIntent,
    authorization: Attempt | None,
    reason: CancellationReason | None,
    *,
    now: int,
    wall: int,
    new_id: NewId,
) -> Decision | Refusal:
    """Nothing more is to be paid. What the processor may still carry out is withdrawn there first.

    `authorization` is the attempt that the intent names. Refuses while a try is under way: its money may still come.
    """
    if intent.status not in CANCELABLE:
        return Refusal(
            "payment_intent_unexpected_state",
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. Only a PaymentIntent with one "
            f"of the following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )
    if authorization and authorization.state in ("requires_action", "authorized"):
        return withdraw(intent, authorization, {"reason": reason} if reason else {}, now=now, wall=wall, new_id=new_id)
    new = canceled(intent, reason, now)
    return Decision(updates=[Update(new, intent)], events=[Event("payment_intent.canceled", new)])


def withdraw(
    intent: PaymentIntent, authorization: Attempt, afterwards: dict[str, Any], *, now: int, wall: int, new_id: NewId
) -> Decision:
    """Asks the processor to give up an authorization. `afterwards` says what follows when it can no longer succeed: a
    `reason` of cancellation, the next try (`then`), or that the intent waits for another one (`reopen`)."""
    void = void_for(intent, authorization, now, wall, new_id)
    return dispatch(replace(void, request={**void.request, **afterwards, "authorization": authorization.id}))


def canceled(intent: PaymentIntent, reason: CancellationReason | None, now: int) -> PaymentIntent:
    return replace(
        intent, amount_capturable=0, canceled_at=now, cancellation_reason=reason, next_action=None, status="canceled"
    )


def captured(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """The answer to a capture: the money is here, or the hold has lapsed, or the capture was refused and the hold stands."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    settled = Settled(decision, attempt)
    intent, charge, method = facts.intent, facts.charge, facts.method
    assert charge is not None
    assert method is not None
    if isinstance(outcome, Declined):
        if outcome.decline.code in LAPSED:
            decision.add(lapsed(intent, charge, facts.authorization, now, wall))
        else:
            refused = replace(charge, capture_error=payment_error(outcome.decline, method, charge.id))
            decision.updates.append(Update(refused, charge))
        return settled
    if attempt.state != "succeeded" or not isinstance(outcome, Succeeded):
        return settled

    transaction = balance.movement(
        "charge", outcome.amount, outcome.currency, charge.id,
        now=now, available_on=outcome.settles_at, new_id=new_id, fee=outcome.fee, clock=attempt.clock,
        description=charge.description,
    )  # fmt: skip
    taken = replace(charges.captured(charge, outcome.amount), balance_transaction=transaction.id)
    decision.inserts.append(transaction)
    decision.updates.append(Update(taken, charge))
    decision.due += balance.becomes_available(transaction)
    decision.due_cancelled.append(("charge.expire_authorization", charge.id))
    decision.events.append(Event("charge.captured", taken))
    settled.moved.append(
        Moved("payment", charge.id, outcome.amount, outcome.currency, now, transaction, attempt.customer, attempt.invoice)
    )
    if intent:
        new = replace(intent, amount_capturable=0, amount_received=outcome.amount, status="succeeded")
        decision.updates.append(Update(new, intent))
        decision.events.append(Event("payment_intent.succeeded", new))
    if attempt.invoice:
        settled.invoice = InvoiceNews("succeeded", outcome.amount)
    return settled


def voided(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """The answer to a withdrawal: the intent is canceled or tried anew; if it came too late, the processor is asked what came."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    intent, authorization = facts.intent, facts.authorization
    assert intent is not None
    assert authorization is not None
    if isinstance(outcome, Declined):
        decision.attempts.append(authorization.id)
        decision.due.append(Due("attempt.resolve", authorization.id, wall))
        return Settled(decision)
    if attempt.state != "succeeded":
        return Settled(decision)

    given_up = replace(authorization, state="voided", resolved=wall)
    decision.updates.append(Update(given_up, authorization))
    decision.due_cancelled.append(("attempt.resolve", authorization.id))
    if facts.charge and facts.charge.status == "succeeded" and not facts.charge.captured:
        free = charges.released(facts.charge)
        decision.updates.append(Update(free, facts.charge))
        decision.due_cancelled.append(("charge.expire_authorization", free.id))
        decision.events.append(Event("charge.refunded", free))
    if facts.next_method:
        then = attempt.request["then"]
        again = attempt_for(
            intent, facts.next_method, off_session=then["off_session"], initiator="customer", now=now, wall=wall,
            new_id=new_id, return_url=then.get("return_url"),
        )  # fmt: skip
        decision.updates.append(Update(dispatched(intent, again), intent))
        decision.add(dispatch(again))
        return Settled(decision)
    if attempt.request.get("reopen"):
        reopened = replace(intent, next_action=None, payment_method=None, status="requires_payment_method")
        decision.updates.append(Update(reopened, intent))
        return Settled(decision)
    new = canceled(intent, attempt.request.get("reason"), now)
    decision.updates.append(Update(new, intent))
    decision.events.append(Event("payment_intent.canceled", new))
    return Settled(decision)


def lapsed(intent: PaymentIntent | None, charge: Charge, authorization: Attempt | None, now: int, wall: int) -> Decision:
    """Nobody captured the hold in time: the network has released it, and its intent is canceled."""
    free = charges.released(charge)
    decision = Decision(updates=[Update(free, charge)], events=[Event("charge.expired", free)])
    if authorization and authorization.state == "authorized":
        decision.updates.append(Update(replace(authorization, state="voided", resolved=wall), authorization))
    if intent and intent.status == "requires_capture" and intent.latest_charge == charge.id:
        new = canceled(intent, "automatic", now)
        decision.updates.append(Update(new, intent))
        decision.events.append(Event("payment_intent.canceled", new))
    return decision
