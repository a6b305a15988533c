"""Dunning: schedules, declines, scheme limits. Cases in dunning.txt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.table import Row, instant, names, rows, written
from voldaan.rules import dunning, states
from voldaan.rules.dunning import DAY, RECOMMENDED, Meaning, RetryPolicy


def declined(cell: str | None) -> Meaning | None:
    if cell is None:
        return None
    code, _, network = cell.partition("+")
    return dunning.meaning(code, network_advice_code=network or None)


def check_next(policy: RetryPolicy, row: Row, decline: Meaning | None) -> None:
    tries, first, last = row.number("tries so far"), instant(row["first failed"]), instant(row["last failed"])
    found = dunning.next_retry(policy, tries, first, last, decline)
    assert (written(found) if found is not None else None) == row.get("next try")


def next_(row: Row) -> None:
    check_next(RECOMMENDED, row, declined(row.get("decline")))


def days(row: Row) -> None:
    offsets = tuple(int(day) * DAY for day in names(row.rule.removeprefix("days ")))
    check_next(RetryPolicy(offsets, "past_due"), row, declined("insufficient_funds"))


def decline(row: Row) -> None:
    found = dunning.meaning(row.get("code"), row.get("advice"), row.get("network"))
    assert (found.category, found.retry) == (row["category"], row["retry"])
    assert found.not_before_seconds == row.number("days") * DAY


def hard(row: Row) -> None:
    assert not dunning.is_retryable(dunning.meaning(row["code"]))


def scheme(row: Row) -> None:
    assert dunning.may_try(row.get("brand"), row.number("tries in thirty days")) == (row["one more"] == "yes")


CHECKS = {"next": next_, "days": days, "decline": decline, "hard": hard, "scheme": scheme}


@pytest.mark.parametrize("row", rows("dunning.txt"), ids=str)
def test_dunning(row: Row) -> None:
    CHECKS[row.rule.split()[0]](row)


def test_every_code_has_one_meaning() -> None:
    listed = [code for codes in dunning.MEANINGS.values() for code in codes.split()]
    assert len(listed) == len(set(listed)) == len(dunning.DECLINE_CODES)


def test_giving_up_is_a_step_of_the_subscription() -> None:
    for action, becomes in (("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")):
        assert states.advance(states.SUBSCRIPTION, "past_due", dunning.GIVE_UP[action]) == becomes


def test_the_recommended_schedule_is_eight_tries_in_two_weeks() -> None:
    assert len(RECOMMENDED.offsets_seconds) == 8
    assert RECOMMENDED.offsets_seconds[-1] == 14 * DAY
    assert len(RECOMMENDED.offsets_seconds) + 1 <= min(dunning.SCHEME_LIMIT.values())


offsets = st.lists(st.integers(dunning.HOUR, 60 * DAY), max_size=10).map(lambda given: tuple(sorted(given)))
soft = st.sampled_from(["insufficient_funds+24", "generic_decline", "processing_error+02"]).map(declined)


@given(offsets, st.integers(0, 2**31), st.lists(st.tuples(st.integers(0, 5 * DAY), soft), min_size=12, max_size=12))
def test_a_schedule_ends_and_never_hurries(schedule: tuple[int, ...], first: int, failures: list[tuple[int, Meaning]]) -> None:
    """However late the worker is, each try is at least an hour after the last failure, and there are no more of them
    than the policy says."""
    policy = RetryPolicy(schedule, "cancel")
    tries, at = 1, first
    for late, why in failures:
        due = dunning.next_retry(policy, tries, first, at, why)
        if due is None:
            break
        assert due >= at + max(dunning.HOUR, why.not_before_seconds)
        tries, at = tries + 1, due + late
    assert tries == len(schedule) + 1
    assert dunning.is_exhausted(policy, tries)
