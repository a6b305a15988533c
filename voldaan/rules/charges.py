"""Charges: the record of one try that took, held or was refused money, in the words of the processor's answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, cast, get_args

from msgspec import UNSET
from msgspec.structs import replace

from voldaan.processors.protocol import Decline, Declined, Processing, Risk, Succeeded, ThreeDSecure
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt
from voldaan.resources.base import UnsetType
from voldaan.resources.charges import (
    BancontactDetails,
    BlikDetails,
    CaptureFeature,
    CardDetails,
    Charge,
    EpsDetails,
    IdealDetails,
    Outcome,
    Overcapture,
    P24Details,
    PaymentMethodDetails,
    SepaDebitDetails,
    ThreeDSecureDetails,
    UsBankAccountDetails,
)
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import CardChecks, PaymentMethod
from voldaan.rules.ids import NewId

Answer = Succeeded | Processing | Declined
Advice = Literal["confirm_card_data", "do_not_try_again", "try_again_later"]
DESCRIPTOR_MAX = 22
INDICATORS = {"visa": "05", "mastercard": "02", "amex": "05"}      # electronic commerce indicator when authenticated


def charge_of(
    attempt: Attempt, intent: PaymentIntent, method: PaymentMethod, answer: Answer, account: Account, now: int, new_id: NewId
) -> Charge:
    """A new charge for the answer to an authorization: succeeded (captured or held), pending, or failed."""
    charge = Charge(
        id=new_id("ch" if method.type == "card" else "py"),
        amount=attempt.amount,
        attempt=attempt.id,
        billing_details=method.billing_details,
        calculated_statement_descriptor=descriptor(account, intent),
        clock=attempt.clock,
        created=now,
        currency=attempt.currency,
        customer=attempt.customer,
        description=intent.description,
        invoice=attempt.invoice,
        livemode=account.livemode,
        metadata=intent.metadata,
        payment_intent=intent.id,
        payment_method=method.id,
        processor=attempt.processor,
        receipt_email=intent.receipt_email,
        shipping=intent.shipping,
        statement_descriptor=intent.statement_descriptor,
        statement_descriptor_suffix=intent.statement_descriptor_suffix,
        status="pending",
        transfer_group=intent.transfer_group,
    )
    return answered(charge, method, answer, attempt)


def answered(charge: Charge, method: PaymentMethod, answer: Answer, attempt: Attempt) -> Charge:
    """The charge after the processor's answer."""
    charge = replace(
        charge,
        outcome=outcome(answer, method),
        payment_method_details=details(method, answer, attempt),
        processor_id=answer.processor_id,
    )
    match answer:
        case Succeeded(captured=captured, amount=amount):
            return replace(
                charge, status="succeeded", paid=True, captured=captured, amount_captured=amount if captured else 0,
                authorization_code=answer.authorization_code or UNSET,
            )  # fmt: skip
        case Processing():
            return replace(charge, status="pending", captured=True, amount_captured=0)
        case Declined(decline=decline):
            return replace(
                charge, status="failed", paid=False, captured=False, amount_captured=0,
                failure_code=decline.error_code, failure_message=decline.message,
            )  # fmt: skip


def captured(charge: Charge, amount: int) -> Charge:
    """A held charge of which `amount` was taken; the rest is released, and shows as refunded as Stripe shows it."""
    found = charge.payment_method_details
    if found and found.card:
        found = replace(found, card=replace(found.card, capture_before=UNSET))
    return replace(charge, captured=True, amount_captured=amount, capture_error=None, payment_method_details=found)


def released(charge: Charge) -> Charge:
    """A hold that was given up: all of it counts as refunded, nothing was captured."""
    return replace(charge, refunded=True, captured=False)


def descriptor(account: Account, intent: PaymentIntent) -> str | None:
    """What the payer reads on the statement, at most 22 characters."""
    return own_descriptor(account, intent.statement_descriptor, intent.statement_descriptor_suffix)


def own_descriptor(account: Account, whole: str | None, suffix: str | None) -> str | None:
    """The account's name, or `whole` instead of it, or the name with a suffix."""
    own = account.details.get("statement_descriptor") or account.business_name
    text = whole or own
    if suffix and own:
        text = f"{own[: DESCRIPTOR_MAX - len(suffix) - 2]}* {suffix}"
    return text[:DESCRIPTOR_MAX].upper() if text else None


# ── what the network made of it ─────────────────────────────────────────────────────────────────────────────────────


def outcome(answer: Answer, method: PaymentMethod) -> Outcome | None:
    match answer:
        case Succeeded(risk=risk):
            level, score = _risk(risk, method)
            return Outcome(
                network_status="approved_by_network", risk_level=level, risk_score=score,
                seller_message="Payment complete.", type="authorized",
            )  # fmt: skip
        case Processing():
            return None
        case Declined(decline=decline, risk=risk):
            level, score = _risk(risk, method)
            blocked = decline.category == "fraud" and risk.level == "highest"
            return Outcome(
                advice_code=_advice(decline),
                network_decline_code=None if blocked else decline.network_decline_code,
                network_status="not_sent_to_network" if blocked else "declined_by_network",
                reason="highest_risk_level" if blocked else decline.code,
                risk_level=level,
                risk_score=score,
                seller_message="The payment was blocked as too risky." if blocked else _seller_message(decline),
                type="blocked" if blocked else "issuer_declined",
            )


