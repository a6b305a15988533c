"""An invoice that is owed: paid, voided, written off or given up, and what that means for subscription and customer.

Every function takes the facts of one invoice and puts what it changed back into them, so that the next decision of the
same batch starts from there. Postings that go with them are added by commands/posting.py. Amounts are minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from voldaan.resources.accounts import BillingSettings
from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.credit_balance import CreditBalanceTransaction
from voldaan.resources.credit_grants import CreditGrant
from voldaan.resources.customer_balance_transactions import BalanceTransactionType
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice, InvoiceStatusDetails, Uncollectible, UncollectibleReason
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import CancellationDetails, Subscription
from voldaan.rules import credits_used, dunning, held_updates, pause_schedules, schedule_ends, states
from voldaan.rules.customer_balance_transactions import move
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.subscription_due import next_renewal, no_more_due
from voldaan.rules.usage import LATE


@dataclass(slots=True)
class Parties:
    """The customers and subscriptions of a batch as they stand after the decisions so far."""

    customers: dict[str, Customer] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)  # with their items
    schedules: dict[str, SubscriptionSchedule] = field(default_factory=dict)  # that manage them
    grants: dict[str, dict[str, CreditGrant]] = field(default_factory=dict)  # billing credits of each customer, by id


@dataclass(slots=True)
class CollectionFacts:
    """One invoice with its lines, its payments, and what must be known to say what a payment's outcome means."""

    invoice: Invoice
    parties: Parties
    settings: BillingSettings
    payments: list[InvoicePayment] = field(default_factory=list)
    recognised: int = 0                # posted as revenue so far
    applied: list[CreditBalanceTransaction] = field(default_factory=list)  # what billing credits have paid of it
    late_usage: bool = False           # of the subscription: it may still change what was billed
    latest_finalized: str | None = None  # of the subscription: its status follows this invoice

    @property
    def customer(self) -> Customer:
        return self.parties.customers[self.invoice.customer]

    @property
    def subscription(self) -> Subscription | None:
        return self.parties.subscriptions.get(self.invoice.subscription or "")

    @property
    def is_held(self) -> bool:
        """Whether a change of the subscription waits for this invoice to be paid."""
        subscription = self.subscription
        return subscription is not None and subscription.held is not None and subscription.held.invoice == self.invoice.id

    @property
    def clock(self) -> str | None:
        return self.invoice.test_clock

    @property
    def policy(self) -> dunning.RetryPolicy:
        return policy(self.settings)

    def payment(self, payment_intent: str | None) -> InvoicePayment | None:
        return next((p for p in self.payments if p.payment_intent == payment_intent), None)


def policy(settings: BillingSettings) -> dunning.RetryPolicy:
    """When this book tries again, and what it does in the end."""
    offsets = dunning.RECOMMENDED.offsets_seconds if settings.retry_offsets is None else tuple(settings.retry_offsets)
    return dunning.RetryPolicy(offsets, settings.retry_final_action)


def expire(facts: CollectionFacts, now: int, new_id: NewId) -> Decision:
    """The first payment did not come in time: the subscription ends before it began, and nothing is owed for it."""
    subscription = facts.subscription
    assert subscription is not None
    decision = Decision(due_cancelled=no_more_due(subscription.id))
    ended = replace(subscription, status="incomplete_expired", ended_at=now)
    decision.add(_changed_subscription(facts, ended, "customer.subscription.updated"))
    if facts.invoice.status in states.INVOICE_OWED:
        decision.add(void(facts, now, new_id))
    return decision


def give_up(facts: CollectionFacts, now: int) -> Decision:
    """The last try has failed: what the book's settings say happens to the subscription, and to the invoice."""
    decision = Decision()
    invoice = facts.invoice
    if facts.settings.retry_final_invoice == "uncollectible":
        decision.add(mark_uncollectible(facts, now, "max_payment_attempts"))
    else:
        changed = replace(invoice, auto_advance=facts.settings.retry_final_action == "past_due" and invoice.auto_advance)
        if changed != invoice:
            facts.invoice = changed
            decision.updates.append(Update(changed, invoice))
    subscription = facts.subscription
    if subscription is None:
        return decision
    action = facts.settings.retry_final_action
    if action != "cancel":
        return decision.add(move_on(facts, dunning.GIVE_UP[action]))
    if facts.late_usage:
        decision.due.append(settle_usage(subscription, now))
    return decision.add(end(facts, now, "payment_failed"))


