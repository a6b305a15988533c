"""Subscription schedules: what was agreed, phase by phase, and what becomes of it."""

from __future__ import annotations

from typing import Any

from tests.stories.expecting import Pair, facts
from tests.stories.grammar import ANSWER, STEP, Params, params
from tests.stories.language import Grammar, Phrase, written
from tests.stories.stage import Stage

PHASES = Grammar("phase of a schedule")
FOR_SCHEDULE = Grammar("clause of a schedule")
FOR_PHASE = Grammar("clause of a phase")
OF_SCHEDULE = Grammar("fact of a schedule")


@STEP("<who> is scheduled from <when>", clauses=FOR_SCHEDULE, below=PHASES)
def scheduled(stage: Stage, said: Phrase, who: str, when: int) -> None:
    """In the lines below: the phases. The subscription, once it has begun, has the customer's name."""
    start = "now" if when == stage.now else when
    terms = params(stage, said.clauses, customer=stage.customers[who], start_date=start, phases=phases(stage, said.below))
    _keep(stage, who, stage.v1.subscription_schedules.create(terms))


@STEP("<sub> is put on a schedule", below=ANSWER)
def around(stage: Stage, said: Phrase, sub: str) -> None:
    made = stage.v1.subscription_schedules.create({"from_subscription": stage.subscriptions[sub]})
    stage.schedules[sub] = made.id


@STEP("the schedule of <sub> becomes", clauses=FOR_SCHEDULE, below=PHASES)
def becomes(stage: Stage, said: Phrase, sub: str) -> None:
    """From the present phase on, which keeps its start."""
    found = _schedule(stage, sub)
    wanted = phases(stage, said.below)
    begun = found.current_phase or found.phases[0]
    wanted[0].setdefault("start_date", begun.start_date)
    stage.v1.subscription_schedules.update(found.id, params(stage, said.clauses, phases=wanted))