def _risk(risk: Risk, method: PaymentMethod) -> tuple[str, int | UnsetType]:
    if method.type != "card":
        return "not_assessed", UNSET
    return risk.level, risk.score if risk.score is not None else UNSET


def _advice(decline: Decline) -> Advice | None:
    return cast(Advice, decline.advice_code) if decline.advice_code in get_args(Advice) else None


def _seller_message(decline: Decline) -> str:
    if decline.code in ("generic_decline", "do_not_honor"):
        return "The bank did not return any further details with this decline."
    return f"The bank returned the decline code `{decline.code}`."


# ── how it was paid ─────────────────────────────────────────────────────────────────────────────────────────────────


def details(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    """The payment method as it was at the time of the charge."""
    return DETAILS[method.type](method, answer, attempt)


def _card(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    card = method.card
    assert card
    checks: Mapping[str, str] = {} if isinstance(answer, Processing) else answer.checks
    secure = None if isinstance(answer, Processing) else answer.three_d_secure
    held = isinstance(answer, Succeeded) and not answer.captured
    return PaymentMethodDetails(
        type="card",
        card=CardDetails(
            amount_authorized=answer.amount if isinstance(answer, Succeeded) else None,
            authorization_code=answer.authorization_code if isinstance(answer, Succeeded) else None,
            brand=card.brand,
            capture_before=answer.capture_before or UNSET if isinstance(answer, Succeeded) and held else UNSET,
            checks=CardChecks(
                address_line1_check=checks.get("address_line1_check"),
                address_postal_code_check=checks.get("address_postal_code_check"),
                cvc_check=checks.get("cvc_check"),
            ),
            country=card.country,
            electronic_commerce_indicator=_indicator(secure, card.brand),
            exp_month=card.exp_month,
            exp_year=card.exp_year,
            extended_authorization=CaptureFeature(status="disabled"),
            fingerprint=card.fingerprint,
            funding=card.funding,
            incremental_authorization=CaptureFeature(status="unavailable"),
            last4=card.last4,
            multicapture=CaptureFeature(status="unavailable"),
            network=card.networks.available[0] if card.networks and card.networks.available else card.brand,
            network_token={"used": False},
            network_transaction_id=None if isinstance(answer, Processing) else answer.network_transaction_id,
            overcapture=Overcapture(maximum_amount_capturable=attempt.amount),
            three_d_secure=_three_d_secure(secure, card.brand),
        ),
    )


def _indicator(secure: ThreeDSecure | None, brand: str) -> str | None:
    return INDICATORS.get(brand) if secure and secure.result == "authenticated" else None


def _three_d_secure(secure: ThreeDSecure | None, brand: str) -> ThreeDSecureDetails | None:
    if secure is None:
        return None
    return ThreeDSecureDetails(
        authentication_flow=secure.authentication_flow,
        electronic_commerce_indicator=_indicator(secure, brand),
        result=secure.result,
        result_reason=secure.result_reason,
        version=secure.version,
    )


def _sepa_debit(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    debit = method.sepa_debit
    assert debit
    return PaymentMethodDetails(
        type="sepa_debit",
        sepa_debit=SepaDebitDetails(
            bank_code=debit.bank_code,
            branch_code=debit.branch_code,
            country=debit.country,
            expected_debit_date=_date(answer.expected_at) if isinstance(answer, Processing) else UNSET,
            fingerprint=debit.fingerprint,
            last4=debit.last4,
            mandate=attempt.request.get("mandate"),
        ),
    )


def _us_bank_account(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    account = method.us_bank_account
    assert account
    return PaymentMethodDetails(
        type="us_bank_account",
        us_bank_account=UsBankAccountDetails(
            account_holder_type=account.account_holder_type,
            account_type=account.account_type,
            bank_name=account.bank_name,
            expected_debit_date=_date(answer.expected_at) if isinstance(answer, Processing) else UNSET,
            fingerprint=account.fingerprint,
            last4=account.last4,
            mandate=attempt.request.get("mandate") or UNSET,
            routing_number=account.routing_number,
        ),
    )


def _ideal(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    bank = method.ideal
    return PaymentMethodDetails(
        type="ideal",
        ideal=IdealDetails(bank=bank.bank if bank else None, bic=bank.bic if bank else None, transaction_id=answer.processor_id),
    )


def _bancontact(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    return PaymentMethodDetails(type="bancontact", bancontact=BancontactDetails(preferred_language="en"))


def _eps(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    return PaymentMethodDetails(type="eps", eps=EpsDetails(bank=method.eps.bank if method.eps else None))


def _p24(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    return PaymentMethodDetails(
        type="p24", p24=P24Details(bank=method.p24.bank if method.p24 else None, reference=answer.processor_id)
    )


def _blik(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    return PaymentMethodDetails(type="blik", blik=BlikDetails())


def _twint(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    return PaymentMethodDetails(type="twint", twint={})


def _customer_balance(method: PaymentMethod, answer: Answer, attempt: Attempt) -> PaymentMethodDetails:
    return PaymentMethodDetails(type="customer_balance", customer_balance={})


DETAILS = {
    "card": _card,
    "sepa_debit": _sepa_debit,
    "us_bank_account": _us_bank_account,
    "ideal": _ideal,
    "bancontact": _bancontact,
    "eps": _eps,
    "p24": _p24,
    "blik": _blik,
    "twint": _twint,
    "customer_balance": _customer_balance,
}


def _date(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
