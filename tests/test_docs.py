"""What the documentation says is what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from voldaan.api.routes import ROUTES
from voldaan.reference import pages

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", ["operations.md", "states.md", "inside.md"])
def test_made_pages_are_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_the_route_table_is_whole() -> None:
    """Every operation once, under a version, with a command that says what it does."""
    keys = [(method, path) for method, path, *_ in ROUTES]
    assert len(keys) == len(set(keys))
    assert all(path.startswith(("/v1/", "/v2/")) for _, path in keys)
    assert not [f"{method} {path}" for method, path, command, *_ in ROUTES if not command.__doc__]
