"""Text tables as tests: a line is a case, and the reader sees the rule.

    # round          value   →  becomes
    round            0.5     →  1
    round            -0.5    →  -1

A heading starts with "# ", names the rule and its columns, and holds for the lines below it. Cells are apart by two
spaces or more; an arrow stands between what is given and what must come out; a lone "-" is nothing. Lines that start
with "## " are prose.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

CELL_GAP = re.compile(r"\s*→\s*|\s{2,}")


@dataclass(frozen=True)
class Row:
    """One case: the rule it is about, its cells by column name, and where it stands."""

    file: str
    line: int
    rule: str
    cells: dict[str, str]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.rule}"

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def get(self, column: str) -> str | None:
        """The cell, or None where the table says "-" or has no such column."""
        cell = self.cells.get(column, "-")
        return None if cell == "-" else cell

    def number(self, column: str) -> int:
        return int(self.cells[column].replace(",", ""))


def rows(file: str) -> list[Row]:
    """All cases of a table beside this module. A line with more or fewer cells than its heading is an error."""
    found: list[Row] = []
    columns: list[str] = []
    for line, text in enumerate((Path(__file__).parent / file).read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip() or text.startswith("## "):
            continue
        cells = CELL_GAP.split(text.removeprefix("# ").strip())
        if text.startswith("# "):
            columns = cells[1:]
            continue
        if len(cells) != len(columns) + 1:
            raise ValueError(f"{file}:{line} has {len(cells)} cells, its heading {len(columns) + 1}: {text!r}")
        found.append(Row(file, line, cells[0], dict(zip(columns, cells[1:], strict=True))))
    return found


def names(cell: str) -> list[str]:
    """ "a, b" as a list; "-" as an empty one."""
    return [] if cell == "-" else [part.strip() for part in cell.split(",")]


def numbers(cell: str) -> list[int]:
    """ "1, -2" as a list of integers; "-" as an empty one."""
    return [int(part) for part in names(cell)]


def instant(cell: str) -> int:
    """ "2026-01-31" or "2026-01-31T12:00:00", UTC, or with an offset, as epoch seconds."""
    moment = datetime.fromisoformat(cell)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def written(at: int) -> str:
    """Epoch seconds as the tables write them: the date alone at midnight UTC."""
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text.removesuffix("T00:00:00")
