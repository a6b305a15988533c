"""Named SQL: every .sql file beside this one is a shelf of queries, each with a name and a line that says what it is for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def shelf(noun: str) -> dict[str, str]:
    """The queries of `store/<noun>.sql` by name."""
    text = (HERE / f"{noun}.sql").read_text(encoding="utf-8")
    parts = NAME.split(text)[1:]
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}


def query(noun: str, name: str) -> str:
    """One named query."""
    return shelf(noun)[name]


def shelves() -> list[str]:
    """The nouns that have queries."""
    return sorted(p.stem for p in HERE.glob("*.sql") if p.stem != "schema")
