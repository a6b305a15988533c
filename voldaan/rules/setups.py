"""Setups: what a setup intent and its payment method become with the processor's answer. No money moves."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.processors.protocol import Decline, Declined, Outcome, Processing, RequiresAction, Succeeded
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.setup_intents import SetupIntent
from voldaan.rules.attempts import Facts, Settled, answered
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.declined import NEVER_ARRIVED
from voldaan.rules.payments import next_action, payment_error


def settle(facts: Facts, outcome: Outcome, now: int, wall: int) -> Settled:
    """The setup intent after the answer to its attempt."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    settled = Settled(decision)
    intent, method = facts.setup, facts.method
    assert intent is not None
    assert method is not None
    if attempt.state == "not_sent":
        _failed(decision, intent, method, NEVER_ARRIVED)
        return settled
    if intent.status == "canceled":                  # the customer acted too late: nothing was wanted any more
        return settled
    match outcome:
        case Succeeded():
            new = replace(intent, last_setup_error=None, next_action=None, payment_method=method.id, status="succeeded")
            decision.updates.append(Update(new, intent))
            decision.events.append(Event("setup_intent.succeeded", new))
            decision.add(_ready(method, new, outcome))
        case Processing() if intent.status != "processing":
            new = replace(intent, next_action=None, payment_method=method.id, status="processing")
            decision.updates.append(Update(new, intent))
        case RequiresAction() if intent.status != "requires_action":
            new = replace(intent, next_action=next_action(outcome, attempt), payment_method=method.id, status="requires_action")
            decision.updates.append(Update(new, intent))
            decision.events.append(Event("setup_intent.requires_action", new))
        case Declined(decline=decline):
            _failed(decision, intent, method, decline)
    return settled


def _failed(decision: Decision, intent: SetupIntent, method: PaymentMethod, decline: Decline) -> None:
    new = replace(
        intent, last_setup_error=payment_error(decline, method, None), next_action=None, payment_method=None,
        status="requires_payment_method",
    )  # fmt: skip
    decision.updates.append(Update(new, intent))
    decision.events.append(Event("setup_intent.setup_failed", new))


def _ready(method: PaymentMethod, intent: SetupIntent, answer: Succeeded) -> Decision:
    """The method as it may be used from now on: attached, and with what proves that its owner agreed."""
    new = replace(
        method,
        customer=method.customer or intent.customer,
        mandate=intent.mandate or method.mandate,
        network_transaction_id=answer.network_transaction_id or method.network_transaction_id,
    )
    if new == method:
        return Decision()
    attached = [Event("payment_method.attached", new)] if new.customer != method.customer else []
    return Decision(updates=[Update(new, method)], events=attached)
