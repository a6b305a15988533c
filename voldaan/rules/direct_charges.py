"""Charges that are made the old way, without a payment intent: the charge itself waits for the answer."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.processors.protocol import Decline, Declined, Outcome, Processing, Succeeded
from voldaan.resources.base import UNSET
from voldaan.resources.charges import CardSource, Charge
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.rules import charges
from voldaan.rules.attempts import Facts, Settled, answered
from voldaan.rules.decision import Due, Event, Update
from voldaan.rules.declined import NEVER_ARRIVED
from voldaan.rules.ids import NewId
from voldaan.rules.payments import received

BRANDS = {
    "amex": "American Express", "diners": "Diners Club", "discover": "Discover", "jcb": "JCB", "mastercard": "MasterCard",
    "unionpay": "UnionPay", "visa": "Visa",
}  # fmt: skip


def authorization(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """The charge after the answer: paid, held, pending or failed. Asked again, an answer changes what is pending only."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    settled = Settled(decision, attempt)
    was, method = facts.charge, facts.method
    assert was is not None
    assert method is not None
    match outcome:
        case Succeeded() if attempt.state in ("succeeded", "authorized"):
            new = charges.answered(was, method, outcome, attempt)
            if outcome.captured:
                new = received(settled, new, outcome, attempt, now, new_id, debit=False)
            elif outcome.capture_before is not None:
                decision.due.append(Due("charge.expire_authorization", new.id, outcome.capture_before, attempt.clock))
            decision.events.append(Event("charge.succeeded", new))
            if was.status == "failed":               # money that moved after all
                new = replace(new, failure_code=None, failure_message=None)
        case Processing() if was.outcome is None and was.processor_id is None:
            new = charges.answered(was, method, outcome, attempt)
            decision.events.append(Event("charge.pending", new))
        case Declined():
            new = charges.answered(was, method, outcome, attempt)
            decision.events.append(Event("charge.failed", new))
        case _ if attempt.state == "not_sent":
            new = _failed(was, NEVER_ARRIVED)
            decision.events.append(Event("charge.failed", new))
        case _:
            return settled
    decision.updates.append(Update(new, was))
    return settled


def _failed(charge: Charge, decline: Decline) -> Charge:
    return replace(charge, status="failed", failure_code=decline.error_code, failure_message=decline.message)


def source_of(method: PaymentMethod) -> CardSource | None:
    """The card as the old API shows it."""
    card = method.card
    if card is UNSET or not card:
        return None
    address = method.billing_details.address
    checks = card.checks
    return CardSource(
        id=method.id,
        address_city=address.city if address else None,
        address_country=address.country if address else None,
        address_line1=address.line1 if address else None,
        address_line1_check=checks.address_line1_check if checks else None,
        address_line2=address.line2 if address else None,
        address_state=address.state if address else None,
        address_zip=address.postal_code if address else None,
        address_zip_check=checks.address_postal_code_check if checks else None,
        brand=BRANDS.get(card.brand, "Unknown"),
        country=card.country,
        customer=method.customer,
        cvc_check=checks.cvc_check if checks else None,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint,
        funding=card.funding,
        last4=card.last4,
        name=method.billing_details.name,
    )
