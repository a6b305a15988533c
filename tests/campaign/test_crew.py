"""Who was to die at a point may come to it while all are asked to finish: that is no accident, and its work is looked after."""

from __future__ import annotations

import subprocess
import tempfile
import time
from random import Random

import pytest

from tests.campaign.crew import Crew, Life
from tests.campaign.points import POINTS, Point

DIES = "trap 'kill -KILL $$' TERM"  # as a worker does that reaches its point
FINISHES = "trap 'exit 0' TERM"
FINISHES_LATE = "trap 'sleep 1; exit 0' TERM"
FAILS = "trap 'exit 3' TERM"
DOES_NOT_LISTEN = ":"


def crew_of(*lives: Life) -> Crew:
    return Crew({}, len(lives), 1, Random(1), set, lives=list(lives))


def life(script: str, point: Point | None, age: float) -> Life:
    process = subprocess.Popen(["/bin/sh", "-c", f"{script}; echo ready; while :; do sleep 0.01; done"], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the worker has ended
    born = time.monotonic() - age
    return Life(process, log, point, born + 60, born)


@pytest.mark.parametrize(
    ("script", "point", "age", "finished", "killed", "accidents"),
    [
        (FINISHES, POINTS[0], 30, True, 0, 0),
        (DIES, POINTS[0], 30, False, 1, 0),
        (DIES, None, 30, False, 0, 1),
        (FAILS, POINTS[0], 30, False, 0, 1),
        (DOES_NOT_LISTEN, POINTS[0], 30, False, 0, 1),
        (DOES_NOT_LISTEN, POINTS[0], 0, True, 0, 0),  # its interpreter was just starting
    ],
)
def test_who_is_asked_to_finish(
    script: str, point: Point | None, age: float, finished: bool, killed: int, accidents: int
) -> None:
    crew = crew_of(life(script, point, age))
    assert crew.end() is finished
    assert (crew.killed.total(), len(crew.accidents), crew.lives) == (killed, accidents, [])


def test_who_was_just_starting_is_known_by_his_age_when_he_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.campaign.crew.STARTING_SECONDS", 0.5)
    crew = crew_of(life(FINISHES_LATE, None, 30), life(DOES_NOT_LISTEN, None, 0))
    assert crew.end()
    assert not crew.accidents
