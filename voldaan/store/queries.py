"""Named SQL: every .sql file beside this one is a shelf of queries, each with a name and a line that says what it is for.

What several queries of a shelf begin with alike is written once, as a named piece: `{piece}` stands for its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
NAME = re.compile(r"^-- (name|piece): (\w+)\s*$", re.MULTILINE)


@cache
def shelf(noun: str) -> dict[str, str]:
    """The queries of `store/<noun>.sql` by name."""
    text = (HERE / f"{noun}.sql").read_text(encoding="utf-8")
    parts = NAME.split(text)[1:]
    found: dict[str, dict[str, str]] = {"name": {}, "piece": {}}
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        found[kind][name] = body.strip().rstrip(";")
    return {name: _whole(body, found["piece"]) for name, body in found["name"].items()}


def query(noun: str, name: str) -> str:
    """One named query."""
    return shelf(noun)[name]


def shelves() -> list[str]:
    """The nouns that have queries."""
    return sorted(p.stem for p in HERE.glob("*.sql") if p.stem != "schema")


def _whole(body: str, pieces: Mapping[str, str]) -> str:
    for name, text in pieces.items():
        body = body.replace(f"{{{name}}}", text)
    return body
