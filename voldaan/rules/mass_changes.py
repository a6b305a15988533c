"""Many subscriptions changed alike: the rules of one change, for each, with a refusal for each that cannot be."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.subscription_items import ProrationBehavior
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import changes, lines, thresholds
from voldaan.rules import subscription_items as items
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, Debits, ItemChange
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import refused
from voldaan.rules.subscription_items import NewItem


def change(
    facts: BillingFacts,
    was: Subscription,
    wanted: dict[str, NewItem],
    behavior: ProrationBehavior,
    debits: Debits,
    now: int,
    new_id: NewId,
) -> Decision | Refusal:
    """These items of the subscription, by id, as they shall be."""
    moving = [ItemChange(item, wanted[item.id]) for item in was.items.data if item.id in wanted]
    asked = Change(at=now, behavior=behavior, items=moving, debits=debits, collect="off_session")
    waiting = list(facts.pending.get(was.customer, []))
    try:
        _check(facts, was, wanted)
        return changes.apply(facts, was, was, asked, now, new_id)
    except Refused as no:
        facts.parties.subscriptions[was.id] = was
        facts.pending[was.customer] = waiting
        return no.refusal


def at_renewal(facts: BillingFacts, was: Subscription, wanted: dict[str, NewItem]) -> Decision | Refusal:
    """The items keep their price until their period ends, and have the wanted one from then on."""
    try:
        _check(facts, was, wanted)
        _check_rhythm(facts, was, wanted)
    except Refused as no:
        return no.refusal
    decision, kept = Decision(), []
    for item in was.items.data:
        changed = replace(item, next_price=wanted[item.id].price) if item.id in wanted else item
        if changed is not item:
            decision.updates.append(Update(changed, item))
        kept.append(changed)
    after = replace(was, items=ListObject(data=kept, url=was.items.url))
    facts.parties.subscriptions[was.id] = after
    decision.events.append(Event("customer.subscription.updated", after, was))
    return decision


def _check(facts: BillingFacts, was: Subscription, wanted: dict[str, NewItem]) -> None:
    items.check_changeable(was, "subscription")
    if was.schedule is not None:
        raise refused(f"The subscription is managed by the subscription schedule `{was.schedule}`.", "subscription")
    before = {item.id: lines.price_id(item) for item in was.items.data}
    after = before | {id: item.price for id, item in wanted.items()}
    named = [(price, "price") for price in after.values()]
    items.check_items(facts.catalogue, named, was.currency, was.billing_mode.type, fixed=set(before.values()))
    thresholds.check_amount(facts.catalogue, was.billing_thresholds, after.values(), was.currency, "price")
    if any(lines.is_metered(facts.catalogue, item.price) and item.quantity is not UNSET for item in wanted.values()):
        raise refused("You cannot set the quantity for metered plans.", "quantity")
    items.check_amounts(facts.catalogue, list(wanted.values()), was.currency, ["quantity"] * len(wanted))


def _check_rhythm(facts: BillingFacts, was: Subscription, wanted: dict[str, NewItem]) -> None:
    """Refuses a price that is billed in another rhythm or by other usage: what has been used is billed as it was agreed."""
    for item in was.items.data:
        if item.id not in wanted:
            continue
        old, new = facts.catalogue.prices[lines.price_id(item)], facts.catalogue.prices[wanted[item.id].price]
        if old.recurring is None or new.recurring is None:
            continue
        agreed = (old.recurring.interval, old.recurring.interval_count, old.recurring.usage_type, old.recurring.meter)
        if agreed != (new.recurring.interval, new.recurring.interval_count, new.recurring.usage_type, new.recurring.meter):
            raise refused("At renewal a price can only become one of the same interval and the same usage.", "price")
