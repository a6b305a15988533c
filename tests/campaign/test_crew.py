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
FAILS = "trap 'exit 3' TERM"


def crew_of(script: str, point: Point | None) -> Crew:
    process = subprocess.Popen(["/bin/sh", "-c", f"{script}; echo ready; while :; do sleep 0.01; done"], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the worker has ended
    return Crew({}, 1, 1, Random(1), set, lives=[Life(process, log, point, time.monotonic() + 60)])


@pytest.mark.parametrize(
    ("script", "point", "finished", "killed", "accidents"),
    [
        (FINISHES, POINTS[0], True, 0, 0),
        (DIES, POINTS[0], False, 1, 0),
        (DIES, None, False, 0, 1),
        (FAILS, POINTS[0], False, 0, 1),
    ],
)
def test_who_is_asked_to_finish(script: str, point: Point | None, finished: bool, killed: int, accidents: int) -> None:
    crew = crew_of(script, point)
    assert crew.end() is finished
    assert (crew.killed.total(), len(crew.accidents), crew.lives) == (killed, accidents, [])
