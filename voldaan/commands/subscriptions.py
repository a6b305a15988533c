"""Subscriptions: begun, changed, canceled, resumed, and what happens to them by the clock between two renewals."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import billing, clocks, collection, discounts, lookups, metered, pending_updates, posting, thresholds
from voldaan.commands import subscription_changes as changing
from voldaan.commands.answers import Answer
from voldaan.commands.withdrawing import cancel_intents
from voldaan.resources.base import ListObject
from voldaan.resources.discounts import Discount, DiscountDelete
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscriptions import (
    Subscription,
    SubscriptionCancel,
    SubscriptionCreate,
    SubscriptionMigrate,
    SubscriptionPause,
    SubscriptionResume,
    SubscriptionUpdate,
)
from voldaan.rules import commitments, crediting, owing, renewals, states
from voldaan.rules import invoice_verbs as verbs
from voldaan.rules import metered as usage
from voldaan.rules import subscriptions as rules
from voldaan.rules import thresholds as threshold_rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.customer_balance_transactions import refusal as other_currency
from voldaan.rules.decision import Decision, Due, Event, Refusal, Refused, Update
from voldaan.rules.itemizing import itemizes
from voldaan.rules.refusals import refused
from voldaan.rules.subscription_fields import billing_mode
from voldaan.rules.subscription_items import check_amounts, check_items
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

WAITS_FOR_PAYMENT = {"metadata", "description", "default_payment_method", "default_source", "payment_settings", "expand"}
SAID_AFTER_THE_END = {"metadata", "cancellation_details", "expand"}
ITS_END = {"cancel_at", "cancel_at_period_end"}  # is its schedule's, if it has one
LOOK_AGAIN = 3600  # seconds until an expiry is tried again that a payment under way has held up


async def create(tx: Transaction, params: SubscriptionCreate) -> Subscription | Answer:
    """A subscription with its first invoice, finalized and, if there is something to pay, tried at once."""
    if params.payment_behavior == "pending_if_incomplete":
        raise refused(
            "Setting `payment_behavior` to `pending_if_incomplete` has no effect when creating a subscription.",
            "payment_behavior",
        )
    facts = await billing.load(tx, customers=[params.customer])
    customer = billing.living(facts, params.customer)
    await clocks.now_for(tx, customer.test_clock)
    id, decision = new_id("sub"), Decision()
    items = await lookups.new_items(tx, facts, params.items, customer=customer.id, subscription=id, decision=decision)
    currency = params.currency or (facts.catalogue.prices[items[0].price].currency if items else tx.account.default_currency)
    if no := other_currency(customer, currency):
        raise Refused(no)
    inline = {price.id for price in decision.inserts}
    named = [(item.price, f"items[{number}][price]") for number, item in enumerate(items)]
    check_items(facts.catalogue, named, currency, billing_mode(params.billing_mode).type, fixed=inline)
    check_amounts(facts.catalogue, items, currency, [f"items[{number}][quantity]" for number in range(len(items))])
    await lookups.payment_method(tx, facts, params.default_payment_method, customer.id)
    await lookups.automatic_tax(tx, facts, params.automatic_tax, params.default_tax_rates or [])
    if params.invoice_settings:
        await lookups.own_tax_ids(tx, (params.invoice_settings.account_tax_ids, "invoice_settings"))
    new = rules.Beginning(
        id=id,
        params=params,
        customer=customer,
        currency=currency,
        items=items,
        discounts=await lookups.discounts(
            tx, facts, params.discounts, "discounts", decision, customer=customer.id, subscription=id
        ),
        default_tax_rates=await lookups.tax_rates(tx, facts, params.default_tax_rates, "default_tax_rates"),
        extra=await lookups.extra_items(
            tx, facts, params.add_invoice_items, customer=customer.id, subscription=id, currency=currency,
            period=(tx.now, tx.now), decision=decision,
        ),
    )  # fmt: skip
    await billing.number_whole_book(tx, facts)
    begun = rules.begin(facts, new, tx.now, new_id)
    threshold_rules.check(facts.catalogue, facts.parties.subscriptions[id])
    decision.add(thresholds.looked_at(None, facts.parties.subscriptions[id], tx.now))
    lookups.suit(facts, currency, [made for made in begun.inserts if isinstance(made, LineItem)])
    decision.add(begun)
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    if decision.attempts:
        return Answer(id, Subscription, decline_is_error=params.payment_behavior == "error_if_incomplete")
    return facts.parties.subscriptions[id]


async def update(tx: Transaction, params: SubscriptionUpdate, id: str) -> Subscription | Answer:
    """Changes fields, items, trial, anchor and when it ends; what that costs waits for the next invoice or is billed now."""
    facts, was = await changing.load_one(tx, id)
    _check_updatable(was, params)
    pending_updates.check(facts, was, params.payment_behavior, params.model_fields_set)
    if pending_updates.is_in_the_way(was, params.model_fields_set):
        await pending_updates.withdraw(tx, was)
        facts, was = await changing.load_one(tx, id)
    decision = Decision()
    changed = await changing.fields(tx, facts, was, params, decision)
    change = await changing.change_of(tx, facts, was, params, decision)
    return await changing.apply(tx, facts, was, changed, change, params.payment_behavior, decision)


async def cancel(tx: Transaction, params: SubscriptionCancel, id: str) -> Subscription | Answer:
    """Ends it now. Collection of its invoices stops; what waits may be given back, and with usage until now be billed."""
    facts, was = await changing.load_one(tx, id)
    if was.status in states.SUBSCRIPTION_ENDED:
        raise Missing("subscription", id)
    facts, was = await _without_held(tx, facts, was)
    details = changing.details_of(was.cancellation_details, params.cancellation_details)
    subscription = replace(was, cancellation_details=details)
    facts.parties.subscriptions[id] = subscription
    if was.status == "incomplete":
        return await _abandon(tx, was, subscription)
    decision = Decision(updates=[Update(subscription, was)])
    if params.prorate:
        debits = await lookups.debits(tx, was.items.data)
        given_back = crediting.credits(facts, subscription, debits, tx.now, new_id)
        decision.inserts += given_back
        decision.events += [Event("invoiceitem.created", item) for item in given_back]
        facts.pending.setdefault(was.customer, []).extend(given_back)
    elif not params.invoice_now:
        decision.add(_forget_prorations(facts, subscription))
    decision.add(owing.end_subscription(facts.parties, subscription, tx.now, "cancellation_requested"))
    if params.invoice_now or commitments.holds(facts.commitments, subscription):
        await billing.number_whole_book(tx, facts)
        decision.add(renewals.final_invoice(facts, facts.parties.subscriptions[id], tx.now, new_id))
    elif usage.is_watched(facts, subscription):
        decision.updates += [u for item in was.items.data for u in usage.forget(facts, item, tx.now)]
        decision.due.append(owing.settle_usage(subscription, tx.now))
    decision.add(await _stop_collecting(tx, [id]))
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return Answer(id, Subscription) if tx.attempts else facts.parties.subscriptions[id]


async def resume(tx: Transaction, params: SubscriptionResume, id: str) -> Subscription | Answer:
    """Begins to bill a paused subscription again: from now, or where its anchor says."""
    facts, was = await changing.load_one(tx, id)
    if was.status != "paused":
        raise refused("You can only resume a subscription if it is `paused`.")
    if was.resumes_with is not None:
        raise refused(f"This subscription resumes as soon as the invoice {was.resumes_with} is paid. Pay that, or void it first.")
    await billing.number_whole_book(tx, facts)
    decision = changing.resume(facts, was, params, params.payment_behavior, tx.now, new_id)
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return Answer(id, Subscription) if tx.attempts else facts.parties.subscriptions[id]


async def pause(tx: Transaction, params: SubscriptionPause, id: str) -> Subscription | Answer:
    """Stops billing until it is resumed, and gives back what is left of the periods."""
    facts, was = await changing.load_one(tx, id)
    changing.check_pausable(was)
    facts, was = await _without_held(tx, facts, was)
    await billing.number_whole_book(tx, facts)
    decision = await changing.pause(tx, facts, was, params, new_id)
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return Answer(id, Subscription) if tx.attempts else facts.parties.subscriptions[id]


async def migrate(tx: Transaction, params: SubscriptionMigrate, id: str) -> Subscription:
    """From classic to flexible billing, or to prorations with itemized discounts; there is no way back."""
    _, was = await changing.load_one(tx, id)
    if params.billing_mode.type != "flexible":
        raise refused("A subscription can only be migrated to flexible billing.", "billing_mode[type]")
    mode = billing_mode(params.billing_mode)
    if itemizes(was.billing_mode) and not itemizes(mode):
        raise refused(
            "A subscription cannot be migrated from `itemized` to `included`.", "billing_mode[flexible][proration_discounts]"
        )
    changed = replace(was, billing_mode=replace(mode, updated_at=tx.now))
    await write(
        tx, [Decision(updates=[Update(changed, was)], events=[Event("customer.subscription.updated", changed, was)])]
    )
    return changed


async def delete_discount(tx: Transaction, params: DiscountDelete, id: str) -> dict[str, object]:
    """DELETE /v1/subscriptions/{id}/discount: the last of its discounts goes."""
    _, was = await changing.load_one(tx, id)
    if not was.discounts:
        raise Refused(Refusal("resource_missing", f"No active discount for subscription: {id}", status=404))
    discount = await tx.need(Discount, was.discounts[-1])
    changed = replace(was, discounts=was.discounts[:-1])
    told = Event("customer.subscription.updated", changed, was)
    await write(tx, [discounts.ended(discount, tx.now), Decision(updates=[Update(changed, was)], events=[told])])
    return discounts.deleted(discount)


# Due work --------------------------------------------------------------------------------------------------------------


async def expire(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.expire: first payments that did not come in time. One that is under way is waited for."""
    waiting = [s for s in (await tx.get(Subscription, subjects)).values() if s.status == "incomplete"]
    facts = await collection.load_collection(tx, [s.latest_invoice for s in waiting if s.latest_invoice], recognised=True)
    live = {row[0] for row in await tx.all(query("invoices", "live_attempts"), ids=list(facts))}
    decision, recognised, ended = Decision(), {}, []
    for known in facts.values():
        subscription = known.subscription
        if subscription is None or subscription.status != "incomplete":
            continue
        if known.invoice.id in live:
            decision.due.append(Due("subscription.expire", subscription.id, tx.now + LOOK_AGAIN, known.clock))
            continue
        recognised[known.invoice.id] = known.recognised
        ended.append(known.invoice.id)
        decision.add(owing.expire(known, tx.now, new_id))
    decision.add(await cancel_intents(tx, ended, "void_invoice"))
    await write(tx, [posting.post(decision, tx.now, recognised)])