@STEP("the schedule of <sub> is updated", clauses=FOR_SCHEDULE, below=ANSWER)
def updated(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscription_schedules.update(stage.schedules[sub], params(stage, said.clauses))


@STEP("the schedule of <sub> is released", clauses=FOR_SCHEDULE, below=ANSWER)
def is_released(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscription_schedules.release(stage.schedules[sub], params(stage, said.clauses))


@STEP("the schedule of <sub> is canceled", clauses=FOR_SCHEDULE, below=ANSWER)
def is_canceled(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscription_schedules.cancel(stage.schedules[sub], params(stage, said.clauses))


@STEP("preview the schedule of <sub>", below=ANSWER)
def preview_schedule(stage: Stage, said: Phrase, sub: str) -> None:
    stage.preview = stage.v1.invoices.create_preview({"schedule": stage.schedules[sub]})


def phases(stage: Stage, said: list[Phrase]) -> list[Params]:
    return [phrase.call(stage, phrase, **phrase.values) for phrase in said]


def _keep(stage: Stage, who: str, schedule: Any) -> None:
    stage.schedules[who] = schedule.id
    if schedule.subscription:
        stage.subscriptions[who] = schedule.subscription


def _schedule(stage: Stage, sub: str) -> Any:
    found = stage.v1.subscription_schedules.retrieve(stage.schedules[sub])
    if found.subscription:
        stage.subscriptions[sub] = found.subscription
    return found


# What may be said of a phase -----------------------------------------------------------------------------------------------


@PHASES("<items> for <n> <interval:who>s", clauses=FOR_PHASE)
def for_intervals(stage: Stage, said: Phrase, items: list[tuple[str, int]], n: int, interval: str) -> Params:
    return _phase(stage, said, items, duration={"interval": interval, "interval_count": n})


@PHASES("<items> until <when>", clauses=FOR_PHASE)
def until_then(stage: Stage, said: Phrase, items: list[tuple[str, int]], when: int) -> Params:
    return _phase(stage, said, items, end_date=when)


@PHASES("<items> until now", clauses=FOR_PHASE)
def until_now(stage: Stage, said: Phrase, items: list[tuple[str, int]]) -> Params:
    return _phase(stage, said, items, end_date="now")


@PHASES("<items> for a period", clauses=FOR_PHASE)
def for_a_period(stage: Stage, said: Phrase, items: list[tuple[str, int]]) -> Params:
    return _phase(stage, said, items)


def _phase(stage: Stage, said: Phrase, items: list[tuple[str, int]], **given: Any) -> Params:
    wanted = [{"price": stage.prices[name], "quantity": quantity} for name, quantity in items]
    return params(stage, said.clauses, items=wanted, **given)


@FOR_PHASE("from now")
def from_now(stage: Stage) -> Params:
    return {"start_date": "now"}


@FOR_PHASE("coupon <code>")
def with_coupon(stage: Stage, code: str) -> Params:
    return {"discounts": [{"coupon": code}]}


@FOR_PHASE("tax <rate:who>")
def with_tax(stage: Stage, rate: str) -> Params:
    return {"default_tax_rates": [stage.rates[rate]]}


@FOR_PHASE("all of it a trial")
def all_trial(stage: Stage) -> Params:
    return {"trial": True}


@FOR_PHASE("trial until <when>")
def trial_until(stage: Stage, when: int) -> Params:
    return {"trial_end": when}


@FOR_PHASE("proration <behavior:word>")
def proration(stage: Stage, behavior: str) -> Params:
    return {"proration_behavior": behavior}


@FOR_PHASE("anchor at its start")
def anchored(stage: Stage) -> Params:
    return {"billing_cycle_anchor": "phase_start"}


@FOR_PHASE("sent and due in <n> days")
def sent_in(stage: Stage, n: int) -> Params:
    return {"collection_method": "send_invoice", "invoice_settings": {"days_until_due": n}}


@FOR_PHASE("with <items> once")
def with_once(stage: Stage, items: list[tuple[str, int]]) -> Params:
    return {"add_invoice_items": [{"price": stage.prices[name], "quantity": quantity} for name, quantity in items]}


# What may be said of a schedule --------------------------------------------------------------------------------------------


@FOR_SCHEDULE("then canceled")
def then_canceled(stage: Stage) -> Params:
    return {"end_behavior": "cancel"}


@FOR_SCHEDULE("then released")
def then_released(stage: Stage) -> Params:
    return {"end_behavior": "release"}


@FOR_SCHEDULE("prorated <behavior:word>")
def prorated(stage: Stage, behavior: str) -> Params:
    return {"proration_behavior": behavior}


@FOR_SCHEDULE("keeping its end")
def keeping(stage: Stage) -> Params:
    return {"preserve_cancel_date": True}


@FOR_SCHEDULE("without proration")
def without_proration(stage: Stage) -> Params:
    return {"prorate": False}


@FOR_SCHEDULE("billing <mode:word>")
def billing_mode(stage: Stage, mode: str) -> Params:
    return {"billing_mode": {"type": mode}}


# What is so ----------------------------------------------------------------------------------------------------------------


@STEP("schedule <sub> <status:word>", clauses=OF_SCHEDULE)
def schedule(stage: Stage, said: Phrase, sub: str, status: str) -> list[Pair]:
    found = _schedule(stage, sub)
    return [(status, found.status), *facts(said.clauses, found, stage)]


@OF_SCHEDULE("in <start:when> to <end:when>")
def in_phase(stage: Stage, found: Any, start: int, end: int) -> Pair:
    current = found.current_phase
    here = f"{written(current.start_date)} to {written(current.end_date)}" if current else "no phase"
    return f"{written(start)} to {written(end)}", here


@OF_SCHEDULE("until <when>")
def ends(stage: Stage, found: Any, when: int) -> Pair:
    """The end of its last phase."""
    return written(when), written(found.phases[-1].end_date)


@OF_SCHEDULE("phases <n>")
def how_many(stage: Stage, found: Any, n: int) -> Pair:
    return f"{n} phases", f"{len(found.phases)} phases"


@OF_SCHEDULE("let go of <sub>")
def let_go(stage: Stage, found: Any, sub: str) -> Pair:
    return stage.subscriptions[sub], str(found.released_subscription)
