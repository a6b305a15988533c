"""Previews of schedules: the invoice that comes next of one that exists, of one that is changed, or of one that may be made."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.commands import billing, clocks, metered, phases, schedule_facts
from voldaan.resources.invoice_params import InvoiceCreatePreview
from voldaan.resources.invoices import Invoice
from voldaan.resources.schedule_params import PreviewSchedule
from voldaan.resources.subscription_schedules import ScheduleDefaults, SubscriptionSchedule
from voldaan.rules import pause_schedules, renewals, states
from voldaan.rules import schedule_changes as changing
from voldaan.rules import schedules as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import missing, refused
from voldaan.rules.subscription_fields import billing_mode
from voldaan.store.transaction import Missing, Transaction

HERE = "schedule_details[pause_schedules][0]"


async def decided(tx: Transaction, params: InvoiceCreatePreview, new_id: NewId) -> tuple[BillingFacts, Decision]:
    """What happens next to the schedule that is asked about, as far as its next invoice."""
    said = params.schedule_details or PreviewSchedule()
    if params.schedule is None:
        return await _of_new(tx, params, said, new_id)
    facts, debits = await schedule_facts.load(tx, [params.schedule])
    schedule = facts.parties.schedules.get(params.schedule)
    if schedule is None:
        raise Missing("subscription_schedule", params.schedule, "schedule")
    if params.customer not in (None, schedule.customer):
        raise refused("The schedule does not belong to the customer.", "schedule")
    if schedule.status not in ("not_started", "active"):
        return facts, Decision()
    now = await clocks.now_for(tx, schedule.test_clock)
    await metered.know_more(tx, facts)  # until the customer's own time
    decision = Decision()
    if params.schedule_details is not None:
        decision = await _changed(tx, facts, debits, schedule, said, now, new_id)
        schedule = facts.parties.schedules[schedule.id]
    return facts, decision.add(_next(facts, debits, schedule, new_id))


async def _changed(
    tx: Transaction,
    facts: BillingFacts,
    debits: Debits,
    was: SubscriptionSchedule,
    said: PreviewSchedule,
    now: int,
    new_id: NewId,
) -> Decision:
    scratch = Decision()
    changed = replace(was, end_behavior=said.end_behavior or was.end_behavior)
    if said.phases:
        wanted = await phases.wanted(tx, facts, said.phases, was.customer, scratch)
        changed = changing.rearranged(facts, was, changed, wanted, now, scratch)
    changed = changing.with_pause(facts, was, changed, said.pause_schedules, now, new_id, HERE)
    await schedule_facts.know_phases(tx, facts, changed.agreed)
    decision = changing.take_effect(facts, debits, was, changed, said.proration_behavior, now, new_id)
    await metered.know_more(tx, facts)  # the phases that begin before the next renewal may be others now
    return decision


async def _of_new(
    tx: Transaction, params: InvoiceCreatePreview, said: PreviewSchedule, new_id: NewId
) -> tuple[BillingFacts, Decision]:
    """The first invoice of a schedule that may be made."""
    if params.customer is None:
        raise missing("customer")
    facts = await billing.load(tx, customers=[params.customer])
    customer = billing.living(facts, params.customer)
    now = await clocks.now_for(tx, customer.test_clock)
    scratch = Decision()
    schedule = SubscriptionSchedule(
        id=new_id("sub_sched"),
        agreed=[],
        billing_mode=billing_mode(said.billing_mode),
        created=now,
        customer=customer.id,
        default_settings=ScheduleDefaults(),
        end_behavior=said.end_behavior or "release",
        livemode=tx.account.livemode,
        status="not_started",
        test_clock=customer.test_clock,
    )
    wanted = await phases.wanted(tx, facts, said.phases, customer.id, scratch)
    given = said.phases[0].start_date if said.phases else None
    start = given if isinstance(given, int) else now
    schedule = rules.with_phases(schedule, changing.agreed(facts, schedule, wanted, start, now, scratch))
    schedule = changing.with_pause(facts, schedule, schedule, said.pause_schedules, now, new_id, HERE)
    facts.parties.schedules[schedule.id] = schedule
    await schedule_facts.know_phases(tx, facts, schedule.agreed[:1])
    return facts, rules.start(facts, schedule, max(start, now), new_id)


def _next(facts: BillingFacts, debits: Debits, schedule: SubscriptionSchedule, new_id: NewId) -> Decision:
    """The start, or what the phases and the renewal until the end of the present period bring."""
    if schedule.status == "not_started":
        return rules.start(facts, schedule, schedule.next_at or schedule.created, new_id)
    subscription = facts.parties.subscriptions[schedule.subscription or ""]
    decision = Decision()
    if subscription.status in states.SUBSCRIPTION_RENEWS:
        decision.add(rules.advance(facts, debits, schedule, subscription.current_period_end, new_id))
        after = facts.parties.subscriptions[subscription.id]
        decision.add(renewals.renew(facts, after, after.current_period_end, new_id))
    return decision if _bills(decision) else decision.add(_resumed(facts, debits, schedule.id, new_id))


def _resumed(facts: BillingFacts, debits: Debits, id: str, new_id: NewId) -> Decision:
    """Of a paused subscription: what its resumption brings."""
    schedule = facts.parties.schedules[id]
    resumes = pause_schedules.to_come(schedule).get("resume")
    if resumes is None or facts.parties.subscriptions[schedule.subscription or ""].status != "paused":
        return Decision()
    return rules.advance(facts, debits, schedule, resumes, new_id)


def _bills(decision: Decision) -> bool:
    return any(isinstance(made, Invoice) for made in decision.inserts)
