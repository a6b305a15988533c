"""The campaign's runs of chance end as the tests end that they run."""

from __future__ import annotations

from pathlib import Path

from tests.campaign import chance


def test_a_run_is_as_good_as_its_cases(tmp_path: Path) -> None:
    good = chance.run(["tests/rules/test_tax_splits.py"], VOLDAAN_SPLITS="200")
    assert good.passed, good.said
    assert good.figures()["chance"]["passed"]
    bad = tmp_path / "test_bad.py"
    bad.write_text("import os\n\ndef test_all():\n    assert os.environ['VOLDAAN_LONG_RUNS'] != '1'\n")
    found = chance.run([str(bad)])
    assert not found.passed
    assert "A CASE FAILED" in chance.told(found)
