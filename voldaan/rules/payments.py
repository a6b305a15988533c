"""Payments: the payment intent of an invoice, and what an intent and its charge become with every answer of a processor."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from voldaan.processors.protocol import Decline, Declined, Outcome, Processing, RequiresAction, Succeeded
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_intents import NextAction, PaymentError, PaymentIntent, RedirectToUrl
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.render import to_dict
from voldaan.rules import balance, charges
from voldaan.rules.attempts import Facts, InvoiceNews, Settled, answered
from voldaan.rules.balance import Moved
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.declined import NEVER_ARRIVED
from voldaan.rules.ids import NewId
from voldaan.rules.refunds import refund

DOC_URL = "https://stripe.com/docs/error-codes/"
# Which currencies a payment method type pays in; None: any. The order is that of payment_method_types.
METHOD_TYPES: dict[str, frozenset[str] | None] = {
    "card": None,
    "sepa_debit": frozenset({"eur"}),
    "ideal": frozenset({"eur"}),
    "bancontact": frozenset({"eur"}),
    "eps": frozenset({"eur"}),
    "p24": frozenset({"eur", "pln"}),
    "blik": frozenset({"pln"}),
    "twint": frozenset({"chf"}),
    "us_bank_account": frozenset({"usd"}),
}
REDIRECTS = frozenset({"ideal", "bancontact", "eps", "p24", "blik", "twint"})       # the customer leaves the page
REUSABLE = frozenset({"card", "sepa_debit", "us_bank_account"})                      # can be charged later
DEBITS = frozenset({"sepa_debit", "us_bank_account"})                                # under a mandate, final after days

INVOICE_DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
    "subscription_threshold": "Subscription update",
}


def intent_for_invoice(
    invoice: Invoice,
    payment_method: PaymentMethod | None,
    now: int,
    *,
    new_id: NewId,
    clock: str | None = None,
    off_session_later: bool = False,
    amount: int | None = None,
) -> PaymentIntent:
    """The payment intent of a finalized invoice, for what remains to be paid (or `amount` of it).

    `clock` is the customer's test clock; `off_session_later` says that the method will be charged again by itself.
    """
    id = new_id("pi")
    settings = invoice.payment_settings
    types = settings.payment_method_types if settings else None
    return PaymentIntent(
        id=id,
        amount=amount if amount is not None else invoice.amount_remaining,
        capture_method="automatic",
        client_secret=f"{id}_{new_id('secret')}",
        clock=clock,
        created=now,
        currency=invoice.currency,
        customer=invoice.customer,
        description=INVOICE_DESCRIPTIONS.get(invoice.billing_reason or "", "Payment for Invoice"),
        invoice=invoice.id,
        livemode=invoice.livemode,
        payment_method=payment_method.id if payment_method else None,
        payment_method_types=list(types) if types else method_types(invoice.currency, reusable=off_session_later),
        setup_future_usage="off_session" if off_session_later else None,
        statement_descriptor=invoice.statement_descriptor,
        status="requires_confirmation" if payment_method else "requires_payment_method",
    )


def method_types(currency: str, *, reusable: bool = False, redirects: bool = True, manual_capture: bool = False) -> list[str]:
    """What a payer may pay with: the computed `payment_method_types`."""
    return list(_method_types(currency, reusable, redirects, manual_capture))


@lru_cache(maxsize=1024)
def _method_types(currency: str, reusable: bool, redirects: bool, manual_capture: bool) -> tuple[str, ...]:
    return tuple(
        type
        for type, currencies in METHOD_TYPES.items()
        if (currencies is None or currency in currencies)
        and (not reusable or type in REUSABLE)
        and (redirects or type not in REDIRECTS)
        and (not manual_capture or type == "card")
    )


def dispatched(intent: PaymentIntent, attempt: Attempt) -> PaymentIntent:
    """The intent while this attempt is under way: processing, until the attempt is settled."""
    return replace(
        intent, attempt=attempt.id, payment_method=attempt.payment_method, status="processing", next_action=None
    )


# ── answers to an authorization ─────────────────────────────────────────────────────────────────────────────────────


def authorization(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """The intent after the answer to a try: paid, held, under way, waiting for the customer, or open again."""
    attempt, decision = answered(facts.attempt, outcome, now, wall)
    settled = Settled(decision, attempt)
    if attempt.state in ("unknown", "needs_reconciliation"):
        return settled
    if attempt.state == "not_sent":
        return _failed(settled, facts, None, NEVER_ARRIVED, now, new_id)
    match outcome:
        case Succeeded():
            return _succeeded(settled, facts, outcome, now, wall, new_id)
        case Processing():
            return _processing(settled, facts, outcome, now, new_id)
        case RequiresAction():
            return _requires_action(settled, facts, outcome)
        case Declined():
            return _failed(settled, facts, outcome, outcome.decline, now, new_id)
        case _:
            return settled


def _succeeded(settled: Settled, facts: Facts, answer: Succeeded, now: int, wall: int, new_id: NewId) -> Settled:
    intent, method, attempt = _parts(facts)
    decision = settled.decision
    charge, pending = _charge(facts, answer, now, new_id)
    if intent.status == "succeeded" and not pending:
        return _paid_twice(settled, facts, charge, answer, now, wall, new_id)

    if answer.captured:
        charge = received(settled, charge, answer, attempt, now, new_id, debit=pending is not None)
    new = replace(
        intent,
        amount=max(intent.amount, answer.amount),    # a credit note may have lowered it while the customer approved
        amount_capturable=0 if answer.captured else answer.amount,
        amount_received=answer.amount if answer.captured else 0,
        attempt=attempt.id,
        canceled_at=None,
        cancellation_reason=None,
        last_payment_error=None,
        latest_charge=charge.id,
        next_action=None,
        payment_method=method.id,
        status="succeeded" if answer.captured else "requires_capture",
    )
    _write_charge(settled, charge, pending)
    decision.updates.append(Update(new, intent))
    decision.add(keep_method(method, new, answer.network_transaction_id))
    decision.events += [Event("charge.succeeded", charge)]
    if not answer.captured:
        decision.events.append(Event("payment_intent.amount_capturable_updated", new))
        if answer.capture_before is not None:
            decision.due.append(Due("charge.expire_authorization", charge.id, answer.capture_before, attempt.clock))
        return settled
    decision.events.append(Event("payment_intent.succeeded", new))
    if attempt.invoice:
        settled.invoice = InvoiceNews("succeeded", answer.amount)
    return settled


def received(
    settled: Settled, charge: Charge, answer: Succeeded, attempt: Attempt, now: int, new_id: NewId, *, debit: bool
) -> Charge:
    """The money is in the processor's balance: its balance transaction, and what the ledger must know."""
    transaction = balance.movement(
        "charge" if charge.id.startswith("ch_") else "payment", answer.amount, answer.currency, charge.id,
        now=now, available_on=answer.settles_at, new_id=new_id, fee=answer.fee, clock=attempt.clock,
        description=charge.description,
    )  # fmt: skip
    settled.decision.inserts.append(transaction)
    settled.decision.due += balance.becomes_available(transaction)
    settled.moved.append(
        Moved(
            "debit_confirmed" if debit and attempt.invoice else "payment", charge.id, answer.amount, answer.currency, now,
            transaction, attempt.customer, attempt.invoice,
        )
    )
    return replace(charge, balance_transaction=transaction.id)


