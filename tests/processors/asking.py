"""Requests as the tests make them."""

from voldaan.processors.protocol import (
    CaptureRequest,
    Flow,
    Outcome,
    PaymentMethodRef,
    PayoutRequest,
    RefundRequest,
    Request,
    SetupRequest,
    SyncRequest,
    VoidRequest,
)
from voldaan.processors.sandbox import banks, tokenize, tokenize_bank, tokenize_redirect
from voldaan.store.ids import new_id

AT = 1_770_033_600                                      # Monday 2 February 2026, 12:00 UTC
DAY = 86_400
NEXT_YEAR = 2027


def method(what: str, cvc: str | None = None) -> PaymentMethodRef:
    """A payment method from a card number, an IBAN, a magic token or a type."""
    if what in banks.REDIRECTS:
        return tokenize_redirect(what).ref
    if what.startswith(("pm_sepa", "pm_us")) or (what[:2].isalpha() and not what.startswith(("pm_", "tok_"))):
        return tokenize_bank(what).ref
    if what.startswith(("pm_", "tok_")):
        return tokenize(what, at=AT).ref
    return tokenize(what, 12, NEXT_YEAR, cvc, at=AT).ref


def named(reference: str | None) -> dict[str, str]:
    own = reference or new_id("att")
    return {"attempt_id": own, "idempotency_key": f"{own}:1"}


def buy(account: str, what: str | PaymentMethodRef = "pm_card_visa", amount: int = 1000, currency: str | None = None,
        reference: str | None = None, at: int = AT, **more: object) -> Request:
    ref = method(what) if isinstance(what, str) else what
    currency = currency or ("usd" if ref.type == "us_bank_account" else "eur")
    return Request(**named(reference) | {
        "amount": amount, "currency": currency, "payment_method": ref, "account_id": account, "livemode": False,
        "at": at} | more)


def renew(account: str, what: str | PaymentMethodRef = "pm_card_visa", **more: object) -> Request:
    return buy(account, what, **{"initiator": "merchant", "off_session": True} | more)


def save(account: str, what: str | PaymentMethodRef, usage: str = "off_session", at: int = AT) -> SetupRequest:
    ref = method(what) if isinstance(what, str) else what
    return SetupRequest(**named(None), payment_method=ref, account_id=account, livemode=False, at=at, usage=usage)


def refund(account: str, payment: str, amount: int, reference: str | None = None, at: int = AT) -> RefundRequest:
    return RefundRequest(
        **named(reference), processor_id=payment, amount=amount, currency="eur", account_id=account, livemode=False, at=at)


def capture(account: str, payment: str, amount: int, reference: str | None = None, at: int = AT) -> CaptureRequest:
    return CaptureRequest(
        **named(reference), processor_id=payment, amount=amount, currency="eur", account_id=account, livemode=False, at=at)


def void(account: str, payment: str, at: int = AT) -> VoidRequest:
    return VoidRequest(**named(None), processor_id=payment, account_id=account, livemode=False, at=at)


def payout(account: str, destination: str, amount: int = 5000, at: int = AT) -> PayoutRequest:
    return PayoutRequest(
        **named(None), amount=amount, currency="eur", destination=destination, account_id=account, livemode=False, at=at)


def sync(r: Request | RefundRequest | PayoutRequest | SetupRequest, at: int, flow: Flow = Flow.AUTHORIZE) -> SyncRequest:
    return SyncRequest(attempt_id=r.attempt_id, flow=flow, account_id=r.account_id, at=at)


def word(outcome: Outcome) -> str:
    """ "requires_action" for RequiresAction."""
    name = type(outcome).__name__
    return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))
