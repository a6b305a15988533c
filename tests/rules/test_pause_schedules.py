"""What may be said of a schedule's pause, and how its steps stand among phases and renewals. Cases in pause_schedules.txt."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from tests.rules.billing import DAY, START, facts, ids, subscription
from tests.rules.table import Row, instant, rows, written
from voldaan.resources.base import UNSET
from voldaan.resources.invoices import Invoice
from voldaan.resources.pause_schedules import (
    PauseError,
    PauseSchedule,
    PauseScheduleChange,
    PauseSettings,
    PauseStatus,
    ResumeSettings,
    ResumeStatus,
    SchedulePause,
    ScheduleResume,
)
from voldaan.resources.subscription_schedules import CurrentPhase, Phase, PhaseItem, ScheduleDefaults, SubscriptionSchedule
from voldaan.resources.subscriptions import (
    BillingMode,
    Paused,
    PausedSubscription,
    Subscription,
    SubscriptionStatusDetails,
)
from voldaan.rules import pause_schedules, pause_terms, schedules
from voldaan.rules.decision import Decision, Refused

NOW = instant("2026-04-01")
SAID = re.compile(
    r"(?:(?P<key>k|other) ?)?(?:pause (?P<pause>\S+) ?)?(?:resume (?:(?P<count>\d+) (?P<interval>\w+)|(?P<resume>\S+)))?"
)


def schedule_of(start: int, end: int, price: str = "pro", **more: Any) -> SubscriptionSchedule:
    phase = Phase(currency="eur", items=[PhaseItem(price=price, plan=price, quantity=1)], start_date=start, end_date=end)
    given = {"agreed": [phase], "status": "active", "subscription": "sub_1", "next_at": end,
             "current_phase": CurrentPhase(start_date=start, end_date=end)}  # fmt: skip
    return SubscriptionSchedule(id="sub_sched_1", created=start, customer="cus_anna", livemode=False, **{**given, **more})


def situation(name: str) -> tuple[SubscriptionSchedule, Subscription | None]:
    running = schedule_of(instant("2026-03-01"), instant("2026-07-01"))
    match name:
        case "new":
            start, end = instant("2026-04-15"), instant("2026-07-15")
            return schedule_of(start, end, status="not_started", subscription=None, next_at=start, current_phase=None), None
        case "canceling":
            return replace(running, end_behavior="cancel"), subscription()
        case "classic":
            return replace(running, billing_mode=BillingMode(type="classic", flexible=None)), subscription()
        case "sent":
            return replace(running, default_settings=ScheduleDefaults(collection_method="send_invoice")), subscription()
        case "paused":
            since = Paused(transitioned_at=instant("2026-03-20"), subscription=PausedSubscription(type="pause_requested"))
            return running, subscription("paused", status_details=SubscriptionStatusDetails(paused=since))
        case _:
            return running, subscription()


def agreed(cell: str | None) -> list[PauseSchedule]:
    if cell is None:
        return []
    key, rest = cell.split(" ", 1)
    pause, resume = rest.split(", ")
    why = PauseError(code="some", message="Some reason")
    at, state = pause.split()
    status: Any = PauseStatus(type=state, error=why if state == "error" else UNSET)  # type: ignore[arg-type]
    entry = PauseSchedule(key=key, pause=SchedulePause(pause_at=instant(at), settings=PauseSettings(), status=status))
    if resume != "-":
        at, state = resume.split()
        status = ResumeStatus(type=state, error=why if state == "error" else UNSET)  # type: ignore[arg-type]
        entry = replace(entry, resume=ScheduleResume(resume_at=instant(at), status=status))
    return [entry]


def said(cell: str | None) -> Any:
    if cell == "none":
        return ""
    found = SAID.fullmatch(cell or "")
    assert found, cell
    entry: dict[str, Any] = {"key": found["key"]} if found["key"] else {}
    if at := found["pause"]:
        when = {"type": "now"} if at == "now" else {"type": "timestamp", "timestamp": instant(at)}
        entry["pause"] = {"pause_at": when}
    if found["resume"] == "none":
        entry["resume"] = ""
    elif at := found["resume"]:
        entry["resume"] = {"resume_at": {"type": "now"} if at == "now" else {"type": "timestamp", "timestamp": instant(at)}}
    elif found["interval"]:
        duration = {"interval": found["interval"], "interval_count": int(found["count"])}
        entry["resume"] = {"resume_at": {"type": "duration", "duration": duration}}
    return [PauseScheduleChange(**entry)]


@pytest.mark.parametrize("row", rows("pause_schedules.txt"), ids=str)
def test_what_may_be_said(row: Row) -> None:
    schedule, own = situation(row["schedule"])
    schedule = replace(schedule, pause_schedules=agreed(row.get("agreed")))
    asked = pause_terms.Asked(schedule, own, "UTC", NOW)
    expected = row["agreed, or whom it blames"]
    if expected.startswith("pause_schedules"):
        with pytest.raises(Refused) as no:
            pause_terms.applied(asked, said(row.get("says")), ids())
        assert no.value.refusal.param == expected
        return
    changed = pause_terms.applied(asked, said(row.get("says")), ids())
    assert told(changed) == expected
    was, entry = pause_schedules.entry_of(schedule), pause_schedules.entry_of(changed)
    if was is not None and entry is not None and pause_schedules.awaits(schedule):
        assert entry.key == was.key


def told(schedule: SubscriptionSchedule) -> str:
    entry = pause_schedules.entry_of(schedule)
    if entry is None:
        return "nothing"
    found = [f"{written(entry.pause.pause_at)} {entry.pause.status.type}"]
    found.append(f"{written(entry.resume.resume_at)} {entry.resume.status.type}" if entry.resume else "-")
    return ", ".join(found)


# Among phases and renewals ---------------------------------------------------------------------------------------------


def agreeing(pause_at: int, resume_at: int | None = None, **settings: Any) -> list[PauseSchedule]:
    terms = ResumeSettings(payment_behavior="resume_on_payment_attempt")  # nobody answers for the bank here
    resume = None if resume_at is None else ScheduleResume(resume_at=resume_at, settings=terms)
    return [PauseSchedule(key="k", pause=SchedulePause(pause_at=pause_at, settings=PauseSettings(**settings)), resume=resume)]


def run(schedule: SubscriptionSchedule, until: int, own: Subscription | None = None) -> tuple[Any, Decision]:
    """Everything that falls due until then, whichever work finds it."""
    book, new_id = facts(), ids()
    own = replace(own or subscription(), schedule=schedule.id)
    [item] = own.items.data
    item.debits = []
    book.parties.subscriptions[own.id], book.parties.schedules[schedule.id] = own, schedule
    whole = Decision()
    for _ in range(20):
        whole.add(schedules.advance(book, {}, book.parties.schedules[schedule.id], until, new_id))
        whole.add(schedules.renew(book, {}, book.parties.subscriptions[own.id], until, new_id))
    return book, whole


def invoiced(decision: Decision) -> list[tuple[int, int]]:
    """Of each invoice, the day of its first line and its total."""
    made = [one for one in decision.inserts if isinstance(one, Invoice)]
    return [((one.lines.data[-1].period_start - START) // DAY, one.total) for one in made]


def test_a_pause_that_comes_with_a_renewal_spares_it() -> None:
    schedule = schedule_of(START, START + 91 * DAY, pause_schedules=agreeing(START + 30 * DAY, START + 40 * DAY))
    book, whole = run(schedule, START + 45 * DAY)
    assert invoiced(whole) == [(40, 3000)]
    assert book.parties.subscriptions["sub_1"].current_period_start == START + 40 * DAY


def test_a_worker_that_was_off_bills_what_it_would_have_billed() -> None:
    """The period before the pause, nothing while it lasts, and the periods since: each at its own time."""
    schedule = schedule_of(START, START + 365 * DAY, pause_schedules=agreeing(START + 40 * DAY, START + 70 * DAY))
    late = run(schedule, START + 140 * DAY)
    assert invoiced(late[1])[0] == (30, 3000)
    assert [day for day, _ in invoiced(late[1])] == [30, 70, 100, 131]
    assert told(late[0].parties.schedules[schedule.id]).count("succeeded") == 2


def test_a_phase_that_comes_with_a_resumption_is_what_is_billed() -> None:
    change = START + 40 * DAY
    phases = [*schedule_of(START, change).agreed, *schedule_of(change, change + 40 * DAY, "max").agreed]
    schedule = schedule_of(START, change, agreed=phases, pause_schedules=agreeing(START + 10 * DAY, change))
    _, whole = run(schedule, START + 41 * DAY)
    assert invoiced(whole) == [(40, 9000)]


@pytest.mark.parametrize(("status", "code"), [("paused", "subscription_not_pausable"), ("unpaid", "subscription_not_pausable")])
def test_what_cannot_be_paused_is_told_and_not_resumed(status: Any, code: str) -> None:
    schedule = schedule_of(START, START + 91 * DAY, pause_schedules=agreeing(START + 10 * DAY, START + 20 * DAY))
    book, whole = run(schedule, START + 25 * DAY, subscription(status))
    entry = book.parties.schedules[schedule.id].pause_schedules[0]
    assert (entry.pause.status.type, entry.pause.status.error.code) == ("error", code)
    assert (entry.resume.status.type, entry.resume.status.error.code) == ("error", "pause_failed")
    assert invoiced(whole) == []
    assert book.parties.subscriptions["sub_1"].status == status


def test_a_schedule_that_ends_says_what_became_of_its_pause() -> None:
    schedule = schedule_of(START, START + 30 * DAY, pause_schedules=agreeing(START + 40 * DAY, START + 50 * DAY))
    assert schedules.next_step(schedule) == (START + 40 * DAY, "pause")  # it does not let go before that
    book = facts()
    book.parties.schedules[schedule.id] = schedule
    schedules.release(book.parties, schedule, START)
    entry = book.parties.schedules[schedule.id].pause_schedules[0]
    assert entry.pause.status.error.code == entry.resume.status.error.code == "schedule_released"
    assert not pause_schedules.awaits(book.parties.schedules[schedule.id])


def test_a_subscription_that_ends_on_a_day_does_so_while_it_is_paused() -> None:
    end = START + 60 * DAY
    own = subscription(cancel_at=end, status_details=UNSET)
    schedule = schedule_of(START, end, end_behavior="cancel", pause_schedules=agreeing(START + 10 * DAY))
    _, whole = run(schedule, START + 11 * DAY, own)
    assert ("subscription.cancel", end) in [(due.kind, due.at) for due in whole.due]
