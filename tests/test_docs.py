"""What the documentation says is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voldaan.api.app import DOORS
from voldaan.api.routes import ROUTES
from voldaan.processors.sandbox.faults import Faults
from voldaan.reference import pages

DOCS = Path(__file__).parent.parent / "docs"
SETTING = re.compile(r"\b(?:VOLDAAN_[A-Z_]+|DATABASE_URL)\b")


@pytest.mark.parametrize("name", ["operations.md", "states.md", "inside.md"])
def test_made_pages_are_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_the_route_table_is_whole() -> None:
    """Every operation once, under a version, with a command that says what it does."""
    keys = [(method, path) for method, path, *_ in ROUTES]
    assert len(keys) == len(set(keys))
    assert all(path.startswith(DOORS) for _, path in keys)
    assert not [f"{method} {path}" for method, path, command, *_ in ROUTES if not command.__doc__]


def test_the_readme_names_every_setting_and_no_other() -> None:
    code = [path.read_text(encoding="utf-8") for path in (DOCS.parent / "voldaan").rglob("*.py")]
    read = {name for text in code for name in SETTING.findall(text)}
    named = SETTING.findall((DOCS.parent / "README.md").read_text(encoding="utf-8"))
    assert sorted(read) == sorted(set(named))


def test_the_readmes_faults_are_known() -> None:
    [given] = re.findall(r"`(lost_reply=.*?)`", (DOCS.parent / "README.md").read_text(encoding="utf-8"))
    assert Faults.parse(given) == Faults(lost_reply=0.08, lost_request=0.04, seed=7)


def test_the_readmes_example_works_as_printed(api_server: str, secret_key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the key and the port are ours."""
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    assert len([line for line in example.splitlines() if line and not line.startswith("import")]) <= 10
    exec(example.replace("sk_test_…", secret_key).replace("http://127.0.0.1:8787", api_server), {})
    first, *rest = capsys.readouterr().out.splitlines()
    status, number, paid, amount = first.split(" ")
    assert (status, number[-5:], paid, amount) == ("active", "-0001", "paid", "3100")
    assert '"amount": 3028' in "".join(rest)


def test_the_examples_beyond_stripe_work_as_printed(api_server: str, secret_key: str) -> None:
    text = (DOCS / "beyond-stripe.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    assert len(blocks) == 6
    script = "\n".join(blocks).replace("sk_test_…", secret_key).replace("http://127.0.0.1:8787", api_server)
    exec(compile(script, "beyond-stripe.md", "exec"), {})
