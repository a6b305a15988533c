"""Paying through the official SDK: cards that work and cards that do not, holds, the bank's question, refunds, disputes."""

from __future__ import annotations

import httpx
import pytest
import stripe

from tests.api.waiting import until
from tests.api.world import DAY, MONDAY

DECLINES = [
    # card, error code, decline code, words of the message
    ("pm_card_chargeDeclined", "card_declined", "generic_decline", "Your card was declined."),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "Your card has insufficient funds."),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", "Your card was declined."),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", "Your card was declined."),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "Your card has expired."),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error",
     "An error occurred while processing your card. Try again in a little bit."),
    ("pm_card_radarBlock", "card_declined", "fraudulent", "Your card was declined."),
]  # fmt: skip


def pay(client: stripe.StripeClient, method: str, **more) -> stripe.PaymentIntent:
    given = {"amount": 2000, "currency": "eur", "payment_method": method, "confirm": True, **more}
    return client.v1.payment_intents.create(given)


@pytest.mark.parametrize(("method", "code", "decline_code", "message"), DECLINES, ids=[d[0] for d in DECLINES])
def test_a_decline_is_a_card_error_with_all_that_a_shop_needs(client, method, code, decline_code, message):
    with pytest.raises(stripe.CardError) as declined:
        pay(client, method)
    error = declined.value
    assert (error.http_status, error.code, error.error.decline_code) == (402, code, decline_code)
    assert error.user_message == message
    intent = error.error.payment_intent
    assert intent["status"] == "requires_payment_method"
    assert intent["last_payment_error"]["code"] == code
    charge = client.v1.charges.retrieve(error.error.charge)
    assert (charge.status, charge.paid, charge.failure_code, charge.amount_captured) == ("failed", False, code, 0)
    kinds = [e.type for e in client.v1.events.list({"limit": 10})]
    assert {"charge.failed", "payment_intent.payment_failed"} <= set(kinds)
    assert client.v1.balance.retrieve().pending in ([], None) or client.v1.balance.retrieve().pending[0].amount == 0


def test_after_a_decline_another_card_pays_the_same_intent(client):
    with pytest.raises(stripe.CardError) as declined:
        pay(client, "pm_card_chargeDeclined")
    intent = declined.value.error.payment_intent["id"]
    paid = client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_mastercard"})
    assert (paid.status, paid.amount_received, paid.last_payment_error) == ("succeeded", 2000, None)
    charges = client.v1.charges.list({"payment_intent": intent}).data
    assert [c.status for c in charges] == ["succeeded", "failed"]


def test_step_by_step(client):
    v1 = client.v1
    intent = v1.payment_intents.create({"amount": 1234, "currency": "eur"})
    assert intent.status == "requires_payment_method"
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    intent = v1.payment_intents.update(intent.id, {"amount": 4321, "payment_method": "pm_card_visa"})
    assert (intent.status, intent.amount) == ("requires_confirmation", 4321)
    intent = v1.payment_intents.confirm(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 4321)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.confirm(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError):
        v1.payment_intents.cancel(intent.id)


def test_a_hold_is_captured_in_part_and_the_rest_released(client):
    v1 = client.v1
    held = pay(client, "pm_card_visa", capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2000, 0)
    charge = v1.charges.retrieve(held.latest_charge)
    assert (charge.status, charge.captured, charge.amount_captured, charge.balance_transaction) == ("succeeded", False, 0, None)
    taken = v1.payment_intents.capture(held.id, {"amount_to_capture": 1500})
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 1500)
    charge = v1.charges.retrieve(held.latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.captured, charge.amount_captured, charge.balance_transaction.net) == (True, 1500, 1500 - 48)
    kinds = [e.type for e in v1.events.list({"limit": 20})]
    assert {"payment_intent.amount_capturable_updated", "charge.captured", "payment_intent.succeeded"} <= set(kinds)


def test_a_hold_is_let_go(client):
    held = pay(client, "pm_card_visa", capture_method="manual")
    gone = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"})
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "requested_by_customer", 0)
    charge = client.v1.charges.retrieve(held.latest_charge)
    assert (charge.refunded, charge.captured) == (True, False)


# ---- the bank asks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
def test_the_bank_asks_its_customer(api_server, client, answer, status):
    """The customer is sent to the bank's page, answers there, and comes back to the shop."""
    asked = pay(client, "pm_card_threeDSecure2Required", return_url="https://shop.example.com/done")
    assert asked.status == "requires_action"
    assert asked.next_action.type == "redirect_to_url"
    assert asked.next_action.redirect_to_url.return_url == "https://shop.example.com/done"
    url = asked.next_action.redirect_to_url.url
    assert "payment_intent.requires_action" in [e.type for e in client.v1.events.list()]
    with httpx.Client(timeout=30) as browser:
        assert browser.get(url).status_code == 200
        sent = browser.post(url, data={"answer": answer}, headers={"Origin": api_server, "Sec-Fetch-Site": "same-origin"})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("https://shop.example.com/done?")
    assert f"payment_intent={asked.id}" in sent.headers["location"]
    after = client.v1.payment_intents.retrieve(asked.id)
    assert (after.status, after.next_action) == (status, None)
    if status == "succeeded":
        charge = client.v1.charges.retrieve(after.latest_charge)
        assert charge.payment_method_details.card.three_d_secure.result == "authenticated"
    else:
        assert after.last_payment_error.code == "payment_intent_authentication_failure"


