"""Pauses: of a subscription at once, and those that its schedule brings."""

from __future__ import annotations

from typing import Any

from tests.stories.expecting import Pair
from tests.stories.grammar import ANSWER, STEP, Params
from tests.stories.language import Grammar, Phrase, written
from tests.stories.scheduling import OF_SCHEDULE
from tests.stories.stage import Stage

FOR_PAUSE = Grammar("clause of a pause")


@STEP("<sub> is paused", below=ANSWER)
def paused_now(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscriptions.pause(stage.subscriptions[sub], {"type": "subscription"})


@STEP("<sub> will be paused at <when>", clauses=FOR_PAUSE, below=ANSWER)
def will_be_paused(stage: Stage, said: Phrase, sub: str, when: int) -> None:
    """By its schedule; one is put around the subscription if there is none."""
    at: Params = {"type": "now"} if when == stage.now else {"type": "timestamp", "timestamp": when}
    _say(stage, sub, said, {"pause": {"pause_at": at}})


@STEP("the pause of <sub> is changed", clauses=FOR_PAUSE, below=ANSWER)
def pause_is_changed(stage: Stage, said: Phrase, sub: str) -> None:
    key = stage.v1.subscription_schedules.retrieve(stage.schedules[sub]).pause_schedules[0].key
    _say(stage, sub, said, {"key": key})


@STEP("<sub> is not paused after all", below=ANSWER)
def not_after_all(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscription_schedules.update(stage.schedules[sub], {"pause_schedules": ""})


def _say(stage: Stage, sub: str, said: Phrase, entry: Params) -> None:
    for clause in said.clauses:
        _merge(entry, clause.call(stage, **clause.values))
    given: Any = {"pause_schedules": [entry]}
    if sub in stage.schedules:
        stage.v1.subscription_schedules.update(stage.schedules[sub], given)
        return
    made = stage.v1.subscription_schedules.create({"from_subscription": stage.subscriptions[sub], **given})
    stage.schedules[sub] = made.id


def _merge(into: Params, more: Params) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


@FOR_PAUSE("until <when>")
def until(stage: Stage, when: int) -> Params:
    at: Params = {"type": "now"} if when == stage.now else {"type": "timestamp", "timestamp": when}
    return {"resume": {"resume_at": at}}


@FOR_PAUSE("for <n> <interval:who>s")
def for_intervals(stage: Stage, n: int, interval: str) -> Params:
    duration = {"interval": interval, "interval_count": n}
    return {"resume": {"resume_at": {"type": "duration", "duration": duration}}}


@FOR_PAUSE("without an end")
def without_end(stage: Stage) -> Params:
    return {"resume": ""}


@FOR_PAUSE("unused time <kind:word>")
def unused(stage: Stage, kind: str) -> Params:
    return {"pause": {"settings": {"bill_for": {"unused_time_from": {"type": kind}}}}}


@FOR_PAUSE("usage <kind:word>")
def usage(stage: Stage, kind: str) -> Params:
    return {"pause": {"settings": {"bill_for": {"outstanding_usage_through": {"type": kind}}}}}


@FOR_PAUSE("billed at once")
def billed_at_once(stage: Stage) -> Params:
    return {"pause": {"settings": {"invoicing_behavior": "invoice"}}}


@FOR_PAUSE("then <behavior:word>")
def then_behaves(stage: Stage, behavior: str) -> Params:
    return {"resume": {"settings": {"payment_behavior": behavior}}}


@FOR_PAUSE("then anchor <anchor:word>")
def then_anchor(stage: Stage, anchor: str) -> Params:
    return {"resume": {"settings": {"billing_cycle_anchor": anchor}}}


@OF_SCHEDULE("pause <state:word>")
def of_pause(stage: Stage, found: Any, state: str) -> Pair:
    pause = found.pause_schedules[0].pause
    return f"pause {state}", f"pause {_told(pause.status)}"


@OF_SCHEDULE("resumption <state:word>")
def of_resumption(stage: Stage, found: Any, state: str) -> Pair:
    resume = found.pause_schedules[0].resume
    return f"resumption {state}", f"resumption {_told(resume.status) if resume else 'none'}"


@OF_SCHEDULE("pausing at <when>")
def of_pause_at(stage: Stage, found: Any, when: int) -> Pair:
    return written(when), written(found.pause_schedules[0].pause.pause_at)


@OF_SCHEDULE("resuming at <when>")
def of_resume_at(stage: Stage, found: Any, when: int) -> Pair:
    return written(when), written(found.pause_schedules[0].resume.resume_at)


def _told(status: Any) -> str:
    return str(status.error.code) if "error" in status else str(status.type)
