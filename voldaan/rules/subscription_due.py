"""What a subscription does by itself, as due work: it renews, its trial ends, it ends."""

from __future__ import annotations

from voldaan.resources.accounts import BillingSettings
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.decision import Decision, Due, Event

DAY = 86_400
WILL_END = 3 * DAY  # how long before the end of a trial its customer is told


def next_renewal(settings: BillingSettings, subscription: Subscription, now: int) -> list[Due]:
    """The end of the earliest period, and `upcoming_days` before it, if that is still ahead, word of what it will bring."""
    end, clock = subscription.current_period_end, subscription.test_clock
    due = [Due("subscription.renew", subscription.id, end, clock)]
    told = end - settings.upcoming_days * DAY
    if settings.upcoming_days and told > now:
        due.append(Due("invoice.upcoming", subscription.id, told, clock))
    return due


def trial_warning(subscription: Subscription, now: int) -> tuple[list[Due], list[Event]]:
    """The customer is told three days before the trial ends; at once if that is less ahead."""
    if subscription.status != "trialing" or subscription.trial_end is None:
        return [], []
    at = subscription.trial_end - WILL_END
    if at <= now:
        return [], [Event("customer.subscription.trial_will_end", subscription)]
    return [Due("subscription.trial_will_end", subscription.id, at, subscription.test_clock)], []


def cancellation(subscription: Subscription) -> list[Due]:
    """When a subscription ends by itself between two renewals."""
    at = subscription.cancel_at
    if at is None or subscription.cancel_at_period_end:
        return []
    return [Due("subscription.cancel", subscription.id, at, subscription.test_clock)]


def follow_up(was: Subscription, after: Subscription, now: int) -> Decision:
    """What falls due otherwise because its end, its trial or the pause of its collection has changed."""
    decision = Decision()
    if after.cancel_at != was.cancel_at:
        decision.due_cancelled.append(("subscription.cancel", was.id))
        decision.due += cancellation(after)
    if after.pause_collection != was.pause_collection:
        decision.due_cancelled.append(("subscription.resume_collection", was.id))
        paused = after.pause_collection
        if paused and paused.resumes_at is not None:
            decision.due.append(Due("subscription.resume_collection", was.id, paused.resumes_at, was.test_clock))
    if after.trial_end != was.trial_end:
        decision.due_cancelled.append(("subscription.trial_will_end", was.id))
        due, told = trial_warning(after, now)
        decision.due += due
        decision.events += told
    return decision


def no_more_due(subscription: str) -> list[tuple[str, str]]:
    """All that a subscription does by itself."""
    kinds = ("renew", "trial_will_end", "cancel", "expire", "resume_collection", "bill_pending")
    return [*((f"subscription.{kind}", subscription) for kind in kinds), ("invoice.upcoming", subscription)]
