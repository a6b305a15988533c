"""A small campaign at every test run, and its negative control: without keys the same deaths must charge somebody twice."""

from __future__ import annotations

from tests.campaign.__main__ import told
from tests.campaign.campaign import Plan, run


def test_nobody_is_charged_twice_or_missed(dsn: str) -> None:
    outcome = run(dsn, Plan(subscriptions=300, kills=12, give_up_after=180))
    assert outcome.safe, told(outcome)
    assert sum(outcome.kills.values()) >= 10, told(outcome)
    assert outcome.findings.asked_again > 0, "the network lost nothing"


def test_a_network_without_keys_does_charge_twice_and_it_is_found(dsn: str) -> None:
    outcome = run(dsn, Plan(subscriptions=200, kills=3, keys=False, give_up_after=180))
    assert outcome.findings.charged_twice, told(outcome)
    assert not outcome.verdict.clean, "verify must see it too"
    assert not outcome.safe
