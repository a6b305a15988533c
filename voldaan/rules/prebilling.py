"""Billing in advance: until when an item is billed when it is billed, and what of that is ahead.

Each period ahead is a line of its own, at its own price. What has been billed ahead is known by the item's debits, as all that
was debited is: a change gives it back, a renewal that finds it does not bill again. What a request says of it is in
rules/billing_schedules.py. Sources: docs/behaviour-billing.md, "Billed in advance".
"""

from __future__ import annotations

from voldaan.resources.base import UNSET
from voldaan.resources.billing_schedules import BillingSchedule
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscription_items import Debit, SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import lines
from voldaan.rules.catalogue import Catalogue

Span = tuple[int, int]


def covered(item: SubscriptionItem) -> int:
    """Until when the item is billed: the end of its period, or of what was billed ahead of it without a gap."""
    return item.current_period_end if item.billed_until is UNSET else item.billed_until


def spans(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, since: int) -> list[Span]:
    """The periods to bill from `since` on: what is left of the present one, and those ahead of it."""
    end = item.current_period_end
    present = [(since, end)] if since < end else []
    if not subscription.billing_schedules:
        return present
    return present + ahead(catalogue, subscription, item, max(since, end))


def ahead(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, since: int) -> list[Span]:
    """The periods from `since` to the item's target, the last one cut short where that is within it."""
    until, price = _target(catalogue, subscription, item), lines.price_id(item)
    found: list[Span] = []
    while since < until:
        end = min(lines.period_at(catalogue, subscription, price, since).end, until)
        found.append((since, end))
        since = end
    return found


def _target(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem) -> int:
    """Until when the item is billed when it is billed: to the end of its period, or as its billing schedule says."""
    price = lines.price_id(item)
    if lines.is_metered(catalogue, price):
        return item.current_period_end
    until = max((s.bill_until.computed_timestamp for s in subscription.billing_schedules if is_for(s, price)), default=0)
    if subscription.cancel_at is not None:
        until = min(until, subscription.cancel_at)
    return max(until, item.current_period_end)


def kept_ahead(item: SubscriptionItem, since: int) -> list[Debit]:
    """What of the item was billed ahead and is for a time after `since`."""
    return [debit for debit in item.debits if debit.ahead and debit.end > since]


def is_ahead(item: SubscriptionItem) -> bool:
    """Whether anything of the item was billed ahead, be it given back since."""
    return any(debit.ahead for debit in item.debits)


def debited(item: SubscriptionItem, line: LineItem) -> None:
    """Lets an item that nobody else holds know that the line has billed it."""
    ahead = line.period_start >= item.current_period_end
    item.debits = [*item.debits, lines.debit(line, ahead=ahead)]
    if ahead:
        item.__post_init__()


def is_for(schedule: BillingSchedule, price: str) -> bool:
    """Whether items with this price are billed as the schedule says."""
    return schedule.applies_to is None or any(each.price == price for each in schedule.applies_to)
