"""Refunds: what may be given back, and what a refund becomes. Its amount is reserved on the charge until it has failed."""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from voldaan.processors.protocol import Decline, Declined, Outcome, Succeeded
from voldaan.resources.balance_transactions import BalanceTransaction, BalanceTransactionType
from voldaan.resources.base import UnsetType
from voldaan.resources.charges import Charge
from voldaan.resources.refunds import CardDestination, DestinationDetails, Refund
from voldaan.rules import balance
from voldaan.rules.attempts import Facts, Settled, answered, dispatch, refund_for
from voldaan.rules.balance import Moved
from voldaan.rules.catalogue import shown
from voldaan.rules.decision import Decision, Event, Refusal, Update
from voldaan.rules.ids import NewId
from voldaan.rules.money import divide

REASONS = {
    "expired_or_canceled_card": "expired_or_canceled_card",
    "lost_card": "lost_or_stolen_card",
    "stolen_card": "lost_or_stolen_card",
}
ON_ITS_WAY = CardDestination(type="refund", reference_status="pending", reference_type="acquirer_reference_number")


def refundable(charge: Charge) -> int:
    """What is left to give back, in minor units: not what a dispute has taken already."""
    return charge.amount_captured - charge.amount_refunded - charge.amount_disputed


def refund(
    charge: Charge,
    amount: int | None,
    *,
    now: int,
    wall: int,
    new_id: NewId,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
    instructions_email: str | None = None,
    noted: int = 0,
) -> Decision | Refusal:
    """Gives back `amount` (None: all that is left), of which `noted` is what a credit note gives back. The decision's
    answer is the refund."""
    left = refundable(charge)
    if not charge.captured or charge.status != "succeeded":
        return Refusal("charge_not_refundable", f"Charge {charge.id} cannot be refunded: it has not been captured.")
    if charge.amount_disputed and left <= 0:
        return Refusal("charge_disputed", f"Charge {charge.id} has been charged back; cannot issue a refund.")
    if left <= 0:
        return Refusal("charge_already_refunded", f"Charge {charge.id} has already been refunded.")
    wanted = left if amount is None else amount
    if wanted > left:
        unit = charge.currency
        return Refusal(
            "",
            f"Refund amount ({shown(wanted, unit)}) is greater than unrefunded amount on charge "
            f"({shown(left, unit)})",
            "amount",
        )
    new = Refund(
        id=new_id("re" if charge.id.startswith("ch_") else "pyr"),
        amount=wanted,
        charge=charge.id,
        clock=charge.clock,
        created=now,
        currency=charge.currency,
        customer=charge.customer,
        destination_details=_destination(charge),
        instructions_email=instructions_email or UNSET,
        invoice=charge.invoice,
        metadata=metadata or {},
        noted=noted,
        payment_intent=charge.payment_intent,
        payment_method=charge.payment_method,
        pending_reason="processing",
        reason=reason,  # type: ignore[arg-type]
        status="pending",
    )
    attempt = refund_for(new, charge, now, wall, new_id)
    new = replace(new, attempt=attempt.id)
    decision = dispatch(attempt)
    decision.inserts.append(new)
    decision.updates.append(Update(reserve(charge, wanted), charge))
    decision.answer = new
    return decision


def earned_share(charge: Charge, amount: int, deferred: int, *, reserved: int) -> int | None:
    """How much of `amount`, taken back from a charge, had been earned; None without an invoice: all of it.

    The rest comes off what is deferred, in proportion to what is left of the charge: taking back all of it leaves
    nothing deferred. `reserved` is how much of `amount` the charge counts as refunded already.
    """
    if charge.invoice is None:
        return None
    left = refundable(charge) + reserved
    unearned = divide(amount * deferred, left) if left > 0 else deferred
    return amount - max(min(unearned, deferred, amount), 0)


def noted_share(refund: Refund, deferred: int, noted: int) -> int:
    """Of what a refund took out of deferred revenue, the part that goes with `noted` of its amount."""
    return divide(deferred * noted, refund.amount)


def put_back(refund: Refund, deferred: int, amount: int) -> int:
    """How much of that is deferred again when a credit note explains `amount` more of the refund."""
    return noted_share(refund, deferred, refund.noted + amount) - noted_share(refund, deferred, refund.noted)


def reserve(charge: Charge, amount: int) -> Charge:
    """The charge with `amount` more (or less) refunded."""
    total = charge.amount_refunded + amount
    return replace(charge, amount_refunded=total, refunded=total > 0 and total == charge.amount_captured)


