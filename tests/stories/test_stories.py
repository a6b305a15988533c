"""Every story beside this file is lived through; and what is not so, or not of the language, does not pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.conftest import SetStage
from tests.stories.explained import unexplained
from tests.stories.language import Unclear
from tests.stories.runner import read, tell

HERE = Path(__file__).parent
STORIES = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path, set_stage: SetStage) -> None:
    story = read(path.name, path.read_text(encoding="utf-8"))
    stage = set_stage(story)
    differences = tell(story, stage)
    assert not differences, "\n" + "\n".join(map(str, differences))
    assert not (wrong := unexplained(stage)), "\n" + "\n".join(wrong)


TOLD = """
price pro 31.00 a month
customer anna, card visa

at 2027-01-31
    anna subscribes to pro
    {told}
    verify clean
"""


def differences(told: str, set_stage: SetStage) -> list[str]:
    story = read("wrong.txt", TOLD.format(told=told))
    return [f"{d.line.text}: {d.said} / {d.found}" for d in tell(story, set_stage(story))]


def test_what_is_not_so_is_a_difference(set_stage: SetStage) -> None:
    """The negative control: a story with a wrong amount, and untold events and postings, does not pass."""
    found = differences("invoice ANNA-0001 paid 31.01", set_stage)
    assert found[0] == "invoice ANNA-0001 paid 31.01: paid 31.01 / paid 31.00"
    assert found[1].startswith("at 2027-01-31: no more events / ")
    assert "invoice.paid" in found[1]
    assert found[2].startswith("at 2027-01-31: nothing else in the ledger / ")
    assert len(found) == 3


@pytest.mark.parametrize(
    "told",
    [
        "invoice ANNA-0001 open 31.00",
        "invoice ANNA-0001 paid 31.00, due 30.00",
        "invoice ANNA-0001 paid 31.00, no next try, tries 2",
        "invoice ANNA-0001 paid 31.00\n        30.00 pro",
        "invoice ANNA-0001 paid 31.00\n        31.00 pro\n        1.00 pro",
        "invoice ANNA-0001 paid 31.00\n        31.00 pro, 2027-01-31 to 2027-03-01",
        "invoice ANNA-0002 paid 31.00",
        "subscription anna past_due",
        "subscription anna active, 2027-01-31 to 2027-03-01",
        "anna has balance -1.00",
        "anna is delinquent",
        "anna was charged 31.00, 31.00",
        "events invoice.created",
        "ledger receivable 31.00",
        "ledger receivable 0.00",
        "balance pending 0.00 available 0.00",
        "void ANNA-0001",
        "anna takes card visa\n        refused card_declined",
    ],
)
def test_a_wrong_line_is_noted_where_it_stands(told: str, set_stage: SetStage) -> None:
    found = differences(told, set_stage)
    assert found[0].startswith(told.splitlines()[0]), found


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("anna subscribes to", "'anna subscribes to' is no step"),
        ("anna jumps", "'anna jumps' is no step"),
        ("invoice ANNA-0001 paid 31.00, dew 31.00", "'dew 31.00' is no fact of an invoice"),
        ("invoice ANNA-0001 paid 31", "31 has 0 digits behind the point, EUR has 2"),
        ("invoice ANNA-0001 paid 31.00 JPY", "31.00 JPY has 2 digits behind the point, JPY has 0"),
        ("invoice ANNA-0001 paid 31.00\n        perhaps", "'perhaps' is no invoice line"),
        ("subscription anna active, 2027-02-30 to 2027-03-01", " range "),  # Python's own words
        ("anna cancels now\n        refused", "'refused' is no answer to what was done"),
        ("anna stays, perhaps", "nothing more can be said here: 'perhaps'"),
        ("verify clean\n        really", "nothing can stand under this line"),
    ],
)
def test_unknown_words_are_refused_with_file_and_line(told: str, why: str) -> None:
    with pytest.raises(Unclear, match=r"^wrong.txt:\d+: ") as unclear:
        read("wrong.txt", TOLD.format(told=told))
    assert why in str(unclear.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "ends with `verify clean`"),
        ("at 2027-01-31\n    verify clean\nat 2027-01-30\n    verify clean", "time does not go back"),
        ("at 2027-01-31\n    verify clean\ncustomer anna", "only `at` stands at the margin"),
        ("at 2027-01-31\n    verify clean\n    anna stays", "ends with `verify clean`"),
        ("at 2027-01-31\n    anna stays\n      verify clean", "no answer to what was done"),
        ("at 2027-01-31\n    anna stays\n  verify clean", "indented like none"),
        ("account sleeps\nat 2027-01-31\n    verify clean", "'account sleeps' is no setting of the account"),
    ],
)  # fmt: skip
def test_a_story_has_its_form(text: str, why: str) -> None:
    with pytest.raises(Unclear) as unclear:
        read("wrong.txt", text)
    assert why in str(unclear.value)