def settle_usage(subscription: Subscription, now: int) -> Due:
    """When the usage of a subscription that has ended is looked at for the last time."""
    return Due("usage.settle", subscription.id, now + LATE, subscription.test_clock)


def end(facts: CollectionFacts, now: int, reason: str | None) -> Decision:
    """The subscription is over."""
    subscription = facts.subscription
    assert subscription is not None
    return end_subscription(facts.parties, subscription, now, reason)


def end_subscription(parties: Parties, subscription: Subscription, now: int, reason: str | None) -> Decision:
    """The subscription is canceled as of now. `reason` is Stripe's word in cancellation_details; None keeps it."""
    details = subscription.cancellation_details or CancellationDetails()
    ended = replace(
        subscription,
        status="canceled",
        ended_at=now,
        canceled_at=subscription.canceled_at or now,
        cancellation_details=replace(details, reason=reason) if reason else details,
        pause_collection=None,
        status_details=UNSET,
        held=None,
    )
    parties.subscriptions[ended.id] = ended
    decision = Decision(
        updates=[Update(ended, subscription)],
        events=[Event("customer.subscription.deleted", ended)],
        due_cancelled=no_more_due(ended.id),
    )
    if schedule := parties.schedules.get(ended.schedule or ""):
        parties.schedules[schedule.id], over = schedule_ends.ended(schedule, now, delinquent=reason == "payment_failed")
        decision.add(over)
    return decision


def _closed(invoice: Invoice, **values: Any) -> Invoice:
    """The invoice of which nothing is collected any more, with these values."""
    return replace(
        invoice, auto_advance=False, next_payment_attempt=None, silent_step_at=None, status_details=UNSET, **values
    )


def void(facts: CollectionFacts, now: int, new_id: NewId) -> Decision:
    """Nothing is owed any more. The number stays used; balance and billing credits get back what they had paid.

    The caller has seen to it that no attempt is live, adds the posting, and cancels the payment intents.
    """
    invoice = facts.invoice
    changed = _closed(invoice, status="void", voided_at=now)
    facts.invoice = changed
    decision = Decision(
        updates=[Update(changed, invoice)],
        events=[Event("invoice.voided", changed)],
        due_cancelled=not_collected(invoice.id),
    )
    if invoice.applied_balance:
        decision.add(move_balance(facts, -invoice.applied_balance, "unapplied_from_invoice", now, new_id))
    if facts.applied:
        grants = facts.parties.grants[invoice.customer]
        decision.add(credits_used.give_back(grants, facts.applied, now, new_id))
    return decision.add(cancel_payments(facts, now))


def cancel_payments(facts: CollectionFacts, now: int) -> Decision:
    """The open payments of an invoice will not be made."""
    decision = Decision()
    kept: list[InvoicePayment] = []
    for payment in facts.payments:
        if payment.status != "open":
            kept.append(payment)
            continue
        canceled = replace(payment, status="canceled", canceled_at=now)
        kept.append(canceled)
        decision.updates.append(Update(canceled, payment))
    facts.payments = kept
    return decision


def no_longer_owed(facts: CollectionFacts, now: int, new_id: NewId) -> Decision:
    """What follows for the subscription when an invoice of it was voided or written off by somebody's hand."""
    decision = _not_billed_ahead(facts) if facts.invoice.status == "void" else Decision()
    return decision.add(_status_after(facts, now, new_id))


