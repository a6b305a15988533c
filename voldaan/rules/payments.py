"""Payment intents: what a payment becomes with every answer, and what may be done to it in between."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.attempts import Attempt
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.rules.ids import NewId

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
    return [
        type
        for type, currencies in METHOD_TYPES.items()
        if (currencies is None or currency in currencies)
        and (not reusable or type in REUSABLE)
        and (redirects or type not in REDIRECTS)
        and (not manual_capture or type == "card")
    ]


def dispatched(intent: PaymentIntent, attempt: Attempt) -> PaymentIntent:
    """The intent while this attempt is under way: processing, until the attempt is settled."""
    return replace(
        intent, attempt=attempt.id, payment_method=attempt.payment_method, status="processing", next_action=None
    )


