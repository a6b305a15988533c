"""Webhooks of the sandbox network: news, signed. Signed as Stripe signs, `t=<epoch>,v1=<hex HMAC-SHA256 of "t.body">`."""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from voldaan.processors.protocol import BadSignature, ProcessorEvent

HEADER = "sandbox-signature"
TOLERANCE = 300                                         # seconds, before and after


def write(events: Sequence[ProcessorEvent], secret: str, at: int) -> tuple[dict[str, str], bytes]:
    """Headers and body that tell these events."""
    body = msgspec.json.encode(events)
    return {HEADER: f"t={at},v1={_sign(secret, at, body)}"}, body


def parse(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at: int) -> list[ProcessorEvent]:
    """The events of a webhook signed with one of `secrets` (two while one replaces the other). Raises BadSignature."""
    signature = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    parts = [part.partition("=")[::2] for part in signature.split(",")]
    signed_at = next((value for name, value in parts if name == "t"), "")
    if not signed_at.isdecimal() or abs(at - int(signed_at)) > TOLERANCE:
        raise BadSignature("no signature, or too old")
    given = [value for name, value in parts if name == "v1"]
    if not any(hmac.compare_digest(_sign(s, int(signed_at), body), value) for s in secrets for value in given):
        raise BadSignature("no signature matches")
    try:
        return msgspec.json.decode(body, type=list[ProcessorEvent])
    except msgspec.MsgspecError as error:
        raise BadSignature(f"signed, but unreadable: {error}") from error


def _sign(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
