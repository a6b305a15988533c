"""Whether the books of an account are in order."""

from __future__ import annotations

import asyncio

from voldaan.reports.verify import Verdict, verify
from voldaan.runtime import running
from voldaan.settings import Settings


def breaches(dsn: str, account: str) -> list[str]:
    """What breaks the invariants, the processors' own records included: which one, the row, and what is wrong with it."""

    async def look() -> Verdict:
        async with running(dsn, Settings()) as engine:
            return await verify(engine.pool, engine.wall(), account=account, processors=engine.processors)

    return [f"{found.invariant} {found.id}: {found.detail}" for found in asyncio.run(look()).findings]