def _not_billed_ahead(facts: CollectionFacts) -> Decision:
    """What the void invoice had billed in advance is billed no more, and the items say so."""
    subscription, void = facts.subscription, facts.invoice.id
    if subscription is None or subscription.ended_at is not None:
        return Decision()
    decision, items = Decision(), []
    for item in subscription.items.data:
        stands = [debit for debit in item.debits if not (debit.ahead and debit.invoice == void)]
        if len(stands) < len(item.debits):
            after = replace(item, debits=stands)
            decision.updates.append(Update(after, item))
            item = after
        items.append(item)
    if decision.updates:
        changed = replace(subscription, items=ListObject(data=items, url=subscription.items.url))
        facts.parties.subscriptions[changed.id] = changed
        decision.events.append(Event("customer.subscription.updated", changed, subscription))
    return decision


def _status_after(facts: CollectionFacts, now: int, new_id: NewId) -> Decision:
    subscription, invoice = facts.subscription, facts.invoice
    if subscription is None:
        return Decision()
    if facts.is_held:
        return _let_go(facts, expired=False)
    if is_resumption(facts):
        return _stays_paused(facts) if invoice.status == "void" else _resume(facts, now)
    if subscription.status == "incomplete" and subscription.latest_invoice == invoice.id:
        return expire(facts, now, new_id)
    return move_on(facts, "payment_recovered") if facts.latest_finalized in (None, invoice.id) else Decision()


def discard(facts: CollectionFacts, now: int, new_id: NewId) -> Decision:
    """The invoice of a held update was not paid in time, or something else was wanted: neither is any more."""
    decision = void(facts, now, new_id) if facts.invoice.status in states.INVOICE_OWED else Decision()
    return decision.add(_let_go(facts, expired=True)) if facts.is_held else decision


def _let_go(facts: CollectionFacts, *, expired: bool) -> Decision:
    subscription = facts.subscription
    assert subscription is not None
    after, decision = held_updates.let_go(subscription, expired=expired)
    facts.parties.subscriptions[after.id] = after
    return decision


def take_effect(facts: CollectionFacts, now: int) -> Decision:
    """The held update of the subscription is paid for, or the money is on its way."""
    subscription = facts.subscription
    assert subscription is not None
    after, decision = held_updates.take_effect(facts.settings, subscription, now)
    facts.parties.subscriptions[after.id] = after
    return decision


def mark_uncollectible(facts: CollectionFacts, now: int, reason: UncollectibleReason) -> Decision:
    """A loss: nobody expects the money, yet it may still come. The caller adds the posting."""
    invoice = facts.invoice
    why = InvoiceStatusDetails(uncollectible=Uncollectible(reason=reason))
    changed = replace(_closed(invoice, status="uncollectible", marked_uncollectible_at=now), status_details=why)
    facts.invoice = changed
    return Decision(
        updates=[Update(changed, invoice)],
        events=[Event("invoice.marked_uncollectible", changed)],
        due_cancelled=not_collected(invoice.id),
    )


def not_collected(invoice: str) -> list[tuple[str, str]]:
    """What an open invoice does by itself."""
    return [("invoice.attempt", invoice), ("invoice.overdue", invoice), ("invoice.will_be_due", invoice)]


# Pieces ----------------------------------------------------------------------------------------------------------------


def settled(
    facts: CollectionFacts, changed: Invoice, now: int, payment_method: str | None = None, *, attempted: bool = True
) -> Decision:
    """Nothing remains to be paid, whoever paid it: a payment, somebody out of band, the balance; or there was nothing."""
    invoice = facts.invoice
    paid = _closed(changed, status="paid", paid_at=now, attempted=attempted)
    facts.invoice = paid
    decision = Decision(
        updates=[Update(paid, invoice)],
        events=[Event("invoice.paid", paid), Event("invoice.payment_succeeded", paid)],
        due_cancelled=not_collected(invoice.id) if invoice.status != "draft" else [],
    )
    if facts.customer.delinquent:
        decision.add(delinquent_is(facts, False))
    subscription = facts.subscription
    if subscription is None:
        return decision
    if subscription.status == "incomplete":
        return decision.add(activate(facts, now, payment_method))
    if facts.is_held:
        decision.add(take_effect(facts, now))
    if subscription.status == "paused":
        return decision.add(_resume(facts, now)) if subscription.resumes_with == paid.id else decision
    if facts.latest_finalized in (None, paid.id):
        decision.add(move_on(facts, "payment_recovered"))
    return decision


