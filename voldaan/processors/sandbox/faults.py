"""What goes wrong between Voldaan and the network: requests that never arrive, replies that never come back."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

VARIABLE = "VOLDAAN_SANDBOX_FAULTS"


@dataclass(slots=True)
class Faults:
    """Chances from 0 to 1, drawn from one seeded sequence: the same calls in the same order meet the same faults.

    `ignore_idempotency_keys` makes the network forget every key and reference, so that each call charges again. It is the
    negative control: a campaign that does not find double charges with it on proves nothing.
    """

    lost_reply: float = 0.0                             # done and committed, but the answer is lost
    lost_request: float = 0.0                           # never arrived, though nobody can know that
    duplicate: float = 0.0                              # delivered twice
    delay: tuple[float, float] = (0.0, 0.0)             # real seconds, least and most
    seed: int = 0
    ignore_idempotency_keys: bool = False
    _random: Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """From "lost_reply=0.08,lost_request=0.04,delay=0.01-0.2,seed=7". Raises ValueError for anything else."""
        given = dict(part.strip().split("=", 1) for part in text.split(",") if part.strip())
        chances = {name: float(given.pop(name)) for name in ("lost_reply", "lost_request", "duplicate") if name in given}
        least, _, most = given.pop("delay", "0").partition("-")
        forgets = given.pop("ignore_idempotency_keys", "0").lower() in ("1", "true", "yes")
        seed = int(given.pop("seed", "0"))
        if given:
            raise ValueError(f"{VARIABLE}: no such fault: {', '.join(given)}")
        return cls(**chances, delay=(float(least), float(most or least)), seed=seed, ignore_idempotency_keys=forgets)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Faults":
        return cls.parse(environment.get(VARIABLE, ""))

    def loses_request(self) -> bool:
        return self.lost_request > 0 and self._random.random() < self.lost_request

    def loses_reply(self) -> bool:
        return self.lost_reply > 0 and self._random.random() < self.lost_reply

    def duplicates(self) -> bool:
        return self.duplicate > 0 and self._random.random() < self.duplicate

    def copy_number(self) -> int:
        """Which copy of a reference the next operation is: always 0, unless the network forgets what it has."""
        return self._random.randrange(1, 2**31) if self.ignore_idempotency_keys else 0

    async def wait(self) -> None:
        if self.delay[1] > 0:
            await asyncio.sleep(self._random.uniform(*self.delay))
