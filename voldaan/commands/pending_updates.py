"""Changes that wait for their payment: what such a request may say, what takes them back, and their end by the clock."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.commands import collection, posting
from voldaan.commands.withdrawing import cancel_intents
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import invoice_verbs as verbs
from voldaan.rules import invoices, owing, states
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import MustBePaid
from voldaan.rules.decision import Decision, Due, Refused
from voldaan.rules.payments import DEBITS
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

LOOK_AGAIN = 3600  # seconds until an expiry is tried again that a payment under way has held up
ALLOWED = {
    "add_invoice_items", "billing_cycle_anchor", "cancel_at_period_end", "discounts", "expand", "items", "metadata",
    "off_session", "payment_behavior", "proration_behavior", "proration_date", "trial_end", "trial_from_plan",
    "price", "price_data", "quantity", "plan", "subscription",
}  # fmt: skip
# What an update may say without taking back the one that waits.
BESIDE = {
    "cancellation_details", "days_until_due", "default_payment_method", "description", "expand", "invoice_settings",
    "metadata", "off_session", "payment_behavior", "payment_settings",
}  # fmt: skip


def must_be_paid(payment_behavior: str, subscription: Subscription) -> MustBePaid | None:
    """Whether a change takes effect only when it is paid, by a request's payment_behavior."""
    if subscription.collection_method != "charge_automatically":
        return None
    modes: dict[str, MustBePaid] = {"pending_if_incomplete": "or_waits", "error_if_incomplete": "or_fails"}
    return modes.get(payment_behavior)


def check(facts: BillingFacts, was: Subscription, payment_behavior: str, given: Iterable[str]) -> None:
    """Refuses what `pending_if_incomplete` cannot be used for."""
    if payment_behavior == "error_if_incomplete" and "billing_schedules" in given and was.collection_method != "send_invoice":
        raise refused("Billing schedules cannot wait for their payment.", "billing_schedules")
    if payment_behavior != "pending_if_incomplete":
        return
    if was.collection_method == "send_invoice":
        raise refused(
            "`payment_behavior` `pending_if_incomplete` cannot be used when `collection_method` is `send_invoice`.",
            "payment_behavior",
        )
    if other := sorted(set(given) - ALLOWED):
        raise refused(
            f"When `payment_behavior` is `pending_if_incomplete`, you cannot update `{other[0]}`.", other[0]
        )
    method = _method(facts, was)
    if method is not None and method.type in DEBITS:
        raise refused(
            "`payment_behavior` `pending_if_incomplete` cannot be used with a bank debit, whose outcome takes days.",
            "payment_behavior",
        )


def _method(facts: BillingFacts, was: Subscription) -> PaymentMethod | None:
    customer = facts.parties.customers[was.customer]
    return next((facts.methods[id] for id in invoices.method_ids(None, was, customer) if id in facts.methods), None)


def is_in_the_way(was: Subscription, given: Iterable[str]) -> bool:
    """Whether a request is about what a held update is about, which is then given up."""
    return was.held is not None and bool(set(given) - BESIDE)


async def withdraw(tx: Transaction, was: Subscription) -> None:
    """Gives up the held update: its invoice is voided. Refused while a payment of it may still succeed."""
    assert was.held is not None
    id = was.held.invoice
    known = (await collection.load_collection(tx, [id], recognised=True))[id]
    if await tx.all(query("invoices", "live_attempts"), ids=[id]):
        raise Refused(verbs.in_progress(known.invoice))
    decision = await cancel_intents(tx, [id], "void_invoice")
    decision.add(owing.discard(known, tx.now, new_id))
    await write(tx, [posting.post(decision, tx.now, {id: known.recognised})])


async def expire(tx: Transaction, subjects: list[str]) -> None:
    """Due work invoice.expire: what a change was to be paid by was not paid in time. A payment under way is waited for."""
    known = await collection.load_collection(tx, subjects, recognised=True)
    live = {row[0] for row in await tx.all(query("invoices", "live_attempts"), ids=list(known))}
    decision, recognised, ended = Decision(), {}, []
    for id, facts in sorted(known.items()):
        if id in live:
            decision.due.append(Due("invoice.expire", id, tx.now + LOOK_AGAIN, facts.clock))
        elif _is_over(facts.invoice):
            recognised[id] = facts.recognised
            ended.append(id)
            decision.add(owing.discard(facts, tx.now, new_id))
    decision.add(await cancel_intents(tx, ended, "void_invoice"))
    await write(tx, [posting.post(decision, tx.now, recognised)])


def _is_over(invoice: Invoice) -> bool:
    return invoice.status in states.INVOICE_OWED
