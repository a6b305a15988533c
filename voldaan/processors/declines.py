"""How a decline is worded: one row per code, in Stripe's words where Stripe has words.

What a code means, why and whether to try again, is said once, in rules/dunning. Network codes are ISO 8583 response
codes as Visa uses them, or SEPA reason codes; advice codes are Stripe's: try_again_later, do_not_try_again,
confirm_card_data. A code that is worded otherwise at a bank than on a card has a row of its own, "bank:…".
"""

from typing import NamedTuple

from voldaan.processors.protocol import Decline
from voldaan.rules.dunning import DECLINE_CODES, UNKNOWN, Meaning


class Wording(NamedTuple):
    error_code: str                                     # Stripe's error `code`
    network: str | None
    advice: str | None
    message: str
    param: str | None = None


DECLINED = "Your card was declined."
UNAUTHENTICATED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
NEEDS_AUTHENTICATION = "Your card was declined. This transaction requires authentication."
LATER, NEVER, CONFIRM = "try_again_later", "do_not_try_again", "confirm_card_data"

DECLINES: dict[str, Wording] = {
    # cards
    "generic_decline": Wording("card_declined", "01", LATER, DECLINED),
    "do_not_honor": Wording("card_declined", "05", LATER, DECLINED),
    "insufficient_funds": Wording("card_declined", "51", LATER, "Your card has insufficient funds."),
    "card_velocity_exceeded": Wording(
        "card_declined", "65", LATER,
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    ),
    "processing_error": Wording(
        "processing_error", "96", LATER, "An error occurred while processing your card. Try again in a little bit.",
    ),
    "issuer_not_available": Wording("card_declined", "91", LATER, DECLINED),
    "lost_card": Wording("card_declined", "41", NEVER, DECLINED),
    "stolen_card": Wording("card_declined", "43", NEVER, DECLINED),
    "expired_card": Wording("expired_card", "54", CONFIRM, "Your card has expired.", "exp_month"),
    "incorrect_cvc": Wording("incorrect_cvc", "N7", CONFIRM, "Your card's security code is incorrect.", "cvc"),
    "incorrect_number": Wording("incorrect_number", "14", CONFIRM, "Your card number is incorrect.", "number"),
    "fraudulent": Wording("card_declined", "59", NEVER, DECLINED),
    "authentication_required": Wording("authentication_required", "1A", None, NEEDS_AUTHENTICATION),
    "payment_intent_authentication_failure": Wording(
        "payment_intent_authentication_failure", None, None, UNAUTHENTICATED,
    ),
    "setup_intent_authentication_failure": Wording(
        "setup_intent_authentication_failure", None, None, UNAUTHENTICATED,
    ),

    # bank debits and payouts
    "payment_intent_payment_attempt_failed": Wording(
        "payment_intent_payment_attempt_failed", "MS03", None, "The payment failed.",
    ),
    "bank:insufficient_funds": Wording(
        "insufficient_funds", "AM04", None, "The customer's account has insufficient funds.",
    ),
    "charge_exceeds_source_limit": Wording(
        "charge_exceeds_source_limit", None, None,
        "This payment would put the customer over the weekly volume limit for this payment method.",
    ),
    "charge_exceeds_weekly_limit": Wording(
        "charge_exceeds_weekly_limit", None, None,
        "This payment would put the customer over the weekly transaction limit for this payment method.",
    ),
    "account_closed": Wording("account_closed", "AC04", None, "The bank account has been closed."),
    "no_account": Wording("no_account", "AC01", None, "The bank account could not be located."),
    "debit_not_authorized": Wording(
        "debit_not_authorized", "MD01", None, "Debits to this bank account are not authorized.",
    ),
    "invalid_currency": Wording(
        "invalid_currency", None, None, "The bank account cannot be used with this currency.",
    ),
    "could_not_process": Wording("could_not_process", None, None, "The bank could not process this payout."),
    "expired_or_canceled_card": Wording(
        "expired_or_canceled_card", None, None, "The card that was charged is no longer valid.",
    ),
    "declined_by_customer": Wording(
        "payment_intent_payment_attempt_failed", None, None, "The customer did not approve the payment.",
    ),

    # asked wrongly: nothing to do with the payer
    "amount_too_large": Wording(
        "amount_too_large", None, None, "The amount is more than what is left of the payment.", "amount",
    ),
    "invalid_amount": Wording(
        "parameter_invalid_integer", None, None, "The amount must be greater than zero.", "amount",
    ),
    "charge_already_captured": Wording(
        "charge_already_captured", None, None, "This payment has already been captured.",
    ),
    "charge_expired_for_capture": Wording(
        "charge_expired_for_capture", None, None, "This authorization has expired and can no longer be captured.",
    ),
    "charge_already_refunded": Wording(
        "charge_already_refunded", None, None, "This payment has already been refunded.",
    ),
    "charge_not_refundable": Wording("charge_not_refundable", None, None, "This payment cannot be refunded."),
    "charge_disputed": Wording(
        "charge_disputed", None, None, "This payment has been charged back and cannot be refunded.",
    ),
    "payment_canceled": Wording(
        "payment_intent_unexpected_state", None, None,
        "This payment was canceled, or its authorization has expired.",
    ),
    "payment_not_voidable": Wording(
        "payment_intent_unexpected_state", None, None, "This payment can no longer be canceled.",
    ),
    "currency_mismatch": Wording(
        "parameter_invalid_string_enum", None, None, "The currency is not that of the payment.", "currency",
    ),
    "currency_not_supported": Wording(
        "invalid_currency", None, None, "This payment method cannot be used with this currency.", "currency",
    ),
    "resource_missing": Wording("resource_missing", None, None, "The processor does not know this payment."),
    "payment_method_unusable": Wording(
        "payment_method_unexpected_state", None, None,
        "The processor does not know this payment method.", "payment_method",
    ),
    "idempotency_key_in_use": Wording(
        "idempotency_error", None, None, "This idempotency key was used before for another reference.",
    ),
    "processor_not_configured": Wording(
        "processor_not_configured", None, None, "No processor is configured for this payment method.",
    ),
    "flow_not_supported": Wording(
        "flow_not_supported", None, None, "The processor of this payment cannot do that.",
    ),
}

# Codes of ours, which no network sends: the request was wrong, or nobody can carry it out.
ASKED_WRONGLY = Meaning("configuration", "never")
OURS = {
    "payment_method_unusable": Meaning("configuration", "after_update"),
    "processor_not_configured": Meaning("configuration", "other_processor"),
    "flow_not_supported": Meaning("configuration", "other_processor"),
    "declined_by_customer": Meaning("soft", "after_update"),
}


def decline(code: str, message: str | None = None) -> Decline:
    """The decline with this code; an unknown code is a generic decline that keeps its own name as the raw code."""
    name = code.removeprefix("bank:")
    known = code in DECLINES
    words = DECLINES[code] if known else DECLINES["generic_decline"]
    means = DECLINE_CODES.get(name) or (OURS.get(name, ASKED_WRONGLY) if known else UNKNOWN)
    return Decline(
        code=name if known else "generic_decline",
        category=means.category, retry=means.retry, message=message or words.message, error_code=words.error_code,
        network_decline_code=words.network, advice_code=words.advice, raw_code=name, raw_message=words.message,
        param=words.param,
    )