async def trial_will_end(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.trial_will_end: three days before."""
    facts = await billing.load(tx, subscriptions=subjects, pending=False)
    trialing = [s for s in facts.parties.subscriptions.values() if s.status == "trialing"]
    await write(tx, [Decision(events=[Event("customer.subscription.trial_will_end", s) for s in trialing])])


async def resume_collection(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.resume_collection: the pause of collection is over. Drafts that were kept stay drafts."""
    facts = await billing.load(tx, subscriptions=subjects, pending=False)
    decision = Decision()
    for was in facts.parties.subscriptions.values():
        paused = was.pause_collection
        if paused is None or paused.resumes_at is None or paused.resumes_at > tx.now:
            continue
        changed = replace(was, pause_collection=None)
        decision.updates.append(Update(changed, was))
        decision.events.append(Event("customer.subscription.updated", changed, was))
    await write(tx, [decision])


async def cancel_due(tx: Transaction, subjects: list[str]) -> None:
    """Due work subscription.cancel: the agreed instant has come."""
    facts = await billing.load(tx, subscriptions=subjects)
    await metered.know(tx, facts)
    await billing.number_whole_book(tx, facts)
    decision, ended = Decision(), []
    for subscription in list(facts.parties.subscriptions.values()):
        over = subscription.cancel_at is not None and subscription.cancel_at <= tx.now
        if over and subscription.status not in states.SUBSCRIPTION_ENDED and subscription.status != "incomplete":
            decision.add(renewals.finish(facts, subscription, tx.now, new_id))
            ended.append(subscription.id)
    decision.add(await _stop_collecting(tx, ended))
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)


