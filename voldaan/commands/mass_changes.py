"""Changes of many subscriptions in one transaction: loaded in as many queries as there are kinds of facts, written at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from voldaan.commands import billing, lookups, metered, posting
from voldaan.resources.base import UNSET
from voldaan.resources.quantity_changes import ItemQuantity, QuantitiesUpdate, QuantityChanges, QuantityResult
from voldaan.resources.subscription_items import ProrationBehavior, SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.test_clocks import TestClock
from voldaan.rules import lines, schedules
from voldaan.rules import mass_changes as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision, Refusal
from voldaan.rules.refusals import check_once
from voldaan.rules.subscription_due import follow_up
from voldaan.rules.subscription_items import NewItem, as_it_is
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

MISSING = "resource_missing"
ADVANCING = Refusal("test_clock_advancing", "The test clock is advancing. Wait until it is ready.", status=429)
Wanted = Mapping[str, dict[str, NewItem]]  # by subscription: its items, by id, as they shall be


async def quantities(tx: Transaction, params: QuantitiesUpdate) -> QuantityChanges:
    """POST /voldaan/subscriptions/quantities: each subscription is changed as a whole, or not at all."""
    check_once((asked.subscription_item, f"items[{n}][subscription_item]") for n, asked in enumerate(params.items))
    named = await tx.get(SubscriptionItem, [asked.subscription_item for asked in params.items])
    owners = {item.id: item.subscription for item in named.values()}
    facts = await billing.load(tx, subscriptions=set(owners.values()))
    results: dict[str, Refusal | bool] = {}
    wanted: dict[str, dict[str, NewItem]] = {}
    for asked in params.items:
        item = _find(facts, owners.get(asked.subscription_item), asked.subscription_item)
        if item is None:
            results[asked.subscription_item] = Refusal(MISSING, f"No such subscription item: '{asked.subscription_item}'")
        elif lines.quantity(item) == asked.quantity and item.quantity is not UNSET:
            results[item.id] = False
        else:
            new = dataclasses.replace(as_it_is(item), quantity=asked.quantity)
            wanted.setdefault(item.subscription, {})[item.id] = new
    for id, refusal in (await change_all(tx, facts, wanted, params.proration_behavior)).items():
        results |= dict.fromkeys(wanted[id], refusal or True)
    data = [_result(asked, owners.get(asked.subscription_item), results[asked.subscription_item]) for asked in params.items]
    return QuantityChanges(
        id="",
        changed=sum(each.result == "changed" for each in data),
        unchanged=sum(each.result == "unchanged" for each in data),
        refused=sum(each.result == "refused" for each in data),
        data=data,
    )


async def change_all(
    tx: Transaction, facts: BillingFacts, wanted: Wanted, behavior: ProrationBehavior
) -> dict[str, Refusal | None]:
    """Changes these subscriptions, whose facts are there, each at its own time; says of each why not, or None."""
    answers: dict[str, Refusal | None] = {}
    subscriptions = [facts.parties.subscriptions[id] for id in sorted(wanted)]
    at = await times(tx, subscriptions)
    await metered.know(tx, facts, at.values())
    debited = await debits(tx, facts)
    await billing.number_whole_book(tx, facts)
    by_time: dict[int, list[Decision]] = {}
    for was in subscriptions:
        now = at.get(was.test_clock)
        if now is None:
            answers[was.id] = ADVANCING
            continue
        decided = rules.change(facts, was, wanted[was.id], behavior, debited, now, new_id)
        if isinstance(decided, Refusal):
            answers[was.id] = decided
            continue
        answers[was.id] = None
        after = facts.parties.subscriptions[was.id]
        decided.add(follow_up(was, after, now)).add(schedules.mirrored(facts.parties, was, after))
        by_time.setdefault(now, []).append(decided)
    for now, decisions in sorted(by_time.items()):
        tx.now = now
        await write(tx, [posting.together(decisions, now)])
    await billing.keep_number(tx, facts)
    return answers


async def change_at_renewal(tx: Transaction, facts: BillingFacts, wanted: Wanted) -> dict[str, Refusal | None]:
    """Gives these items another price from their next period on; says of each subscription why not, or None."""
    answers: dict[str, Refusal | None] = {}
    decisions = []
    for id in sorted(wanted):
        decided = rules.at_renewal(facts, facts.parties.subscriptions[id], wanted[id])
        answers[id] = decided if isinstance(decided, Refusal) else None
        if isinstance(decided, Decision):
            decisions.append(decided)
    await write(tx, decisions)
    return answers


async def debits(tx: Transaction, facts: BillingFacts) -> Debits:
    """What was debited for the present periods of all subscriptions of these facts."""
    return await lookups.debits(tx, [item for s in facts.parties.subscriptions.values() for item in s.items.data])


async def times(tx: Transaction, subscriptions: Iterable[Subscription]) -> dict[str | None, int]:
    """The instant of each clock that these live by; a clock that is advancing has none."""
    clocks = await tx.get(TestClock, [s.test_clock for s in subscriptions])
    return {None: tx.now} | {id: clock.frozen_time for id, clock in clocks.items() if clock.status != "advancing"}


def _find(facts: BillingFacts, subscription: str | None, item: str) -> SubscriptionItem | None:
    found = facts.parties.subscriptions.get(subscription or "")
    return next((each for each in found.items.data if each.id == item), None) if found else None


def _result(asked: ItemQuantity, subscription: str | None, answer: Refusal | bool) -> QuantityResult:
    refusal = answer if isinstance(answer, Refusal) else None
    return QuantityResult(
        subscription_item=asked.subscription_item,
        subscription=subscription,
        quantity=None if refusal else asked.quantity,
        result="refused" if refusal else "changed" if answer else "unchanged",
        code=refusal.code if refusal else None,
        message=refusal.message if refusal else None,
    )