def _paid_twice(
    settled: Settled, facts: Facts, charge: Charge, answer: Succeeded, now: int, wall: int, new_id: NewId
) -> Settled:
    """Money that came although the intent is paid: recorded, and sent back by itself."""
    attempt, decision = facts.attempt, settled.decision
    if not answer.captured:
        _write_charge(settled, charge, None)
        decision.events.append(Event("charge.succeeded", charge))
        if answer.capture_before is not None:        # a second hold takes nothing and lapses by itself
            decision.due.append(Due("charge.expire_authorization", charge.id, answer.capture_before, attempt.clock))
        return settled
    charge = received(settled, replace(charge, invoice=None), answer, replace(attempt, invoice=None), now, new_id, debit=False)
    _write_charge(settled, charge, None)
    decision.events.append(Event("charge.succeeded", charge))
    back = refund(charge, None, now=now, wall=wall, new_id=new_id, reason="duplicate")
    assert isinstance(back, Decision)
    decision.add(back)
    return settled


def _processing(settled: Settled, facts: Facts, answer: Processing, now: int, new_id: NewId) -> Settled:
    intent, method, attempt = _parts(facts)
    decision = settled.decision
    charge, pending = _charge(facts, answer, now, new_id)
    if pending:                                      # nothing new: it is only later than expected
        return settled
    new = replace(
        intent, attempt=attempt.id, last_payment_error=None, latest_charge=charge.id, next_action=None,
        payment_method=method.id, status="processing",
    )  # fmt: skip
    _write_charge(settled, charge, None)
    decision.updates.append(Update(new, intent))
    decision.add(keep_method(method, new, None))
    decision.events += [Event("charge.pending", charge), Event("payment_intent.processing", new)]
    if attempt.invoice:
        settled.moved.append(
            Moved("debit_accepted", charge.id, charge.amount, charge.currency, now, None, attempt.customer, attempt.invoice)
        )
        settled.invoice = InvoiceNews("processing", attempt.amount)
    return settled


