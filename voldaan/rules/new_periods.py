"""When a change of a subscription concerns its next periods: it begins them all anew, or comes just as one is over."""

from __future__ import annotations

from voldaan.resources.subscriptions import Subscription
from voldaan.rules import lines, states
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change


def resets(facts: BillingFacts, subscription: Subscription, change: Change) -> bool:
    """Whether all periods begin anew now: asked for, the trial ends now, another interval, or free becomes paid;
    none does of a paused subscription whose schedule goes on."""
    if change.sleeps:
        return False
    if change.anchor == "now" or change.trial_end == 0:
        return True
    if change.anchor == "unchanged" or change.trial_end is not None or subscription.status == "trialing":
        return False
    before = list(subscription.items.data)
    gone = {each.was.id for each in change.items if each.was is not None}
    prices = [each.wanted.price for each in change.items if each.wanted is not None]
    catalogue = facts.catalogue
    kept = [lines.price_id(item) for item in before if item.id not in gone]
    old = {lines.interval(catalogue, lines.price_id(item)) for item in before}
    new = {lines.interval(catalogue, price) for price in (*kept, *prices)}
    if prices and not old & new:
        return True
    was_free = all(_is_free(facts, lines.price_id(item), subscription.currency) for item in before)
    return bool(prices) and was_free and not all(_is_free(facts, price, subscription.currency) for price in prices)


def turns(subscription: Subscription, at: int) -> bool:
    """Whether a period is over, and the renewal that is due bills what a change leaves."""
    return subscription.status in states.SUBSCRIPTION_RENEWS and subscription.current_period_end <= at


def _is_free(facts: BillingFacts, price: str, currency: str) -> bool:
    terms = facts.catalogue.terms(price, currency)
    return terms.billing_scheme == "per_unit" and not terms.unit_amount_decimal
