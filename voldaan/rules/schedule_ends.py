"""How a subscription schedule ends when its subscription does."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.rules import pause_schedules, states
from voldaan.rules.decision import Decision, Event, Update


def ended(schedule: SubscriptionSchedule, now: int, *, delinquent: bool) -> tuple[SubscriptionSchedule, Decision]:
    """Its subscription has ended: as was agreed (completed), because nobody paid (aborted), or by somebody's will."""
    as_agreed = schedule.end_behavior == "cancel" and not has_next(schedule) and (schedule.next_at or now + 1) <= now
    trigger = "complete" if as_agreed else "cancel"
    status = states.advance(states.SUBSCRIPTION_SCHEDULE, schedule.status, trigger)
    if status is None:
        return schedule, Decision()
    over = replace(
        schedule,
        status=status,
        completed_at=now if as_agreed else None,
        canceled_at=None if as_agreed else now,
        current_phase=None,
        next_at=None,
    )
    over = pause_schedules.over(over)
    told = "completed" if as_agreed else "aborted" if delinquent else "canceled"
    return over, Decision(
        updates=[Update(over, schedule)],
        events=[Event(f"subscription_schedule.{told}", over)],
        due_cancelled=no_more_due(schedule.id),
    )


def has_next(schedule: SubscriptionSchedule) -> bool:
    """Whether another phase follows the one that runs until `next_at`."""
    return any(phase.start_date == schedule.next_at for phase in schedule.agreed)


def no_more_due(schedule: str) -> list[tuple[str, str]]:
    """All that a schedule does by itself."""
    return [("schedule.phase", schedule), ("schedule.pause", schedule), ("schedule.expiring", schedule)]
