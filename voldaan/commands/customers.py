"""Customers: made, changed, deleted."""

from __future__ import annotations

import os
from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import clocks, invoice_rendering_templates, tax_ids
from voldaan.commands import customer_balance_transactions as balance
from voldaan.resources.customers import Customer, CustomerCreate, CustomerDelete, CustomerInvoiceSettings, CustomerUpdate
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.test_clocks import TestClock
from voldaan.rules import customers as rules
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.refusals import refused
from voldaan.store.ids import ALPHABET, new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

PREFIX_LETTERS = ALPHABET[:36]  # digits and capitals
PREFIX_LENGTH = 8


async def create(tx: Transaction, params: CustomerCreate) -> Customer:
    """A customer, with balance, tax ids and payment method if they are given."""
    await enter_clock(tx, params.test_clock)
    blank = Customer(
        id=new_id("cus"),
        created=tx.now,
        invoice_prefix=_new_prefix(),
        livemode=tx.account.livemode,
        test_clock=params.test_clock,
    )
    customer = rules.changed(blank, params)
    if params.invoice_prefix is not None:
        await _need_free_prefix(tx, params.invoice_prefix)
    await _need_template(tx, customer, blank)
    more = tax_ids.made_with(tx, customer.id, params.tax_id_data or [])
    if params.balance:
        customer, recorded = balance.adjustment(customer, params.balance, tx.account.default_currency, tx.now)
        more.add(recorded)
    if params.payment_method is None:
        _refuse_stranger(customer.invoice_settings.default_payment_method)
        await write(tx, [Decision(inserts=[customer], events=[Event("customer.created", customer)]), more])
        return customer

    await write(tx, [Decision(inserts=[customer])])
    with_method = await _attach(tx, customer, params.payment_method)
    created = Event("customer.created", with_method)
    await write(tx, [Decision(updates=[Update(with_method, customer)], events=[created]), more])
    return with_method


# Without a method to attach it only makes rows of its own: calls that arrive together share a commit.
create.gathers = lambda params: params.payment_method is None and params.test_clock is None  # type: ignore[attr-defined]


async def update(tx: Transaction, params: CustomerUpdate, id: str) -> Customer:
    """The changed customer, under the customer's lock. Tells nobody if nothing has changed."""
    was = await living(tx, id, lock=True)
    await clocks.now_for(tx, was.test_clock)
    customer = rules.changed(was, params)
    if customer.invoice_prefix != was.invoice_prefix:
        await _need_free_prefix(tx, customer.invoice_prefix)
    if customer.invoice_settings.default_payment_method != was.invoice_settings.default_payment_method:
        await _need_own_method(tx, customer)
    await _need_template(tx, customer, was)
    decision = Decision()
    if params.balance is not None and params.balance != was.balance:
        currency = was.currency or tx.account.default_currency
        customer, decision = balance.adjustment(customer, params.balance - was.balance, currency, tx.now)
    if customer == was:
        return was
    decision.updates.append(Update(customer, was))
    decision.events.append(Event("customer.updated", customer, was))
    await write(tx, [decision])
    return customer


async def delete(tx: Transaction, params: CustomerDelete, id: str) -> Customer:
    """The deleted customer. What happened with it stays: invoices, payments, the books."""
    customer = await living(tx, id)
    await clocks.now_for(tx, customer.test_clock)
    return (await delete_all(tx, [id]))[0]


async def delete_all(tx: Transaction, ids: Sequence[str]) -> list[Customer]:
    """Deletes customers, under their locks: their subscriptions end at once, and nothing is due for them any more."""
    found = await tx.get(Customer, ids, lock=True)
    customers = [c for c in found.values() if c.deleted_at is None]
    subscriptions = await tx.all(query("customers", "running_subscriptions"), customers=[c.id for c in customers])
    if subscriptions:
        from voldaan.commands import subscriptions as running  # it imports this module

        await running.cancel_now(tx, [row[0] for row in subscriptions])
        found = await tx.get(Customer, [c.id for c in customers])
        customers = list(found.values())
    if customers:
        from voldaan.commands import subscription_schedules  # it imports this module

        await subscription_schedules.cancel_of_customers(tx, [c.id for c in customers])
    gone = [replace(c, deleted_at=tx.now) for c in customers]
    await write(
        tx,
        [
            Decision(updates=[Update(after, was)], events=[Event("customer.deleted", was)])
            for after, was in zip(gone, customers, strict=True)
        ],
    )
    return gone


async def living(tx: Transaction, id: str, *, lock: bool = False, param: str | None = None) -> Customer:
    """The customer of this id. Raises Missing for a deleted one too, blaming `param` if the id came as a parameter."""
    customer = await tx.need(Customer, id, lock=lock, param=param)
    if customer.deleted_at is not None:
        raise Missing("customer", id, param)
    return customer


async def enter_clock(tx: Transaction, clock: str | None) -> None:
    """The new customer lives by the clock's time."""
    if clock is None:
        return
    if tx.account.livemode:
        raise refused("Test clocks can only be used in test mode.", "test_clock")
    found = await tx.need(TestClock, clock, param="test_clock")
    if found.deleted_at is not None:
        raise Missing("test_clock", clock, "test_clock")
    await clocks.now_for(tx, clock)


async def _attach(tx: Transaction, customer: Customer, id: str) -> Customer:
    """The customer with the method attached, and as default if the request names it again.

    A test method such as pm_card_visa becomes a method of the customer's own, with an id of its own.
    """
    from voldaan.commands import payment_methods  # it imports this module

    default = customer.invoice_settings.default_payment_method
    if default not in (None, id):
        _refuse_stranger(default)
    attached = await payment_methods.attach_to(tx, customer, id)
    if default is None:
        return customer
    settings: CustomerInvoiceSettings = replace(customer.invoice_settings, default_payment_method=attached.id)
    return replace(customer, invoice_settings=settings)


async def _need_own_method(tx: Transaction, customer: Customer) -> None:
    """Only a method that is attached to the customer can be the default."""
    wanted = customer.invoice_settings.default_payment_method
    found = (await tx.get(PaymentMethod, [wanted])).get(wanted or "")
    if wanted is not None and (found is None or found.customer != customer.id):
        _refuse_stranger(wanted)


def _refuse_stranger(method: str | None) -> None:
    if method is None:
        return
    raise Refused(
        Refusal(
            "resource_missing",
            f"No such PaymentMethod: '{method}'; the PaymentMethod must be attached to the customer before it can be "
            "its default.",
            "invoice_settings[default_payment_method]",
        )
    )


async def _need_template(tx: Transaction, customer: Customer, was: Customer) -> None:
    """The rendering template that new invoices of the customer are to have, if it is another one than before."""
    options, before = customer.invoice_settings.rendering_options, was.invoice_settings.rendering_options
    if options and options.template and options != before:
        await invoice_rendering_templates.usable(tx, options.template, None, "invoice_settings[rendering_options]")


async def _need_free_prefix(tx: Transaction, prefix: str) -> None:
    if await tx.one(query("customers", "of_prefix"), prefix=prefix):
        raise refused(f"The invoice prefix {prefix} is already used by another customer.", "invoice_prefix")


def _new_prefix() -> str:
    """Eight digits and capitals by chance: of a million customers the next meets a taken one in 1 of 2.8 million cases.

    Then the database refuses it, and the request is repeated.
    """
    number = int.from_bytes(os.urandom(PREFIX_LENGTH))
    letters = []
    for _ in range(PREFIX_LENGTH):
        number, digit = divmod(number, len(PREFIX_LETTERS))
        letters.append(PREFIX_LETTERS[digit])
    return "".join(letters)
