"""Signatures that the SDK accepts, and forgeries that nobody does."""

import base64
import json
import time

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from voldaan.events.signing import new_secret, sign, standard_headers, verify

NOW = 1_700_000_000
BODY = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.paid", "data": {"object": {"n": "é"}}}).encode()


def test_the_sdk_accepts_what_we_sign():
    secret, now = new_secret(), int(time.time())
    event = stripe.Webhook.construct_event(BODY, sign(BODY, [secret], now), secret)
    assert (event.id, event.type) == ("evt_1", "invoice.paid")


def test_the_sdk_accepts_either_secret_while_one_is_rolled():
    old, new, other = new_secret(), new_secret(), new_secret()
    header = sign(BODY, [old, new], int(time.time()))
    assert header.count(",v1=") == 2
    for secret in (old, new):
        assert stripe.Webhook.construct_event(BODY, header, secret).id == "evt_1"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(BODY, header, other)


def test_the_sdk_refuses_what_is_old_or_changed():
    secret, now = new_secret(), int(time.time())
    for body, header in [
        (BODY, sign(BODY, [secret], now - 301)),
        (BODY + b" ", sign(BODY, [secret], now)),
        (BODY, sign(BODY, [secret], now).replace(f"t={now}", f"t={now + 1}")),
    ]:
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, header, secret)


def test_the_header_is_known():
    """Computed apart from this code: openssl dgst -sha256 -hmac whsec_test over "1700000000.{}"."""
    assert sign(b"{}", ["whsec_test"], NOW) == (
        "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
    )


def test_nothing_is_sent_unsigned():
    with pytest.raises(ValueError):
        sign(BODY, [], NOW)


def test_a_new_secret_looks_as_the_clients_expect():
    secret = new_secret()
    assert secret.startswith("whsec_")
    assert len(secret) == 38
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 24
    assert new_secret() != secret


SECRET = "whsec_abcdefghijklmnopqrstuvwxyz012345"
HEADER = sign(BODY, [SECRET], NOW)
DIGEST = HEADER.partition("v1=")[2]


@pytest.mark.parametrize(
    ("header", "now", "accepted"),
    [
        (HEADER, NOW, True),
        (HEADER, NOW + 300, True),
        (HEADER, NOW + 301, False),
        (HEADER, NOW - 300, True),
        (HEADER, NOW - 301, False),  # signed in the future: a replay with a moved clock
        (f"v1={DIGEST},t={NOW}", NOW, True),
        (f"t={NOW},v0={DIGEST}", NOW, False),
        (f"t={NOW},v1={'0' * 64},v1={DIGEST}", NOW, True),
        (f"t={NOW},v1={DIGEST.upper()}", NOW, False),
        (f"t={NOW}", NOW, False),
        (f"v1={DIGEST}", NOW, False),
        (f"t={NOW},t={NOW + 1},v1={DIGEST}", NOW, False),
        (f"t=,v1={DIGEST}", NOW, False),
        (f"t=x,v1={DIGEST}", NOW, False),
        (f"t=-5,v1={DIGEST}", NOW, False),
        (f"t={'9' * 5000},v1={DIGEST}", NOW, False),
        (f"t={NOW},v1=é", NOW, False),
        ("", NOW, False),
    ],
)
def test_what_a_receiver_accepts(header, now, accepted):
    assert verify(BODY, header, [SECRET], now) is accepted
    assert verify(BODY, header, [new_secret(), SECRET], now) is accepted
    assert verify(BODY, header, [new_secret()], now) is False


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_is_enough(at, change):
    forged = bytearray(BODY)
    forged[at] ^= change
    assert not verify(bytes(forged), HEADER, [SECRET], NOW)


def test_standard_webhooks():
    """The example of the Standard Webhooks specification, key and all."""
    headers = standard_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        1_614_265_330,
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
