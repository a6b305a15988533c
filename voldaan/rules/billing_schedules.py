"""Billing schedules: what a request says of billing in advance, dated and checked.

Sources: docs/behaviour-billing.md, "Billed in advance".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from voldaan.resources.billing_schedules import (
    BillingDuration,
    BillingSchedule,
    BillingScheduleAppliesTo,
    BillingScheduleParams,
    BillUntil,
    BillUntilParams,
)
from voldaan.resources.params import Unset
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import lines, periods
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.ids import NewId
from voldaan.rules.prebilling import ahead, covered, is_for
from voldaan.rules.refusals import check_type, missing, refused
from voldaan.rules.subscription_fields import FIVE_YEARS

HERE = "billing_schedules"
PERIODS_MAX = 100  # ahead, of one item: each is a line


def not_over(schedules: list[BillingSchedule], at: int) -> list[BillingSchedule]:
    """Those whose time is not over."""
    return [schedule for schedule in schedules if schedule.bill_until.computed_timestamp > at]


@dataclass(frozen=True, slots=True)
class Asked:
    """A subscription, its items as they will be, and the start of the period that durations count from."""

    catalogue: Catalogue
    subscription: Subscription
    items: Sequence[SubscriptionItem]
    base: int
    now: int


def given(asked: Asked, wanted: Sequence[BillingScheduleParams] | Unset | None, new_id: NewId) -> list[BillingSchedule]:
    """The subscription's billing schedules after a request: they are what it names; one that is known by its key keeps what
    is not said. Raises Refused."""
    if wanted is None:
        return asked.subscription.billing_schedules
    if not wanted:
        return []
    if asked.subscription.billing_mode.type != "flexible":
        raise refused("Billing schedules require the flexible billing mode.", HERE)
    before = {schedule.key: schedule for schedule in asked.subscription.billing_schedules}
    found: list[BillingSchedule] = []
    for number, params in enumerate(wanted):
        here = f"{HERE}[{number}]"
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
    check_type(params, here, "duration", "timestamp")
    if params.duration is None:
        assert params.timestamp is not None
        return BillUntil(type="timestamp", timestamp=params.timestamp, computed_timestamp=params.timestamp)
    interval, count = params.duration.interval, params.duration.interval_count
    anchor, zone = asked.subscription.billing_cycle_anchor, asked.subscription.timezone
    until = periods.later(asked.base, interval, count, anchor, zone)
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
        if is_for(schedule, lines.price_id(item)) and not lines.is_metered(asked.catalogue, lines.price_id(item))
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
        if any(is_for(other, lines.price_id(item)) for other in others):
            raise refused("Two billing schedules cannot apply to the same item.", f"{here}[applies_to]")
