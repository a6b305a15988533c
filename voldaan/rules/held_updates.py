"""The end of a change that waited for its payment: it takes effect, or is given up. How it began: rules/pending_updates.py."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from voldaan.resources.accounts import BillingSettings
from voldaan.resources.base import ListObject, spec
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import states
from voldaan.rules.billed_periods import cuts
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.metadata import merged
from voldaan.rules.subscription_due import cancellation, next_renewal, trial_warning


def take_effect(settings: BillingSettings, was: Subscription, now: int) -> tuple[Subscription, Decision]:
    """The held update is paid for: the subscription as it is from now on, and what that writes."""
    held = was.held
    assert held is not None
    decision = Decision(due_cancelled=[("invoice.expire", held.invoice)], cuts=cuts(was.items.data, held.items))
    before = {item.id: item for item in was.items.data}
    for item in held.items:
        if item.id not in before:
            decision.inserts.append(item)
        elif item != before[item.id]:
            decision.updates.append(Update(item, before[item.id]))
    kept = {item.id for item in held.items}
    decision.deletes += [item for id, item in before.items() if id not in kept]
    changes = _typed(held.fields)
    if held.sets_trial or held.status != was.status:
        changes |= {"trial_start": held.trial_start, "trial_end": held.trial_end}
        if was.status in ("trialing", "active", "paused"):
            changes["status"] = held.status
    if held.cancel_at_period_end is not None:
        changes |= {"cancel_at_period_end": held.cancel_at_period_end, "cancel_at": held.cancel_at}
        changes["canceled_at"] = now if held.cancel_at is not None else None
    if held.discounts is not None:
        changes["discounts"] = held.discounts
    if held.metadata is not None:
        changes["metadata"] = merged(was.metadata, held.metadata)
    after = replace(
        was,
        held=None,
        items=ListObject(data=list(held.items), url=was.items.url),
        billing_cycle_anchor=held.billing_cycle_anchor,
        current_period_start=max(item.current_period_start for item in held.items),
        current_period_end=min(item.current_period_end for item in held.items),
        **changes,
    )
    decision.updates.append(Update(after, was))
    decision.events += [
        Event("customer.subscription.pending_update_applied", after),
        Event("customer.subscription.updated", after, was),
    ]
    if after.current_period_end != was.current_period_end and after.status in states.SUBSCRIPTION_RENEWS:
        decision.due_cancelled += [("subscription.renew", after.id), ("invoice.upcoming", after.id)]
        decision.due += next_renewal(settings, after, now)
    if after.trial_end != was.trial_end:
        decision.due_cancelled.append(("subscription.trial_will_end", after.id))
        due, told = trial_warning(after, now)
        decision.due += due
        decision.events += told
    if after.cancel_at != was.cancel_at:
        decision.due_cancelled.append(("subscription.cancel", after.id))
        decision.due += cancellation(after)
    return after, decision


def _typed(fields: dict[str, Any]) -> dict[str, Any]:
    kinds = {f.name: f.annotation for f in spec(Subscription).fields if f.name in fields}
    return {name: msgspec.convert(value, kinds[name]) for name, value in fields.items()}


def let_go(was: Subscription, *, expired: bool) -> tuple[Subscription, Decision]:
    """The held update is given up; its invoice is voided by the caller, or was."""
    held = was.held
    assert held is not None
    after = replace(was, held=None)
    decision = Decision(updates=[Update(after, was)], due_cancelled=[("invoice.expire", held.invoice)])
    if expired:
        decision.events.append(Event("customer.subscription.pending_update_expired", after))
    decision.events.append(Event("customer.subscription.updated", after, was))
    return after, decision
