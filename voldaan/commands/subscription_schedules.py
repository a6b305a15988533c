"""Subscription schedules: agreed, changed, canceled, let go; and the phases that begin by the clock."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import (
    agreed_discounts,
    billing,
    clocks,
    lookups,
    metered,
    pending_updates,
    phases,
    posting,
    schedule_facts,
    subscriptions,
)
from voldaan.commands.answers import Answer
from voldaan.commands.subscription_changes import load_one
from voldaan.resources.params import Unset
from voldaan.resources.pause_schedules import PauseScheduleParams
from voldaan.resources.schedule_params import (
    SubscriptionScheduleCancel,
    SubscriptionScheduleCreate,
    SubscriptionScheduleRelease,
    SubscriptionScheduleUpdate,
)
from voldaan.resources.subscription_schedules import ScheduleDefaults, SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription, SubscriptionCancel
from voldaan.rules import changes, pause_schedules, states
from voldaan.rules import schedule_changes as changing
from voldaan.rules import schedules as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, Debits
from voldaan.rules.customer_balance_transactions import refusal as other_currency
from voldaan.rules.decision import Decision, Due, Event, Refused, Update, together
from voldaan.rules.metadata import merged
from voldaan.rules.phase_settings import end_of
from voldaan.rules.refusals import missing, refused
from voldaan.rules.schedule_ends import no_more_due
from voldaan.rules.subscription_due import cancellation, follow_up
from voldaan.rules.subscription_fields import billing_mode
from voldaan.store.children import embed
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

ALIVE = ("not_started", "active")
LOOK_AGAIN = 60  # seconds until a pause is tried again that a payment under way has held up


async def create(tx: Transaction, params: SubscriptionScheduleCreate) -> SubscriptionSchedule | Answer:
    """A schedule for a new subscription, begun if its first phase has; or around a subscription that there is."""
    if params.from_subscription is not None:
        return await _around(tx, params, params.from_subscription)
    if params.customer is None:
        raise missing("customer")
    facts = await billing.load(tx, customers=[params.customer])
    customer = billing.living(facts, params.customer)
    now = await clocks.now_for(tx, customer.test_clock)
    if params.start_date is None:
        raise missing("start_date")
    decision = Decision()
    schedule = SubscriptionSchedule(
        id=new_id("sub_sched"),
        agreed=[],
        billing_mode=billing_mode(params.billing_mode),
        created=now,
        customer=customer.id,
        end_behavior=params.end_behavior,
        livemode=tx.account.livemode,
        metadata=merged({}, params.metadata),
        status="not_started",
        test_clock=customer.test_clock,
    )
    defaults = await phases.defaults(tx, facts, ScheduleDefaults(), params.default_settings, customer.id)
    schedule = replace(schedule, default_settings=defaults)
    begins = now if params.start_date == "now" else params.start_date
    wanted = await phases.wanted(tx, facts, params.phases, customer.id, decision)
    agreed = changing.agreed(facts, schedule, wanted, begins, now, decision)
    if no := other_currency(customer, agreed[0].currency):
        raise Refused(no)
    if begins <= now and agreed[0].end_date <= now:
        raise refused("The first phase must end in the future.", "phases[0][end_date]")
    schedule = rules.with_phases(replace(schedule, next_at=begins), agreed)
    schedule = changing.with_pause(facts, schedule, schedule, params.pause_schedules, now, new_id)
    await embed(tx, [schedule])
    facts.parties.schedules[schedule.id] = schedule
    decision.inserts.append(schedule)
    if begins <= now:
        await schedule_facts.know_phases(tx, facts, agreed[:1])
        await billing.number_whole_book(tx, facts)
        decision.add(rules.start(facts, schedule, now, new_id))
        decision.add(rules.advance(facts, {}, facts.parties.schedules[schedule.id], now, new_id))
    made = facts.parties.schedules[schedule.id]
    decision.due += [*rules.coming(made), *rules.warning(made, now)]
    decision.events.append(Event("subscription_schedule.created", made))
    return await _written(tx, facts, decision, schedule.id)


async def update(tx: Transaction, params: SubscriptionScheduleUpdate, id: str) -> SubscriptionSchedule | Answer:
    """Other terms: of a phase that runs they hold at once, of those to come when their time comes."""
    facts, debits, was = await _load(tx, id)
    _check_alive(was, "updated")
    if _pauses_now(params.pause_schedules) and await _give_up_held(tx, facts, was):
        facts, debits, was = await _load(tx, id)
    given, now, decision = params.model_fields_set, tx.now, Decision()
    changed = replace(
        was,
        default_settings=await phases.defaults(
            tx, facts, was.default_settings, params.default_settings, was.customer
        ),
        end_behavior=params.end_behavior if "end_behavior" in given else was.end_behavior,
        metadata=merged(was.metadata or {}, params.metadata) if "metadata" in given else was.metadata,
    )
    if params.phases is not None:
        wanted = await phases.wanted(tx, facts, params.phases, was.customer, decision)
        changed = changing.rearranged(facts, was, changed, wanted, now, decision)
        await embed(tx, [changed])
    changed = changing.with_pause(facts, was, changed, params.pause_schedules, now, new_id)
    if changed == was:
        return was
    await schedule_facts.know_phases(tx, facts, changed.agreed)
    await billing.number_whole_book(tx, facts)
    decision.add(changing.take_effect(facts, debits, was, changed, params.proration_behavior, now, new_id))
    decision.add(rules.advance(facts, debits, facts.parties.schedules[id], now, new_id))
    made = facts.parties.schedules[id]
    decision.due_cancelled += no_more_due(id)
    decision.due += [*rules.coming(made), *rules.warning(made, now)]
    return await _written(tx, facts, decision, id)


async def cancel(tx: Transaction, params: SubscriptionScheduleCancel, id: str) -> SubscriptionSchedule | Answer:
    """Ends the schedule, and with it the subscription that it manages, at once."""
    facts, _, was = await _load(tx, id)
    _check_alive(was, "canceled")
    if was.subscription is not None:
        terms = SubscriptionCancel(invoice_now=params.invoice_now, prorate=params.prorate)
        ended = await subscriptions.cancel(tx, terms, was.subscription)
        if isinstance(ended, Answer):
            return Answer(id, SubscriptionSchedule)
        return await tx.need(SubscriptionSchedule, id)
    facts.parties.schedules[id], decision = rules.cancel_waiting(was, tx.now)
    return await _written(tx, facts, decision, id)


async def release(tx: Transaction, params: SubscriptionScheduleRelease, id: str) -> SubscriptionSchedule | Answer:
    """Stops the phases, and leaves the subscription as it is; without the end that the schedule gave it, unless that is kept."""
    facts, debits, was = await _load(tx, id)
    _check_alive(was, "released")
    await billing.number_whole_book(tx, facts)
    decision = Decision()
    subscription = facts.parties.subscriptions.get(was.subscription or "")
    if subscription is not None and end_of(was) == subscription.cancel_at is not None and not params.preserve_cancel_date:
        open_ended = replace(subscription, cancel_at=None, canceled_at=None)
        change = Change(at=tx.now, debits=debits, drafts=True)
        decision.add(changes.apply(facts, subscription, open_ended, change, tx.now, new_id))
        decision.add(follow_up(subscription, facts.parties.subscriptions[subscription.id], tx.now))
    decision.add(rules.release(facts.parties, was, tx.now))
    return await _written(tx, facts, decision, id)


async def cancel_of_customers(tx: Transaction, customers: list[str]) -> None:
    """Schedules of deleted customers that have not started never will; the others end with their subscriptions."""
    where = "t.customer_id = any(%(customers)s) and t.status = 'not_started'"
    decision = Decision()
    for schedule in await tx.select(SubscriptionSchedule, where, customers=customers):
        decision.add(rules.cancel_waiting(schedule, tx.now)[1])
    await write(tx, [decision])


# Due work --------------------------------------------------------------------------------------------------------------


async def begin_phases(tx: Transaction, subjects: list[str]) -> None:
    """Due work schedule.phase and schedule.pause: whatever of these schedules begins, pauses, resumes or ends by now. What is
    done already is left alone."""
    waits = await _without_held(tx, subjects)
    facts, debits = await schedule_facts.load(tx, [subject for subject in subjects if subject not in waits])
    if schedule_facts.finalizes(tx, facts):
        await billing.number_whole_book(tx, facts)
    due = [facts.parties.schedules[id] for id in sorted({*subjects} & facts.parties.schedules.keys())]
    whole = together(rules.advance(facts, debits, schedule, tx.now, new_id) for schedule in due)
    whole.due += [Due("schedule.pause", schedule.id, tx.now + LOOK_AGAIN, schedule.test_clock) for schedule in waits.values()]
    whole.add(await agreed_discounts.codes_of_ended_coupons(tx, whole))
    await write(tx, [posting.post(whole, tx.now)])
    await billing.keep_number(tx, facts)


async def _without_held(tx: Transaction, subjects: list[str]) -> dict[str, SubscriptionSchedule]:
    """A change that waits for its payment is given up where its subscription is paused now. Returns the schedules that have
    to wait, because a payment of such a change may still succeed."""
    found = await tx.get(SubscriptionSchedule, subjects)
    pausing = {s.subscription: s for s in found.values() if s.subscription and _is_paused_by(s, tx.now)}
    held = [s for s in (await tx.get(Subscription, list(pausing))).values() if s.held is not None]
    waits = {}
    for subscription in held:
        try:
            await pending_updates.withdraw(tx, subscription)
        except Refused:
            waits[pausing[subscription.id].id] = pausing[subscription.id]
    return waits


def _is_paused_by(schedule: SubscriptionSchedule, now: int) -> bool:
    step = pause_schedules.next_of(schedule)
    return step is not None and step[1] == "pause" and step[0] <= now


async def expiring(tx: Transaction, subjects: list[str]) -> None:
    """Due work schedule.expiring: seven days before the end of the last phase."""
    found = list((await tx.get(SubscriptionSchedule, subjects)).values())
    await embed(tx, found)
    alive = [schedule for schedule in found if schedule.status in ALIVE]
    await write(tx, [Decision(events=[Event("subscription_schedule.expiring", s) for s in alive])])


# Pieces ----------------------------------------------------------------------------------------------------------------


async def _load(tx: Transaction, id: str) -> tuple[BillingFacts, Debits, SubscriptionSchedule]:
    facts, debits = await schedule_facts.load(tx, [id])
    was = facts.parties.schedules.get(id)
    if was is None:
        raise Missing("subscription_schedule", id)
    await clocks.now_for(tx, was.test_clock)
    await metered.know_more(tx, facts)  # until the customer's own time
    return facts, debits, was


async def _written(tx: Transaction, facts: BillingFacts, decision: Decision, id: str) -> SubscriptionSchedule | Answer:
    decision.add(await agreed_discounts.codes_of_ended_coupons(tx, decision))
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return Answer(id, SubscriptionSchedule) if decision.attempts else facts.parties.schedules[id]


async def _around(tx: Transaction, params: SubscriptionScheduleCreate, id: str) -> SubscriptionSchedule | Answer:
    """A schedule around a subscription that there is."""
    if other := sorted(params.model_fields_set - {"from_subscription", "pause_schedules", "expand"}):
        raise refused(f"You cannot set `{other[0]}` if `from_subscription` is set.", other[0])
    facts, was = await load_one(tx, id, "from_subscription")
    if _pauses_now(params.pause_schedules) and was.held is not None:
        await pending_updates.withdraw(tx, was)
        facts, was = await load_one(tx, id, "from_subscription")
    now = tx.now
    _check_free(was)
    schedule = rules.around(was, now, new_id)
    schedule = changing.with_pause(facts, schedule, schedule, params.pause_schedules, now, new_id)
    await embed(tx, [schedule])
    changed = replace(was, schedule=schedule.id, cancel_at_period_end=False)
    facts.parties.schedules[schedule.id] = schedule
    facts.parties.subscriptions[id] = changed
    decision = Decision(
        inserts=[schedule],
        updates=[Update(changed, was)],
        events=[
            Event("customer.subscription.updated", changed, was),
            Event("subscription_schedule.created", schedule),
        ],
        due=[*rules.coming(schedule), *rules.warning(schedule, now)],
    )
    if was.cancel_at_period_end:
        decision.due += cancellation(changed)
    if pause_schedules.awaits(schedule):
        debits = await lookups.debits(tx, was.items.data)
        await billing.number_whole_book(tx, facts)
        decision.add(rules.advance(facts, debits, schedule, now, new_id))
    return await _written(tx, facts, decision, schedule.id)


def _check_free(subscription: Subscription) -> None:
    """Refuses a subscription that has a schedule, or has ended."""
    if subscription.schedule is not None:
        raise refused(
            f"You cannot migrate a subscription that is already attached to a schedule: `{subscription.schedule}`.",
            "from_subscription",
        )
    if subscription.status in states.SUBSCRIPTION_ENDED or subscription.status == "incomplete":
        raise refused(f"You cannot migrate a subscription that is {subscription.status}.", "from_subscription")


def _pauses_now(wanted: Sequence[PauseScheduleParams] | Unset | None) -> bool:
    return any(each.pause is not None and each.pause.pause_at is not None and each.pause.pause_at.type == "now"
               for each in wanted or ())  # fmt: skip


async def _give_up_held(tx: Transaction, facts: BillingFacts, schedule: SubscriptionSchedule) -> bool:
    """Gives up the change of its subscription that waits for its payment, if there is one."""
    subscription = facts.parties.subscriptions.get(schedule.subscription or "")
    if subscription is None or subscription.held is None:
        return False
    await pending_updates.withdraw(tx, subscription)
    return True


def _check_alive(schedule: SubscriptionSchedule, done: str) -> None:
    if schedule.status in ALIVE:
        return
    verb = {"updated": "update", "canceled": "cancel", "released": "release"}[done]
    raise refused(
        f"You cannot {verb} a subscription schedule that is currently in the `{schedule.status}` status. It must be in "
        f"`not_started, active` status to be {done}."
    )
