"""Finalization: a draft is priced for the last time, numbered, and asked to be paid. How drafts are made: rules/invoices.py.

This and all after it put what they changed back into the facts (see rules/collection.py). Postings are added by
commands/posting.py. Amounts are minor units.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from voldaan.resources.credit_balance import CreditBalanceTransaction
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import ConfirmationSecret, Invoice
from voldaan.resources.payment_intents import CardOptions
from voldaan.resources.payment_intents import PaymentMethodOptions as IntentOptions
from voldaan.rules import attempts, automatic_tax, collection, credits_used, owing, payments
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.customer_balance_transactions import move
from voldaan.rules.decision import Decision, Due, Event, Refusal, Update
from voldaan.rules.ids import NewId
from voldaan.rules.invoice_rendering_templates import filled_in
from voldaan.rules.invoices import DAY, due_of, of_customer, payment_method, priced_anew, told
from voldaan.rules.owing import CollectionFacts
from voldaan.rules.reminders import before_due

Collect = Literal["off_session", "on_session", "later"]


def finalize(
    facts: BillingFacts, invoice: Invoice, now: int, new_id: NewId, *, collect: Collect = "off_session"
) -> tuple[Decision, CollectionFacts]:
    """A draft, with all of its lines, becomes an invoice: numbered, its amounts final, the customer's balance used.

    What is then to be paid gets a payment intent and, unless collection waits (`later`), an attempt with the best
    payment method there is. Nothing to be paid: it is paid.
    """
    customer = facts.parties.customers[invoice.customer]
    was, priced = invoice, Decision()
    grants = facts.parties.grants.get(customer.id, {})
    exempt = invoice.customer_tax_exempt != customer.tax_exempt  # otherwise than when the draft was made
    if invoice.automatic_tax.enabled or exempt or credits_used.matter(grants, invoice, now):
        invoice, uses = priced_anew(facts, was, now, new_id)
        if no := automatic_tax.refusal(invoice):
            return not_finalized(facts, invoice, was, no, automatic_tax.again(invoice, now))
        automatic_tax.rest_on(facts.taxes, invoice)
        priced = credits_used.used(grants, invoice, uses, now)
        both = zip(invoice.lines.data, was.lines.data, strict=True)
        priced.updates += [Update(line, before) for line, before in both if line != before]
    number = invoice.number
    if number is None:
        number, customer = _number(facts, customer)
    due, ending = due_of(invoice, customer.balance)
    subscription = facts.parties.subscriptions.get(invoice.subscription or "")
    opened = replace(
        invoice,
        status="open",
        number=number,
        finalized_at=now,
        effective_at=now if invoice.effective_at is None else invoice.effective_at,
        starting_balance=customer.balance,
        ending_balance=ending,
        applied_balance=ending - customer.balance,
        amount_due=due,
        amount_remaining=due,
        automatically_finalizes_at=None,
        last_finalization_error=None,
        due_date=_due_date(invoice, now),
        hosted_invoice_url=(address := f"{facts.site}/i/{facts.account.id}/{invoice.id}_{new_id('')[10:]}"),
        invoice_pdf=f"{address}/pdf",
        subscription_metadata=subscription.metadata if subscription else None,
        **filled_in(invoice, facts.templates),
    )
    of_customer(opened, customer, facts.tax_ids.get(customer.id, []))
    decision = Decision(due_cancelled=[("invoice.finalize", invoice.id)] if invoice.automatically_finalizes_at else [])
    decision.add(priced)
    _use_balance(facts, decision, opened, customer, now, new_id)
    known = CollectionFacts(opened, facts.parties, facts.account.settings_billing)
    known.applied = [made for made in priced.inserts if isinstance(made, CreditBalanceTransaction)]
    decision.updates.append(Update(opened, was))
    if not due:
        decision.events.append(Event("invoice.finalized", told(opened)))
        return decision.add(owing.settled(known, opened, now)), known
    if paused := _paused(known, now, new_id):
        decision.events.append(Event("invoice.finalized", told(opened)))
        return decision.add(paused), known
    return decision.add(_ask_for_payment(facts, known, now, new_id, collect)), known


def not_finalized(
    facts: BillingFacts, draft: Invoice, was: Invoice, no: Refusal, again: int | None = None
) -> tuple[Decision, CollectionFacts]:
    """It stays a draft and says why: its tax is not known, and nothing is taken to be free of tax; or what it revises stands.

    `again` is when it is tried once more.
    """
    kept = replace(
        was,
        automatic_tax=draft.automatic_tax,
        automatically_finalizes_at=again,
        last_finalization_error=automatic_tax.error(no),
        tax_evidence=draft.tax_evidence,
        tax_failure=draft.tax_failure,
    )
    decision = Decision(updates=[Update(kept, was)], events=[Event("invoice.finalization_failed", told(kept))])
    if was.automatically_finalizes_at:
        decision.due_cancelled.append(("invoice.finalize", was.id))
    if again is not None:
        decision.due.append(Due("invoice.finalize", was.id, again, was.test_clock))
    return decision, CollectionFacts(kept, facts.parties, facts.account.settings_billing)


def _ask_for_payment(
    facts: BillingFacts, known: CollectionFacts, now: int, new_id: NewId, collect: Collect
) -> Decision:
    invoice, subscription = known.invoice, known.subscription
    method = payment_method(facts, invoice)
    intent = payments.intent_for_invoice(
        invoice, method, now, new_id=new_id, clock=known.clock, off_session_later=subscription is not None
    )
    options = invoice.payment_settings.payment_method_options
    if options is not None and options.card is not None and options.card.request_three_d_secure is not None:
        asked = CardOptions(request_three_d_secure=options.card.request_three_d_secure)
        intent = replace(intent, payment_method_options=IntentOptions(card=asked))
    invoice.confirmation_secret = ConfirmationSecret(client_secret=intent.client_secret or "")
    payment = InvoicePayment(
        id=new_id("inpay"),
        amount_requested=invoice.amount_due,
        created=now,
        currency=invoice.currency,
        invoice=invoice.id,
        is_default=True,
        livemode=invoice.livemode,
        payment_intent=intent.id,
    )
    known.payments.append(payment)
    decision = Decision(inserts=[payment], events=[Event("invoice.finalized", told(invoice))])
    if invoice.collection_method == "send_invoice":
        decision.inserts.append(intent)
        decision.events.append(Event("payment_intent.created", intent))
        if invoice.auto_advance:
            decision.events.append(Event("invoice.sent", told(invoice)))
        if invoice.due_date is not None:
            decision.due.append(Due("invoice.overdue", invoice.id, max(invoice.due_date, now), known.clock))
            decision.due += before_due(facts.account.settings_billing, invoice, now)
        return decision
    decision.events.append(Event("payment_intent.created", intent))
    if collect == "later" or method is None:
        decision.inserts.append(intent)
        if collect == "off_session":
            decision.add(collection.payment_failed(known, None, now, new_id))
        return decision
    attempt = attempts.attempt_for(
        intent,
        method,
        off_session=collect == "off_session",
        initiator="merchant" if collect == "off_session" else "customer",
        now=now,
        wall=facts.wall,
        new_id=new_id,
    )
    decision.inserts.append(payments.dispatched(intent, attempt))
    return decision.add(attempts.dispatch(attempt))


def _number(facts: BillingFacts, customer: Customer) -> tuple[str, Customer]:
    """The next number of the customer's series, or of the book's."""
    if facts.numbering is not None:
        facts.numbering.next += 1
        return f"{facts.numbering.prefix}-{facts.numbering.next - 1:04}", customer
    number = f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04}"
    return number, replace(customer, next_invoice_sequence=customer.next_invoice_sequence + 1)


def _due_date(invoice: Invoice, now: int) -> int | None:
    if invoice.collection_method != "send_invoice":
        return None
    if invoice.days_until_due is not None:
        return now + invoice.days_until_due * DAY
    return now if invoice.due_date is None else invoice.due_date


def _use_balance(
    facts: BillingFacts, decision: Decision, invoice: Invoice, customer: Customer, now: int, new_id: NewId
) -> None:
    """Moves the customer's balance and counter on."""
    was = facts.parties.customers[customer.id]
    if invoice.applied_balance:
        too_small = invoice.amount_due == 0 and (invoice.ending_balance or 0) > 0
        customer, transaction = move(
            customer,
            invoice.applied_balance,
            "invoice_too_small" if too_small else "applied_to_invoice",
            id=new_id("cbtxn"),
            at=now,
            currency=invoice.currency,
            invoice=invoice.id,
        )
        decision.inserts.append(transaction)
        decision.events.append(Event("customer.updated", customer, was))
    if customer is not was:
        facts.parties.customers[customer.id] = customer
        decision.updates.append(Update(customer, was))


def _paused(known: CollectionFacts, now: int, new_id: NewId) -> Decision | None:
    """What pause_collection of the subscription makes of a new invoice."""
    subscription = known.subscription
    if subscription is None or subscription.pause_collection is None:
        return None
    match subscription.pause_collection.behavior:
        case "mark_uncollectible":
            return owing.mark_uncollectible(known, now, "subscription_paused")
        case "void":
            return owing.void(known, now, new_id)
        case _:
            return None
