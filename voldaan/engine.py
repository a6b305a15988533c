"""What the doors share: the pool, the processors and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voldaan.processors.protocol import Processor
from voldaan.store.pool import Pool


@dataclass(frozen=True, slots=True)
class Engine:
    """Opened once per process. `wall` reads epoch seconds, `elapsed` a clock that never steps back."""

    pool: Pool
    processors: Callable[[str], Processor]
    wall: Callable[[], int]
    elapsed: Callable[[], float]
    allow_private_webhooks: bool = False
