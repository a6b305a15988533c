"""What the doors share with the work between two transactions: the pool, the processors, the clock, and leased work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voldaan.processors.protocol import Processor
from voldaan.store.pool import Pool
from voldaan.taxes import registry
from voldaan.taxes.remote import RemoteTaxProvider


@dataclass(frozen=True, slots=True)
class Engine:
    """Opened once per process. `wall` reads epoch seconds, `elapsed` a clock that never steps back.

    `wake` tells a worker in this process that something is due now; workers elsewhere find it by polling.
    """

    pool: Pool
    processors: Callable[[str], Processor]
    wall: Callable[[], int]
    elapsed: Callable[[], float]
    allow_private_webhooks: bool = False
    lease_seconds: int = 120           # how long a worker may be silent before another takes over what it has leased
    batch_max: int = 1000              # due rows that are worked on in one transaction
    tax_providers: Callable[[], Mapping[str, RemoteTaxProvider]] = registry.remote
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Leased:
    """One piece of work that calls the outside, as its handler gets it."""

    subject: str
    tries: int         # this one included


@dataclass(frozen=True, slots=True)
class Again:
    """Leased work that is not done: try it again at `at` (epoch seconds), because of `reason`."""

    subject: str
    at: int
    reason: str
