"""The only place that reads the wall clock."""

from __future__ import annotations

import time


def wall() -> int:
    """Epoch seconds now."""
    return int(time.time())


def wall_microseconds() -> int:
    """Epoch microseconds now, for ids that sort by time."""
    return time.time_ns() // 1000


def elapsed() -> float:
    """Seconds of a clock that never steps back, for measuring durations."""
    return time.monotonic()


def cpu() -> float:
    """Seconds of processor time that this process has used, for measuring costs."""
    return time.process_time()
