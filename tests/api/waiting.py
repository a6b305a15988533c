"""Waiting for what happens by itself: looking again until it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], met: Callable[[T], Any], seconds: float = 30) -> T:
    """What `look` sees once `met` holds of it; fails if that takes too long."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if met(seen):
            return seen
        assert time.monotonic() < end, f"not in {seconds} s: {seen!s:.2000}"
        time.sleep(0.03)
