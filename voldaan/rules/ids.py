"""Where a rule gets a fresh id from: it is passed in, because making one reads the clock and chance."""

from __future__ import annotations

from collections.abc import Callable

NewId = Callable[[str], str]  # prefix -> id
