"""Billing in advance: until when an item is billed when it is billed, what of that is ahead, and what a request may say of it.

Each period ahead is a line of its own, at its own price. What has been billed ahead is known by the item's debits, as all that
was debited is: a change gives it back, a renewal that finds it does not bill again. Sources: docs/behaviour-billing.md,
"Billed in advance".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.billing_schedules import (
    BillingDuration,
    BillingSchedule,
    BillingScheduleAppliesTo,
    BillingScheduleParams,
    BillUntil,
    BillUntilParams,
)
from voldaan.resources.line_items import LineItem
from voldaan.resources.params import Unset
from voldaan.resources.subscription_items import Debit, SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import lines, periods
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import missing, refused
from voldaan.rules.subscription_fields import FIVE_YEARS

PERIODS_MAX = 100  # ahead, of one item: each is a line
Span = tuple[int, int]


def covered(item: SubscriptionItem) -> int:
    """Until when the item is billed: the end of its period, or of what was billed ahead of it without a gap."""
    return item.current_period_end if item.billed_until is UNSET else item.billed_until


def target(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem) -> int:
    """Until when the item is billed when it is billed: to the end of its period, or as its billing schedule says."""
    price = lines.price_id(item)
    if lines.is_metered(catalogue, price):
        return item.current_period_end
    until = max((s.bill_until.computed_timestamp for s in subscription.billing_schedules if _is_for(s, price)), default=0)
    if subscription.cancel_at is not None:
        until = min(until, subscription.cancel_at)
    return max(until, item.current_period_end)


def spans(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, since: int) -> list[Span]:
    """The periods to bill from `since` on: what is left of the present one, and those ahead of it."""
    end = item.current_period_end
    present = [(since, end)] if since < end else []
    if not subscription.billing_schedules:
        return present
    return present + ahead(catalogue, subscription, item, max(since, end))


def ahead(catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, since: int) -> list[Span]:
    """The periods from `since` to the item's target, the last one cut short where that is within it."""
    until, price = target(catalogue, subscription, item), lines.price_id(item)
    found: list[Span] = []
    while since < until:
        end = min(lines.period_at(catalogue, subscription, price, since).end, until)
        found.append((since, end))
        since = end
    return found


def kept_ahead(item: SubscriptionItem, since: int) -> list[Debit]:
    """What of the item was billed ahead and is for a time after `since`."""
    return [debit for debit in item.debits if debit.ahead and debit.end > since]


def is_ahead(item: SubscriptionItem) -> bool:
    return any(debit.ahead for debit in item.debits)


def debited(item: SubscriptionItem, line: LineItem) -> None:
    """Lets an item that nobody else holds know that the line has billed it."""
    ahead = line.period_start >= item.current_period_end
    item.debits = [*item.debits, lines.debit(line, ahead=ahead)]
    if ahead:
        item.__post_init__()


def not_over(schedules: list[BillingSchedule], at: int) -> list[BillingSchedule]:
    """Those whose time is not over."""
    return [schedule for schedule in schedules if schedule.bill_until.computed_timestamp > at]


def _is_for(schedule: BillingSchedule, price: str) -> bool:
    return schedule.applies_to is None or any(each.price == price for each in schedule.applies_to)


# What a request says ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A subscription, its items as they will be, and the start of the period that durations count from."""

    catalogue: Catalogue
    subscription: Subscription
    items: Sequence[SubscriptionItem]
    base: int
    now: int
    here: str = "billing_schedules"


