"""What a request says of a schedule's pause: dated, checked, and put over what was agreed before.

Sources: docs/behaviour-billing.md, "Pauses that a schedule brings".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.params import Unset
from voldaan.resources.pause_schedules import (
    PauseBillFor,
    PauseOutstandingUsage,
    PauseParams,
    PauseSchedule,
    PauseScheduleParams,
    PauseSettings,
    PauseSettingsParams,
    PauseStatus,
    PauseUnusedTime,
    ResumeAtParams,
    ResumeParams,
    ResumeSettings,
    ResumeSettingsParams,
    SchedulePause,
    ScheduleResume,
)
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import pause_schedules, periods
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import check_type, missing, refused
from voldaan.rules.subscription_fields import FIVE_YEARS

HERE = "pause_schedules[0]"


@dataclass(frozen=True, slots=True)
class Asked:
    """A schedule, its subscription if there is one yet, and the time at which something is asked of it. `here` is how the
    request calls the pause schedule."""

    schedule: SubscriptionSchedule
    subscription: Subscription | None
    zone: str
    now: int
    here: str = HERE


def applied(asked: Asked, wanted: Sequence[PauseScheduleParams] | Unset | None, new_id: NewId) -> SubscriptionSchedule:
    """The schedule with what the request says of its pause; an empty value takes away what was agreed. Raises Refused."""
    schedule = asked.schedule
    if wanted is None:
        return schedule
    if not wanted:
        return replace(schedule, pause_schedules=[])
    params = wanted[0]
    was = pause_schedules.entry_of(schedule)
    if was is not None and params.key != was.key:
        if pause_schedules.awaits(schedule):
            raise refused("Pass the `key` of the pause schedule to change it; there can be one only.", f"{asked.here}[key]")
        was = None
    entry = _new(asked, params, new_id) if was is None else _changed(asked, was, params)
    changed = pause_schedules.with_entry(schedule, entry)
    check(changed, asked.subscription, asked.here.removesuffix("[0]"))
    return changed


def check(schedule: SubscriptionSchedule, subscription: Subscription | None, param: str = "pause_schedules") -> None:
    """Refuses a pause of what cannot be paused: classic billing, and invoices that are sent, in any phase."""
    if not pause_schedules.awaits(schedule):
        return
    if schedule.billing_mode.type != "flexible":
        raise refused("Pause schedules require the flexible billing mode.", param)
    methods = [phase.collection_method or schedule.default_settings.collection_method for phase in schedule.agreed]
    if subscription is not None:
        methods.append(subscription.collection_method)
    if "send_invoice" in methods:
        raise refused(
            "Pause schedules require the collection method `charge_automatically`, in every phase too.", param
        )
    ends = schedule.agreed[-1].end_date if schedule.agreed and schedule.end_behavior == "cancel" else None
    if ends is not None and any(at >= ends for at in pause_schedules.to_come(schedule).values()):
        raise refused("The subscription ends before it would be paused or resumed.", param)


# An entry --------------------------------------------------------------------------------------------------------------


def _new(asked: Asked, params: PauseScheduleParams, new_id: NewId) -> PauseSchedule:
    subscription = asked.subscription
    if subscription is not None and subscription.status == "paused":
        pause = _as_found(asked, subscription, params)
    else:
        pause = _to_come(asked, params.pause)
    resume = _resume(asked, pause, None, params.resume or None)
    return PauseSchedule(key=params.key or new_id("pause"), pause=pause, resume=resume)


def _to_come(asked: Asked, params: PauseParams | None) -> SchedulePause:
    if params is None:
        raise missing(f"{asked.here}[pause]")
    at = _pause_at(asked, params)
    if at is None:
        raise missing(f"{asked.here}[pause][pause_at]")
    return SchedulePause(pause_at=at, settings=_pause_settings(PauseSettings(), params.settings))


def _as_found(asked: Asked, subscription: Subscription, params: PauseScheduleParams) -> SchedulePause:
    """The pause of a subscription that is paused already, and is only to be resumed."""
    if params.pause is not None:
        raise refused("The subscription is paused already: leave `pause` out.", f"{asked.here}[pause]")
    if not params.resume:
        raise missing(f"{asked.here}[resume]")
    details = subscription.status_details
    since = details.paused.transitioned_at if details is not UNSET and details.paused else asked.now
    return SchedulePause(pause_at=since, status=PauseStatus(type="succeeded"))


def _changed(asked: Asked, was: PauseSchedule, params: PauseScheduleParams) -> PauseSchedule:
    """The entry with what is said anew. What has happened stays as it was."""
    pause = was.pause
    if params.pause is not None:
        if pause.status.type != "scheduled":
            raise refused("The subscription has been paused already, or could not be.", f"{asked.here}[pause]")
        at = _pause_at(asked, params.pause)
        before = pause.settings or PauseSettings()
        pause = replace(
            pause, pause_at=pause.pause_at if at is None else at, settings=_pause_settings(before, params.pause.settings)
        )
    resume = was.resume
    if "resume" in params.model_fields_set:
        if resume is not None and resume.status.type not in ("scheduled", "error"):
            raise refused("The subscription has been resumed already, or is about to be.", f"{asked.here}[resume]")
        resume = _resume(asked, pause, was.resume, params.resume or None)
    elif resume is not None and resume.status.type == "scheduled" and resume.resume_at <= pause.pause_at:
        raise refused("The subscription would resume before it is paused.", f"{asked.here}[pause][pause_at][timestamp]")
    return replace(was, pause=pause, resume=resume)


def _pause_at(asked: Asked, params: PauseParams) -> int | None:
    given, param = params.pause_at, f"{asked.here}[pause][pause_at]"
    if given is None:
        return None
    check_type(given, param, "timestamp")
    if given.timestamp is None:
        if asked.subscription is None and asked.schedule.status == "not_started" and _start(asked) > asked.now:
            raise refused("A subscription that has not begun cannot be paused now.", f"{param}[type]")
        return asked.now
    if given.timestamp <= asked.now:
        raise refused("The subscription can only be paused in the future, or `now`.", f"{param}[timestamp]")
    if given.timestamp > asked.now + FIVE_YEARS:
        raise refused("The subscription can be paused within the next five years only.", f"{param}[timestamp]")
    if asked.schedule.status == "not_started" and given.timestamp <= _start(asked):
        raise refused("The subscription cannot be paused before it begins.", f"{param}[timestamp]")
    return given.timestamp


def _start(asked: Asked) -> int:
    return asked.schedule.agreed[0].start_date if asked.schedule.agreed else asked.now


def _resume(
    asked: Asked, pause: SchedulePause, was: ScheduleResume | None, params: ResumeParams | None
) -> ScheduleResume | None:
    if params is None:
        return None
    if pause.status.type == "error":
        raise refused("The subscription could not be paused, so it is not resumed.", f"{asked.here}[resume]")
    param = f"{asked.here}[resume][resume_at]"
    if params.resume_at is not None:
        at = _resume_at(asked, pause, params.resume_at, param)
    elif was is not None:
        at = was.resume_at
    else:
        raise missing(param)
    return ScheduleResume(resume_at=at, settings=_resume_settings(was.settings if was else ResumeSettings(), params.settings))


def _resume_at(asked: Asked, pause: SchedulePause, given: ResumeAtParams, param: str) -> int:
    """Now, an instant, or so long after the pause."""
    check_type(given, param, "duration", "timestamp")
    if given.type == "now":
        if pause.status.type != "succeeded":
            raise refused("A subscription that is not paused cannot resume now.", f"{param}[type]")
        return asked.now
    if given.duration is not None:
        interval, count = given.duration.interval, given.duration.interval_count
        at = periods.later(pause.pause_at, interval, count, pause.pause_at, asked.zone)
    else:
        assert given.timestamp is not None
        at = given.timestamp
    here = f"{param}[{given.type}]"
    if at <= pause.pause_at:
        raise refused("The subscription can only resume after it was paused.", here)
    if at <= asked.now:
        raise refused("The subscription can only resume in the future, or `now`.", here)
    if at > asked.now + FIVE_YEARS:
        raise refused("The subscription can resume within the next five years only.", here)
    return at


# Settings: what is not said stays ------------------------------------------------------------------------------------


def _pause_settings(was: PauseSettings, given: PauseSettingsParams | None) -> PauseSettings:
    if given is None:
        return was
    usage = given.bill_for.outstanding_usage_through if given.bill_for else None
    unused = given.bill_for.unused_time_from if given.bill_for else None
    return PauseSettings(
        bill_for=PauseBillFor(
            outstanding_usage_through=PauseOutstandingUsage(
                type=(usage.type if usage else None) or was.bill_for.outstanding_usage_through.type
            ),
            unused_time_from=PauseUnusedTime(
                type=(unused.type if unused else None) or was.bill_for.unused_time_from.type
            ),
        ),
        invoicing_behavior=given.invoicing_behavior or was.invoicing_behavior,
    )


def _resume_settings(was: ResumeSettings, given: ResumeSettingsParams | None) -> ResumeSettings:
    if given is None:
        return was
    return ResumeSettings(
        billing_cycle_anchor=given.billing_cycle_anchor or was.billing_cycle_anchor,
        payment_behavior=given.payment_behavior or was.payment_behavior,
        proration_behavior=given.proration_behavior or was.proration_behavior,
    )
