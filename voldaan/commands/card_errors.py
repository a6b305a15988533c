"""What is answered when the payment that a request asked for was declined: Stripe's card error, with the object in it."""

from __future__ import annotations

from msgspec import UNSET

from voldaan.resources.base import Resource
from voldaan.resources.charges import Charge
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_intents import PaymentError, PaymentIntent
from voldaan.resources.render import to_dict
from voldaan.resources.setup_intents import SetupIntent
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.decision import Refusal
from voldaan.store.transaction import Transaction

ACTION_REQUIRED = (
    "This payment requires additional user action before it can be completed successfully. Payment can be completed "
    "using the PaymentIntent associated with the invoice."
)


async def card_error_of(tx: Transaction, resource: Resource) -> Refusal | None:
    """The error that the newest try at this object ended in; None if it did not fail."""
    match resource:
        case PaymentIntent(status="requires_capture", latest_charge=str() as held):
            return of_capture((await tx.get(Charge, [held])).get(held))
        case PaymentIntent():
            return of_intent(resource)
        case SetupIntent(status="requires_payment_method", last_setup_error=PaymentError() as error):
            return refusal(error, setup_intent=to_dict(resource))
        case Charge(status="failed"):
            return of_charge(resource)
        case Charge(status="succeeded", captured=False):
            return of_capture(resource)
        case Invoice(status="open" | "uncollectible"):
            return await of_invoice(tx, resource)
        case Subscription(latest_invoice=str() as latest):
            invoice = (await tx.get(Invoice, [latest])).get(latest)
            return await of_invoice(tx, invoice) if invoice and invoice.status in ("open", "void") else None
    return None


def of_intent(intent: PaymentIntent) -> Refusal | None:
    if intent.status == "requires_payment_method" and intent.last_payment_error:
        return refusal(intent.last_payment_error, payment_intent=to_dict(intent))
    return None


def of_capture(charge: Charge | None) -> Refusal | None:
    """Why what is held could not be taken; the hold stands."""
    if charge is None or charge.capture_error is None:
        return None
    error = charge.capture_error
    return Refusal(error.code or "", error.message or "", error.param or None)


async def of_invoice(tx: Transaction, invoice: Invoice) -> Refusal | None:
    """What its newest payment is waiting for, or failed of if the invoice was voided for that."""
    payments = await tx.select(
        InvoicePayment, "t.invoice_id = %(invoice)s and t.status = any(%(among)s)", "t.id desc limit 1",
        invoice=invoice.id, among=["open"] if invoice.status != "void" else ["canceled"],
    )  # fmt: skip
    if not payments:
        return None
    intent = (await tx.get(PaymentIntent, [payments[0].payment_intent])).get(payments[0].payment_intent)
    if intent is None:
        return None
    if invoice.status == "void" and intent.last_payment_error:
        return refusal(intent.last_payment_error, payment_intent=to_dict(intent))
    if invoice.status == "void":
        return Refusal("subscription_payment_intent_requires_action", ACTION_REQUIRED, type="card_error")
    if intent.status == "requires_action":
        return Refusal(
            "invoice_payment_intent_requires_action", ACTION_REQUIRED, type="card_error",
            extra={"payment_intent": to_dict(intent)},
        )  # fmt: skip
    return of_intent(intent)


def of_charge(charge: Charge) -> Refusal:
    reason = charge.outcome.reason if charge.outcome else None
    return Refusal(
        charge.failure_code or "card_declined", charge.failure_message or "", type="card_error", decline_code=reason,
        extra={"charge": charge.id},
    )  # fmt: skip


def refusal(error: PaymentError, **objects: object) -> Refusal:
    """The stored error as an answer: 402, even where the error itself is an invalid request."""
    extra = {
        "advice_code": error.advice_code,
        "charge": error.charge,
        "network_decline_code": error.network_decline_code,
        "payment_method": error.payment_method,
        **objects,
    }
    return Refusal(
        error.code or "card_declined",
        error.message or "",
        error.param or None,
        type="card_error",
        decline_code=error.decline_code or None,
        extra={name: value for name, value in extra.items() if value is not UNSET},
    )
