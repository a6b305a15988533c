"""How an operation stands at a given time, read from its row, what was done to it, and what was said about it."""

from dataclasses import dataclass
from hashlib import sha256

from voldaan.processors.declines import decline
from voldaan.processors.protocol import (
    Declined,
    Outcome,
    Processing,
    ProcessorEvent,
    RequiresAction,
    Risk,
    Succeeded,
    ThreeDSecure,
)
from voldaan.processors.sandbox import disputes, tokens
from voldaan.processors.sandbox.books import DAY, Family, Operation, Terms
from voldaan.processors.sandbox.effects import Effect

NO_EFFECT = Effect()


@dataclass(frozen=True, slots=True)
class Standing:
    state: str                                          # as in the row, at the time asked for
    amount: int                                         # captured, or held, or asked for
    decline: str | None
    moved_at: int                                       # when the money moved; when it was asked for, if it did not
    authenticated: bool                                 # the customer proved who they are


def state_at(operation: Operation, at: int) -> tuple[str, str | None]:
    """State and decline code, with what the operation has become by itself."""
    if operation.becomes and operation.becomes_at is not None and at >= operation.becomes_at:
        return operation.becomes, operation.becomes_decline
    return operation.state, operation.decline


def standing(family: Family, at: int, terms: Terms) -> Standing:
    """A payment or a setup, with its authentication, captures and voids."""
    payment = family.payment
    state, code = state_at(payment, at)
    moved_at = payment.becomes_at if payment.becomes_at is not None and at >= payment.becomes_at else payment.at
    authenticated = payment.authentication == "frictionless"
    amount = payment.amount
    done = {child.flow: child for child in reversed(family.children) if child.state != "declined"}

    if "void" in done:
        return Standing("canceled", amount, None, moved_at, False)
    if state == "requires_action":
        state, code, moved_at = _after_challenge(family, at)
        authenticated = state in ("succeeded", "authorized")
    if state == "authorized" and (captured := done.get("capture")):
        state, amount, moved_at = "succeeded", captured.amount, captured.at
    if state == "authorized" and at >= payment.at + terms.hold:
        state = "canceled"
    return Standing(state, amount, code, moved_at, authenticated)


def _after_challenge(family: Family, at: int) -> tuple[str, str | None, int]:
    payment = family.payment
    answered = next((a for a in family.answers if a.kind == "authentication" and a.at <= at), None)
    if answered is None:
        return "requires_action", None, payment.at
    if answered.answer != "succeeded":
        return "declined", _refused(payment), answered.at
    code = _effect(payment).after_authentication if payment.flow == "authorize" else None
    if code:
        return "declined", code, answered.at
    return "authorized" if payment.capture == "manual" else "succeeded", None, answered.at


def _refused(payment: Operation) -> str:
    if _effect(payment).authentication == "redirect":
        return "declined_by_customer"
    return f"{'setup' if payment.flow == 'setup' else 'payment'}_intent_authentication_failure"


def charged_back(family: Family, at: int, terms: Terms) -> bool:
    """Whether a dispute holds the money, or has taken it for good."""
    held = 0
    for event in news(family, at, terms):
        held += event.funds_withdrawn
        held -= event.funds_reinstated
    return held > 0


# ---- outcomes --------------------------------------------------------------------------------------------------------

def outcome(operation: Operation, family: Family | None, at: int, terms: Terms) -> Outcome:
    """What the caller is told about an operation; `family` is that of a payment or setup, and not needed for others."""
    if operation.flow in ("authorize", "setup"):
        return _of_payment(family or Family(operation, [], []), at, terms)
    state, code = state_at(operation, at)
    pid = operation.processor_id
    if state == "declined":
        return Declined(decline(code or "generic_decline"), pid)
    if state == "processing":
        return Processing(pid, operation.amount, operation.currency, operation.becomes_at or at, operation.becomes_at)
    return Succeeded(
        pid, operation.amount, operation.currency, fee=operation.fee, fee_currency=operation.currency,
        settles_at=terms.settles_at(operation.at) if operation.flow == "capture" else at,
        follow_up_at=operation.becomes_at if operation.becomes_at and at < operation.becomes_at else None,
    )


