"""What the network answers to each request: pure rules over the request, the instrument and the payment's history."""

from collections.abc import Set
from dataclasses import dataclass

from voldaan.processors.protocol import CaptureRequest, PayoutRequest, RefundRequest, Request, SetupRequest, VoidRequest
from voldaan.processors.sandbox import tokens
from voldaan.processors.sandbox.banks import PAYOUT_FAILURES
from voldaan.processors.sandbox.books import Family, Operation, Terms, bank_days_later
from voldaan.processors.sandbox.effects import Effect, Instrument
from voldaan.processors.sandbox.standing import charged_back, standing, state_at
from voldaan.store.ids import new_id

Fresh = Request | SetupRequest | PayoutRequest
Change = CaptureRequest | VoidRequest | RefundRequest


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an operation begins, and what it turns into by itself."""

    state: str
    decline: str | None = None
    becomes: str | None = None
    becomes_decline: str | None = None
    becomes_at: int | None = None
    authentication: str | None = None


def no(code: str, authentication: str | None = None) -> Verdict:
    return Verdict("declined", decline=code, authentication=authentication)


# ---- requests about nothing that is there yet ------------------------------------------------------------------------

def authorize(r: Request, set_up: Set[str], revoked: Set[str], terms: Terms) -> Verdict:
    """`set_up` and `revoked` hold the tokens that were authenticated for later use, and those whose mandate is gone."""
    known = _usable(r.payment_method.type, r.payment_method.token, r.livemode)
    if isinstance(known, Verdict):
        return known
    if r.amount <= 0:
        return no("invalid_amount")
    if known.currencies and r.currency not in known.currencies:
        return no("currency_not_supported")
    if r.payment_method.token in revoked:
        return no("debit_not_authorized")
    effect = known.effect
    if code := effect.decline or effect.charge_decline or _failed_code(effect, r.payment_method.token):
        return no(code)

    off_session = r.off_session or r.initiator == "merchant"
    proven = r.payment_method.token in set_up or bool(
        r.stored_credential and r.stored_credential.network_transaction_id)
    authenticated = _authenticate(effect, off_session, proven, asked=r.request_three_d_secure != "automatic")
    if authenticated.state != "succeeded":
        return authenticated
    if effect.after_authentication:
        return no(effect.after_authentication, authenticated.authentication)
    if effect.takes != "no_time":
        return _debit(effect, r.at, terms)
    return Verdict("authorized" if r.capture == "manual" else "succeeded", authentication=authenticated.authentication)


def setup(r: SetupRequest) -> Verdict:
    """Cards that fail at every use cannot be saved; for use off session the bank may want to see its customer first."""
    known = _usable(r.payment_method.type, r.payment_method.token, r.livemode)
    if isinstance(known, Verdict):
        return known
    if code := known.effect.decline or _failed_code(known.effect, r.payment_method.token):
        return no(code)
    if r.usage == "on_session":
        return Verdict("succeeded")
    return _authenticate(known.effect, r.off_session, proven=False, asked=False)


def payout(r: PayoutRequest) -> Verdict:
    """Arrives on the next bank day, or comes back then."""
    if r.livemode:
        return no("processor_not_configured")
    if r.amount <= 0:
        return no("invalid_amount")
    failure = PAYOUT_FAILURES.get(r.destination.replace(" ", ""))
    ends = "declined" if failure else "succeeded"
    return Verdict("processing", becomes=ends, becomes_decline=failure, becomes_at=bank_days_later(r.at, 1))


def _usable(type: str, token: str, livemode: bool) -> Instrument | Verdict:
    if livemode:
        return no("processor_not_configured")
    known = tokens.instrument(token)
    return known if known and known.type == type else no("payment_method_unusable")


def _failed_code(effect: Effect, token: str) -> str | None:
    return "incorrect_cvc" if "cvc" in effect.failing_checks and "c" in token.split(".")[2] else None


def _authenticate(effect: Effect, off_session: bool, proven: bool, asked: bool) -> Verdict:
    """Whether the bank wants to see its customer. Succeeded means that the payment may go on."""
    challenge = no("authentication_required") if off_session else Verdict("requires_action", authentication="challenge")
    match effect.authentication:
        case "unenrolled":
            return Verdict("succeeded", authentication="attempt_acknowledged" if asked else None)
        case "not_supported":
            return Verdict("succeeded", authentication="not_supported" if asked else None)
        case "optional":
            return challenge if asked else Verdict("succeeded")
        case "optional_lookup_fails":
            return Verdict("succeeded", authentication="processing_error" if asked else None)
        case "required_lookup_fails":
            return no("generic_decline", "processing_error")
        case "frictionless":
            return Verdict("succeeded", authentication=None if off_session else "frictionless")
        case "unless_set_up":
            return Verdict("succeeded") if off_session and proven else challenge
        case "set_up":
            return Verdict("succeeded") if off_session else challenge
        case "always" | "redirect":
            return challenge


def _debit(effect: Effect, at: int, terms: Terms) -> Verdict:
    if effect.takes == "for_ever":
        return Verdict("processing")
    ends = "declined" if effect.fails_later else "succeeded"
    final_at = bank_days_later(at, terms.debit_days) if effect.takes == "days" else at + terms.delayed_debit
    return Verdict("processing", becomes=ends, becomes_decline=effect.fails_later, becomes_at=final_at)


# ---- requests about a payment ----------------------------------------------------------------------------------------

def change(r: Change, family: Family | None, terms: Terms) -> Verdict:
    """A capture, void or refund of a payment with this history; None: the network has no such payment."""
    if family is None or family.payment.account_id != r.account_id or family.payment.flow != "authorize":
        return no("resource_missing")
    if isinstance(r, CaptureRequest):
        return capture(r, family, terms)
    return void(r, family, terms) if isinstance(r, VoidRequest) else refund(r, family, terms)


def capture(r: CaptureRequest, family: Family, terms: Terms) -> Verdict:
    """Once, and up to the amount held; what is not captured is released."""
    now = standing(family, r.at, terms)
    if now.state == "canceled":
        return no("charge_expired_for_capture")
    if now.state == "succeeded":
        return no("charge_already_captured")
    if now.state != "authorized":
        return no("resource_missing")
    return _bounded(r.amount, r.currency, family.payment, family.payment.amount) or Verdict("succeeded")


def void(r: VoidRequest, family: Family, terms: Terms) -> Verdict:
    """Before the money moved; voiding what is already canceled changes nothing and succeeds."""
    moved = standing(family, r.at, terms).state in ("succeeded", "declined")
    return no("payment_not_voidable") if moved else Verdict("succeeded")


def refund(r: RefundRequest, family: Family, terms: Terms) -> Verdict:
    """All refunds that have not failed may not exceed what was captured."""
    now = standing(family, r.at, terms)
    if now.state != "succeeded":
        return no("charge_not_refundable")
    if charged_back(family, r.at, terms):
        return no("charge_disputed")
    refunded = sum(
        child.amount for child in family.children if child.flow == "refund" and state_at(child, r.at)[0] != "declined")
    if refunded >= now.amount:
        return no("charge_already_refunded")
    if refused := _bounded(r.amount, r.currency, family.payment, now.amount - refunded):
        return refused
    known = tokens.instrument(family.payment.instrument or "")
    later = r.at + terms.async_refund
    match known.effect.refund if known else "at_once":
        case "pending":
            return Verdict("processing", becomes="succeeded", becomes_at=later)
        case "fails":
            return Verdict(
                "succeeded", becomes="declined", becomes_decline="expired_or_canceled_card", becomes_at=later)
        case _:
            return Verdict("succeeded")


def _bounded(amount: int, currency: str, payment: Operation, most: int) -> Verdict | None:
    if amount <= 0:
        return no("invalid_amount")
    if currency != payment.currency:
        return no("currency_mismatch")
    return no("amount_too_large") if amount > most else None


# ---- the row of a verdict --------------------------------------------------------------------------------------------

PREFIXES = {
    "authorize": "sbpay", "capture": "sbcap", "void": "sbvoid", "refund": "sbref", "setup": "sbset", "payout": "sbout",
}


def operation(r: Fresh | Change, verdict: Verdict, terms: Terms, copy: int, payment: Operation | None = None) -> Operation:
    """What is filed for a request that was judged so."""
    flow = FLOWS[type(r)]
    takes_money = flow == "capture" or (flow == "authorize" and isinstance(r, Request) and r.capture == "automatic")
    amount = getattr(r, "amount", payment.amount if payment else 0)
    return Operation(
        processor_id=new_id(PREFIXES[flow]),
        account_id=r.account_id, reference=r.attempt_id, idempotency_key=r.idempotency_key, copy=copy, flow=flow,
        original=payment.processor_id if payment else None,
        amount=max(amount, 0),
        currency=getattr(r, "currency", None) or (payment.currency if payment else ""),
        instrument=r.destination if isinstance(r, PayoutRequest)
        else r.payment_method.token if isinstance(r, (Request, SetupRequest)) else None,
        capture=r.capture if isinstance(r, Request) else None,
        state=verdict.state, decline=verdict.decline,
        becomes=verdict.becomes, becomes_decline=verdict.becomes_decline, becomes_at=verdict.becomes_at,
        fee=terms.fees.of(amount) if takes_money and verdict.state != "declined" else 0,
        authentication=verdict.authentication,
        return_url=r.return_url if isinstance(r, (Request, SetupRequest)) else None,
        at=r.at,
    )


FLOWS: dict[type, str] = {
    Request: "authorize", SetupRequest: "setup", PayoutRequest: "payout",
    CaptureRequest: "capture", VoidRequest: "void", RefundRequest: "refund",
}
