"""A few journeys at every test run; `make campaign ARGS="--journeys 200"` makes more, `--seed` others."""

from __future__ import annotations

import pytest

from tests.campaign.journey_run import LENGTH, live, told


@pytest.mark.parametrize("seed", [20, 23])
def test_a_journey_holds(api_server: str, dsn: str, seed: int) -> None:
    journey = live(dsn, api_server, seed, LENGTH)
    assert not journey.faults, told(journey)
    assert journey.previewed >= 1
    assert sum(journey.done.values()) == LENGTH
