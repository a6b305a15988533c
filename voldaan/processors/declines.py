"""What a decline means: one row per code, in Stripe's words where Stripe has words.

Category and retry are our working default (a gateway status map kept as data). Network codes are ISO 8583 response
codes as Visa uses them, or SEPA reason codes; advice codes are Stripe's: try_again_later, do_not_try_again,
confirm_card_data. A code that means something else at a bank than on a card has a row of its own, "bank:…".
"""

from typing import NamedTuple

from voldaan.processors.protocol import Category, Decline, Retry


class Meaning(NamedTuple):
    category: Category
    retry: Retry
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

DECLINES: dict[str, Meaning] = {
    # cards
    "generic_decline": Meaning("soft", "later", "card_declined", "01", LATER, DECLINED),
    "do_not_honor": Meaning("soft", "later", "card_declined", "05", LATER, DECLINED),
    "insufficient_funds": Meaning(
        "soft", "later", "card_declined", "51", LATER, "Your card has insufficient funds."),
    "card_velocity_exceeded": Meaning(
        "soft", "later", "card_declined", "65", LATER,
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."),
    "processing_error": Meaning(
        "technical", "later", "processing_error", "96", LATER,
        "An error occurred while processing your card. Try again in a little bit."),
    "issuer_not_available": Meaning("technical", "later", "card_declined", "91", LATER, DECLINED),
    "lost_card": Meaning("hard", "after_update", "card_declined", "41", NEVER, DECLINED),
    "stolen_card": Meaning("hard", "after_update", "card_declined", "43", NEVER, DECLINED),
    "expired_card": Meaning(
        "hard", "after_update", "expired_card", "54", CONFIRM, "Your card has expired.", "exp_month"),
    "incorrect_cvc": Meaning(
        "hard", "after_update", "incorrect_cvc", "N7", CONFIRM, "Your card's security code is incorrect.", "cvc"),
    "incorrect_number": Meaning(
        "hard", "after_update", "incorrect_number", "14", CONFIRM, "Your card number is incorrect.", "number"),
    "fraudulent": Meaning("fraud", "never", "card_declined", "59", NEVER, DECLINED),
    "authentication_required": Meaning(
        "authentication", "with_authentication", "authentication_required", "1A", None, NEEDS_AUTHENTICATION),
    "payment_intent_authentication_failure": Meaning(
        "authentication", "with_authentication", "payment_intent_authentication_failure", None, None, UNAUTHENTICATED),
    "setup_intent_authentication_failure": Meaning(
        "authentication", "with_authentication", "setup_intent_authentication_failure", None, None, UNAUTHENTICATED),

    # bank debits and payouts
    "payment_intent_payment_attempt_failed": Meaning(
        "soft", "later", "payment_intent_payment_attempt_failed", "MS03", None, "The payment failed."),
    "bank:insufficient_funds": Meaning(
        "soft", "later", "insufficient_funds", "AM04", None, "The customer's account has insufficient funds."),
    "charge_exceeds_source_limit": Meaning(
        "soft", "later", "charge_exceeds_source_limit", None, None,
        "This payment would put the customer over the weekly volume limit for this payment method."),
    "charge_exceeds_weekly_limit": Meaning(
        "soft", "later", "charge_exceeds_weekly_limit", None, None,
        "This payment would put the customer over the weekly transaction limit for this payment method."),
    "account_closed": Meaning(
        "hard", "after_update", "account_closed", "AC04", None, "The bank account has been closed."),
    "no_account": Meaning(
        "hard", "after_update", "no_account", "AC01", None, "The bank account could not be located."),
    "debit_not_authorized": Meaning(
        "mandate", "never", "debit_not_authorized", "MD01", None, "Debits to this bank account are not authorized."),
    "invalid_currency": Meaning(
        "configuration", "after_update", "invalid_currency", None, None,
        "The bank account cannot be used with this currency."),
    "could_not_process": Meaning(
        "technical", "later", "could_not_process", None, None, "The bank could not process this payout."),
    "expired_or_canceled_card": Meaning(
        "hard", "never", "expired_or_canceled_card", None, None, "The card that was charged is no longer valid."),
    "declined_by_customer": Meaning(
        "soft", "after_update", "payment_intent_payment_attempt_failed", None, None,
        "The customer did not approve the payment."),

    # asked wrongly: nothing to do with the payer
    "amount_too_large": Meaning(
        "configuration", "never", "amount_too_large", None, None,
        "The amount is more than what is left of the payment.", "amount"),
    "invalid_amount": Meaning(
        "configuration", "never", "parameter_invalid_integer", None, None, "The amount must be greater than zero.",
        "amount"),
    "charge_already_captured": Meaning(
        "configuration", "never", "charge_already_captured", None, None, "This payment has already been captured."),
    "charge_expired_for_capture": Meaning(
        "configuration", "never", "charge_expired_for_capture", None, None,
        "This authorization has expired and can no longer be captured."),
    "charge_already_refunded": Meaning(
        "configuration", "never", "charge_already_refunded", None, None, "This payment has already been refunded."),
    "charge_not_refundable": Meaning(
        "configuration", "never", "charge_not_refundable", None, None, "This payment cannot be refunded."),
    "charge_disputed": Meaning(
        "configuration", "never", "charge_disputed", None, None,
        "This payment has been charged back and cannot be refunded."),
    "payment_canceled": Meaning(
        "configuration", "never", "payment_intent_unexpected_state", None, None,
        "This payment was canceled, or its authorization has expired."),
    "payment_not_voidable": Meaning(
        "configuration", "never", "payment_intent_unexpected_state", None, None,
        "This payment can no longer be canceled."),
    "currency_mismatch": Meaning(
        "configuration", "never", "parameter_invalid_string_enum", None, None,
        "The currency is not that of the payment.", "currency"),
    "currency_not_supported": Meaning(
        "configuration", "never", "invalid_currency", None, None,
        "This payment method cannot be used with this currency.", "currency"),
    "resource_missing": Meaning(
        "configuration", "never", "resource_missing", None, None, "The processor does not know this payment."),
    "payment_method_unusable": Meaning(
        "configuration", "after_update", "payment_method_unexpected_state", None, None,
        "The processor does not know this payment method.", "payment_method"),
    "idempotency_key_in_use": Meaning(
        "configuration", "never", "idempotency_error", None, None,
        "This idempotency key was used before for another reference."),
    "processor_not_configured": Meaning(
        "configuration", "other_processor", "processor_not_configured", None, None,
        "No processor is configured for this payment method."),
    "flow_not_supported": Meaning(
        "configuration", "other_processor", "flow_not_supported", None, None,
        "The processor of this payment cannot do that."),
}


def decline(code: str, message: str | None = None) -> Decline:
    """The decline with this code; an unknown code is a generic decline that keeps its own name as the raw code."""
    known = DECLINES.get(code, DECLINES["generic_decline"])
    name = code.removeprefix("bank:")
    return Decline(
        code=name if code in DECLINES else "generic_decline",
        category=known.category, retry=known.retry, message=message or known.message, error_code=known.error_code,
        network_decline_code=known.network, advice_code=known.advice, raw_code=name, raw_message=known.message,
        param=known.param,
    )
