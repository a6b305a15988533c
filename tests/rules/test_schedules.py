"""Subscription schedules: when phases begin and end. Cases in schedules.txt."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from tests.rules.billing import facts
from tests.rules.table import Row, instant, rows, written
from voldaan.resources.schedule_params import PhaseParams
from voldaan.resources.subscription_schedules import Phase, PhaseItem, ScheduleDefaults
from voldaan.rules.decision import Refused
from voldaan.rules.schedule_phases import Calendar, Wanted, laid_out

START = instant("2026-01-31")
SAID = re.compile(
    r"(?P<price>\w+)(?: (?P<count>\d+) (?P<interval>\w+)| until (?P<until>\S+))?"
    r"(?P<trial> trial)?(?: (?P<trial_end>\d{4}-\S+))?(?P<anchored> anchored)?"
)


def wanted(text: str, number: int) -> Wanted:
    found = SAID.fullmatch(text)
    assert found, text
    given: dict[str, Any] = {"items": [{"price": found["price"]}]}
    if found["interval"]:
        given["duration"] = {"interval": found["interval"], "interval_count": int(found["count"])}
    if found["until"]:
        given["end_date"] = instant(found["until"])
    if found["trial_end"]:
        given["trial_end"] = instant(found["trial_end"])
    elif found["trial"]:
        given["trial"] = True
    anchor = "phase_start" if found["anchored"] else None
    item = PhaseItem(price=found["price"], plan=found["price"], quantity=1)
    phase = Phase(currency="eur", items=[item], start_date=0, end_date=0, billing_cycle_anchor=anchor)
    return Wanted(PhaseParams(**given), phase, f"phases[{number}]")


@pytest.mark.parametrize("row", rows("schedules.txt"), ids=str)
def test_lay_out(row: Row) -> None:
    phases = [wanted(text.strip(), number) for number, text in enumerate(row["phases"].split(";"))]
    anchor = row.get("anchor")
    calendar = Calendar(row["zone"], instant(anchor) if anchor else None)
    catalogue = facts().catalogue
    if row["dates"].startswith("refused"):
        with pytest.raises(Refused) as no:
            laid_out(catalogue, phases, ScheduleDefaults(), START, START, calendar)
        assert f"refused {no.value.refusal.param}" == row["dates"]
        return
    found = laid_out(catalogue, phases, ScheduleDefaults(), START, START, calendar)
    assert all(before.end_date == after.start_date for before, after in pairwise(found))
    assert ", ".join(written(at) for at in (found[0].start_date, *(phase.end_date for phase in found))) == row["dates"]
