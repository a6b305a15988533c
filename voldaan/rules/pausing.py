"""A schedule pauses its subscription, and resumes it: as the commands do, at the instants that were agreed.

What cannot be done then is told by the pause schedule's status, and not tried again. What a decision changes is put back
into the facts. Sources: docs/behaviour-billing.md, "Pauses that a schedule brings".
"""

from __future__ import annotations

from voldaan.resources.pause_schedules import PauseError, PauseSchedule, PauseSettings
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import changes, pause_schedules, states
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.ids import NewId


def step(
    facts: BillingFacts, debits: Debits, schedule: SubscriptionSchedule, kind: pause_schedules.Kind, at: int, new_id: NewId
) -> Decision:
    """The pause, or the resumption, and what the schedule says of it."""
    subscription = facts.parties.subscriptions[schedule.subscription or ""]
    entry = pause_schedules.entry_of(schedule)
    assert entry is not None
    act = _pause if kind == "pause" else _resume
    after, decision = act(facts, debits, subscription, entry, at, new_id)
    told = pause_schedules.with_entry(facts.parties.schedules[schedule.id], after)
    facts.parties.schedules[schedule.id] = told
    decision.updates.append(Update(told, schedule))
    decision.events.append(Event("subscription_schedule.updated", told, schedule))
    return decision


def _pause(
    facts: BillingFacts, debits: Debits, was: Subscription, entry: PauseSchedule, at: int, new_id: NewId
) -> tuple[PauseSchedule, Decision]:
    if states.advance(states.SUBSCRIPTION, was.status, "pause") is None:
        why = PauseError(
            code="subscription_not_pausable", message=f"A subscription that is {was.status} cannot be paused."
        )
        return pause_schedules.not_paused(entry, why), Decision()
    settings = entry.pause.settings or PauseSettings()
    return pause_schedules.paused(entry), changes.pause(facts, was, settings, debits, at, new_id, unattended=True)


def _resume(
    facts: BillingFacts, debits: Debits, was: Subscription, entry: PauseSchedule, at: int, new_id: NewId
) -> tuple[PauseSchedule, Decision]:
    assert entry.resume is not None
    if was.status != "paused":
        return pause_schedules.resumes(entry, "error", pause_schedules.NOT_PAUSED), Decision()
    if was.resumes_with is not None:  # somebody has resumed it, and its invoice is still to be paid
        return pause_schedules.resumes(entry, "pending"), Decision()
    decision = changes.resume(facts, was, entry.resume.settings, at, new_id, unattended=True)
    waits = facts.parties.subscriptions[was.id].status == "paused"
    return pause_schedules.resumes(entry, "pending" if waits else "succeeded"), decision