def _requires_action(settled: Settled, facts: Facts, answer: RequiresAction) -> Settled:
    intent, method, attempt = _parts(facts)
    if intent.status == "requires_action":
        return settled
    new = replace(
        intent, attempt=attempt.id, next_action=next_action(answer, attempt), payment_method=method.id,
        status="requires_action",
    )  # fmt: skip
    settled.decision.updates.append(Update(new, intent))
    settled.decision.events.append(Event("payment_intent.requires_action", new))
    if attempt.invoice:
        settled.invoice = InvoiceNews("action_required", attempt.amount)
    return settled


def _failed(
    settled: Settled, facts: Facts, answer: Declined | None, decline: Decline, now: int, new_id: NewId
) -> Settled:
    """Open again: the method is taken off, and last_payment_error says why."""
    intent, method, attempt = _parts(facts)
    decision = settled.decision
    charge: Charge | None = None
    if answer and answer.processor_id and makes_a_charge(decline):
        charge, pending = _charge(facts, answer, now, new_id)
        _write_charge(settled, charge, pending)
        decision.events.append(Event("charge.failed", charge))
        if pending and attempt.invoice:
            settled.moved.append(
                Moved("debit_failed", charge.id, charge.amount, charge.currency, now, None, attempt.customer, attempt.invoice)
            )
    new = replace(
        intent,
        attempt=attempt.id,
        last_payment_error=payment_error(decline, method, charge.id if charge else None),
        latest_charge=charge.id if charge else intent.latest_charge,
        next_action=None,
        payment_method=None,
        status="requires_payment_method",
    )
    decision.updates.append(Update(new, intent))
    decision.events.append(Event("payment_intent.payment_failed", new))
    if attempt.invoice:
        settled.invoice = InvoiceNews("failed", attempt.amount, decline)
    return settled


def makes_a_charge(decline: Decline) -> bool:
    """Whether the try got as far as the network: a failed authentication or a malformed request did not."""
    return decline.category != "configuration" and not decline.code.endswith("_authentication_failure")


def _charge(facts: Facts, answer: charges.Answer, now: int, new_id: NewId) -> tuple[Charge, Charge | None]:
    """The attempt's charge after the answer, and as it was if it was pending already."""
    intent, method, attempt = _parts(facts)
    pending = facts.charge if facts.charge and facts.charge.attempt == attempt.id and facts.charge.status == "pending" else None
    if pending:
        return charges.answered(pending, method, answer, attempt), pending
    return charges.charge_of(attempt, intent, method, answer, facts.account, now, new_id), None


