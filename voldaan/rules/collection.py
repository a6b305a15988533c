"""What the outcome of a payment does to its invoice: the four answers, and no answer by the due date.

Every function takes the facts of one invoice and puts what it changed back into them. Postings that go with them are in
commands/collection.py. Amounts are minor units.
"""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.pause_schedules import ResumeState
from voldaan.rules import dunning, pause_schedules, states
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.owing import (
    CollectionFacts,
    activate,
    delinquent_is,
    discard,
    expire,
    give_up,
    is_resumption,
    move_balance,
    move_on,
    settled,
    take_effect,
)


def payment_succeeded(
    facts: CollectionFacts,
    amount: int,
    now: int,
    new_id: NewId,
    *,
    payment_intent: str,
    payment_method: str | None = None,
    automatic: bool = True,
    counted: bool = False,
) -> Decision:
    """`amount` arrived by this payment intent. What it is too much for the invoice becomes the customer's credit.

    `counted`: a try that was accepted before, and is final now, is not one more.
    An invoice that was voided or paid meanwhile takes nothing: all of it is credit.
    """
    invoice = facts.invoice
    owed = invoice.amount_remaining if invoice.status in states.INVOICE_OWED else 0
    applied = min(amount, owed)
    decision = Decision()
    if payment := facts.payment(payment_intent):
        decision.add(_payment_paid(facts, payment, amount, now))
    changed = replace(
        invoice,
        amount_paid=invoice.amount_paid + applied,
        amount_overpaid=invoice.amount_overpaid + amount - applied,
        amount_remaining=invoice.amount_remaining - applied,
    )
    if invoice.status in states.INVOICE_OWED:
        changed = replace(changed, attempted=True, attempt_count=_counted(invoice, automatic and not counted))
    if amount > applied:
        decision.add(move_balance(facts, applied - amount, "invoice_overpaid", now, new_id))
    if owed and not changed.amount_remaining:
        return decision.add(settled(facts, changed, now, payment_method))
    facts.invoice = changed
    decision.updates.append(Update(changed, invoice))
    decision.events.append(Event("invoice.overpaid" if amount > applied else "invoice.updated", changed, invoice))
    return decision


def payment_failed(
    facts: CollectionFacts,
    decline: dunning.Meaning | None,
    now: int,
    new_id: NewId,
    *,
    payment_method: str | None = None,
    automatic: bool = True,
    counted: bool = False,
    action_required: bool = False,
) -> Decision:
    """No money came. `decline` None: there was nothing to try with. Says when to try again, or gives up.

    A method that the decline rules out is not tried again, yet the schedule runs on: another one may be given meanwhile.
    Until then its dates are no tries, and next_payment_attempt does not name them.
    """
    invoice = facts.invoice
    if invoice.status != "open":
        return Decision()
    count = _counted(invoice, automatic and not counted)
    first = invoice.first_failed_at or now
    retried = _is_retried(facts)
    futile = decline is not None and not dunning.is_retryable(decline)
    at = dunning.next_retry(facts.policy, count, first, now, None if futile else decline) if retried else None
    silent = decline is None or futile
    if not automatic and (planned := invoice.next_payment_attempt or invoice.silent_step_at):
        at = planned  # a try by hand does not move the schedule
        silent = futile or invoice.next_payment_attempt is None
    changed = replace(
        invoice,
        attempted=True,
        attempt_count=count,
        first_failed_at=first,
        futile_method=payment_method if futile else invoice.futile_method,
        next_payment_attempt=None if silent else at,
        silent_step_at=at if silent else None,
    )
    facts.invoice = changed
    decision = Decision(updates=[Update(changed, invoice)], due_cancelled=[("invoice.attempt", invoice.id)])
    if at is not None:
        decision.due.append(Due("invoice.attempt", invoice.id, at, facts.clock))
    if action_required:
        decision.events.append(Event("invoice.payment_action_required", changed))
    decision.events.append(Event("invoice.payment_failed", changed))
    decision.events.append(Event("invoice.updated", changed, invoice))
    if automatic and _is_collected_alone(facts):
        decision.add(delinquent_is(facts, True))
    subscription = facts.subscription
    if subscription is None:
        return decision
    if subscription.status == "incomplete" and subscription.must_be_paid:
        return decision.add(expire(facts, now, new_id))
    if facts.is_held:
        return decision.add(discard(facts, now, new_id)) if _must_be_paid(facts) else decision
    if is_resumption(facts):
        state: ResumeState = "requires_action" if action_required else "pending"
        decision.add(pause_schedules.follow(facts.parties, subscription.schedule, state))
    decision.add(move_on(facts, "payment_failed"))
    if retried and at is None and dunning.is_exhausted(facts.policy, count):
        decision.add(give_up(facts, now))
    return decision