def activate(facts: CollectionFacts, now: int, payment_method: str | None = None) -> Decision:
    """The first payment is there, or on its way: the customer is served."""
    subscription = facts.subscription
    assert subscription is not None
    trial = subscription.trial_end is not None and subscription.trial_end > now
    active = replace(subscription, status="trialing" if trial else "active", must_be_paid=False)
    settings = subscription.payment_settings
    if payment_method and settings and settings.save_default_payment_method == "on_subscription":
        active = replace(active, default_payment_method=payment_method)
    decision = _changed_subscription(facts, active, "customer.subscription.updated")
    decision.due_cancelled.append(("subscription.expire", subscription.id))
    return decision


def _resume(facts: CollectionFacts, now: int) -> Decision:
    subscription = facts.subscription
    assert subscription is not None
    active = replace(subscription, status="active", status_details=UNSET, resumes_with=None)
    decision = _changed_subscription(facts, active, "customer.subscription.resumed")
    decision.events.append(Event("customer.subscription.updated", active, subscription))
    decision.due += next_renewal(facts.settings, active, now)
    return decision.add(pause_schedules.follow(facts.parties, active.schedule, "succeeded"))


def _stays_paused(facts: CollectionFacts) -> Decision:
    """The invoice that was to be paid for the subscription to resume is void: another attempt may be made."""
    subscription = facts.subscription
    assert subscription is not None
    still = replace(subscription, resumes_with=None)
    facts.parties.subscriptions[still.id] = still
    decision = Decision(updates=[Update(still, subscription)])
    return decision.add(pause_schedules.follow(facts.parties, still.schedule, "error", pause_schedules.VOIDED))


def is_resumption(facts: CollectionFacts) -> bool:
    """Whether the subscription stays paused until this invoice is paid."""
    subscription = facts.subscription
    return subscription is not None and subscription.status == "paused" and subscription.resumes_with == facts.invoice.id


def move_on(facts: CollectionFacts, trigger: str) -> Decision:
    """The subscription's next state; nothing if the table has none, or it is where it was."""
    subscription = facts.subscription
    if subscription is None:
        return Decision()
    status: Any = states.advance(states.SUBSCRIPTION, subscription.status, trigger)
    if status in (None, subscription.status):
        return Decision()
    return _changed_subscription(facts, replace(subscription, status=status), "customer.subscription.updated")


def _changed_subscription(facts: CollectionFacts, changed: Subscription, event: str) -> Decision:
    was = facts.parties.subscriptions[changed.id]
    facts.parties.subscriptions[changed.id] = changed
    previous = was if event == "customer.subscription.updated" else None
    return Decision(updates=[Update(changed, was)], events=[Event(event, changed, previous)])


def move_balance(
    facts: CollectionFacts,
    amount: int,
    type: BalanceTransactionType,
    now: int,
    new_id: NewId,
    *,
    credit_note: str | None = None,
) -> Decision:
    """Negative gives credit."""
    customer = facts.customer
    invoice = facts.invoice
    changed, transaction = move(
        customer, amount, type, id=new_id("cbtxn"), at=now, currency=invoice.currency, invoice=invoice.id,
        credit_note=credit_note,
    )  # fmt: skip
    facts.parties.customers[customer.id] = changed
    return Decision(
        inserts=[transaction],
        updates=[Update(changed, customer)],
        events=[Event("customer.updated", changed, customer)],
    )


def forgive(facts: CollectionFacts) -> Decision:
    """The customer is no longer behind."""
    return delinquent_is(facts, False)


def delinquent_is(facts: CollectionFacts, delinquent: bool) -> Decision:
    """Whether the customer is behind with a payment."""
    customer = facts.customer
    if customer.delinquent == delinquent:
        return Decision()
    changed = replace(customer, delinquent=delinquent)
    facts.parties.customers[customer.id] = changed
    return Decision(updates=[Update(changed, customer)], events=[Event("customer.updated", changed, customer)])