def _write_charge(settled: Settled, charge: Charge, was: Charge | None) -> None:
    """Writes the charge, and its id on the attempt: what is heard of the payment later is about this charge."""
    attempt, decision = settled.attempt, settled.decision
    if was:
        decision.updates.append(Update(charge, was))
    else:
        decision.inserts.append(charge)
    if attempt and attempt.charge != charge.id:
        decision.updates.append(Update(replace(attempt, charge=charge.id), attempt))


def _parts(facts: Facts) -> tuple[PaymentIntent, PaymentMethod, Attempt]:
    assert facts.intent is not None
    assert facts.method is not None
    return facts.intent, facts.method, facts.attempt


def keep_method(method: PaymentMethod, intent: PaymentIntent, network_transaction_id: str | None) -> Decision:
    """Attaches the method if it is to be used again; without a customer it cannot be used a second time."""
    options = intent.payment_method_options
    card = options.card if options and options.card else None
    later = intent.setup_future_usage or (card.setup_future_usage if card and card.setup_future_usage else None)
    new = method
    if intent.customer and later and later != "none" and method.customer is None and not method.spent:
        new = replace(new, customer=intent.customer)
    if new.customer and network_transaction_id and not new.network_transaction_id:
        new = replace(new, network_transaction_id=network_transaction_id)
    if new.customer is None and not new.spent:
        new = replace(new, spent=True)
    if new == method:
        return Decision()
    attached = [Event("payment_method.attached", new)] if new.customer != method.customer else []
    return Decision(updates=[Update(new, method)], events=attached)


def next_action(answer: RequiresAction, attempt: Attempt) -> NextAction:
    """What the customer must do, as the SDKs expect it."""
    if answer.kind == "redirect_to_url":
        return NextAction(
            type="redirect_to_url", redirect_to_url=RedirectToUrl(return_url=attempt.request.get("return_url"), url=answer.url)
        )
    if answer.kind == "use_stripe_sdk":
        return NextAction(type="use_stripe_sdk", use_stripe_sdk={**answer.data, "stripe_js": answer.url, "source": attempt.id})
    if answer.kind == "verify_with_microdeposits":
        return NextAction(type=answer.kind, verify_with_microdeposits=dict(answer.data))
    return NextAction(type=answer.kind, display_bank_transfer_instructions=_transfer(answer.data))


def _transfer(said: Mapping[str, Any]) -> dict[str, Any]:
    """Where to transfer to, and with which reference."""
    iban = {name: said.get(name) for name in ("account_holder_name", "bic", "country", "iban")}
    nowhere = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    address = {"account_holder_address": nowhere, "bank_address": nowhere}
    known = [{"type": "iban", "iban": {**address, **iban}, "supported_networks": ["sepa"]}] if all(iban.values()) else []
    return {
        "amount_remaining": said.get("amount_remaining"),
        "currency": said.get("currency"),
        "financial_addresses": known,
        "hosted_instructions_url": None,
        "reference": said.get("reference"),
        "type": said.get("type", "eu_bank_transfer"),
    }


def payment_error(decline: Decline, method: PaymentMethod, charge: str | None) -> PaymentError:
    """The error object of a declined try."""
    authentication = decline.code.endswith("_authentication_failure")
    return PaymentError(
        advice_code=decline.advice_code or UNSET,
        charge=charge or UNSET,
        code=decline.error_code,
        decline_code=decline.code if method.type == "card" and not authentication else UNSET,
        doc_url=DOC_URL + decline.error_code.replace("_", "-"),
        message=decline.message,
        network_decline_code=decline.network_decline_code or UNSET,
        param=decline.param or UNSET,
        payment_method=to_dict(method),
        type="invalid_request_error" if authentication else "card_error",
    )