def _destination(charge: Charge) -> DestinationDetails:
    kind = charge.payment_method_details.type if charge.payment_method_details else "card"
    if kind == "card":
        return DestinationDetails(type="card", card=ON_ITS_WAY)
    return DestinationDetails(type=kind)


def settle(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """The refund after the processor's answer. It is announced with the first answer, whatever that is."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    refund, charge = facts.refund, facts.charge
    assert refund is not None
    assert charge is not None
    settled = Settled(decision)
    first = facts.attempt.state == "dispatched"
    if attempt.state == "not_sent" or isinstance(outcome, Declined):
        decline = outcome.decline if isinstance(outcome, Declined) else None
        failed(settled, refund, charge, decline, now, new_id, first=first, deferred=facts.refund_deferred)
        return settled

    new = refund
    if attempt.state == "succeeded":
        new = replace(new, status="succeeded", pending_reason=UNSET, destination_details=_arrived(refund, outcome))
    if attempt.state in ("succeeded", "processing") and refund.balance_transaction is None:
        new, transaction = _leaves(new, charge, facts.charge_transaction, now, new_id)
        decision.inserts.append(transaction)
        decision.due += balance.becomes_available(transaction)
        earned = earned_share(charge, new.amount - new.noted, facts.deferred, reserved=new.amount)
        settled.moved.append(
            Moved(
                "refund", new.id, new.amount, new.currency, now, transaction, charge.customer, charge.invoice, earned, new.noted
            )
        )
    if new != refund:
        decision.updates.append(Update(new, refund))
    if first:
        decision.events += [Event("charge.refunded", charge), Event("refund.created", new)]
    elif new.status != refund.status:
        decision.events += _updated(new, refund)
    return settled


def failed(
    settled: Settled,
    refund: Refund,
    charge: Charge,
    decline: Decline | None,
    now: int,
    new_id: NewId,
    *,
    first: bool = False,
    deferred: int = 0,
) -> None:
    """The money did not leave, or has come back: the charge can be refunded again, and what was deferred is so again."""
    decision = settled.decision
    new = replace(refund, failure_reason=_reason(decline), pending_reason=UNSET, status="failed")
    if refund.balance_transaction:
        transaction = balance.movement(
            "refund_failure", refund.amount, refund.currency, refund.id,
            now=now, available_on=now, new_id=new_id, clock=refund.clock, description="Refund failure",
        )  # fmt: skip
        new = replace(new, failure_balance_transaction=transaction.id)
        decision.inserts.append(transaction)
        beside = refund.amount - refund.noted
        unearned = deferred - noted_share(refund, deferred, refund.noted)
        settled.moved.append(
            Moved(
                "refund_failed", refund.id, refund.amount, refund.currency, now, transaction, charge.customer, charge.invoice,
                beside - unearned, refund.noted,
            )
        )
    decision.updates += [Update(new, refund), Update(reserve(charge, -refund.amount), charge)]
    if first:
        decision.events.append(Event("refund.created", new))
    else:
        decision.events += _updated(new, refund)
    decision.events.append(Event("refund.failed", new))


def _updated(new: Refund, was: Refund) -> list[Event]:
    return [Event("refund.updated", new, was), Event("charge.refund.updated", new, was)]


def _leaves(
    refund: Refund, charge: Charge, of_charge: BalanceTransaction | None, now: int, new_id: NewId
) -> tuple[Refund, BalanceTransaction]:
    """The refund's balance transaction: from the pending balance as long as the charge itself is pending."""
    type: BalanceTransactionType = "refund" if charge.id.startswith("ch_") else "payment_refund"
    transaction = balance.movement(
        type, -refund.amount, refund.currency, refund.id,
        now=now, available_on=of_charge.available_on if of_charge else now, new_id=new_id, clock=refund.clock,
        description=f"REFUND FOR CHARGE ({charge.description})" if charge.description else "REFUND FOR CHARGE",
    )  # fmt: skip
    return replace(refund, balance_transaction=transaction.id), transaction


def _arrived(refund: Refund, outcome: Outcome) -> DestinationDetails | UnsetType:
    details = refund.destination_details
    if details and details.card and isinstance(outcome, Succeeded):
        return replace(details, card=replace(details.card, reference=outcome.processor_id, reference_status="available"))
    return details


def _reason(decline: Decline | None) -> str:
    return REASONS.get(decline.code, "unknown") if decline else "unknown"


