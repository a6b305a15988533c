"""Billing schedules: until when the items of a subscription are billed in advance."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from voldaan.resources.base import Expandable, Part
from voldaan.resources.billing import DurationParams, Interval
from voldaan.resources.params import Hash, Timestamp

SCHEDULES_MAX = 20


class BillingDuration(Part, kw_only=True):
    interval: Interval
    interval_count: int = 1


class BillUntil(Part, kw_only=True):
    computed_timestamp: int
    duration: BillingDuration | None = None
    timestamp: int | None = None
    type: Literal["duration", "timestamp"]


class BillingScheduleAppliesTo(Part, kw_only=True):
    price: Annotated[str, Expandable("price")]
    type: Literal["price"] = "price"


class BillingSchedule(Part, kw_only=True):
    """Of the items with these prices; of all items that are not metered, where it names none."""

    applies_to: list[BillingScheduleAppliesTo] | None = None
    bill_until: BillUntil
    key: str


# What requests say -----------------------------------------------------------------------------------------------------


class BillUntilParams(Hash):
    duration: DurationParams | None = None
    timestamp: Timestamp | None = None
    type: Literal["duration", "timestamp"]


class BillingAppliesToParams(Hash):
    price: str | None = None
    type: Literal["price"]


class BillingScheduleParams(Hash):
    applies_to: list[BillingAppliesToParams] | None = None
    bill_until: BillUntilParams | None = None
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+$", max_length=200)] | None = None


BillingSchedules = Annotated[list[BillingScheduleParams], Field(max_length=SCHEDULES_MAX)]
