"""Changing a subscription schedule: the phases of a request checked and dated, and what they mean at once."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.resources.params import Unset
from voldaan.resources.pause_schedules import PauseScheduleParams
from voldaan.resources.subscription_items import ProrationBehavior
from voldaan.resources.subscription_schedules import Phase, SubscriptionSchedule
from voldaan.rules import pause_terms, schedule_phases, schedules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import missing, refused
from voldaan.rules.subscriptions import zone_of


def agreed(
    facts: BillingFacts,
    schedule: SubscriptionSchedule,
    wanted: list[schedule_phases.Wanted],
    start: int,
    now: int,
    decision: Decision,
) -> list[Phase]:
    """The phases of a request, checked and with their dates. The decision has the prices that were made for them."""
    inline = {made.id for made in decision.inserts} | {item.price for phase in schedule.agreed for item in phase.items}
    for each in wanted:
        if each.phase.currency != wanted[0].phase.currency:
            raise refused("All phases of a schedule must have the same currency.", f"{each.here}[currency]")
        schedule_phases.check(facts.catalogue, each, inline, each.phase.currency, schedule.billing_mode.type)
        schedule_phases.check_terms(each, schedule.default_settings)
    subscription = facts.parties.subscriptions.get(schedule.subscription or "")
    anchor = None if subscription is None else subscription.billing_cycle_anchor
    calendar = schedule_phases.Calendar(_zone(facts, schedule), anchor)
    return schedule_phases.laid_out(facts.catalogue, wanted, schedule.default_settings, start, now, calendar)


def rearranged(
    facts: BillingFacts,
    was: SubscriptionSchedule,
    changed: SubscriptionSchedule,
    wanted: list[schedule_phases.Wanted],
    now: int,
    decision: Decision,
) -> SubscriptionSchedule:
    """The schedule with other phases from the present one on; what is past stays, and may be left out of the request."""
    current = was.current_phase
    past = [phase for phase in was.agreed if current is not None and phase.end_date <= current.start_date]
    begun = {phase.start_date for phase in past}
    wanted = [each for each in wanted if getattr(each.params, "start_date", None) not in begun]
    if not wanted:
        raise missing("phases")
    first = getattr(wanted[0].params, "start_date", None)
    if first is None:
        raise refused(
            "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates to.",
            f"{wanted[0].here}[start_date]",
        )
    start = now if first == "now" else first
    if current is not None and start != current.start_date:
        raise refused("You can not modify the start date of the current phase.", f"{wanted[0].here}[start_date]")
    if current is None and start < now:
        raise refused("A schedule that has not started cannot be moved to the past.", f"{wanted[0].here}[start_date]")
    subscription = facts.parties.subscriptions.get(was.subscription or "")
    phases = agreed(facts, changed, wanted, start, now, decision)
    if subscription is not None and phases[0].currency != subscription.currency:
        raise refused("The currency of a subscription cannot be changed.", f"{wanted[0].here}[currency]")
    return schedules.with_phases(changed, [*past, *phases])


def with_pause(
    facts: BillingFacts,
    was: SubscriptionSchedule,
    changed: SubscriptionSchedule,
    wanted: Sequence[PauseScheduleParams] | Unset | None,
    now: int,
    new_id: NewId,
    here: str = pause_terms.HERE,
) -> SubscriptionSchedule:
    """The changed schedule with what the request says of its pause. Refuses phases that no pause can be in, too."""
    subscription = facts.parties.subscriptions.get(was.subscription or "")
    asked = pause_terms.Asked(changed, subscription, _zone(facts, was), now, here)
    changed = pause_terms.applied(asked, wanted, new_id)
    if wanted is None:
        pause_terms.check(changed, subscription, "phases")
    return changed


def take_effect(
    facts: BillingFacts,
    debits: Debits,
    was: SubscriptionSchedule,
    changed: SubscriptionSchedule,
    behavior: ProrationBehavior,
    now: int,
    new_id: NewId,
) -> Decision:
    """What the change means now: for the subscription, if there is one, and for when the next phase begins."""
    if changed == replace(was, pause_schedules=changed.pause_schedules):
        facts.parties.schedules[was.id] = changed
        told = Event("subscription_schedule.updated", changed, was)
        return Decision(updates=[Update(changed, was)], events=[told])
    if was.current_phase is None:
        return _before_its_start(facts, was, changed, now, new_id)
    phase = schedule_phases.in_force(changed.agreed, now)
    if phase is None:  # the last phase is over, and the work that says so is about to
        raise refused("The last phase must end in the future.", "phases")
    changed = facts.parties.schedules[was.id] = schedules.enters(changed, phase)
    decision = Decision(
        updates=[Update(changed, was)], events=[Event("subscription_schedule.updated", changed, was)]
    )
    begins = phase.start_date != was.current_phase.start_date
    behavior = phase.proration_behavior if begins else behavior
    return decision.add(
        schedules.enter(facts, debits, changed, phase, now, new_id, behavior=behavior, begins=begins)
    )


def _before_its_start(
    facts: BillingFacts, was: SubscriptionSchedule, changed: SubscriptionSchedule, now: int, new_id: NewId
) -> Decision:
    """A schedule that has not started begins when its first phase does now: at once, if that is past."""
    starts_at = changed.agreed[0].start_date
    changed = facts.parties.schedules[was.id] = replace(changed, next_at=starts_at)
    decision = Decision(updates=[Update(changed, was)])
    if starts_at <= now:
        decision.add(schedules.start(facts, changed, now, new_id))
    made = facts.parties.schedules[was.id]
    decision.events.append(Event("subscription_schedule.updated", made, was))
    return decision


def _zone(facts: BillingFacts, schedule: SubscriptionSchedule) -> str:
    """By whose calendar its phases are counted."""
    subscription = facts.parties.subscriptions.get(schedule.subscription or "")
    if subscription is not None:
        return subscription.timezone
    return zone_of(facts, facts.parties.customers[schedule.customer])
