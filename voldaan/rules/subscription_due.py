"""What a subscription does by itself, as due work: it renews, its trial ends, it ends."""

from __future__ import annotations

from voldaan.resources.accounts import BillingSettings
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.decision import Due, Event

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


def no_more_due(subscription: str) -> list[tuple[str, str]]:
    """All that a subscription does by itself."""
    kinds = ("renew", "trial_will_end", "cancel", "expire", "resume_collection", "bill_pending")
    return [*((f"subscription.{kind}", subscription) for kind in kinds), ("invoice.upcoming", subscription)]
