"""Pause schedules: when a subscription will be paused and resumed, agreed in its schedule, and what has become of that."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from voldaan.resources.base import UNSET, Part, UnsetType
from voldaan.resources.billing import DurationParams
from voldaan.resources.params import Hash, Timestamp, Unset
from voldaan.resources.subscription_items import ProrationBehavior

InvoicingBehavior = Literal["invoice", "pending_invoice_item"]
UnusedTime = Literal["item_current_period_start", "none", "pause_at"]
OutstandingUsage = Literal["none", "pause_at"]
ResumeAnchor = Literal["resume_at", "unchanged"]
ResumePayment = Literal["resume_on_payment_attempt", "resume_on_payment_success"]
PauseState = Literal["error", "scheduled", "succeeded"]
ResumeState = Literal["error", "pending", "requires_action", "scheduled", "succeeded"]


class PauseError(Part, kw_only=True):
    code: str | None = None
    message: str


class PauseStatus(Part, kw_only=True):
    error: PauseError | UnsetType = UNSET
    type: PauseState = "scheduled"


class ResumeStatus(Part, kw_only=True):
    """pending: the invoice that is to be paid first is open; requires_action: its bank wants to see the customer."""

    error: PauseError | UnsetType = UNSET
    type: ResumeState = "scheduled"


class PauseOutstandingUsage(Part, kw_only=True):
    type: OutstandingUsage = "pause_at"


class PauseUnusedTime(Part, kw_only=True):
    type: UnusedTime = "pause_at"


class PauseBillFor(Part, kw_only=True):
    outstanding_usage_through: PauseOutstandingUsage = PauseOutstandingUsage()
    unused_time_from: PauseUnusedTime = PauseUnusedTime()


class PauseSettings(Part, kw_only=True):
    bill_for: PauseBillFor = PauseBillFor()
    invoicing_behavior: InvoicingBehavior = "pending_invoice_item"
    type: Literal["subscription"] = "subscription"


class ResumeSettings(Part, kw_only=True):
    billing_cycle_anchor: ResumeAnchor = "resume_at"
    payment_behavior: ResumePayment = "resume_on_payment_success"
    proration_behavior: ProrationBehavior = "create_prorations"


class SchedulePause(Part, kw_only=True):
    """`settings` are null where the schedule found the subscription paused already."""

    pause_at: int
    settings: PauseSettings | None = None
    status: PauseStatus = PauseStatus()


class ScheduleResume(Part, kw_only=True):
    resume_at: int
    settings: ResumeSettings = ResumeSettings()
    status: ResumeStatus = ResumeStatus()


class PauseSchedule(Part, kw_only=True):
    key: str
    pause: SchedulePause
    resume: ScheduleResume | None = None


# What requests say -----------------------------------------------------------------------------------------------------


class PauseAtParams(Hash):
    timestamp: Timestamp | None = None
    type: Literal["now", "timestamp"]


class PauseOutstandingUsageParams(Hash):
    type: OutstandingUsage | None = None


class PauseUnusedTimeParams(Hash):
    type: UnusedTime | None = None


class PauseBillForParams(Hash):
    outstanding_usage_through: PauseOutstandingUsageParams | None = None
    unused_time_from: PauseUnusedTimeParams | None = None


class PauseSettingsParams(Hash):
    bill_for: PauseBillForParams | None = None
    invoicing_behavior: InvoicingBehavior | None = None
    type: Literal["subscription"] = "subscription"


class PauseParams(Hash):
    pause_at: PauseAtParams | None = None
    settings: PauseSettingsParams | None = None


class ResumeAtParams(Hash):
    duration: DurationParams | None = None
    timestamp: Timestamp | None = None
    type: Literal["duration", "now", "timestamp"]


class ResumeSettingsParams(Hash):
    billing_cycle_anchor: ResumeAnchor | None = None
    payment_behavior: ResumePayment | None = None
    proration_behavior: ProrationBehavior | None = None


class ResumeParams(Hash):
    resume_at: ResumeAtParams | None = None
    settings: ResumeSettingsParams | None = None


class PauseScheduleParams(Hash):
    key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    pause: PauseParams | None = None
    resume: ResumeParams | None = None


class PauseScheduleChange(PauseScheduleParams):
    """Of an update: `resume` may be taken away."""

    resume: ResumeParams | Unset | None = None  # type: ignore[assignment]


PauseSchedules = Annotated[list[PauseScheduleParams], Field(max_length=1)]
PauseScheduleChanges = Annotated[list[PauseScheduleChange], Field(max_length=1)]
