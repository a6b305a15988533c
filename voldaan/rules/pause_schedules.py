"""What of a schedule's pause and resumption is still to come, and what became of them.

What they do is in rules/pausing.py. Sources: docs/behaviour-billing.md, "Pauses that a schedule brings".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from voldaan.resources.base import UNSET, UnsetType
from voldaan.resources.pause_schedules import PauseError, PauseSchedule, PauseStatus, ResumeState, ResumeStatus
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.rules.decision import Decision, Due, Event, Update

if TYPE_CHECKING:
    from voldaan.rules.owing import Parties

UNDER_WAY = ("pending", "requires_action")
NOT_PAUSED = PauseError(code="subscription_not_paused", message="The subscription was not paused when it was to resume.")
NO_PAUSE = PauseError(code="pause_failed", message="The subscription is not resumed, because this schedule did not pause it.")
VOIDED = PauseError(
    code="resumption_invoice_voided", message="The invoice that was to be paid for the subscription to resume was voided."
)

Kind = Literal["pause", "resume"]


def entry_of(schedule: SubscriptionSchedule) -> PauseSchedule | None:
    """The one pause schedule that a schedule can have."""
    return schedule.pause_schedules[0] if schedule.pause_schedules else None


def to_come(schedule: SubscriptionSchedule) -> dict[Kind, int]:
    """When the subscription is to be paused and resumed by the clock, in this order."""
    entry = entry_of(schedule)
    found: dict[Kind, int] = {}
    if entry is not None and entry.pause.status.type == "scheduled":
        found["pause"] = entry.pause.pause_at
    if entry is not None and entry.resume is not None and entry.resume.status.type == "scheduled":
        found["resume"] = entry.resume.resume_at
    return found


def next_of(schedule: SubscriptionSchedule) -> tuple[int, Kind] | None:
    """What of it comes next, and when."""
    return next(((at, kind) for kind, at in to_come(schedule).items()), None)


def awaits(schedule: SubscriptionSchedule) -> bool:
    """Whether the schedule cannot let go of its subscription yet: it is still to be paused or resumed."""
    entry = entry_of(schedule)
    under_way = entry is not None and entry.resume is not None and entry.resume.status.type in UNDER_WAY
    return under_way or next_of(schedule) is not None


def due(schedule: SubscriptionSchedule) -> list[Due]:
    """The work of what comes next."""
    following = next_of(schedule)
    if following is None or schedule.status not in ("not_started", "active"):
        return []
    return [Due("schedule.pause", schedule.id, following[0], schedule.test_clock)]


def with_entry(schedule: SubscriptionSchedule, entry: PauseSchedule) -> SubscriptionSchedule:
    return replace(schedule, pause_schedules=[entry])


def paused(entry: PauseSchedule) -> PauseSchedule:
    return replace(entry, pause=replace(entry.pause, status=PauseStatus(type="succeeded")))


def not_paused(entry: PauseSchedule, why: PauseError) -> PauseSchedule:
    """The pause did not happen; then nothing is to be resumed."""
    failed = replace(entry, pause=replace(entry.pause, status=PauseStatus(type="error", error=why)))
    return failed if entry.resume is None else resumes(failed, "error", NO_PAUSE)


def resumes(entry: PauseSchedule, state: ResumeState, why: PauseError | UnsetType = UNSET) -> PauseSchedule:
    """The entry with what has become of its resumption."""
    assert entry.resume is not None
    return replace(entry, resume=replace(entry.resume, status=ResumeStatus(type=state, error=why)))


def over(schedule: SubscriptionSchedule) -> SubscriptionSchedule:
    """A schedule that has ended pauses and resumes nothing any more, and says so."""
    entry = entry_of(schedule)
    if entry is None or not awaits(schedule):
        return schedule
    why = PauseError(
        code=f"schedule_{schedule.status}",
        message=f"The subscription schedule was {schedule.status} before this could happen.",
    )
    if entry.pause.status.type == "scheduled":
        entry = replace(entry, pause=replace(entry.pause, status=PauseStatus(type="error", error=why)))
    if entry.resume is not None and entry.resume.status.type in ("scheduled", *UNDER_WAY):
        entry = resumes(entry, "error", why)
    return with_entry(schedule, entry)


def follow(parties: Parties, schedule_id: str | None, state: ResumeState, why: PauseError | UnsetType = UNSET) -> Decision:
    """The invoice of a resumption under way was paid, was not, or never will be: the schedule says so. Where its phases
    are over, it lets go once nothing is under way."""
    schedule = parties.schedules.get(schedule_id or "")
    entry = entry_of(schedule) if schedule is not None else None
    if schedule is None or entry is None or entry.resume is None or entry.resume.status.type not in UNDER_WAY:
        return Decision()
    changed = with_entry(schedule, resumes(entry, state, why))
    if changed == schedule:
        return Decision()
    parties.schedules[schedule.id] = changed
    decision = Decision(
        updates=[Update(changed, schedule)], events=[Event("subscription_schedule.updated", changed, schedule)]
    )
    if state not in UNDER_WAY and changed.next_at is not None and changed.end_behavior == "release":
        decision.due.append(Due("schedule.phase", changed.id, changed.next_at, changed.test_clock))
    return decision