async def settle_usage(tx: Transaction, subjects: list[str]) -> None:
    """Due work usage.settle: what arrived for subscriptions that have ended is billed, and nothing more can arrive."""
    facts = await billing.load(tx, subscriptions=subjects, pending=False)
    await metered.know(tx, facts)
    await billing.number_whole_book(tx, facts)
    decisions = [renewals.settle(facts, s, tx.now, new_id) for s in list(facts.parties.subscriptions.values())]
    await write(tx, [posting.together(decisions, tx.now)])
    await billing.keep_number(tx, facts)


async def cancel_now(tx: Transaction, ids: Sequence[str]) -> None:
    """Ends subscriptions at once, because their customers are deleted: nothing more is billed or tried."""
    facts = await billing.load(tx, subscriptions=ids)
    running = [s for s in facts.parties.subscriptions.values() if s.status not in states.SUBSCRIPTION_ENDED]
    decision, ended = Decision(), []
    for subscription in running:
        if subscription.status != "incomplete":
            decision.add(owing.end_subscription(facts.parties, subscription, tx.now, "cancellation_requested"))
            ended.append(subscription.id)
    decision.add(await _stop_collecting(tx, ended))
    await write(tx, [posting.post(decision, tx.now)])
    for subscription in running:
        if subscription.status == "incomplete":
            await _abandon(tx, subscription, subscription)


