"""pending_invoice_item_interval: what waits for a subscription's next invoice is billed more often than the subscription."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.billing import IntervalParams
from voldaan.resources.subscriptions import PendingInterval, Subscription
from voldaan.rules import periods, renewals, states
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Due, Update
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import refused

LONGEST = {"day": 365, "week": 52, "month": 12, "year": 1}


def agreed(subscription: Subscription, given: IntervalParams | str | None, now: int) -> Subscription:
    """The subscription with the interval that is asked for; "" takes it away, None leaves it."""
    if given is None:
        return subscription
    if isinstance(given, str):
        return replace(subscription, pending_invoice_item_interval=None, next_pending_invoice_item_invoice=None)
    if given.interval_count > LONGEST[given.interval]:
        raise refused("The interval may be one year at most.", "pending_invoice_item_interval[interval_count]")
    interval = PendingInterval(interval=given.interval, interval_count=given.interval_count)
    return _moved_on(replace(subscription, pending_invoice_item_interval=interval), now)


def due(subscription: Subscription) -> list[Due]:
    """When what waits is billed next."""
    at = subscription.next_pending_invoice_item_invoice
    return [] if at is None else [Due("subscription.bill_pending", subscription.id, at, subscription.test_clock)]


def bill(facts: BillingFacts, was: Subscription, now: int, new_id: NewId) -> Decision:
    """An invoice for what waits, if anything does, and the next time."""
    at = was.next_pending_invoice_item_invoice
    if at is None or at > now or was.status not in states.SUBSCRIPTION_RENEWS:
        return Decision()
    subscription = facts.parties.subscriptions[was.id] = _moved_on(was, now)
    decision = Decision(updates=[Update(subscription, was)], due=due(subscription))
    if taken := renewals.take_pending(facts, subscription):
        reason = "automatic_pending_invoice_item_invoice"
        decision.add(renewals.last_invoice(facts, subscription, taken, now, new_id, reason=reason))
    return decision


def _moved_on(subscription: Subscription, now: int) -> Subscription:
    """The end of the interval that `now` is in, counted as the subscription's periods are."""
    interval = subscription.pending_invoice_item_interval
    assert interval is not None
    found = periods.period_at(
        subscription.billing_cycle_anchor, interval.interval, interval.interval_count, now, subscription.timezone
    )
    return replace(subscription, next_pending_invoice_item_invoice=found.end)
