"""Dunning: whether and when a failed payment is tried again, and what becomes of the subscription when it is not.

Policies and the meaning of decline codes are data. Instants are epoch seconds. Sources: docs/behaviour-rules.md,
"Dunning".
"""

from dataclasses import dataclass, replace
from typing import Literal

Category = Literal["hard", "soft", "authentication", "technical", "fraud", "mandate", "configuration"]
Retry = Literal["never", "later", "after_update", "with_authentication", "other_processor"]
FinalAction = Literal["cancel", "unpaid", "past_due"]

HOUR = 3_600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again, in seconds after the first failure; what the subscription becomes after the last try."""

    offsets_seconds: tuple[int, ...]
    final_action: FinalAction


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a decline means: why, what may be tried, and how long to wait at least, in seconds after the failure."""

    category: Category
    retry: Retry
    not_before_seconds: int = 0


# Stripe recommends eight tries within two weeks. Dense at first, when a limit or a network may recover overnight; then
# every other day, so that each weekday is met; the last a fortnight on, when wages have come in once.
RECOMMENDED = RetryPolicy(tuple(day * DAY for day in (1, 2, 3, 5, 7, 9, 11, 14)), "cancel")

# Tries closer together than this tell nothing new, and a worker that was off must not catch up in a burst.
SHORTEST_WAIT = HOUR

# How often one card may be tried for the same thing in thirty days, by the schemes' rules.
SCHEME_WINDOW = 30 * DAY
SCHEME_LIMIT = {"visa": 15, "mastercard": 35}

# What happens to the subscription, as a trigger of states.SUBSCRIPTION.
GIVE_UP: dict[FinalAction, str] = {
    "cancel": "give_up_cancel",
    "unpaid": "give_up_unpaid",
    "past_due": "give_up_past_due",
}

# Decline codes in Stripe's words: the card codes, those of other payment methods, and failure codes of bank debits.
MEANINGS: dict[tuple[Category, Retry], str] = {
    ("soft", "later"): """
        approve_with_id call_issuer card_velocity_exceeded do_not_honor generic_decline insufficient_funds
        no_action_taken security_violation try_again_later withdrawal_count_limit_exceeded
        partner_generic_decline partner_insufficient_funds payment_limit_exceeded
        charge_exceeds_source_limit charge_exceeds_weekly_limit payment_intent_payment_attempt_failed
        """,
    ("technical", "later"): """
        issuer_not_available processing_error reenter_transaction
        partner_processing_error could_not_process
        """,
    ("hard", "after_update"): """
        card_not_supported expired_card incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip
        invalid_account invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number invalid_pin lost_card
        new_account_information_available not_permitted offline_pin_required online_or_offline_pin_required
        pickup_card pin_try_exceeded restricted_card service_not_allowed stolen_card transaction_not_allowed
        expired_payment_information invalid_customer_account invalid_payment_information partner_expired_card
        recurring_not_supported_by_bank
        account_closed no_account
        """,
    ("hard", "never"): """
        do_not_try_again
        payment_disputed
        expired_or_canceled_card
        """,
    ("fraud", "never"): """
        fraudulent highest_risk_level merchant_blacklist
        compliance_violation partner_high_risk_customer
        """,
    ("mandate", "never"): """
        revocation_of_all_authorizations revocation_of_authorization stop_payment_order
        invalid_authorization invalid_billing_agreement
        debit_not_authorized
        """,
    ("authentication", "with_authentication"): """
        authentication_not_handled authentication_required mobile_device_authentication_required
        payment_intent_authentication_failure setup_intent_authentication_failure
        """,
    ("configuration", "never"): """
        currency_not_supported duplicate_transaction invalid_amount
        invalid_business_account partner_action_not_supported partner_duplicate_transaction partner_invalid_amount
        partner_invalid_currency partner_payment_not_found
        """,
    ("configuration", "after_update"): """
        testmode_decline
        invalid_currency
        """,
}
DECLINE_CODES = {code: Meaning(*meaning) for meaning, codes in MEANINGS.items() for code in codes.split()}
UNKNOWN = Meaning("soft", "later")

# What the network advises (Mastercard's merchant advice codes, which others follow); it overrides the code's meaning.
NETWORK_ADVICE: dict[str, tuple[Retry, int]] = {
    "01": ("after_update", 0),
    "02": ("later", 72 * HOUR),
    "03": ("never", 0),
    "21": ("never", 0),
    "24": ("later", 1 * HOUR),
    "25": ("later", 24 * HOUR),
    "26": ("later", 2 * DAY),
    "27": ("later", 4 * DAY),
    "28": ("later", 6 * DAY),
    "29": ("later", 8 * DAY),
    "30": ("later", 10 * DAY),
}
# The same in Stripe's words, `advice_code`.
ADVICE: dict[str, tuple[Retry, int]] = {
    "confirm_card_data": ("after_update", 0),
    "do_not_try_again": ("never", 0),
    "try_again_later": ("later", 0),
}


def meaning(decline_code: str | None, advice_code: str | None = None, network_advice_code: str | None = None) -> Meaning:
    """What a decline means. Advice may forbid or delay a retry, never allow one that the code forbids.

    A code that is not in the table is a soft decline: nobody said that trying again is wrong.
    """
    found = DECLINE_CODES.get(decline_code or "", UNKNOWN)
    advice = NETWORK_ADVICE.get(network_advice_code or "") or ADVICE.get(advice_code or "")
    if advice is None or found.retry != "later":
        return found
    retry, wait = advice
    return replace(found, category="hard" if retry == "never" else found.category, retry=retry, not_before_seconds=wait)


def is_retryable(decline: Meaning) -> bool:
    """Whether the same payment method may be tried again without anybody doing anything."""
    return decline.retry in ("later", "other_processor")


def next_retry(
    policy: RetryPolicy, attempt_count: int, first_failed_at: int, failed_at: int, decline: Meaning | None = None
) -> int | None:
    """When to try next, or None: give up, or wait for the customer.

    attempt_count is Stripe's: the tries so far, of which the first counts whatever started it, later ones only if
    they were automatic. decline is that of the last failure at failed_at; pass None once the customer has given a new
    payment method, and the schedule goes on where it stood.
    """
    if attempt_count < 1 or attempt_count > len(policy.offsets_seconds):
        return None
    if decline is not None and not is_retryable(decline):
        return None
    scheduled = first_failed_at + policy.offsets_seconds[attempt_count - 1]
    wait = max(SHORTEST_WAIT, decline.not_before_seconds if decline else 0)
    return max(scheduled, failed_at + wait)


def is_exhausted(policy: RetryPolicy, attempt_count: int) -> bool:
    """Whether the last try of the policy has been made: time for its final action."""
    return attempt_count > len(policy.offsets_seconds)


def may_try(brand: str | None, tries_in_window: int) -> bool:
    """Whether the card scheme allows one more try, given those of the last thirty days with the same card."""
    limit = SCHEME_LIMIT.get(brand or "")
    return limit is None or tries_in_window < limit
