"""The workers of a campaign: real processes, each with a death of its own, replaced at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO

from tests.campaign.points import POINTS, Point

ROOT = Path(__file__).parent.parent.parent
RANDOM = "at a random time"
PATIENCE_SECONDS = 8.0  # for a worker to reach its point; then it dies wherever it is
STARTING_SECONDS = 5.0  # at the most, until a worker listens to who asks it to finish
LIFE_SECONDS = (0.5, 2.5)  # of one that dies at a random time, the start of its interpreter included


@dataclass
class Life:
    """One worker process and how it is to die: at a point, and at a time at the latest; neither: it lives on."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    point: Point | None
    dies_at: float | None
    born_at: float = field(default_factory=time.monotonic)

    def has_finished(self, code: int, asked_at: float) -> bool:
        """Whether that is how it ends when it is asked to: an interpreter that was just starting does not listen yet."""
        return code == 0 or (code == -signal.SIGTERM and asked_at - self.born_at < STARTING_SECONDS)


@dataclass
class Crew:
    """Keeps `size` workers alive and kills `kills` of them in all. `due` tells which kinds of work there are just now."""

    environment: dict[str, str]
    size: int
    kills: int
    random: Random
    due: Callable[[], set[str]]
    killed: Counter[str] = field(default_factory=Counter)
    planned: Counter[str] = field(default_factory=Counter)
    accidents: list[str] = field(default_factory=list)  # ends that nobody had planned
    lives: list[Life] = field(default_factory=list)
    started: int = 0

    def begin(self) -> None:
        for _ in range(self.size):
            self.lives.append(self._born())

    def tend(self) -> None:
        """Kills whose time has come, and replaces the dead."""
        for place, life in enumerate(self.lives):
            if life.dies_at is not None and time.monotonic() >= life.dies_at and life.process.poll() is None:
                life.process.send_signal(signal.SIGKILL)
                life.process.wait()
                self.killed[RANDOM] += 1
                self.lives[place] = self._born()
            elif (code := life.process.poll()) is not None:
                self._ended(life, code)
                self.lives[place] = self._born()

    def end(self) -> bool:
        """Asks the living to finish, and waits for them. False if not all did: who comes to his point on the way may leave
        work behind."""
        asked_at, finished = time.monotonic(), True
        for life in self.lives:
            life.process.terminate()
        for life in self.lives:
            code = life.process.wait(30)
            if life.has_finished(code, asked_at):
                life.log.close()
            else:
                self._ended(life, code)
                finished = False
        self.lives = []
        return finished

    def kill_all(self) -> None:
        """When the campaign itself has failed."""
        for life in self.lives:
            life.process.kill()
            life.process.wait()
            life.log.close()
        self.lives = []

    def _ended(self, life: Life, code: int) -> None:
        if life.point and code == -signal.SIGKILL:
            self.killed[life.point.name] += 1
        else:
            self.accidents.append(f"a worker ended with {code}: {_last_words(life)}")
        life.log.close()

    def _born(self) -> Life:
        point, dies_at = self._death()
        environment = dict(self.environment)
        if point:
            environment["FAILPOINTS"] = f"{point.name}:{self.random.randint(1, point.passages)}:kill"
        faults = environment.get("VOLDAAN_SANDBOX_FAULTS")
        if faults:  # each life loses other replies
            environment["VOLDAAN_SANDBOX_FAULTS"] = f"{faults},seed={self.random.randrange(2**31)}"
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the worker has ended
        process = subprocess.Popen(
            [sys.executable, "-m", "voldaan.cli", "work"], env=environment, cwd=ROOT, stdout=log, stderr=log
        )
        self.started += 1
        return Life(process, log, point, dies_at)

    def _death(self) -> tuple[Point | None, float | None]:
        """Every third dies at a random time, the others at the point that was planned least of those within reach."""
        doomed = [life for life in self.lives if life.dies_at is not None and life.process.poll() is None]
        if self.killed.total() + len(doomed) >= self.kills:
            return None, None
        now = time.monotonic()
        due = self.due()
        within_reach = [point for point in POINTS if due & set(point.needs)]
        if not within_reach or self.started % 3 == 2:
            return None, now + self.random.uniform(*LIFE_SECONDS)
        least = min(self.killed[point.name] + self.planned[point.name] for point in within_reach)
        point = self.random.choice([p for p in within_reach if self.killed[p.name] + self.planned[p.name] == least])
        self.planned[point.name] += 1
        return point, now + PATIENCE_SECONDS


def _last_words(life: Life) -> str:
    life.log.seek(0)
    return life.log.read().decode(errors="replace")[-3000:]


def environment(dsn: str, *, faults: str, batch: int, lease: int) -> dict[str, str]:
    """What a worker of a campaign is told."""
    return {
        **os.environ,
        "DATABASE_URL": dsn,
        "VOLDAAN_SANDBOX_FAULTS": faults,
        "VOLDAAN_BATCH_MAX": str(batch),
        "VOLDAAN_LEASE_SECONDS": str(lease),
    }