def given(asked: Asked, wanted: Sequence[BillingScheduleParams] | Unset | None, new_id: NewId) -> list[BillingSchedule]:
    """The subscription's billing schedules after a request: they are what it names; one that is known by its key keeps what
    is not said. Raises Refused."""
    if wanted is None:
        return asked.subscription.billing_schedules
    if not wanted:
        return []
    if asked.subscription.billing_mode.type != "flexible":
        raise refused("Billing schedules require the flexible billing mode.", asked.here)
    before = {schedule.key: schedule for schedule in asked.subscription.billing_schedules}
    found: list[BillingSchedule] = []
    for number, params in enumerate(wanted):
        here = f"{asked.here}[{number}]"
        was = before.get(params.key or "")
        key = params.key or new_id("bs").replace("_", "")
        if any(other.key == key for other in found):
            raise refused("The keys of billing schedules must differ.", f"{here}[key]")
        applies_to = was.applies_to if was is not None and params.applies_to is None else _applies_to(asked, params, here)
        schedule = BillingSchedule(
            key=key, applies_to=applies_to, bill_until=_bill_until(asked, was, params.bill_until, f"{here}[bill_until]")
        )
        _check(asked, schedule, found, here)
        found.append(schedule)
    return found


def _applies_to(asked: Asked, params: BillingScheduleParams, here: str) -> list[BillingScheduleAppliesTo] | None:
    if params.applies_to is None:
        return None
    prices = {lines.price_id(item) for item in asked.items}
    for number, each in enumerate(params.applies_to):
        param = f"{here}[applies_to][{number}][price]"
        if each.price is None:
            raise missing(param)
        if each.price not in prices:
            raise refused(f"No item of the subscription has the price '{each.price}'.", param, "resource_missing")
        if lines.is_metered(asked.catalogue, each.price):
            raise refused("What a meter counts cannot be billed in advance.", param)
    return [BillingScheduleAppliesTo(price=each.price) for each in params.applies_to if each.price is not None]


def _bill_until(asked: Asked, was: BillingSchedule | None, params: BillUntilParams | None, here: str) -> BillUntil:
    if params is None:
        if was is None:
            raise missing(here)
        return was.bill_until
    for name in ("duration", "timestamp"):
        if getattr(params, name) is None and params.type == name:
            raise missing(f"{here}[{name}]")
        if getattr(params, name) is not None and params.type != name:
            raise refused(f"`{name}` is only valid with the type `{name}`.", f"{here}[{name}]")
    if params.duration is None:
        assert params.timestamp is not None
        return BillUntil(type="timestamp", timestamp=params.timestamp, computed_timestamp=params.timestamp)
    interval, count = params.duration.interval, params.duration.interval_count
    anchor, zone = asked.subscription.billing_cycle_anchor, asked.subscription.timezone
    period = periods.period_at(anchor, interval, 1, asked.base, zone)
    try:
        if period.start == asked.base:
            until = periods.add_interval(anchor, interval, 1, period.n + count, zone)
        else:
            until = periods.add_interval(asked.base, interval, count, 1, zone)
    except (ValueError, OverflowError):
        until = asked.now + FIVE_YEARS + 1
    return BillUntil(
        type="duration", duration=BillingDuration(interval=interval, interval_count=count), computed_timestamp=until
    )


def _check(asked: Asked, schedule: BillingSchedule, others: Sequence[BillingSchedule], here: str) -> None:
    """Refuses what bills nothing ahead, too far ahead, less than was billed already, or an item twice."""
    until, param = schedule.bill_until.computed_timestamp, f"{here}[bill_until][{schedule.bill_until.type}]"
    if until > asked.now + FIVE_YEARS:
        raise refused("A subscription can be billed for the next five years only.", param)
    applicable = [
        item
        for item in asked.items
        if _is_for(schedule, lines.price_id(item)) and not lines.is_metered(asked.catalogue, lines.price_id(item))
    ]
    if not applicable:
        raise refused("No item of the subscription can be billed in advance.", here)
    alone = replace(asked.subscription, billing_schedules=[schedule], cancel_at=None)
    for item in applicable:
        if until < item.current_period_end:
            raise refused("`bill_until` must not be before the current periods of the items end.", param)
        if until < covered(item):
            raise refused("`bill_until` must not be before what has been billed already.", param)
        if len(ahead(asked.catalogue, alone, item, item.current_period_end)) > PERIODS_MAX:
            raise refused(f"An item can be billed for {PERIODS_MAX} periods in advance.", param)
        if any(_is_for(other, lines.price_id(item)) for other in others):
            raise refused("Two billing schedules cannot apply to the same item.", f"{here}[applies_to]")
