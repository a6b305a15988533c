"""Setup intents: made, changed, confirmed, canceled."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import clocks, customers, payment_methods
from voldaan.commands.answers import Answer
from voldaan.commands.mandates import mandate_for
from voldaan.commands.payment_intents import need_nothing_live
from voldaan.resources.attempts import Attempt
from voldaan.resources.customers import Customer
from voldaan.resources.payment_intents import AutomaticPaymentMethods, VerifyMicrodeposits
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.setup_intents import (
    SetupIntent,
    SetupIntentCancel,
    SetupIntentConfirm,
    SetupIntentCreate,
    SetupIntentUpdate,
)
from voldaan.rules import setup_intents as rules
from voldaan.rules.attempts import dispatch, setup_for
from voldaan.rules.decision import Decision, Event, Update
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: SetupIntentCreate) -> SetupIntent | Answer:
    """A payment method to be made ready for later; with `confirm` at once."""
    rules.check_create(params)
    customer = None
    if params.customer:
        customer = await customers.living(tx, params.customer, lock=True, param="customer")
        await clocks.now_for(tx, customer.test_clock)
    method = await payment_methods.to_use(
        tx, params.payment_method, params.payment_method_data, params.customer, on="SetupIntent"
    )
    id = new_id("seti")
    automatic = params.automatic_payment_methods
    blank = SetupIntent(
        id=id,
        automatic_payment_methods=AutomaticPaymentMethods(
            enabled=automatic.enabled if automatic else True,
            allow_redirects=automatic.allow_redirects or "always" if automatic else "always",
        ),
        client_secret=f"{id}_{new_id('secret')}",
        clock=customer.test_clock if customer else None,
        created=tx.now,
        customer=params.customer,
        livemode=tx.account.livemode,
    )
    intent = rules.described(blank, params)
    if method:
        rules.check_method(intent, method)
        intent = replace(intent, payment_method=method.id, status="requires_confirmation")
    await write(tx, [Decision(inserts=[intent], events=[Event("setup_intent.created", intent)])])
    return await _confirm(tx, intent, method, params) if params.confirm else intent


async def update(tx: Transaction, params: SetupIntentUpdate, id: str) -> SetupIntent:
    """Changes what may still change."""
    was = await locked(tx, id)
    rules.check_open(was, "update")
    await need_nothing_live(tx, id)
    intent = was
    if params.customer and params.customer != was.customer:
        customer = await customers.living(tx, params.customer, lock=True, param="customer")
        await clocks.now_for(tx, customer.test_clock)
        intent = replace(intent, customer=customer.id, clock=customer.test_clock)
    intent = rules.described(intent, params)
    method = await payment_methods.to_use(
        tx, params.payment_method, params.payment_method_data, intent.customer, on="SetupIntent"
    )
    decision = Decision()
    if method:
        rules.check_method(intent, method)
        decision = await _abandon(tx, was)
        intent = replace(intent, next_action=None, payment_method=method.id, status="requires_confirmation")
    decision.updates.append(Update(intent, was))
    await write(tx, [decision])
    return intent


async def confirm(tx: Transaction, params: SetupIntentConfirm, id: str) -> Answer:
    """Lets the processor verify the method."""
    was = await locked(tx, id)
    rules.check_open(was, "confirm")
    if was.status == "requires_action" and params.payment_method in (None, was.payment_method) and not params.payment_method_data:
        if was.attempt:
            tx.attempts.append(was.attempt)
        return Answer(id, SetupIntent, decline_is_error=True)
    intent = rules.described(was, params)
    method = await payment_methods.to_use(
        tx, params.payment_method or was.payment_method, params.payment_method_data, intent.customer
    )
    await write(tx, [Decision(updates=[Update(intent, was)])])
    return await _confirm(tx, intent, method, params)


async def _confirm(
    tx: Transaction, intent: SetupIntent, method: PaymentMethod | None, params: SetupIntentCreate | SetupIntentConfirm
) -> Answer:
    method = rules.check_method(intent, method)
    await need_nothing_live(tx, intent.id)
    mandate = await mandate_for(tx, method, params.mandate_data or None, None, intent)
    attempt = setup_for(intent, method, now=tx.now, wall=tx.wall, new_id=new_id, return_url=params.return_url)
    decision = await _abandon(tx, intent)
    decision.add(dispatch(attempt))
    under_way = replace(
        intent, attempt=attempt.id, mandate=mandate, next_action=None, payment_method=method.id, status="processing"
    )
    decision.updates.append(Update(under_way, intent))
    await write(tx, [decision])
    return Answer(intent.id, SetupIntent, decline_is_error=True)


async def cancel(tx: Transaction, params: SetupIntentCancel, id: str) -> SetupIntent:
    """Gives it up. Should the customer still act, nothing comes of it."""
    was = await locked(tx, id)
    rules.check_open(was, "cancel")
    await need_nothing_live(tx, id)
    intent = replace(was, cancellation_reason=params.cancellation_reason, next_action=None, status="canceled")
    decision = await _abandon(tx, was)
    decision.updates.append(Update(intent, was))
    decision.events.append(Event("setup_intent.canceled", intent))
    await write(tx, [decision])
    return intent


async def verify_microdeposits(tx: Transaction, params: VerifyMicrodeposits, id: str) -> SetupIntent:
    """Bank accounts are verified without small deposits here."""
    intent = await tx.need(SetupIntent, id)
    raise rules.unexpected(
        f"This SetupIntent has a status of {intent.status} and does not wait for microdeposits to be verified."
    )


async def _abandon(tx: Transaction, intent: SetupIntent) -> Decision:
    """Nobody waits any more for a customer who was to act: no money can come of it."""
    attempt = (await tx.get(Attempt, [intent.attempt])).get(intent.attempt or "")
    if attempt is None or attempt.state != "requires_action":
        return Decision()
    given_up = replace(attempt, state="voided", resolved=tx.wall)
    return Decision(updates=[Update(given_up, attempt)], due_cancelled=[("attempt.resolve", attempt.id)])


async def locked(tx: Transaction, id: str) -> SetupIntent:
    """The intent, locked after its customer, at the customer's time."""
    found = await tx.need(SetupIntent, id)
    if found.customer:
        await tx.get(Customer, [found.customer], lock=True)
        await clocks.now_for(tx, found.clock)
    return await tx.need(SetupIntent, id, lock=True)