async def _without_held(tx: Transaction, facts: BillingFacts, was: Subscription) -> tuple[BillingFacts, Subscription]:
    """The subscription once the change that waits for its payment is given up."""
    if was.held is None:
        return facts, was
    await pending_updates.withdraw(tx, was)
    return await changing.load_one(tx, was.id)


# Pieces ----------------------------------------------------------------------------------------------------------------


async def _abandon(tx: Transaction, was: Subscription, subscription: Subscription) -> Subscription | Answer:
    """A subscription that was never paid for ends as if its time had run out."""
    known = (await collection.load_collection(tx, [was.latest_invoice or ""], recognised=True)).get(was.latest_invoice or "")
    if known is None:
        raise refused("The subscription has no invoice to give up.")
    if await tx.all(query("invoices", "live_attempts"), ids=[known.invoice.id]):
        raise Refused(verbs.in_progress(known.invoice))
    known.parties.subscriptions[was.id] = replace(
        subscription, items=ListObject(data=was.items.data, url=was.items.url)
    )
    decision = owing.expire(known, tx.now, new_id)
    decision.updates.insert(0, Update(known.parties.subscriptions[was.id], was))
    decision.add(await cancel_intents(tx, [known.invoice.id], "void_invoice"))
    await write(tx, [posting.post(decision, tx.now, {known.invoice.id: known.recognised})])
    return known.parties.subscriptions[was.id]


def _forget_prorations(facts: BillingFacts, subscription: Subscription) -> Decision:
    """What changes of the subscription cost, and nobody has billed; other invoice items of it wait on."""
    waiting = facts.pending.get(subscription.customer, [])
    gone = [item for item in waiting if item.subscription == subscription.id and item.proration]
    return Decision(deletes=list(gone), events=[Event("invoiceitem.deleted", item) for item in gone])


async def _stop_collecting(tx: Transaction, subscriptions: Sequence[str]) -> Decision:
    """Nothing more is tried by itself for the unpaid invoices of these subscriptions."""
    decision = Decision()
    where = "t.subscription_id = any(%(ids)s) and t.status in ('draft', 'open') and t.auto_advance"
    for was in await tx.select(Invoice, where, ids=list(subscriptions)):
        changed = replace(
            was, auto_advance=False, next_payment_attempt=None, silent_step_at=None, automatically_finalizes_at=None
        )
        decision.updates.append(Update(changed, was))
        decision.due_cancelled += [("invoice.attempt", was.id), ("invoice.finalize", was.id)]
    return decision


def _check_updatable(was: Subscription, params: SubscriptionUpdate) -> None:
    given = params.model_fields_set
    if was.schedule is not None and was.status not in states.SUBSCRIPTION_ENDED and given & ITS_END:
        raise refused(
            f"The subscription is managed by the subscription schedule `{was.schedule}`, and updating any cancelation "
            "behavior directly is not allowed. Please update the schedule instead."
        )
    if was.status in states.SUBSCRIPTION_ENDED and given - SAID_AFTER_THE_END:
        raise refused(
            "A canceled subscription can only update its cancellation_details and metadata.",
            code="invalid_canceled_subscription_fields",
        )
    if was.status == "incomplete" and (other := sorted(given - WAITS_FOR_PAYMENT - {"payment_behavior", "off_session"})):
        raise refused(f"A subscription that is incomplete cannot be updated in this way: {other[0]}.", other[0])
