"""Payment intents: made, changed, confirmed, captured, canceled. What a processor must do is dispatched, never done here."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands import clocks, customers, payment_methods, tax_associations
from voldaan.commands.answers import Answer
from voldaan.commands.mandates import mandate_for
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.customers import Customer
from voldaan.resources.payment_intents import (
    AmountDetailsLineItemList,
    AutomaticPaymentMethods,
    PaymentIntent,
    PaymentIntentApplyCustomerBalance,
    PaymentIntentCancel,
    PaymentIntentCapture,
    PaymentIntentConfirm,
    PaymentIntentCreate,
    PaymentIntentIncrementAuthorization,
    PaymentIntentUpdate,
    VerifyMicrodeposits,
)
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.rules import holds
from voldaan.rules import payment_intents as rules
from voldaan.rules.attempts import attempt_for, capture_for, dispatch
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.payments import dispatched
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.pages import Page
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: PaymentIntentCreate) -> PaymentIntent | Answer:
    """A payment to be made; with `confirm` it is tried at once."""
    rules.check_create(params)
    await tax_associations.check(tx, params.hooks)
    customer = None
    if params.customer:
        customer = await customers.living(tx, params.customer, lock=True, param="customer")
        await clocks.now_for(tx, customer.test_clock)
    method = await payment_methods.to_use(tx, params.payment_method, params.payment_method_data, params.customer)
    intent = rules.described(_blank(tx, params, customer), params)
    if method:
        rules.check_method(intent, method)
        intent = replace(intent, payment_method=method.id, status="requires_confirmation")
    made = Decision(inserts=[intent], events=[Event("payment_intent.created", intent)])
    if not params.confirm:
        await write(tx, [made])
        return intent
    await write(tx, [made])
    return await _confirm(tx, intent, method, params)


def _blank(tx: Transaction, params: PaymentIntentCreate, customer: Customer | None) -> PaymentIntent:
    id = new_id("pi")
    automatic = params.automatic_payment_methods
    return PaymentIntent(
        id=id,
        amount=params.amount,
        automatic_payment_methods=AutomaticPaymentMethods(
            enabled=automatic.enabled if automatic else True,
            allow_redirects=automatic.allow_redirects or "always" if automatic else "always",
        ),
        client_secret=f"{id}_{new_id('secret')}",
        clock=customer.test_clock if customer else None,
        confirmation_method=params.confirmation_method or "automatic",
        created=tx.now,
        currency=params.currency,
        customer=params.customer,
        livemode=tx.account.livemode,
    )


async def update(tx: Transaction, params: PaymentIntentUpdate, id: str) -> PaymentIntent:
    """Changes what may still change."""
    was = await locked(tx, id)
    rules.check_update(was, params)
    await tax_associations.check(tx, params.hooks)
    intent = was
    if params.customer and params.customer != was.customer:
        if was.customer:
            raise refused("The customer of a PaymentIntent cannot be changed once it is set.", "customer")
        customer = await customers.living(tx, params.customer, lock=True, param="customer")
        await clocks.now_for(tx, customer.test_clock)
        intent = replace(intent, customer=customer.id, clock=customer.test_clock)
    if params.amount is not None:
        intent = replace(intent, amount=params.amount)
    if params.currency is not None:
        intent = replace(intent, currency=params.currency)
    intent = rules.described(intent, params)
    if params.payment_method == "":
        intent = replace(intent, payment_method=None, status="requires_payment_method")
    method = await payment_methods.to_use(tx, params.payment_method or None, params.payment_method_data, intent.customer)
    if method:
        rules.check_method(intent, method)
        intent = replace(intent, payment_method=method.id, status="requires_confirmation")
    await write(tx, [Decision(updates=[Update(intent, was)])])
    return intent


async def confirm(tx: Transaction, params: PaymentIntentConfirm, id: str) -> Answer:
    """Tries to get the money."""
    was = await locked(tx, id)
    rules.check_may_confirm(was)
    await tax_associations.check(tx, params.hooks)
    intent = rules.described(was, params)
    if params.amount_to_confirm is not None and params.amount_to_confirm != was.amount:
        raise refused(
            f"The amount_to_confirm ({params.amount_to_confirm}) does not match the amount of the PaymentIntent ({was.amount}).",
            "amount_to_confirm",
        )
    if was.status == "requires_action" and params.payment_method in (None, was.payment_method) and not params.payment_method_data:
        return await _ask_again(tx, was)
    method = await payment_methods.to_use(
        tx, params.payment_method or was.payment_method, params.payment_method_data, intent.customer
    )
    if intent != was:
        await write(tx, [Decision(updates=[Update(intent, was)])])
    return await _confirm(tx, intent, method, params)


async def _ask_again(tx: Transaction, intent: PaymentIntent) -> Answer:
    """The customer may have acted: the processor is asked, and nothing new is tried."""
    if intent.attempt:
        tx.attempts.append(intent.attempt)
    return Answer(intent.id, PaymentIntent, decline_is_error=True)


async def _confirm(
    tx: Transaction, intent: PaymentIntent, method: PaymentMethod | None, params: PaymentIntentCreate | PaymentIntentConfirm
) -> Answer:
    off_session = bool(params.off_session) or bool(params.error_on_requires_action)
    rules.check_confirm(intent, method, params.return_url, off_session=bool(params.off_session))
    assert method is not None
    await need_nothing_live(tx, intent.id)
    mandate = await mandate_for(tx, method, params.mandate_data or None, params.mandate, intent)
    ready = replace(intent, mandate=mandate)

    authorization = (await tx.get(Attempt, [intent.attempt])).get(intent.attempt or "")
    if authorization and authorization.state == "requires_action":
        then: dict[str, Any] = {"payment_method": method.id, "off_session": off_session, "return_url": params.return_url}
        decision = holds.withdraw(ready, authorization, {"then": then}, now=tx.now, wall=tx.wall, new_id=new_id)
        decision.updates.append(Update(ready, intent))
    else:
        attempt = attempt_for(
            ready, method, off_session=off_session, initiator="merchant" if params.off_session else "customer",
            now=tx.now, wall=tx.wall, new_id=new_id, return_url=params.return_url,
            usage="recurring" if params.off_session == "recurring" else "unscheduled",
        )  # fmt: skip
        decision = dispatch(attempt)
        decision.updates.append(Update(dispatched(ready, attempt), intent))
    await write(tx, [decision])
    return Answer(intent.id, PaymentIntent, decline_is_error=True)


async def capture(tx: Transaction, params: PaymentIntentCapture, id: str) -> Answer:
    """Takes what is held, or part of it; the rest is released."""


    was = await locked(tx, id)
    amount = rules.check_capture(was, params)
    await tax_associations.check(tx, params.hooks)
    await need_nothing_live(tx, id)
    assert was.latest_charge is not None
    charge = await tx.need(Charge, was.latest_charge, lock=True)
    decision = dispatch(capture_for(charge, amount, tx.now, tx.wall, new_id))
    decision.updates += [Update(rules.described(was, params), was), Update(replace(charge, capture_error=None), charge)]
    await write(tx, [decision])
    return Answer(id, PaymentIntent, decline_is_error=True)


async def cancel(tx: Transaction, params: PaymentIntentCancel, id: str) -> PaymentIntent | Answer:
    """Gives it up. A hold, or a payment that waits for its customer, is withdrawn at the processor first."""
    intent = await locked(tx, id)
    if intent.invoice:
        raise Refused(
            Refusal(
                "payment_intent_unexpected_state",
                f"You cannot cancel this PaymentIntent because it belongs to the invoice {intent.invoice}. Void the invoice "
                "instead.",
            )
        )
    await need_nothing_live(tx, id)
    authorization = (await tx.get(Attempt, [intent.attempt])).get(intent.attempt or "")
    decision = holds.cancel(
        intent, authorization, params.cancellation_reason, now=tx.now, wall=tx.wall, new_id=new_id
    )
    if isinstance(decision, Refusal):
        raise Refused(decision)
    await write(tx, [decision])
    return Answer(id, PaymentIntent) if decision.attempts else await tx.need(PaymentIntent, id)


async def increment_authorization(tx: Transaction, params: PaymentIntentIncrementAuthorization, id: str) -> PaymentIntent:
    """No processor here can raise a hold."""
    await tx.need(PaymentIntent, id)
    raise refused("This PaymentIntent does not support incremental authorization.", "amount")


async def apply_customer_balance(tx: Transaction, params: PaymentIntentApplyCustomerBalance, id: str) -> PaymentIntent:
    """Cash balances of customers are not kept here."""
    await tx.need(PaymentIntent, id)
    raise refused("This PaymentIntent cannot be paid from the customer's cash balance: no cash balance is held here.")


async def verify_microdeposits(tx: Transaction, params: VerifyMicrodeposits, id: str) -> PaymentIntent:
    """Bank accounts are verified without small deposits here."""
    intent = await tx.need(PaymentIntent, id)
    raise Refused(
        Refusal(
            "payment_intent_unexpected_state",
            f"This PaymentIntent has a status of {intent.status} and does not wait for microdeposits to be verified.",
        )
    )


async def amount_details_line_items(tx: Transaction, params: AmountDetailsLineItemList, id: str) -> Page:
    """The line items of amount_details: none, since they are refused when they are given."""
    await tx.need(PaymentIntent, id)
    return Page([], False)


amount_details_line_items.many = True  # type: ignore[attr-defined]


async def locked(tx: Transaction, id: str) -> PaymentIntent:
    """The intent, locked after its customer, at the customer's time."""
    found = await tx.need(PaymentIntent, id)
    if found.customer:
        await tx.get(Customer, [found.customer], lock=True)
        await clocks.now_for(tx, found.clock)
    return await tx.need(PaymentIntent, id, lock=True)


async def need_nothing_live(tx: Transaction, id: str) -> None:
    """Refuses while a try, a capture or a withdrawal is under way: its outcome decides what may be done next."""
    if await tx.all(query("attempts", "live_of_intents"), ids=[id]):
        raise under_way()


def under_way() -> Refused:
    """The refusal while an attempt of the same object is live: try again in a moment."""
    return Refused(Refusal("lock_timeout", "Another request on this object is still under way.", status=429))


