"""After everything that the tests before this one have done to them, the books of every account still hold together.

The file's name lets it run late; alone, it looks at what it makes itself.
"""

from __future__ import annotations

import pytest

from tests.api.world import World
from voldaan.reports.verify import verify
from voldaan.runtime import running
from voldaan.settings import Settings


@pytest.mark.anyio
async def test_no_invariant_is_broken_in_any_account(dsn, world: World):
    for make in ("refund", "paid_invoice", "sent_invoice", "subscription", "held_intent"):
        getattr(world, make)()
    async with running(dsn, Settings()) as engine:
        verdict = await verify(engine.pool, engine.wall(), processors=engine.processors)
    assert [f"{f.invariant} {f.account} {f.id}: {f.detail}" for f in verdict.findings] == []
    assert len(verdict.checked) > 20