def _of_payment(family: Family, at: int, terms: Terms) -> Outcome:
    payment = family.payment
    pid = payment.processor_id
    now = standing(family, at, terms)
    effect = _effect(payment)
    if now.state == "requires_action":
        return RequiresAction(
            pid, "redirect_to_url" if payment.return_url or effect.authentication == "redirect" else "use_stripe_sdk",
            url=f"/sandbox/3ds/{pid}", data={"return_url": payment.return_url, "type": "three_d_secure_redirect"},
        )
    if now.state == "processing":
        return Processing(
            pid, payment.amount, payment.currency, expected_at=payment.becomes_at or at + DAY,
            follow_up_at=payment.becomes_at, mandate=_mandate(payment))
    if now.state == "canceled":
        return Declined(decline("payment_canceled"), pid)
    chance = _chance(pid)
    risk = _risk(effect, chance) if _is_card(payment) else Risk("not_assessed")
    secure = _three_d_secure(payment, now)
    checks = _checks(payment)
    if now.state == "declined":
        return Declined(decline(now.decline or "generic_decline"), pid, _network_id(chance), risk, secure, checks)
    held = now.state == "authorized"
    return Succeeded(
        pid, now.amount, payment.currency,
        settles_at=now.moved_at if effect.available_at_once else terms.settles_at(now.moved_at),
        fee=payment.fee, fee_currency=payment.currency,
        captured=not held, capture_before=payment.at + terms.hold if held else None,
        network_transaction_id=_network_id(chance) if _is_card(payment) else None,
        authorization_code=f"{chance % 10**6:06d}" if _is_card(payment) else None,
        risk=risk, three_d_secure=secure, checks=checks, mandate=_mandate(payment),
        follow_up_at=_next(history(family, now, terms), at),
    )


def _effect(payment: Operation) -> Effect:
    known = tokens.instrument(payment.instrument or "")
    return known.effect if known else NO_EFFECT


def _is_card(payment: Operation) -> bool:
    known = tokens.instrument(payment.instrument or "")
    return known is not None and known.type == "card"


def _checks(payment: Operation) -> dict[str, str]:
    known = tokens.instrument(payment.instrument or "")
    return tokens.checks(payment.instrument or "", known) if known and known.type == "card" else {}


def _mandate(payment: Operation) -> str | None:
    """A debit's mandate is known by the account it is for."""
    known = tokens.instrument(payment.instrument or "")
    return f"sbmdt_{(payment.instrument or '').split('.')[3]}" if known and known.type.endswith("_debit") else None


def _chance(processor_id: str) -> int:
    return int.from_bytes(sha256(processor_id.encode()).digest()[:8])


def _network_id(chance: int) -> str:
    return f"{chance % 10**15:015d}"


def _risk(effect: Effect, chance: int) -> Risk:
    least, spread = {"normal": (1, 50), "elevated": (65, 10), "highest": (80, 20)}[effect.risk]
    return Risk(effect.risk, least + chance % spread)


def _three_d_secure(payment: Operation, now: Standing) -> ThreeDSecure | None:
    if not _is_card(payment):
        return None
    match payment.authentication:
        case "challenge":
            passed = now.authenticated or now.decline == _effect(payment).after_authentication is not None
            return ThreeDSecure("authenticated" if passed else "failed", authentication_flow="challenge",
                                result_reason=None if passed else "rejected")
        case "frictionless":
            return ThreeDSecure("authenticated", authentication_flow="frictionless")
        case "attempt_acknowledged":
            return ThreeDSecure("attempt_acknowledged")
        case "not_supported":
            return ThreeDSecure("not_supported", version=None)
        case "processing_error":
            return ThreeDSecure("processing_error", version=None)
        case _:
            return None


# ---- what happens by itself ------------------------------------------------------------------------------------------

def history(family: Family, now: Standing, terms: Terms) -> list[ProcessorEvent]:
    """All that has happened to an operation by itself, and all that will if nobody says anything more; oldest first."""
    operation = family.payment
    events = []
    if operation.becomes and operation.becomes_at is not None:
        noun = {"authorize": "payment", "refund": "refund", "payout": "payout"}[operation.flow]
        events.append(_became(operation, noun))
    if operation.flow == "authorize" and now.state == "succeeded":
        kinds = _effect(operation).disputes
        events += disputes.events(family, kinds, now.moved_at, now.amount, now.authenticated, terms)
    return sorted(events, key=lambda event: event.at)


def news(family: Family, at: int, terms: Terms) -> list[ProcessorEvent]:
    """What has happened until `at`; the last event says when to ask again."""
    now = standing(family, at, terms)
    events = history(family, now, terms)
    return [disputes.with_follow_up(event, _next(events, event.at)) for event in events if event.at <= at]


def _became(operation: Operation, noun: str) -> ProcessorEvent:
    succeeded = operation.becomes == "succeeded"
    word = {True: "paid" if noun == "payout" else "succeeded", False: "failed"}[succeeded]
    return ProcessorEvent(
        f"{operation.processor_id}:{word}", f"{noun}.{word}",  # type: ignore[arg-type]
        operation.processor_id, operation.becomes_at or operation.at, operation.amount, operation.currency,
        reference=operation.reference, status=word,
        decline=None if succeeded else decline(operation.becomes_decline or "generic_decline"),
    )


def _next(events: list[ProcessorEvent], at: int) -> int | None:
    return next((event.at for event in events if event.at > at), None)
