"""Subscription schedules at work: a subscription begins, enters the next phase, is let go.

A phase that begins is a change of the subscription, decided by the very rules of an update, at the instant that was agreed
however late the work is done. Where it begins as a period ends, the renewal bills what it leaves. What a decision changes
is put back into the facts. Sources: docs/behaviour-billing.md, "Schedules".
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec.structs import replace

from voldaan.resources.subscription_items import ProrationBehavior
from voldaan.resources.subscription_schedules import CurrentPhase, Phase, SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import changes, pause_schedules, pausing, phase_settings, phase_terms, renewals, states
from voldaan.rules import subscriptions as beginning
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, Debits
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.new_periods import resets, turns
from voldaan.rules.owing import Parties
from voldaan.rules.redeeming import Redeeming
from voldaan.rules.schedule_ends import has_next, no_more_due
from voldaan.rules.schedule_phases import in_force
from voldaan.rules.subscription_due import follow_up

Step = Literal["pause", "phase", "resume"]

EXPIRING = 7 * 86_400  # how long before its end a schedule says so


def advance(facts: BillingFacts, debits: Debits, schedule: SubscriptionSchedule, until: int, new_id: NewId) -> Decision:
    """All that the schedule does by `until`, each at its own instant: pauses, phases that begin, the release after the last.

    A renewal that is due before the next of these goes first; it puts that back to work (see `renew`).
    """
    decision, was = Decision(), schedule
    while (step := next_step(schedule)) is not None and not _rests(facts, schedule, step[0], until):
        at, kind = step
        if kind == "phase":
            decision.add(_step(facts, debits, schedule, at, new_id))
        else:
            decision.add(pausing.step(facts, debits, schedule, kind, at, new_id))
        schedule = facts.parties.schedules[schedule.id]
    return decision.add(Decision(due=coming(schedule))) if schedule is not was else decision


def renew(facts: BillingFacts, debits: Debits, subscription: Subscription, now: int, new_id: NewId) -> Decision:
    """The end of a subscription's period. A phase that begins by then comes first, whichever work runs before the other."""
    schedule = facts.parties.schedules.get(subscription.schedule or "")
    if schedule is None:
        return renewals.renew(facts, subscription, now, new_id)
    decision = advance(facts, debits, schedule, min(subscription.current_period_end, now), new_id)
    decision.add(renewals.renew(facts, facts.parties.subscriptions[subscription.id], now, new_id))
    schedule = facts.parties.schedules[schedule.id]
    step = next_step(schedule)
    if step is not None and step[0] <= now:
        decision.due += coming(schedule)
    return decision


def start(facts: BillingFacts, schedule: SubscriptionSchedule, at: int, new_id: NewId) -> Decision:
    """The first phase begins, or began in the past: its subscription is made at `at`, and billed since the phase's start."""
    phase = in_force(schedule.agreed, at) or schedule.agreed[0]
    new, decision = as_agreed(facts, schedule, phase, at, new_id)
    new.schedule = schedule.id
    decision.add(beginning.begin(facts, new, at, new_id))
    running = enters(replace(schedule, status="active", subscription=new.id), phase)
    facts.parties.schedules[schedule.id] = running
    decision.updates.append(Update(running, schedule))
    return decision


def as_agreed(
    facts: BillingFacts, schedule: SubscriptionSchedule, phase: Phase, at: int, new_id: NewId
) -> tuple[beginning.Beginning, Decision]:
    """The subscription that begins at `at` on the terms of this phase, and what is redeemed for it."""
    id, customer, decision = new_id("sub"), facts.parties.customers[schedule.customer], Decision()
    redeem = Redeeming(facts, decision, schedule.customer, at, new_id)
    new = beginning.Beginning(
        id=id,
        params=phase_settings.asked(schedule, phase, at),
        customer=customer,
        currency=phase.currency,
        items=[phase_terms.new_item(redeem, id, item) for item in phase.items],
        discounts=redeem.all(phase.discounts, subscription=id),
        ignores_customers_discount=phase.ignores_customers_discount is True,
        default_tax_rates=facts.catalogue.whole_rates(phase.default_tax_rates),
        extra=phase_terms.added(redeem, phase, id, phase_terms.first_span(facts, phase, customer, at)),
        unattended=True,
    )
    return new, decision


