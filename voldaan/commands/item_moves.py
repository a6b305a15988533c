"""Moving an item: it leaves one subscription and joins another in one transaction, each as any change of items."""

from __future__ import annotations

import dataclasses

from voldaan.commands import billing, clocks, lookups, metered, posting
from voldaan.commands import subscription_changes as changing
from voldaan.resources.item_moves import ItemMove
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import changes, schedules, thresholds
from voldaan.rules import subscription_items as items
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision
from voldaan.rules.lines import price_id
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
    item = changing.item_of(source, item.id, "subscription_item")
    _check(facts, source, target, item)
    await billing.number_whole_book(tx, facts)
    debits = await lookups.debits(tx, [*source.items.data, *target.items.data])
    joining = dataclasses.replace(items.as_it_is(item), id=new_id("si"))
    decision = Decision()
    for was, each in ((source, ItemChange(item, None)), (target, ItemChange(None, joining))):
        asked = Change(at=tx.now, behavior=params.proration_behavior, items=[each], debits=debits)
        decision.add(changes.apply(facts, was, was, asked, tx.now, new_id))
        after = facts.parties.subscriptions[was.id]
        decision.add(follow_up(was, after, tx.now)).add(schedules.mirrored(facts.parties, was, after))
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return changing.item_of(facts.parties.subscriptions[target.id], joining.id)


def _check(facts: BillingFacts, source: Subscription, target: Subscription, item: SubscriptionItem) -> None:
    """Refuses to move between customers and currencies, to itself, into what has ended, and the last item of all."""
    if target.id == source.id:
        raise refused("The item belongs to this subscription already.", "to")
    if (target.customer, target.currency) != (source.customer, source.currency):
        raise refused("An item can only move between subscriptions of the same customer and currency.", "to")
    items.check_changeable(source, "subscription_item")
    items.check_changeable(target, "to")
    if len(source.items.data) == 1:
        raise items.none_left(source.id, "subscription_item")
    named = [(price_id(each), "to") for each in (*target.items.data, item)]
    prices = {price for price, _ in named}
    items.check_items(facts.catalogue, named, target.currency, target.billing_mode.type, fixed=prices)
    thresholds.check_amount(facts.catalogue, target.billing_thresholds, prices, target.currency, "to")
