"""Failpoints: named places where a crash test makes the process die, fail or wait. Armed by the environment, otherwise nothing.

    FAILPOINTS="after_call:3:kill,before_settle:1:raise,before_call:2:sleep=5"

The third number of a point is an action: `kill` (SIGKILL, as a power cut would), `raise` (Failed), `sleep=SECONDS`. The
number says at which passage it happens; `*` means at each.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass


class Failed(Exception):
    """What an armed failpoint raises."""


@dataclass(slots=True)
class Point:
    at: int | None            # None: at each passage
    action: str
    passed: int = 0


def armed(text: str) -> dict[str, Point]:
    """The points that `FAILPOINTS` names. Raises ValueError for text that is not as described above."""
    points = {}
    for part in filter(None, text.split(",")):
        name, number, action = part.split(":")
        if action not in ("kill", "raise") and not action.removeprefix("sleep=").isdecimal():
            raise ValueError(f"FAILPOINTS: no such action: {action}")
        points[name] = Point(None if number == "*" else int(number), action)
    return points


POINTS = armed(os.environ.get("FAILPOINTS", ""))


def fp(name: str) -> None:
    """Passes the failpoint `name`."""
    if not POINTS or (point := POINTS.get(name)) is None:
        return
    point.passed += 1
    if point.at is not None and point.passed != point.at:
        return
    match point.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise Failed(name)
        case _:
            time.sleep(int(point.action.removeprefix("sleep=")))
