"""Subscription items by themselves: each verb is a change of the subscription that it belongs to."""

from __future__ import annotations

from voldaan.commands import lookups, pending_updates
from voldaan.commands import subscription_changes as changing
from voldaan.commands.answers import Answer
from voldaan.resources.subscription_items import (
    SubscriptionItem,
    SubscriptionItemCreate,
    SubscriptionItemDelete,
    SubscriptionItemUpdate,
)
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import states
from voldaan.rules import subscription_items as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision
from voldaan.rules.lines import price_id
from voldaan.rules.refusals import refused
from voldaan.store.transaction import Transaction

Params = SubscriptionItemCreate | SubscriptionItemUpdate | SubscriptionItemDelete


async def create(tx: Transaction, params: SubscriptionItemCreate) -> SubscriptionItem | Answer:
    """Adds an item to a subscription."""
    facts, was = await _load(tx, params.subscription, params)
    decision = Decision()
    new = await lookups.new_item(
        tx, facts, params, "", customer=was.customer, subscription=was.id, decision=decision
    )
    _check(facts, was, {item.id: price_id(item) for item in was.items.data} | {new.id: new.price}, decision)
    rules.check_amounts(facts.catalogue, [new], was.currency, ["quantity"])
    return await _apply(tx, facts, was, ItemChange(None, new), params, decision, new.id)


async def update(tx: Transaction, params: SubscriptionItemUpdate, id: str) -> SubscriptionItem | Answer:
    """Changes price, quantity, discounts, tax rates or metadata of an item."""
    item = await tx.need(SubscriptionItem, id)
    facts, was = await _load(tx, item.subscription, params)
    item = changing.item_of(was, id)
    decision = Decision()
    want = params
    if params.price is None and params.plan is None and params.price_data is None:
        want = params.model_copy(update={"price": price_id(item)})
    new = await lookups.new_item(tx, facts, want, "", customer=was.customer, subscription=was.id, decision=decision)
    new = rules.kept(item, new, params)
    _check(facts, was, {each.id: price_id(each) for each in was.items.data} | {id: new.price}, decision)
    rules.check_amounts(facts.catalogue, [new], was.currency, ["quantity"])
    return await _apply(tx, facts, was, ItemChange(item, new), params, decision, id)


async def delete(tx: Transaction, params: SubscriptionItemDelete, id: str) -> dict[str, object]:
    """Takes an item off its subscription, which keeps at least one."""
    item = await tx.need(SubscriptionItem, id)
    facts, was = await _load(tx, item.subscription, params)
    item = changing.item_of(was, id)
    if len(was.items.data) == 1:
        raise rules.none_left(was.id)
    await _apply(tx, facts, was, ItemChange(item, None), params, Decision(), id)
    return {"id": id, "object": "subscription_item", "deleted": True}


async def _apply(
    tx: Transaction,
    facts: BillingFacts,
    was: Subscription,
    each: ItemChange,
    params: Params,
    decision: Decision,
    id: str,
) -> SubscriptionItem | Answer:
    change = Change(
        at=changing.prorated_at(was, params.proration_date, False, tx.now),
        behavior=params.proration_behavior,
        items=[each],
        debits=await lookups.debits(tx, was.items.data),
        collect=changing.collect_by(params.payment_behavior, getattr(params, "off_session", False)),
    )
    await changing.apply(tx, facts, was, was, change, params.payment_behavior, decision)
    after = facts.parties.subscriptions[was.id]
    found = next((item for item in after.items.data if item.id == id), None)
    held = after.held
    if tx.attempts or found is None:
        return Answer(id, SubscriptionItem, held is not None and held.must_be_paid, within=was.id)
    return found


async def _load(tx: Transaction, subscription: str, params: Params) -> tuple[BillingFacts, Subscription]:
    facts, was = await changing.load_one(tx, subscription, param="subscription")
    pending_updates.check(facts, was, params.payment_behavior, params.model_fields_set)
    if was.held is not None:
        await pending_updates.withdraw(tx, was)
        facts, was = await changing.load_one(tx, subscription, param="subscription")
    if was.status in states.SUBSCRIPTION_ENDED or was.status == "incomplete":
        raise refused(f"The items of a subscription that is {was.status} cannot be changed.", "subscription")
    return facts, was


def _check(facts: BillingFacts, was: Subscription, prices: dict[str, str], decision: Decision) -> None:
    fixed = {price_id(item) for item in was.items.data} | {made.id for made in decision.inserts}
    named = [(price, "price") for price in prices.values()]
    rules.check_items(facts.catalogue, named, was.currency, was.billing_mode.type, fixed)
