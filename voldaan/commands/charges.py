"""Charges: made the old way, changed, captured, and released when nobody captures them in time."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands import clocks, customers, tokens
from voldaan.commands.answers import Answer
from voldaan.commands.payment_intents import under_way
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge, ChargeCapture, ChargeCreate, ChargeUpdate, FraudDetails
from voldaan.resources.customers import Customer
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.rules.attempts import capture_for, charge_attempt, dispatch
from voldaan.rules.charges import own_descriptor
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.direct_charges import source_of
from voldaan.rules.holds import lapsed
from voldaan.rules.metadata import merged
from voldaan.rules.payment_intents import check_amount
from voldaan.rules.refusals import missing, refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: ChargeCreate) -> Answer:
    """Charges a source or a customer's default method at once. A bank that wants to see its customer declines."""
    if params.amount is None:
        raise missing("amount")
    if params.currency is None:
        raise missing("currency")
    check_amount(params.amount, params.currency)
    customer = None
    if params.customer:
        customer = await customers.living(tx, params.customer, lock=True, param="customer")
        await clocks.now_for(tx, customer.test_clock)
    method = await _source(tx, params.source, customer)
    charge = Charge(
        id=new_id("ch" if method.type == "card" else "py"),
        amount=params.amount,
        attempt="",
        billing_details=method.billing_details,
        calculated_statement_descriptor=own_descriptor(
            tx.account, params.statement_descriptor, params.statement_descriptor_suffix
        ),
        clock=customer.test_clock if customer else None,
        created=tx.now,
        currency=params.currency,
        customer=params.customer,
        description=params.description,
        livemode=tx.account.livemode,
        metadata=merged({}, params.metadata or {}),
        payment_method=method.id,
        processor=method.processor,
        receipt_email=params.receipt_email,
        shipping=params.shipping.shipping() if params.shipping else None,
        source=source_of(method),
        statement_descriptor=params.statement_descriptor,
        statement_descriptor_suffix=params.statement_descriptor_suffix,
        status="pending",
        transfer_group=params.transfer_group,
    )
    attempt = charge_attempt(charge, method, capture=params.capture, now=tx.now, wall=tx.wall, new_id=new_id)
    decision = dispatch(attempt)
    decision.inserts.append(replace(charge, attempt=attempt.id))
    await write(tx, [decision])
    return Answer(charge.id, Charge, decline_is_error=True)


async def _source(tx: Transaction, source: str | None, customer: Customer | None) -> PaymentMethod:
    """What is charged: a token, a method of the customer's, or the customer's default."""
    if source is None:
        if customer is None:
            raise Refused(Refusal("parameter_missing", "Must provide source or customer."))
        default = customer.invoice_settings.default_payment_method
        if default is None:
            raise Refused(Refusal("missing", "Cannot charge a customer that has no active card", "card", type="card_error"))
        source = default
    if tokens.is_magic(source):
        method = tokens.from_magic(tx, source, "source", prefix="card" if source.startswith("tok_") else "pm")
        await write(tx, [Decision(inserts=[method])])
        return method
    method = await tx.need(PaymentMethod, source, param="source")
    if method.spent or method.customer != (customer.id if customer else None):
        who = f"Customer {customer.id} does not have" if customer else "There is no usable source without its customer, and not"
        raise refused(f"{who} a linked source with ID {source}.", "source", "missing")
    return method


async def update(tx: Transaction, params: ChargeUpdate, id: str) -> Charge:
    """Changes descriptions. Money stays as it is."""
    was = await locked(tx, id)
    given = params.model_fields_set
    values: dict[str, Any] = {
        name: getattr(params, name) or None for name in ("description", "receipt_email", "transfer_group") if name in given
    }
    if params.metadata is not None:
        values["metadata"] = merged(was.metadata, params.metadata)
    if params.shipping:
        values["shipping"] = params.shipping.shipping()
    if params.fraud_details:
        fraud = was.fraud_details or FraudDetails()
        values["fraud_details"] = FraudDetails(
            **({"stripe_report": fraud.stripe_report} if fraud.stripe_report else {}),
            **({"user_report": params.fraud_details.user_report} if params.fraud_details.user_report else {}),
        )
    if params.customer and params.customer != was.customer:
        raise refused("The customer of a charge cannot be changed.", "customer")
    charge = replace(was, **values)
    if charge != was:
        await write(tx, [Decision(updates=[Update(charge, was)], events=[Event("charge.updated", charge, was)])])
    return charge


async def capture(tx: Transaction, params: ChargeCapture, id: str) -> Answer:
    """Takes what is held, or part of it; the rest is released."""
    was = await locked(tx, id)
    if was.payment_intent and not was.captured:
        raise refused(
            f"This uncaptured Charge was created by a PaymentIntent ({was.payment_intent}). You must capture the "
            "PaymentIntent instead. For more information, see "
            "https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
        )
    if was.status != "succeeded" or was.captured:
        raise Refused(Refusal("charge_already_captured", f"Charge {id} has already been captured."))
    if was.refunded:
        raise Refused(Refusal("charge_expired_for_capture", f"Charge {id} can no longer be captured: its hold was released."))
    amount = params.amount if params.amount is not None else was.amount
    if amount > was.amount:
        raise refused("You cannot capture more than the original amount of the charge.", "amount", "amount_too_large")
    if await tx.all(query("charges", "live"), ids=[id]):
        raise under_way()
    given = params.model_fields_set
    said = {
        name: getattr(params, name)
        for name in ("receipt_email", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")
        if name in given
    }
    charge = replace(was, capture_error=None, **said)
    decision = dispatch(capture_for(charge, amount, tx.now, tx.wall, new_id))
    decision.updates.append(Update(charge, was))
    await write(tx, [decision])
    return Answer(id, Charge, decline_is_error=True)


async def expire_authorizations(tx: Transaction, charge_ids: list[str]) -> None:
    """Due work charge.expire_authorization: holds that nobody has captured are over. One that is being captured is left to it."""
    await tx.all(query("charges", "lock_customers"), ids=charge_ids)
    found = (await tx.get(Charge, charge_ids, lock=True)).values()
    held = [c for c in found if c.status == "succeeded" and not c.captured and not c.refunded]
    busy = {row[0] for row in await tx.all(query("charges", "live"), ids=[c.id for c in held])} if held else set()
    intents = await tx.get(PaymentIntent, [c.payment_intent for c in held], lock=True)
    attempts = await tx.get(Attempt, [c.attempt for c in held])
    await write(
        tx,
        [
            lapsed(intents.get(c.payment_intent or ""), c, attempts.get(c.attempt), tx.now, tx.wall)
            for c in held
            if c.id not in busy
        ],
    )


async def locked(tx: Transaction, id: str) -> Charge:
    """The charge, locked after its customer, at the customer's time."""
    found = await tx.need(Charge, id)
    if found.customer:
        await tx.get(Customer, [found.customer], lock=True)
        await clocks.now_for(tx, found.clock)
    return await tx.need(Charge, id, lock=True)
