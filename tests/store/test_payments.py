"""The verbs of payments against the sandbox network, one story each, with the books checked at the end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.payments_world import DAY, World
from voldaan.commands import (
    attempts,
    balance,
    charges,
    customers,
    disputes,
    payment_intents,
    payment_methods,
    payouts,
    prices,
    refunds,
    setup_intents,
    subscriptions,
)
from voldaan.commands.attempts import card_error_of
from voldaan.commands.settling import settle
from voldaan.processors.declines import decline
from voldaan.processors.protocol import Declined
from voldaan.resources.attempts import Attempt
from voldaan.resources.balance import BalanceRetrieve
from voldaan.resources.balance_transactions import BalanceTransaction
from voldaan.resources.charges import Charge, ChargeCapture, ChargeCreate, ChargeUpdate
from voldaan.resources.customers import Customer, CustomerCreate, CustomerUpdate
from voldaan.resources.disputes import Dispute, DisputeClose, DisputeUpdate
from voldaan.resources.invoices import Invoice
from voldaan.resources.mandates import Mandate
from voldaan.resources.payment_intents import (
    PaymentIntent,
    PaymentIntentCancel,
    PaymentIntentCapture,
    PaymentIntentConfirm,
    PaymentIntentCreate,
    PaymentIntentUpdate,
)
from voldaan.resources.payment_methods import (
    PaymentMethod,
    PaymentMethodAttach,
    PaymentMethodCreate,
    PaymentMethodDetach,
    PaymentMethodUpdate,
)
from voldaan.resources.payouts import Payout, PayoutCreate
from voldaan.resources.prices import PriceCreate
from voldaan.resources.refunds import Refund, RefundCreate
from voldaan.resources.setup_intents import SetupIntentCancel, SetupIntentConfirm, SetupIntentCreate
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate
from voldaan.rules.decision import Refused
from voldaan.store.transaction import transaction

pytestmark = pytest.mark.anyio
ACCEPTED = {"customer_acceptance": {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "test"}}}


@pytest.fixture
async def anna(world: World) -> Customer:
    found: Customer = await world.do(customers.create, CustomerCreate(name="Anna", email="anna@example.com"))
    return found


async def refusal(world: World, *call: Any) -> Any:
    with pytest.raises(Refused) as refused:
        await world.do(*call)
    return refused.value.refusal


async def error_of(world: World, resource: Any) -> Any:
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        return await card_error_of(tx, resource)


# ── payment intents ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_decline_opens_the_intent_again(world: World) -> None:
    intent = await world.pay("pm_card_chargeDeclinedInsufficientFunds")
    error = await error_of(world, intent)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert (error.code, error.decline_code, error.type) == ("card_declined", "insufficient_funds", "card_error")
    assert error.extra["payment_intent"]["id"] == intent.id
    assert error.extra["charge"] == intent.latest_charge
    charge = await world.see(Charge, intent.latest_charge)
    assert (charge.status, charge.failure_code, charge.outcome.reason) == ("failed", "card_declined", "insufficient_funds")
    assert (await world.events())[1:] == ["charge.failed", "payment_intent.payment_failed"]

    paid = await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_visa"), intent.id)
    assert (paid.status, paid.last_payment_error, await error_of(world, paid)) == ("succeeded", None, None)


@pytest.mark.parametrize(("more", "code", "param"), [
    ({"amount": 49}, "amount_too_small", "amount"),
    ({"amount": 0}, "parameter_invalid_integer", "amount"),
    ({"amount": 100_000_000}, "amount_too_large", "amount"),
    ({"payment_method_types": ["card"]}, "payment_method_types_no_longer_supported", "payment_method_types"),
    ({"off_session": True}, "", "off_session"),
    ({"payment_method": "pm_sepaDebit_success_nl", "currency": "usd"}, "payment_intent_incompatible_payment_method",
     "payment_method"),
    ({"confirm": True}, "payment_intent_unexpected_state", None),
])  # fmt: skip
async def test_what_an_intent_refuses(world: World, more: dict[str, Any], code: str, param: str | None) -> None:
    params = PaymentIntentCreate(**{"amount": 2000, "currency": "eur", **more})
    said = await refusal(world, payment_intents.create, params)
    assert (said.code, said.param) == (code, param)


async def test_changed_before_it_is_confirmed_and_not_after(world: World) -> None:
    made = await world.do(payment_intents.create, PaymentIntentCreate(amount=2000, currency="eur", metadata={"a": "1"}))
    assert (made.status, made.payment_method_types[0]) == ("requires_payment_method", "card")
    assert made.payment_method_options.card.request_three_d_secure == "automatic"
    update = PaymentIntentUpdate(amount=3000, metadata={"b": "2"}, payment_method="pm_card_visa", description="Bread")
    changed = await world.do(payment_intents.update, update, made.id)
    assert (changed.amount, changed.metadata, changed.status) == (3000, {"a": "1", "b": "2"}, "requires_confirmation")
    paid = await world.do(payment_intents.confirm, PaymentIntentConfirm(), made.id)
    assert (paid.status, paid.amount_received) == ("succeeded", 3000)
    assert (await world.see(Charge, paid.latest_charge)).description == "Bread"
    said = await refusal(world, payment_intents.update, PaymentIntentUpdate(amount=1), made.id)
    assert said.code == "payment_intent_unexpected_state"
    said = await refusal(world, payment_intents.confirm, PaymentIntentConfirm(), made.id)
    assert said.code == "payment_intent_unexpected_state"
    described = await world.do(payment_intents.update, PaymentIntentUpdate(description="Rye bread"), made.id)
    assert described.description == "Rye bread"


async def test_three_d_secure_with_the_customer_there(world: World) -> None:
    intent = await world.pay("pm_card_threeDSecure2Required", return_url="https://example.com/back")
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    assert intent.next_action.redirect_to_url.return_url == "https://example.com/back"
    attempt = await world.attempt(intent)
    assert attempt.state == "requires_action"
    await world.network.authenticate(attempt.processor_id or "", succeed=True)
    await attempts.resolve(world.engine, world.account, [attempt.id])
    paid = await world.see(PaymentIntent, intent.id)
    assert (paid.status, paid.next_action) == ("succeeded", None)
    details = (await world.see(Charge, paid.latest_charge)).payment_method_details.card
    assert (details.three_d_secure.result, details.electronic_commerce_indicator) == ("authenticated", "05")


async def test_a_failed_authentication_opens_the_intent_again(world: World) -> None:
    intent = await world.pay("pm_card_threeDSecure2Required")
    assert intent.next_action.type == "use_stripe_sdk"
    await world.network.authenticate((await world.attempt(intent)).processor_id or "", succeed=False)
    failed = await world.do(payment_intents.confirm, PaymentIntentConfirm(), intent.id)
    assert (failed.status, failed.last_payment_error.code) == ("requires_payment_method", "payment_intent_authentication_failure")
    assert failed.latest_charge is None


async def test_another_card_while_the_customer_is_asked(world: World) -> None:
    """The first try is withdrawn at the network before the second one starts: never two that could both succeed."""
    intent = await world.pay("pm_card_threeDSecure2Required")
    first = await world.attempt(intent)
    paid = await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_visa"), intent.id)
    assert paid.status == "succeeded"
    assert (await world.see(Attempt, first.id)).state == "voided"
    assert len(await world.charged()) == 1


async def test_the_customer_was_faster_than_the_other_card(world: World) -> None:
    """The void comes too late: what the customer approved is the payment, and the other card is not tried."""
    intent = await world.pay("pm_card_threeDSecure2Required")
    first = await world.attempt(intent)
    await world.network.authenticate(first.processor_id or "", succeed=True)
    paid = await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_mastercard"), intent.id)
    assert paid.status == "succeeded"
    assert (await world.see(Charge, paid.latest_charge)).attempt == first.id
    assert len(await world.charged()) == 1


async def test_off_session_the_bank_asks_in_vain(world: World, anna: Customer) -> None:
    method = await world.do(payment_methods.attach, PaymentMethodAttach(customer=anna.id), "pm_card_authenticationRequired")
    intent = await world.pay(method.id, customer=anna.id, off_session=True)
    error = await error_of(world, intent)
    assert (intent.status, error.code, error.decline_code) == (
        "requires_payment_method", "authentication_required", "authentication_required",
    )  # fmt: skip


async def test_held_captured_in_part(world: World) -> None:
    intent = await world.pay("pm_card_visa", capture_method="manual")
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 2000, 0)
    said = await refusal(world, payment_intents.capture, PaymentIntentCapture(amount_to_capture=2001), intent.id)
    assert said.code == "amount_too_large"
    taken = await world.do(payment_intents.capture, PaymentIntentCapture(amount_to_capture=1500), intent.id)
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 1500)
    charge = await world.see(Charge, taken.latest_charge)
    assert (charge.captured, charge.amount, charge.amount_captured) == (True, 2000, 1500)
    assert await world.rows(BalanceTransaction, "t.amount = 1500")
    said = await refusal(world, payment_intents.capture, PaymentIntentCapture(), intent.id)
    assert said.code == "payment_intent_unexpected_state"
    await world.pass_time(8 * DAY)
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"


async def test_held_and_given_up(world: World) -> None:
    intent = await world.pay("pm_card_visa", capture_method="manual")
    gone = await world.do(payment_intents.cancel, PaymentIntentCancel(cancellation_reason="abandoned"), intent.id)
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "abandoned", 0)
    assert (await world.see(Charge, gone.latest_charge)).refunded
    assert {r.status for r in await world.network.records(world.account.id) if r.flow == "authorize"} == {"canceled"}
    said = await refusal(world, payment_intents.cancel, PaymentIntentCancel(), intent.id)
    assert said.code == "payment_intent_unexpected_state"


async def test_held_and_forgotten(world: World) -> None:
    intent = await world.pay("pm_card_visa", capture_method="manual")
    await world.pass_time(7 * DAY + 1)
    gone = await world.see(PaymentIntent, intent.id)
    assert (gone.status, gone.cancellation_reason) == ("canceled", "automatic")
    assert (await world.events())[-2:] == ["charge.expired", "payment_intent.canceled"]


async def test_a_hold_that_lapsed_before_the_capture(world: World) -> None:
    intent = await world.pay("pm_card_visa", capture_method="manual")
    world.now += 8 * DAY                               # the worker was off
    gone = await world.do(payment_intents.capture, PaymentIntentCapture(), intent.id)
    assert (gone.status, gone.amount_received) == ("canceled", 0)


async def test_canceled_before_it_was_tried(world: World) -> None:
    made = await world.do(payment_intents.create, PaymentIntentCreate(amount=2000, currency="eur"))
    gone = await world.do(payment_intents.cancel, PaymentIntentCancel(), made.id)
    assert (gone.status, gone.canceled_at) == ("canceled", world.now)
    assert await world.rows(Attempt) == []


async def test_saved_for_later(world: World, anna: Customer) -> None:
    intent = await world.pay("pm_card_visa", customer=anna.id, setup_future_usage="off_session")
    method = await world.see(PaymentMethod, intent.payment_method)
    assert (method.customer, method.network_transaction_id is not None) == (anna.id, True)
    again = await world.pay(method.id, customer=anna.id, off_session=True)
    assert again.status == "succeeded"
    assert (await world.attempt(again)).request["network_transaction_id"] == method.network_transaction_id
    assert "payment_method.attached" in await world.events()


async def test_a_method_without_a_customer_pays_once(world: World) -> None:
    intent = await world.pay("pm_card_visa")
    made = PaymentIntentCreate(amount=2000, currency="eur", payment_method=intent.payment_method)
    assert "may not be used again" in (await refusal(world, payment_intents.create, made)).message


# ── debits and redirects ────────────────────────────────────────────────────────────────────────────────────────────


async def sepa(world: World, iban: str, **more: Any) -> PaymentMethod:
    params = PaymentMethodCreate(
        type="sepa_debit", sepa_debit={"iban": iban}, billing_details={"name": "Anna", "email": "a@example.com"}, **more
    )
    found: PaymentMethod = await world.do(payment_methods.create, params)
    return found


async def test_a_debit_takes_days(world: World) -> None:
    method = await sepa(world, "NL39RABO0300065264")
    assert (method.sepa_debit.last4, method.sepa_debit.country) == ("5264", "NL")
    said = await refusal(
        world, payment_intents.create, PaymentIntentCreate(amount=2000, currency="eur", payment_method=method.id, confirm=True)
    )
    assert said.code == "payment_intent_mandate_invalid"
    intent = await world.pay(method.id, mandate_data=ACCEPTED)
    assert intent.status == "processing"
    charge = await world.see(Charge, intent.latest_charge)
    assert (charge.id[:3], charge.status) == ("py_", "pending")
    mandate = await world.see(Mandate, charge.payment_method_details.sepa_debit.mandate)
    assert (mandate.status, mandate.type, mandate.customer_acceptance.type) == ("active", "single_use", "online")
    await world.pass_time(5 * DAY)
    paid = await world.see(PaymentIntent, intent.id)
    assert (paid.status, (await world.see(Charge, paid.latest_charge)).status) == ("succeeded", "succeeded")
    assert {t.type for t in await world.rows(BalanceTransaction, "t.source_id = %(id)s", id=charge.id)} == {"payment"}


async def test_a_debit_that_fails_after_days(world: World) -> None:
    method = await sepa(world, "NL91ABNA0417164300")
    intent = await world.pay(method.id, mandate_data=ACCEPTED)
    await world.pass_time(5 * DAY)
    failed = await world.see(PaymentIntent, intent.id)
    assert failed.status == "requires_payment_method"
    assert (await world.see(Charge, intent.latest_charge)).status == "failed"
    assert (await world.events())[-2:] == ["charge.failed", "payment_intent.payment_failed"]


async def test_a_debit_that_the_payer_takes_back(world: World) -> None:
    method = await sepa(world, "DE35370400440532013002")
    intent = await world.pay(method.id, mandate_data=ACCEPTED)
    await world.pass_time(10 * DAY)
    dispute = (await world.rows(Dispute))[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("lost", "debit_not_authorized", 2000)
    assert (await world.see(Charge, intent.latest_charge)).disputed
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"


async def test_ideal(world: World) -> None:
    params = PaymentMethodCreate(type="ideal", ideal={"bank": "ing"})
    method = await world.do(payment_methods.create, params)
    intent = await world.pay(method.id, return_url="https://example.com")
    assert intent.next_action.type == "redirect_to_url"
    attempt = await world.attempt(intent)
    await world.network.authenticate(attempt.processor_id or "", succeed=True)
    await attempts.resolve(world.engine, world.account, [attempt.id])
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"


# ── payment methods ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_attached_changed_detached(world: World, anna: Customer) -> None:
    card = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}
    made = await world.do(payment_methods.create, PaymentMethodCreate(type="card", card=card))
    assert (made.card.brand, made.card.last4, made.card.checks.cvc_check) == ("visa", "4242", "unchecked")
    await world.do(payment_methods.attach, PaymentMethodAttach(customer=anna.id), made.id)
    settings = CustomerUpdate(invoice_settings={"default_payment_method": made.id})
    await world.do(customers.update, settings, anna.id)
    changed = await world.do(
        payment_methods.update, PaymentMethodUpdate(billing_details={"name": "Anna B"}, card={"exp_year": 2031}), made.id
    )
    assert (changed.billing_details.name, changed.card.exp_year) == ("Anna B", 2031)
    gone = await world.do(payment_methods.detach, PaymentMethodDetach(), made.id)
    assert gone.customer is None
    assert (await world.see(Customer, anna.id)).invoice_settings.default_payment_method is None
    said = await refusal(world, payment_methods.attach, PaymentMethodAttach(customer=anna.id), made.id)
    assert "may not be used again" in said.message


async def test_a_bad_card_cannot_be_attached(world: World, anna: Customer) -> None:
    said = await refusal(world, payment_methods.attach, PaymentMethodAttach(customer=anna.id), "pm_card_chargeDeclined")
    assert (said.code, said.decline_code, said.type) == ("card_declined", "generic_decline", "card_error")
    await world.do(payment_methods.attach, PaymentMethodAttach(customer=anna.id), "pm_card_chargeCustomerFail")


async def test_a_real_number_is_refused(world: World) -> None:
    card = {"number": "4000056655665564", "exp_month": 12, "exp_year": 2030}
    said = await refusal(world, payment_methods.create, PaymentMethodCreate(type="card", card=card))
    assert said.code in ("card_declined", "incorrect_number")


# ── setup intents ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_setup_makes_later_payments_possible(world: World, anna: Customer) -> None:
    params = SetupIntentCreate(customer=anna.id, payment_method="pm_card_authenticationRequiredOnSetup", confirm=True)
    setup = await world.do(setup_intents.create, params)
    assert setup.status == "requires_action"
    attempt = await world.see(Attempt, setup.attempt)
    await world.network.authenticate(attempt.processor_id or "", succeed=True)
    done = await world.do(setup_intents.confirm, SetupIntentConfirm(), setup.id)
    assert done.status == "succeeded"
    method = await world.see(PaymentMethod, done.payment_method)
    assert method.customer == anna.id
    assert (await world.pay(method.id, customer=anna.id, off_session=True)).status == "succeeded"
    assert [e for e in await world.events() if e.startswith("setup_intent")] == [
        "setup_intent.created", "setup_intent.requires_action", "setup_intent.succeeded",
    ]  # fmt: skip


async def test_a_setup_with_a_mandate(world: World, anna: Customer) -> None:
    method = await sepa(world, "NL39RABO0300065264")
    params = SetupIntentCreate(customer=anna.id, payment_method=method.id, confirm=True, mandate_data=ACCEPTED)
    setup = await world.do(setup_intents.create, params)
    assert (setup.status, (await world.see(Mandate, setup.mandate)).type) == ("succeeded", "multi_use")
    assert (await world.pay(method.id, customer=anna.id, off_session=True)).status == "processing"


async def test_a_declined_and_a_canceled_setup(world: World, anna: Customer) -> None:
    params = SetupIntentCreate(customer=anna.id, payment_method="pm_card_chargeDeclined", confirm=True)
    setup = await world.do(setup_intents.create, params)
    error = await error_of(world, setup)
    assert (setup.status, error.code, error.extra["setup_intent"]["id"]) == ("requires_payment_method", "card_declined", setup.id)
    gone = await world.do(setup_intents.cancel, SetupIntentCancel(), setup.id)
    assert gone.status == "canceled"


# ── charges the old way ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_charge_with_a_token(world: World) -> None:
    charge = await world.do(charges.create, ChargeCreate(amount=2000, currency="usd", source="tok_visa", description="Tea"))
    assert (charge.status, charge.paid, charge.payment_intent) == ("succeeded", True, None)
    assert (charge.source.object, charge.source.brand, charge.source.last4) == ("card", "Visa", "4242")
    said = ChargeUpdate(metadata={"k": "v"}, fraud_details={"user_report": "safe"})
    changed = await world.do(charges.update, said, charge.id)
    assert (changed.metadata, changed.fraud_details.user_report) == ({"k": "v"}, "safe")
    refund = await world.do(refunds.create, RefundCreate(charge=charge.id))
    assert (refund.status, (await world.see(Charge, charge.id)).refunded) == ("succeeded", True)


async def test_a_charge_of_a_customer_held_and_captured(world: World, anna: Customer) -> None:
    said = await refusal(world, charges.create, ChargeCreate(amount=2000, currency="eur", customer=anna.id))
    assert said.code == "missing"
    method = await world.do(payment_methods.attach, PaymentMethodAttach(customer=anna.id), "pm_card_visa")
    await world.do(customers.update, CustomerUpdate(invoice_settings={"default_payment_method": method.id}), anna.id)
    held = await world.do(charges.create, ChargeCreate(amount=2000, currency="eur", customer=anna.id, capture=False))
    assert (held.captured, held.amount_captured) == (False, 0)
    taken = await world.do(charges.capture, ChargeCapture(amount=1200), held.id)
    assert (taken.captured, taken.amount_captured) == (True, 1200)
    again = await refusal(world, charges.capture, ChargeCapture(), held.id)
    assert again.code == "charge_already_captured"


async def test_a_declined_charge(world: World) -> None:
    charge = await world.do(charges.create, ChargeCreate(amount=2000, currency="usd", source="tok_chargeDeclined"))
    error = await error_of(world, charge)
    assert (charge.status, error.code, error.extra["charge"]) == ("failed", "card_declined", charge.id)


# ── refunds ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_refunded_in_parts(world: World) -> None:
    intent = await world.pay("pm_card_visa")
    first = await world.do(refunds.create, RefundCreate(payment_intent=intent.id, amount=500, reason="duplicate"))
    assert (first.status, first.reason, first.charge) == ("succeeded", "duplicate", intent.latest_charge)
    too_much = await refusal(world, refunds.create, RefundCreate(payment_intent=intent.id, amount=1501))
    assert "greater than unrefunded amount" in too_much.message
    await world.do(refunds.create, RefundCreate(charge=intent.latest_charge))
    charge = await world.see(Charge, intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (2000, True)
    assert (await refusal(world, refunds.create, RefundCreate(charge=charge.id))).code == "charge_already_refunded"
    assert "payment_intent or charge" in (await refusal(world, refunds.create, RefundCreate())).message
    assert (await world.events()).count("charge.refunded") == 2


async def test_a_refund_that_takes_a_while(world: World) -> None:
    intent = await world.pay("pm_card_pendingRefund")
    refund = await world.do(refunds.create, RefundCreate(payment_intent=intent.id))
    assert (refund.status, refund.balance_transaction is not None) == ("pending", True)
    await world.pass_time(600)
    assert (await world.see(Refund, refund.id)).status == "succeeded"
    assert (await world.events()).count("refund.updated") == 1


async def test_a_refund_that_comes_back(world: World) -> None:
    intent = await world.pay("pm_card_refundFail")
    refund = await world.do(refunds.create, RefundCreate(payment_intent=intent.id))
    assert refund.status == "succeeded"
    await world.pass_time(600)
    failed = await world.see(Refund, refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    back = await world.see(BalanceTransaction, failed.failure_balance_transaction)
    assert (back.type, back.amount) == ("refund_failure", 2000)
    assert (await world.see(Charge, intent.latest_charge)).amount_refunded == 0
    assert "refund.failed" in await world.events()


# ── disputes ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_dispute_won(world: World) -> None:
    intent = await world.pay("pm_card_createDispute")
    await world.pass_time(120)
    dispute = (await world.rows(Dispute))[0]
    assert (dispute.status, dispute.reason, dispute.amount_withdrawn) == ("needs_response", "fraudulent", 2000)
    assert [t.amount for t in dispute.balance_transactions] == [-2000]
    assert (await world.see(Charge, intent.latest_charge)).disputed
    assert (await refusal(world, refunds.create, RefundCreate(payment_intent=intent.id))).code == "charge_disputed"
    staged = await world.do(
        disputes.update, DisputeUpdate(evidence={"product_description": "bread"}, submit=False), dispute.id
    )
    assert (staged.evidence.product_description, staged.evidence_details.has_evidence) == ("bread", True)
    won = await world.do(
        disputes.update, DisputeUpdate(evidence={"product_description": "", "uncategorized_text": "winning_evidence"}), dispute.id
    )
    await world.pass_time(DAY)
    won = await world.see(Dispute, dispute.id)
    assert (won.status, won.amount_withdrawn, won.evidence_details.submission_count) == ("won", 0, 1)
    assert [e for e in await world.events() if "dispute" in e] == [
        "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.dispute.updated",
        "charge.dispute.closed", "charge.dispute.funds_reinstated",
    ]  # fmt: skip


async def test_a_dispute_accepted_and_one_unanswered(world: World) -> None:
    await world.pay("pm_card_createDispute", 1000)
    await world.pay("pm_card_createDisputeProductNotReceived", 3000)
    await world.pass_time(300)
    mine = {d.amount: d for d in await world.rows(Dispute)}
    closed = await world.do(disputes.close, DisputeClose(), mine[1000].id)
    assert closed.status == "lost"
    await world.pass_time(30 * DAY)
    assert {d.status for d in await world.rows(Dispute)} == {"lost"}
    assert (await refusal(world, disputes.close, DisputeClose(), mine[1000].id)).message.startswith("This dispute is already")


async def test_news_is_heard_once(world: World) -> None:
    intent = await world.pay("pm_card_createDispute")
    await world.pass_time(120)
    attempt = await world.attempt(intent)
    for _ in range(3):
        await world.run("attempt.follow_up", [attempt.id], world.now)
    assert len(await world.rows(Dispute)) == 1
    assert (await world.events()).count("charge.dispute.created") == 1


async def test_an_inquiry_takes_no_money(world: World) -> None:
    intent = await world.pay("pm_card_createDisputeInquiry")
    await world.pass_time(120)
    dispute = (await world.rows(Dispute))[0]
    assert (dispute.status, dispute.amount_withdrawn, dispute.is_charge_refundable) == ("warning_needs_response", 0, True)
    assert (await world.do(refunds.create, RefundCreate(payment_intent=intent.id))).status == "succeeded"


# ── the balance and payouts ─────────────────────────────────────────────────────────────────────────────────────────


async def amounts(world: World) -> tuple[int, int]:
    held = await world.do(balance.retrieve, BalanceRetrieve())
    return held.pending[0].amount, held.available[0].amount


async def test_money_becomes_available_and_is_paid_out(world: World) -> None:
    await world.pay("pm_card_visa", 10_000)
    fee = 175
    assert await amounts(world) == (10_000 - fee, 0)
    await world.pass_time(2 * DAY)
    assert await amounts(world) == (0, 0)
    payout = (await world.rows(Payout))[0]
    assert (payout.amount, payout.automatic, payout.status) == (10_000 - fee, True, "in_transit")
    taken = await world.rows(BalanceTransaction, "t.payout_id = %(id)s", id=payout.id)
    assert sorted(t.type for t in taken) == ["charge", "payout"]
    assert sum(t.net for t in taken) == 0
    await world.pass_time(3 * DAY)
    arrived = await world.see(Payout, payout.id)
    assert (arrived.status, arrived.reconciliation_status) == ("paid", "completed")
    assert [e for e in await world.events() if e.startswith(("payout", "balance"))] == [
        "balance.available", "payout.created", "payout.updated", "payout.paid", "payout.reconciliation_completed",
    ]  # fmt: skip


async def test_paid_out_by_hand(world: World) -> None:
    world.account.settings_billing = type(world.account.settings_billing)(payout_interval="manual")
    await world.pay("pm_card_bypassPending", 10_000)
    assert await amounts(world) == (0, 9825)
    said = await refusal(world, payouts.create, PayoutCreate(amount=9826, currency="eur"))
    assert said.code == "balance_insufficient"
    payout = await world.do(payouts.create, PayoutCreate(amount=5000, currency="eur", destination="DE62370400440532013001"))
    assert (payout.status, await amounts(world)) == ("in_transit", (0, 4825))
    await world.pass_time(4 * DAY)
    failed = await world.see(Payout, payout.id)
    assert (failed.status, failed.failure_code) == ("failed", "no_account")
    assert await amounts(world) == (0, 9825)


async def test_a_refund_of_pending_money_is_pending_too(world: World) -> None:
    intent = await world.pay("pm_card_visa", 10_000)
    await world.do(refunds.create, RefundCreate(payment_intent=intent.id, amount=4000))
    assert await amounts(world) == (5825, 0)
    await world.pass_time(2 * DAY)
    assert (await world.rows(Payout))[0].amount == 5825




# ── invoices ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def subscribed(world: World, customer: Customer, card: str, amount: int = 3100) -> Subscription:
    method = await world.do(payment_methods.attach, PaymentMethodAttach(customer=customer.id), card)
    await world.do(customers.update, CustomerUpdate(invoice_settings={"default_payment_method": method.id}), customer.id)
    price = await world.do(
        prices.create,
        PriceCreate(currency="eur", unit_amount=amount, recurring={"interval": "month"}, product_data={"name": "Pro"}),
    )
    params = SubscriptionCreate(customer=customer.id, items=[{"price": price.id}])
    found: Subscription = await world.do(subscriptions.create, params)
    return found


async def test_a_subscription_is_paid_and_refunded(world: World, anna: Customer) -> None:
    """What was not earned yet comes off the deferred revenue, in proportion; a refund that fails puts it back."""
    subscription = await subscribed(world, anna, "pm_card_visa")
    assert subscription.status == "active"
    invoice = await world.see(Invoice, subscription.latest_invoice)
    assert (invoice.status, invoice.amount_paid) == ("paid", 3100)
    intent = (await world.rows(PaymentIntent))[0]
    assert (intent.status, intent.invoice) == ("succeeded", invoice.id)

    async def deferred() -> int:
        posted = await world.all(
            "select coalesce(sum(case 'deferred_revenue' when credit then amount when debit then -amount end), 0)::bigint "
            "from postings where account_id = %(account)s"
        )
        return int(posted[0][0])

    assert await deferred() == 3100
    await world.do(refunds.create, RefundCreate(payment_intent=intent.id, amount=1000))
    assert await deferred() == 2100
    second = await world.do(refunds.create, RefundCreate(payment_intent=intent.id, amount=500), carry_out=False)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(second.attempt, Declined(decline("charge_not_refundable")))])
    assert await deferred() == 2100
    await world.do(refunds.create, RefundCreate(payment_intent=intent.id))
    assert await deferred() == 0


async def test_a_subscription_whose_card_is_declined(world: World, anna: Customer) -> None:
    subscription = await subscribed(world, anna, "pm_card_chargeCustomerFail")
    assert subscription.status == "incomplete"
    invoice = await world.see(Invoice, subscription.latest_invoice)
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    intent = (await world.rows(PaymentIntent))[0]
    paid = await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_visa"), intent.id)
    assert paid.status == "succeeded"
    assert (await world.see(Invoice, invoice.id)).status == "paid"
    assert (await world.see(Subscription, subscription.id)).status == "active"


async def test_a_subscription_that_the_bank_asks_about(world: World, anna: Customer) -> None:
    subscription = await subscribed(world, anna, "pm_card_threeDSecure2Required")
    assert subscription.status == "incomplete"
    intent = (await world.rows(PaymentIntent))[0]
    attempt = await world.attempt(intent)
    if intent.status == "requires_action":
        await world.network.authenticate(attempt.processor_id or "", succeed=True)
        await attempts.resolve(world.engine, world.account, [attempt.id])
    else:
        done = await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_visa"), intent.id)
        assert done.status == "succeeded"
    assert (await world.see(Subscription, subscription.id)).status == "active"
