"""Payment methods: made, changed, attached to a customer, detached for good."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import clocks, customers, tokens
from voldaan.resources.customers import Customer
from voldaan.resources.payment_methods import (
    CardNetworks,
    PaymentMethod,
    PaymentMethodAttach,
    PaymentMethodCreate,
    PaymentMethodData,
    PaymentMethodDetach,
    PaymentMethodUpdate,
)
from voldaan.rules.decision import Decision, Event, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a "
    "PaymentMethod multiple times, you must attach it to a Customer first."
)
OTHER_CUSTOMER = "The payment method you provided has already been attached to a customer."
NOT_ATTACHED = "The payment method you provided is not attached to a customer so detachment is impossible."


async def create(tx: Transaction, params: PaymentMethodCreate) -> PaymentMethod:
    """A payment method that belongs to nobody yet, or to `customer`."""
    method = tokens.from_params(tx, params)
    if params.customer is None:
        await write(tx, [Decision(inserts=[method])])
        return method
    customer = await customers.living(tx, params.customer, lock=True, param="customer")
    await clocks.now_for(tx, customer.test_clock)
    _verify(method)
    method = replace(tokens.verified(method), customer=customer.id)
    await write(tx, [Decision(inserts=[method], events=[Event("payment_method.attached", method)])])
    return method


async def update(tx: Transaction, params: PaymentMethodUpdate, id: str) -> PaymentMethod:
    """Changes what may change: billing details, the card's date, metadata."""
    was = await tx.need(PaymentMethod, id, lock=True)
    if was.customer is None:
        raise refused("You must save this PaymentMethod to a customer before you can update it.")
    method = replace(was, billing_details=tokens.billing_details(was.billing_details, params.billing_details))
    if params.metadata is not None:
        method.metadata = merged(was.metadata or {}, params.metadata)
    if params.allow_redisplay:
        method.allow_redisplay = params.allow_redisplay
    if params.card:
        if not was.card:
            raise refused("You cannot set card on a payment method of another type.", "card")
        networks = was.card.networks
        if params.card.networks and networks:
            networks = CardNetworks(available=networks.available, preferred=params.card.networks.preferred or None)
        method.card = replace(
            was.card,
            exp_month=params.card.exp_month or was.card.exp_month,
            exp_year=params.card.exp_year or was.card.exp_year,
            networks=networks,
        )
    if params.us_bank_account:
        if not was.us_bank_account:
            raise refused("You cannot set us_bank_account on a payment method of another type.", "us_bank_account")
        method.us_bank_account = replace(was.us_bank_account, **params.us_bank_account.given())
    if method != was:
        await write(tx, [Decision(updates=[Update(method, was)], events=[Event("payment_method.updated", method, was)])])
    return method


async def attach(tx: Transaction, params: PaymentMethodAttach, id: str) -> PaymentMethod:
    """Attaches to a customer. A test card that every bank declines is declined here already."""
    if params.customer is None:
        raise refused("Must provide customer or customer_account.", code="parameter_missing")
    customer = await customers.living(tx, params.customer, lock=True, param="customer")
    await clocks.now_for(tx, customer.test_clock)
    return await attach_to(tx, customer, id)


async def attach_to(tx: Transaction, customer: Customer, id: str) -> PaymentMethod:
    """The method, attached to this customer, who is locked or new. Magic test names become methods of their own."""
    if tokens.is_magic(id):
        method = tokens.from_magic(tx, id, "payment_method")
        _verify(method)
        method = replace(tokens.verified(method), customer=customer.id)
        await write(tx, [Decision(inserts=[method], events=[Event("payment_method.attached", method)])])
        return method
    was = await tx.need(PaymentMethod, id, lock=True, param="payment_method")
    if was.customer == customer.id:
        return was
    if was.customer is not None:
        raise refused(OTHER_CUSTOMER)
    if was.spent:
        raise refused(SPENT)
    _verify(was)
    method = replace(tokens.verified(was), customer=customer.id)
    await write(tx, [Decision(updates=[Update(method, was)], events=[Event("payment_method.attached", method)])])
    return method


async def detach(tx: Transaction, params: PaymentMethodDetach, id: str) -> PaymentMethod:
    """Takes it off its customer. It cannot be used again."""
    found = await tx.need(PaymentMethod, id)
    if found.customer is None:
        raise refused(NOT_ATTACHED)
    customer = await tx.need(Customer, found.customer, lock=True)
    was = await tx.need(PaymentMethod, id, lock=True)
    if was.customer is None:
        raise refused(NOT_ATTACHED)
    await clocks.now_for(tx, customer.test_clock)
    method = replace(was, customer=None, spent=True)
    decision = Decision(
        updates=[Update(method, was)], events=[Event("payment_method.detached", method, {"customer": was.customer})]
    )
    if customer.invoice_settings.default_payment_method == id:
        free = replace(
            customer, invoice_settings=replace(customer.invoice_settings, default_payment_method=None)
        )
        decision.updates.append(Update(free, customer))
        decision.events.append(Event("customer.updated", free, customer))
    await write(tx, [decision])
    return method


async def to_use(
    tx: Transaction,
    id: str | None,
    data: PaymentMethodData | None,
    customer: str | None,
    param: str = "payment_method",
    on: str = "PaymentIntent",
) -> PaymentMethod | None:
    """The method that a payment or setup names or describes; a described or magic one is written now.

    Refuses one that is spent, or that belongs to somebody else.
    """
    if data is not None:
        method = tokens.from_params(tx, data, "payment_method_data")
        await write(tx, [Decision(inserts=[method])])
        return method
    if id is None:
        return None
    if tokens.is_magic(id):
        method = tokens.from_magic(tx, id, param)
        await write(tx, [Decision(inserts=[method])])
        return method
    method = await tx.need(PaymentMethod, id, param=param)
    if method.spent:
        raise refused(SPENT, param)
    if method.customer is not None and method.customer != customer:
        raise refused(
            f"The `{param}` parameter supplied {id} belongs to the Customer {method.customer}. Please include the Customer in "
            f"the `customer` parameter on the {on}."
            if customer is None
            else f"The PaymentMethod {id} does not belong to the Customer you supplied {customer}. Please use this "
            "PaymentMethod with the Customer that it belongs to instead.",
            param,
        )
    return method


def _verify(method: PaymentMethod) -> None:
    if (no := tokens.refused_at_attach(method)) is not None:
        raise Refused(no)