def test_without_the_customer_a_question_of_the_bank_is_a_decline(client):
    anna = client.v1.customers.create({"name": "Anna"})
    card = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": anna.id})
    with pytest.raises(stripe.CardError) as declined:
        pay(client, card.id, customer=anna.id, off_session=True)
    assert (declined.value.code, declined.value.error.decline_code) == ("authentication_required", "authentication_required")
    assert declined.value.error.payment_intent["status"] == "requires_payment_method"


def test_a_card_is_set_up_for_later(client):
    v1 = client.v1
    anna = v1.customers.create({"name": "Anna"})
    setup = v1.setup_intents.create({"customer": anna.id, "payment_method": "pm_card_visa", "confirm": True,
                                     "return_url": "https://shop.example.com"})  # fmt: skip
    assert (setup.status, setup.usage) == ("succeeded", "off_session")
    method = v1.payment_methods.retrieve(setup.payment_method)
    assert method.customer == anna.id
    assert pay(client, method.id, customer=anna.id, off_session=True).status == "succeeded"


# ---- money back --------------------------------------------------------------------------------------------------------


def test_refunds_up_to_the_charge_and_not_a_cent_more(client):
    v1 = client.v1
    charge = pay(client, "pm_card_visa").latest_charge
    first = v1.refunds.create({"charge": charge, "amount": 700, "metadata": {"why": "late"}})
    assert (first.status, first.amount, first.charge) == ("succeeded", 700, charge)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"charge": charge, "amount": 1301})
    assert refused.value.user_message == "Refund amount (€13.01) is greater than unrefunded amount on charge (€13.00)"
    rest = v1.refunds.create({"charge": charge})
    assert rest.amount == 1300
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"charge": charge, "amount": 1})
    assert refused.value.code == "charge_already_refunded"
    after = v1.charges.retrieve(charge, {"expand": ["refunds"]})
    assert (after.refunded, after.amount_refunded) == (True, 2000)
    assert [r.amount for r in after.refunds.data] == [1300, 700]
    entries = v1.balance_transactions.list({"type": "refund"}).data
    assert sorted((e.amount, e.fee, e.net) for e in entries) == [(-1300, 0, -1300), (-700, 0, -700)]


def test_a_dispute_takes_the_money_and_a_win_brings_it_back(client):
    v1 = client.v1
    clock = v1.test_helpers.test_clocks.create({"frozen_time": MONDAY}).id

    def advance(to: int) -> None:
        v1.test_helpers.test_clocks.advance(clock, {"frozen_time": to})
        until(lambda: v1.test_helpers.test_clocks.retrieve(clock), lambda c: c.status == "ready")

    anna = v1.customers.create({"test_clock": clock})
    card = v1.payment_methods.attach("pm_card_createDispute", {"customer": anna.id})
    charge = pay(client, card.id, customer=anna.id).latest_charge
    advance(MONDAY + DAY)
    dispute = v1.disputes.list({"charge": charge}).data[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2000)
    assert v1.charges.retrieve(charge).disputed is True
    taken = dispute.balance_transactions[0]
    assert (taken.amount, taken.fee, taken.net, taken.reporting_category) == (-2000, 1500, -3500, "dispute")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"charge": charge})
    assert refused.value.code == "charge_disputed"
    v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    advance(MONDAY + 2 * DAY)
    won = v1.disputes.retrieve(dispute.id)
    assert won.status == "won"
    assert sum(t.amount for t in won.balance_transactions) == 0
    kinds = [e.type.removeprefix("charge.dispute.") for e in v1.events.list({"limit": 100})]
    assert {"created", "funds_withdrawn", "funds_reinstated", "closed"} <= set(kinds)


def test_a_payout_by_hand(client):
    v1 = client.v1
    pay(client, "pm_card_bypassPending", amount=10_000)
    available = v1.balance.retrieve().available[0]
    assert (available.amount, available.currency) == (10_000 - 175, "eur")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payouts.create({"amount": 9_826, "currency": "eur"})
    assert refused.value.code == "balance_insufficient"
    payout = v1.payouts.create({"amount": 9_000, "currency": "eur", "metadata": {"for": "rent"}})
    assert payout.status in ("in_transit", "pending", "paid")
    assert (payout.automatic, payout.amount) == (False, 9_000)
    assert v1.balance.retrieve().available[0].amount == 825
