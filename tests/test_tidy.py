"""The house style as a test: which room may import which, who may read the clock, and what no file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "voldaan"

# room -> rooms that it may import besides itself. `engine` and `settings` are leaves at the top.
MAY_IMPORT = {
    "resources": {"rules"},                      # declarations; of rules only money's table of currencies
    "rules": {"resources", "processors.protocol"},   # declarations are data, and so is what a processor may answer
    "ledger": {"rules", "resources"},
    "processors": {"rules", "store"},
    "store": {"rules", "resources", "events", "work.clock"},
    "events": {"rules", "resources", "store", "engine"},
    "taxes": {"rules", "resources"},
    "documents": {"rules", "resources", "web.amounts"},
    "commands": {
        "documents", "rules", "resources", "ledger", "store", "events", "processors", "taxes", "engine", "settings",
        "work.failpoints",
    },
    "reports": {"rules", "resources", "ledger", "store", "events", "engine", "processors.protocol"},
    "work": {
        "commands", "rules", "resources", "ledger", "store", "events", "processors", "reports", "engine", "settings", "runtime",
    },
    "api": {"documents", "commands", "rules", "resources", "store", "events", "engine", "settings", "web"},
    "web": {
        "documents", "commands", "rules", "resources", "ledger", "store", "events", "processors", "reports", "engine", "settings",
        "api",
    },
}
RULES_FOR_RESOURCES = {"voldaan.rules.money"}
CLOCK_READERS = {"voldaan/work/clock.py", "voldaan/store/migrate.py"}  # a migration is stamped by the database itself
FILE_LINES_MAX = 500


def modules(room: str) -> Iterator[Path]:
    yield from sorted((HOUSE / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_each_room_imports_only_what_it_may() -> None:
    wrong = []
    for room, allowed in MAY_IMPORT.items():
        for path in modules(room):
            for name in imports(path):
                parts = name.split(".")
                if parts[0] != "voldaan" or len(parts) < 2 or parts[1] == room:
                    continue
                if parts[1] in allowed or ".".join(parts[1:3]) in allowed:
                    continue
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_resources_take_only_data_from_rules() -> None:
    wrong = [
        f"{path.name} imports {name}"
        for path in modules("resources")
        for name in imports(path)
        if name.startswith("voldaan.rules") and not any(name.startswith(allowed) for allowed in RULES_FOR_RESOURCES)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_clock_reads_the_wall_clock() -> None:
    reading = re.compile(r"datetime\.(now|utcnow)\(|time\.time(_ns)?\(|date\.today\(|\bnow\(\)")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted(HOUSE.rglob("*"))
        if path.suffix in (".py", ".sql") and str(path.relative_to(ROOT)) not in CLOCK_READERS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if reading.search(line) and "wall clock" not in line
    ]
    assert not wrong, "\n".join(wrong)


def test_no_float_near_money() -> None:
    wrong = []
    for room in ("rules", "ledger", "commands"):
        for path in modules(room):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Name) and node.id == "float":
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: float")
                if isinstance(node, ast.Constant) and isinstance(node.value, float):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}")
    assert not wrong, "\n".join(wrong)


def test_files_are_short_enough_to_read_in_a_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in HOUSE.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    }
    assert not long, long


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in HOUSE.rglob("*.py")
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent, silent


def test_every_query_has_a_line_that_says_what_for() -> None:
    silent = []
    for path in sorted(HOUSE.rglob("*.sql")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if line.startswith(("-- name:", "-- piece:")) and not lines[number + 1].startswith("-- "):
                silent.append(f"{path.relative_to(ROOT)}:{number + 1}")
    assert not silent, silent


def test_no_two_invariants_have_one_number() -> None:
    names = re.findall(r"^-- name: ([A-Z]\d+)_", (HOUSE / "store" / "verify.sql").read_text(), re.MULTILINE)
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))


def test_no_file_names_where_packages_are_downloaded_from_or_a_path_of_a_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile(r"files\.python" r"hosted|registry\.npm" r"js|--(extra-)?index-" r"url|/work/" r"main")
    wrong = []
    for name in tracked:
        path = ROOT / name
        if path.is_file() and path.suffix in (".py", ".toml", ".txt", ".json", ".md", ".sql", ".sh", "", ".html", ".js", ".css"):
            text = path.read_text(encoding="utf-8", errors="ignore")
            wrong += [f"{name}: {found.group()}" for found in [forbidden.search(text)] if found]
    assert not wrong, "\n".join(wrong)