def payment_requires_action(
    facts: CollectionFacts,
    now: int,
    new_id: NewId,
    *,
    payment_method: str | None = None,
    automatic: bool = True,
    on_session: bool = False,
) -> Decision:
    """The bank wants to see its customer. With the customer there nothing has failed; without, it is a failed try."""
    invoice = facts.invoice
    if invoice.status != "open":
        return Decision()
    if not on_session or _must_be_paid(facts):
        meaning = dunning.meaning("authentication_required")
        return payment_failed(
            facts, meaning, now, new_id, payment_method=payment_method, automatic=automatic, action_required=True
        )
    changed = replace(invoice, attempted=True)  # no try yet in the sense of the schedule: recorded
    facts.invoice = changed
    decision = Decision(updates=[Update(changed, invoice)], events=[Event("invoice.payment_action_required", changed)])
    if is_resumption(facts) and facts.subscription is not None:
        decision.add(pause_schedules.follow(facts.parties, facts.subscription.schedule, "requires_action"))
    return decision


def payment_processing(facts: CollectionFacts, now: int, *, automatic: bool = True) -> Decision:
    """Accepted, and final only after days, as a bank debit is: the customer is served meanwhile, nothing is retried."""
    invoice = facts.invoice
    if invoice.status != "open":
        return Decision()
    changed = replace(
        invoice,
        attempted=True,
        attempt_count=_counted(invoice, automatic),
        next_payment_attempt=None,
        silent_step_at=None,
    )
    facts.invoice = changed
    decision = Decision(
        updates=[Update(changed, invoice)],
        events=[Event("invoice.updated", changed, invoice)],
        due_cancelled=[("invoice.attempt", invoice.id)],
    )
    subscription = facts.subscription
    if subscription is not None and subscription.status == "incomplete":
        decision.add(activate(facts, now))
    if facts.is_held:
        decision.add(take_effect(facts, now))
    return decision


def overdue(facts: CollectionFacts, now: int) -> Decision:
    """An invoice that was sent has not been paid by its due date."""
    decision = Decision(events=[Event("invoice.overdue", facts.invoice)])
    return decision.add(delinquent_is(facts, True)).add(move_on(facts, "payment_failed"))


def _payment_paid(facts: CollectionFacts, payment: InvoicePayment, amount: int, now: int) -> Decision:
    paid = replace(payment, status="paid", amount_paid=amount, paid_at=now, canceled_at=None)
    facts.payments = [paid if p.id == payment.id else p for p in facts.payments]
    return Decision(updates=[Update(paid, payment)], events=[Event("invoice_payment.paid", paid)])


def _counted(invoice: Invoice, automatic: bool) -> int:
    """Stripe's attempt_count: the first try counts whatever started it, later ones only if they were automatic."""
    return invoice.attempt_count + 1 if automatic or not invoice.attempt_count else invoice.attempt_count


def _is_retried(facts: CollectionFacts) -> bool:
    """Whether the book tries again by itself. A first payment is not retried, nor that of a change which waits for it:
    the customer has 23 hours."""
    invoice, subscription = facts.invoice, facts.subscription
    if facts.is_held or invoice.collection_method != "charge_automatically" or not invoice.auto_advance:
        return False
    return subscription is None or subscription.status in states.SUBSCRIPTION_COLLECTS


def _is_collected_alone(facts: CollectionFacts) -> bool:
    subscription = facts.subscription
    return subscription is None or (subscription.status != "incomplete" and not facts.is_held)


def _must_be_paid(facts: CollectionFacts) -> bool:
    """Whether a payment that fails ends what it was for: error_if_incomplete."""
    subscription = facts.subscription
    if subscription is None:
        return False
    if subscription.held is not None and facts.is_held:
        return subscription.held.must_be_paid
    return subscription.status == "incomplete" and subscription.must_be_paid