def enter(
    facts: BillingFacts,
    debits: Debits,
    schedule: SubscriptionSchedule,
    phase: Phase,
    at: int,
    new_id: NewId,
    *,
    behavior: ProrationBehavior,
    begins: bool,
) -> Decision:
    """The subscription as the phase says. `begins`: with what belongs to its start alone; otherwise it has been changed."""
    subscription = facts.parties.subscriptions[schedule.subscription or ""]
    paused = subscription.status == "paused"
    decision = Decision()
    redeem = Redeeming(facts, decision, schedule.customer, at, new_id)
    wanted = replace(
        phase_settings.applied(facts.catalogue, schedule, phase, subscription, at),
        discounts=redeem.all(phase.discounts, subscription.discounts, subscription=subscription.id),
        ignores_customers_discount=phase.ignores_customers_discount is True,
    )
    change = Change(
        at=at,
        behavior="none" if paused else behavior,
        items=phase_terms.item_changes(redeem, subscription, phase),
        anchor="now" if begins and not paused and phase_settings.restarts(phase, schedule.default_settings) else None,
        trial_end=None if paused else _trial(subscription, phase, at),
        debits=debits,
        collect="off_session",
        drafts=True,
        sleeps=paused,
    )
    if begins and phase.add_invoice_items:
        anew = resets(facts, wanted, change)
        anchored = replace(subscription, billing_cycle_anchor=at) if anew else subscription
        begun = at if anew or turns(subscription, at) else subscription.current_period_start
        span = phase_terms.span(facts.catalogue, phase, anchored, begun, at)
        change.extra = phase_terms.added(redeem, phase, subscription.id, span)
    decision.add(changes.apply(facts, subscription, wanted, change, at, new_id))
    after = facts.parties.subscriptions[subscription.id]
    return decision.add(follow_up(subscription, after, at))


def around(subscription: Subscription, at: int, new_id: NewId) -> SubscriptionSchedule:
    """A schedule whose one phase is the present period of a subscription that there is, on the terms that it has."""
    phase = phase_terms.of_subscription(subscription)
    schedule = SubscriptionSchedule(
        id=new_id("sub_sched"),
        agreed=[],
        billing_mode=subscription.billing_mode,
        created=at,
        customer=subscription.customer,
        default_settings=phase_settings.of_subscription(subscription),
        end_behavior="release" if subscription.cancel_at is None else "cancel",
        livemode=subscription.livemode,
        status="active",
        subscription=subscription.id,
        test_clock=subscription.test_clock,
    )
    return with_phases(enters(schedule, phase), [phase])


def release(parties: Parties, schedule: SubscriptionSchedule, now: int) -> Decision:
    """The schedule lets go: its subscription, if there is one yet, goes on as it is."""
    status: Any = states.advance(states.SUBSCRIPTION_SCHEDULE, schedule.status, "release")
    let_go = replace(
        schedule,
        status=status,
        released_at=now,
        released_subscription=schedule.subscription,
        subscription=None,
        current_phase=None,
        next_at=None,
    )
    released = parties.schedules[schedule.id] = pause_schedules.over(let_go)
    decision = Decision(
        updates=[Update(released, schedule)],
        events=[Event("subscription_schedule.updated", released, schedule)],
        due_cancelled=no_more_due(schedule.id),
    )
    if subscription := parties.subscriptions.get(schedule.subscription or ""):
        freed = replace(subscription, schedule=None)
        parties.subscriptions[freed.id] = freed
        decision.updates.append(Update(freed, subscription))
        decision.events.append(Event("customer.subscription.updated", freed, subscription))
    decision.events.append(Event("subscription_schedule.released", released))
    return decision


def cancel_waiting(schedule: SubscriptionSchedule, now: int) -> tuple[SubscriptionSchedule, Decision]:
    """A schedule that has not started never will."""
    status: Any = states.advance(states.SUBSCRIPTION_SCHEDULE, schedule.status, "cancel")
    canceled = pause_schedules.over(replace(schedule, status=status, canceled_at=now, next_at=None))
    return canceled, Decision(
        updates=[Update(canceled, schedule)],
        events=[Event("subscription_schedule.canceled", canceled)],
        due_cancelled=no_more_due(schedule.id),
    )


def mirrored(parties: Parties, was: Subscription, after: Subscription) -> Decision:
    """A subscription was changed directly: the present phase of its schedule follows, so that both say the same."""
    schedule = parties.schedules.get(after.schedule or "")
    if schedule is None or schedule.current_phase is None:
        return Decision()
    at = schedule.current_phase.start_date
    agreed = [
        phase_terms.with_changes(phase, was, after) if phase.start_date == at else phase for phase in schedule.agreed
    ]
    if agreed == schedule.agreed:
        return Decision()
    changed = with_phases(schedule, agreed)
    parties.schedules[schedule.id] = changed
    return Decision(
        updates=[Update(changed, schedule)], events=[Event("subscription_schedule.updated", changed, schedule)]
    )


