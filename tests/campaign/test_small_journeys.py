"""A few journeys at every test run; `python -m tests.campaign --journeys 200` takes more, `--seed` others."""

from __future__ import annotations

import pytest

from tests.campaign.journey_run import live, told


@pytest.mark.parametrize("seed", [20, 23])
def test_a_journey_holds(api_server: str, dsn: str, seed: int) -> None:
    journey = live(dsn, api_server, seed, length=40)
    assert not journey.faults, told(journey)
    assert journey.previewed >= 1
    assert sum(journey.done.values()) == 40
