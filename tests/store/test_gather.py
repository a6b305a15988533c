"""Gathering: what waits together is written together, up to a weight, in the order of arrival."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from voldaan.store.gather import Gather

pytestmark = pytest.mark.anyio


async def test_a_group_weighs_no_more_than_the_limit_unless_it_is_one() -> None:
    groups: list[list[int]] = []

    async def write(asked: Sequence[int]) -> Sequence[int]:
        await asyncio.sleep(0)
        groups.append(list(asked))
        return [-each for each in asked]

    gather = Gather(write, limit=10, weigh=lambda weight: weight)
    asked = [4, 6, 1, 25, 3, 3, 3, 3]
    assert await asyncio.gather(*map(gather.ask, asked)) == [-each for each in asked]
    assert groups == [[4, 6], [1], [25], [3, 3, 3], [3]]
