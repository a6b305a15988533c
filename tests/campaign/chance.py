"""All of the long runs of chance: the tests that draw their cases, with all the cases they are made for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.conftest import ROOT

FILES = ("tests/rules/test_long_runs.py", "tests/rules/test_tax_splits.py")


@dataclass(frozen=True)
class Chance:
    """How the runs ended. `said` is the last that they said."""

    passed: bool
    seconds: float
    said: str

    def figures(self) -> dict[str, Any]:
        return {"chance": {"passed": self.passed, "seconds": round(self.seconds)}}


def run(files: Sequence[str] = FILES, **environment: str) -> Chance:
    """Runs them to the end, with as many cases as the environment says: all of them, unless it is told otherwise."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
        cwd=ROOT, env={**os.environ, "VOLDAAN_LONG_RUNS": "1", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Chance(done.returncode == 0, time.monotonic() - started, done.stdout[-2000:])


def told(chance: Chance) -> str:
    """A summary for people."""
    if chance.passed:
        return f"Long runs of chance: all well, {chance.seconds:.0f} s"
    return f"Long runs of chance: A CASE FAILED, {chance.seconds:.0f} s\n{chance.said}"
