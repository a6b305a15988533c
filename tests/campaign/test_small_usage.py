"""A small usage campaign at every test run, and its negative control."""

from __future__ import annotations

from tests.campaign.usage import UsagePlan, run, told


def test_no_acknowledged_event_is_lost_and_none_is_counted_twice() -> None:
    outcome = run(UsagePlan(kills=3, every=1.5))
    assert outcome.safe, told(outcome)
    assert outcome.acknowledged > 500, told(outcome)
    assert outcome.sent_again > 0, "nothing was lost on the way"


def test_without_its_key_the_same_counts_events_twice_and_it_is_found() -> None:
    outcome = run(UsagePlan(kills=1, every=1.5, lost=20, keys=False))
    assert outcome.doubled, told(outcome)
    assert outcome.wrong, told(outcome)
    assert "U4_no_event_is_there_twice" in {finding.invariant for finding in outcome.verdict.findings}