# When ------------------------------------------------------------------------------------------------------------------


def coming(schedule: SubscriptionSchedule) -> list[Due]:
    """The next phase or the release, and the next pause or resumption, as due work."""
    at = _next_phase(schedule)
    phases = [] if at is None else [Due("schedule.phase", schedule.id, at, schedule.test_clock)]
    return phases + pause_schedules.due(schedule)


def next_step(schedule: SubscriptionSchedule) -> tuple[int, Step] | None:
    """What the schedule does next, and when. At one instant a pause comes before a phase, which it spares the customer, and
    a phase before a resumption, which bills it."""
    pause: tuple[int, Step] | None = pause_schedules.next_of(schedule)
    phase = _next_phase(schedule)
    steps: list[tuple[int, Step]] = [] if phase is None else [(phase, "phase")]
    return min(steps if pause is None else [pause, *steps], default=None)  # the words are in this order too


def _next_phase(schedule: SubscriptionSchedule) -> int | None:
    """When the next phase begins, or the schedule lets go. An agreed end is the subscription's own due work, and nothing is
    let go that is still to be paused or resumed."""
    if schedule.next_at is None or _ends_with_subscription(schedule):
        return None
    lets_go = schedule.status == "active" and in_force(schedule.agreed, schedule.next_at) is None
    return None if lets_go and pause_schedules.awaits(schedule) else schedule.next_at


def warning(schedule: SubscriptionSchedule, now: int) -> list[Due]:
    """Seven days before the end of the last phase, unless that is past."""
    at = schedule.agreed[-1].end_date - EXPIRING
    return [Due("schedule.expiring", schedule.id, at, schedule.test_clock)] if at > now else []


# Pieces ----------------------------------------------------------------------------------------------------------------


def with_phases(schedule: SubscriptionSchedule, agreed: list[Phase]) -> SubscriptionSchedule:
    """The schedule with these phases, and with all the tax rates that they name."""
    known = {rate.id if not isinstance(rate, str) else rate: rate for rate in schedule.tax_rates}
    return replace(schedule, agreed=agreed, tax_rates=[known.get(id, id) for id in phase_terms.named_rates(agreed)])


def enters(schedule: SubscriptionSchedule, phase: Phase) -> SubscriptionSchedule:
    """The schedule with this phase as its present one."""
    current = CurrentPhase(start_date=phase.start_date, end_date=phase.end_date)
    return replace(schedule, current_phase=current, next_at=phase.end_date)


def _rests(facts: BillingFacts, schedule: SubscriptionSchedule, at: int, until: int) -> bool:
    if at > until:
        return True
    subscription = facts.parties.subscriptions.get(schedule.subscription or "")
    if subscription is None:
        return schedule.status != "not_started"
    return subscription.status in states.SUBSCRIPTION_RENEWS and subscription.current_period_end < at


def _ends_with_subscription(schedule: SubscriptionSchedule) -> bool:
    return schedule.end_behavior == "cancel" and schedule.status == "active" and not has_next(schedule)


def _step(facts: BillingFacts, debits: Debits, schedule: SubscriptionSchedule, at: int, new_id: NewId) -> Decision:
    if schedule.status == "not_started":
        decision = start(facts, schedule, at, new_id)
        running = facts.parties.schedules[schedule.id]
        decision.events.append(Event("subscription_schedule.updated", running, schedule))
        return decision
    phase = in_force(schedule.agreed, at)
    if phase is None:
        return release(facts.parties, schedule, at)
    entered = enters(schedule, phase)
    facts.parties.schedules[schedule.id] = entered
    decision = Decision(
        updates=[Update(entered, schedule)], events=[Event("subscription_schedule.updated", entered, schedule)]
    )
    return decision.add(enter(facts, debits, entered, phase, at, new_id, behavior=phase.proration_behavior, begins=True))


def _trial(subscription: Subscription, phase: Phase, at: int) -> int | None:
    """What becomes of the trial: it lasts until the phase says, ends now, or is left alone."""
    if phase.trial_end is not None and phase.trial_end > at:
        return phase.trial_end if phase.trial_end != subscription.trial_end else None
    trying = subscription.status == "trialing" and (subscription.trial_end or 0) > at
    return 0 if trying and phase.trial_end is not None else None
