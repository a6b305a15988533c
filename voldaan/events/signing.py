"""The signature of a webhook: what we send is checked by the SDKs' `construct_event`, what we receive by `verify`.

    Stripe-Signature: t=1700000000,v1=<hex hmac-sha256(secret, "1700000000." + body)>

While a secret is rolled the header carries one `v1` for each secret. The whole text of the secret is the key, `whsec_`
included. A new secret is also one of Standard Webhooks, whose headers `standard_headers` gives.
"""

from __future__ import annotations

import hmac
import secrets
import string
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"

_ALPHABET = string.ascii_letters + string.digits


def new_secret() -> str:
    """`whsec_` and 32 characters: 190 bits of chance, and valid base64 of 24 bytes."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(32))


def sign(body: bytes, keys: Sequence[str], now: int) -> str:
    """The value of `Stripe-Signature` for this body, signed with each of the secrets. `now` in epoch seconds."""
    if not keys:
        raise ValueError("a webhook is never sent unsigned")
    return f"t={now}" + "".join(f",v1={_hexdigest(body, key, now)}" for key in keys)


def standard_headers(event: str, body: bytes, keys: Sequence[str], now: int) -> dict[str, str]:
    """The headers of Standard Webhooks for the same body; `event` is the event's id."""
    content = f"{event}.{now}.".encode() + body
    digests = (hmac.digest(b64decode(key.removeprefix(PREFIX)), content, "sha256") for key in keys)
    return {
        "webhook-id": event,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests),
    }


def verify(body: bytes, header: str, keys: Sequence[str], now: int, tolerance: int = TOLERANCE_SECONDS) -> bool:
    """Whether one of the secrets signed exactly this body not longer ago than `tolerance`, and not in the future."""
    fields = [field.partition("=") for field in header.split(",")]
    moments = [value for name, _, value in fields if name == "t"]
    signatures = [value for name, _, value in fields if name == "v1"]
    if len(moments) != 1 or not (moments[0].isascii() and moments[0].isdigit() and len(moments[0]) <= 12):
        return False
    signed_at = int(moments[0])
    if abs(now - signed_at) > tolerance:
        return False
    expected = [_hexdigest(body, key, signed_at).encode() for key in keys]
    matches = [hmac.compare_digest(wanted, given.encode()) for wanted in expected for given in signatures]
    return any(matches)


def _hexdigest(body: bytes, key: str, at: int) -> str:
    return hmac.new(key.encode(), f"{at}.".encode() + body, sha256).hexdigest()
