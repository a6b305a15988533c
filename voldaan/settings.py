"""What the environment says, read once and named."""

from __future__ import annotations

import os
from dataclasses import dataclass

VERSION = "0.1.0"
PORT = 8787


class SettingError(ValueError):
    """A setting cannot be what the environment says."""


def site() -> str:
    """The address under which people reach the pages that are named in answers, events and mails."""
    env = os.environ
    here = f"http://{env.get('VOLDAAN_HOST', '127.0.0.1')}:{env.get('VOLDAAN_PORT', PORT)}"
    return env.get("VOLDAAN_PUBLIC_URL", here)


def private_webhooks() -> bool:
    """Whether events may be sent to loopback and private addresses, over plain http and to any port."""
    return os.environ.get("VOLDAAN_WEBHOOKS_PRIVATE", "") == "1"


@dataclass(frozen=True, slots=True)
class Settings:
    """`port` and `host` of the API and the pages; `pool_size` connections per process.

    `lease_seconds`: how long a worker may be silent before another takes over. `batch_max`: due rows per transaction.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    public_url: str = f"http://127.0.0.1:{PORT}"
    pool_size: int = 16
    allow_private_webhooks: bool = False
    lease_seconds: int = 120
    batch_max: int = 1000

    @staticmethod
    def read(port: int | None = None, host: str | None = None) -> Settings:
        """From the environment, with what the command line gave. Raises SettingError."""
        env = os.environ
        port = port if port is not None else _number("VOLDAAN_PORT", PORT, 65_535)
        host = host or env.get("VOLDAAN_HOST", "127.0.0.1")
        return Settings(
            host=host,
            port=port,
            public_url=env.get("VOLDAAN_PUBLIC_URL", f"http://{host}:{port}"),
            pool_size=_number("VOLDAAN_POOL_SIZE", 16),
            allow_private_webhooks=private_webhooks(),
            lease_seconds=_number("VOLDAAN_LEASE_SECONDS", 120),
            batch_max=_number("VOLDAAN_BATCH_MAX", 1000),
        )


def _number(name: str, default: int, most: int | None = None) -> int:
    given = os.environ.get(name, str(default))
    if not given.isdecimal() or not 1 <= int(given) <= (most or int(given)):
        raise SettingError(f"{name} must be a whole number from 1{f' to {most}' if most else ''}, and is {given!r}.")
    return int(given)
