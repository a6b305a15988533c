"""What an attempt asks of its processor. The same attempt always makes the same request, however often it is sent."""

from __future__ import annotations

from voldaan.processors.protocol import (
    CaptureRequest,
    Flow,
    PaymentMethodRef,
    PayoutRequest,
    RefundRequest,
    Request,
    SetupRequest,
    StoredCredential,
    SyncRequest,
    VoidRequest,
)
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt

AnyRequest = Request | CaptureRequest | VoidRequest | RefundRequest | SetupRequest | PayoutRequest


def request_of(a: Attempt, account: Account) -> AnyRequest:
    """The request of an attempt, built from its row alone."""
    said = a.request
    match a.flow:
        case "authorize":
            return Request(
                a.id, a.idempotency_key, a.amount, a.currency, _method(a), account.id, account.livemode, a.at,
                initiator=a.initiator,
                off_session=a.off_session,
                capture=said.get("capture", "automatic"),
                stored_credential=_stored(a),
                mandate=said.get("mandate"),
                request_three_d_secure=said.get("three_d_secure", "automatic"),
                return_url=said.get("return_url"),
                statement_descriptor=said.get("descriptor"),
                description=said.get("description"),
            )  # fmt: skip
        case "capture":
            return CaptureRequest(
                a.id, a.idempotency_key, said["processor_id"], a.amount, a.currency, account.id, account.livemode, a.at
            )
        case "void":
            return VoidRequest(a.id, a.idempotency_key, said["processor_id"], account.id, account.livemode, a.at)
        case "refund":
            return RefundRequest(
                a.id, a.idempotency_key, said["processor_id"], a.amount, a.currency, account.id, account.livemode, a.at,
                reason=said.get("reason"),
            )  # fmt: skip
        case "setup":
            return SetupRequest(
                a.id, a.idempotency_key, _method(a), account.id, account.livemode, a.at,
                off_session=a.off_session, usage=said.get("usage", "off_session"), mandate=said.get("mandate"),
                return_url=said.get("return_url"),
            )  # fmt: skip
        case "payout":
            return PayoutRequest(
                a.id, a.idempotency_key, a.amount, a.currency, said.get("destination", ""), account.id, account.livemode,
                a.at, statement_descriptor=said.get("descriptor"),
            )  # fmt: skip
        case "dispute":
            raise ValueError("a dispute is answered by its own call")


def sync_of(a: Attempt, account: Account, at: int) -> SyncRequest:
    """Asks what became of an attempt, as of `at`."""
    return SyncRequest(a.id, Flow(a.flow), account.id, at, a.processor_id, account.livemode)


def _method(a: Attempt) -> PaymentMethodRef:
    said = a.request
    return PaymentMethodRef(
        said["type"], said["token"], said.get("brand"), said.get("last4"), said.get("country"), said.get("fingerprint")
    )


def _stored(a: Attempt) -> StoredCredential | None:
    if "network_transaction_id" not in a.request:
        return None
    return StoredCredential(a.request["network_transaction_id"], a.request.get("usage", "recurring"))
