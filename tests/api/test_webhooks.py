"""Webhooks: what happens is told to whoever asked, signed so that the official SDK believes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from tests.api.contract.checker import check
from tests.api.waiting import until


class Receiver:
    """A shop's server: takes what is posted, answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((body, self.headers["Stripe-Signature"]))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def events(self, secret: str) -> list[stripe.Event]:
        return [stripe.Webhook.construct_event(body, signature, secret) for body, signature in list(self.got)]

    def waiting_for(self, number: int) -> None:
        until(lambda: len(self.got), lambda n: n >= number)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def test_what_happens_is_told_and_believed(client: stripe.StripeClient, receiver: Receiver):
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    assert endpoint.secret.startswith("whsec_")
    anna = client.v1.customers.create({"name": "Anna"})
    client.v1.payment_intents.create(
        {"amount": 2000, "currency": "eur", "customer": anna.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    told = {e.id: e for e in client.v1.events.list({"limit": 100})}
    receiver.waiting_for(len(told))
    heard = {e.id: e for e in receiver.events(endpoint.secret)}
    assert heard.keys() == told.keys()
    assert {"customer.created", "charge.succeeded", "payment_intent.succeeded"} <= {e.type for e in heard.values()}
    for event in heard.values():
        assert event.data.object.id == told[event.id].data.object.id
        assert [str(p) for p in check(event.to_dict(), "stripe.Event")] == []
    until(lambda: client.v1.events.list({"limit": 1}).data[0], lambda e: e.pending_webhooks == 0)


def test_only_what_was_asked_for_is_told(client: stripe.StripeClient, receiver: Receiver):
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["product.created"]})
    client.v1.customers.create({"name": "Anna"})
    client.v1.products.create({"name": "Bread"})
    client.v1.customers.create({"name": "Bea"})
    receiver.waiting_for(1)
    client.v1.products.create({"name": "Cake"})
    receiver.waiting_for(2)
    assert [e.type for e in receiver.events(endpoint.secret)] == ["product.created"] * 2


def test_a_signature_covers_body_time_and_secret(client: stripe.StripeClient, receiver: Receiver):
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    client.v1.products.create({"name": "Bread"})
    receiver.waiting_for(1)
    body, signature = receiver.got[0]
    stripe.Webhook.construct_event(body, signature, endpoint.secret)
    for forged in (body + b" ", body.replace(b"Bread", b"Broad")):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(forged, signature, endpoint.secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "whsec_other")
    stamp = int(signature.split(",")[0].removeprefix("t="))
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature.replace(str(stamp), str(stamp + 1)), endpoint.secret)


def test_a_receiver_that_fails_is_told_again(client: stripe.StripeClient, receiver: Receiver):
    """Five seconds later, with the same event under a fresh signature."""
    receiver.answers = [500]
    endpoint = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["product.created"]})
    client.v1.products.create({"name": "Bread"})
    receiver.waiting_for(1)
    assert [e.type for e in client.v1.events.list({"delivery_success": False})] == ["product.created"]
    receiver.waiting_for(2)
    first, second = receiver.events(endpoint.secret)
    assert first.id == second.id
    until(lambda: client.v1.events.list({"delivery_success": False}).data, lambda pending: not pending)
    assert first.id in [e.id for e in client.v1.events.list({"delivery_success": True})]
    assert receiver.got[0][0] == receiver.got[1][0] or first.data == second.data


def test_a_disabled_or_deleted_endpoint_hears_nothing(client: stripe.StripeClient, receiver: Receiver):
    v1 = client.v1
    silent = v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    v1.webhook_endpoints.update(silent.id, {"disabled": True})
    v1.products.create({"name": "Bread"})
    v1.webhook_endpoints.delete(silent.id)
    awake = v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    v1.products.create({"name": "Cake"})
    receiver.waiting_for(1)
    assert [e.data.object.name for e in receiver.events(awake.secret)] == ["Cake"]
    assert not hasattr(v1.webhook_endpoints.retrieve(awake.id), "secret"), "the secret is shown once"


def test_types_that_do_not_exist_cannot_be_asked_for(client: stripe.StripeClient, receiver: Receiver):
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.exploded"]})
