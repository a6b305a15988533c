"""Moving an item: it leaves one subscription and joins another in one transaction, each as any change of items."""

from __future__ import annotations

import dataclasses

from voldaan.commands import billing, clocks, lookups, metered, posting
from voldaan.commands import subscription_changes as changing
from voldaan.resources.item_moves import ItemMove
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import changes, schedules, states
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision
from voldaan.rules.lines import price_id
from voldaan.rules.mass_changes import as_it_is
from voldaan.rules.refusals import refused
from voldaan.rules.subscription_due import follow_up
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def move(tx: Transaction, params: ItemMove) -> SubscriptionItem:
    """POST /voldaan/subscription_items/move: the item as it is from now on, with an id of its own."""
    item = await tx.need(SubscriptionItem, params.subscription_item, param="subscription_item")
    facts = await billing.load(tx, subscriptions=[item.subscription, params.to])
    source, target = facts.parties.subscriptions[item.subscription], facts.parties.subscriptions.get(params.to)
    if target is None:
        raise Missing("subscription", params.to, "to")
    await clocks.now_for(tx, source.test_clock)
    await metered.know(tx, facts)
    item = next(each for each in source.items.data if each.id == item.id)
    _check(facts, source, target, item)
    await billing.number_whole_book(tx, facts)
    debits = await lookups.debits(tx, [*source.items.data, *target.items.data])
    joining = dataclasses.replace(as_it_is(item), id=new_id("si"))
    decision = Decision()
    for was, each in ((source, ItemChange(item, None)), (target, ItemChange(None, joining))):
        own = {one.id: debits[one.id] for one in was.items.data}
        asked = Change(at=tx.now, behavior=params.proration_behavior, items=[each], debits=own)
        decision.add(changes.apply(facts, was, was, asked, tx.now, new_id))
        after = facts.parties.subscriptions[was.id]
        decision.add(follow_up(was, after, tx.now)).add(schedules.mirrored(facts.parties, was, after))
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return next(each for each in facts.parties.subscriptions[target.id].items.data if each.id == joining.id)


def _check(facts: BillingFacts, source: Subscription, target: Subscription, item: SubscriptionItem) -> None:
    """Refuses to move between customers and currencies, to itself, into what has ended, and the last item of all."""
    if target.id == source.id:
        raise refused("The item belongs to this subscription already.", "to")
    if (target.customer, target.currency) != (source.customer, source.currency):
        raise refused("An item can only move between subscriptions of the same customer and currency.", "to")
    for subscription, param in ((source, "subscription_item"), (target, "to")):
        if subscription.status in states.SUBSCRIPTION_ENDED or subscription.status in ("incomplete", "paused"):
            raise refused(f"The items of a subscription that is {subscription.status} cannot be changed.", param)
        if subscription.held is not None:
            raise refused("The subscription has a pending update, which waits for its payment.", param)
    if len(source.items.data) == 1:
        raise refused(
            f"A subscription must have at least one active plan. All plans on {source.id} cannot be deleted. "
            "Cancel the subscription instead.",
            "subscription_item",
        )
    named = [(price_id(each), "to") for each in (*target.items.data, item)]
    kept = {id for id, _ in named}
    changing.check_items(facts, named, target.currency, kept, target.billing_mode.type)
