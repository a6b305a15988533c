"""The pages of the documentation that are made from the code: operations, states, events. A test holds them current."""

from __future__ import annotations

from collections.abc import Iterator

from voldaan.api.routes import ROUTES
from voldaan.events.types import TYPES
from voldaan.ledger.chart import CHART
from voldaan.resources.registry import RESOURCES
from voldaan.rules import states
from voldaan.work.handlers import HANDLERS

HEAD = "<!-- Made by `make docs` from the code: change the code, not this page. -->\n"


def pages() -> dict[str, str]:
    """File name → text."""
    return {
        "operations.md": HEAD + "\n".join(_operations()) + "\n",
        "states.md": HEAD + "\n".join(_states()) + "\n",
        "inside.md": HEAD + "\n".join(_inside()) + "\n",
    }


def _operations() -> Iterator[str]:
    yield "# Operations\n\nWhat the API serves, in the dialect of 2026-10-28.endive."
    yield "`/openapi.json` describes each with its parameters.\n"
    yield "| | path | answers |\n|---|---|---|"
    for method, path, command, _, resource in ROUTES:
        name = getattr(resource, "__name__", "object")
        yield f"| {method} | `{path}` | {'list of ' if getattr(command, 'many', False) else ''}{name} |"


def _states() -> Iterator[str]:
    yield "# States\n\nEvery state machine is one literal in `rules/states.py`; checks, this page and the buttons read it."
    for name, machine in sorted(vars(states).items()):
        if not name.isupper() or not isinstance(machine, dict):
            continue
        yield f"\n## {name.replace('_', ' ').capitalize()}\n\n| from | what happens | to |\n|---|---|---|"
        for (state, trigger), to in machine.items():
            yield f"| {state} | {trigger.replace('_', ' ')} | {to} |"


def _inside() -> Iterator[str]:
    yield "# Inside\n\n## Chart of accounts\n\n| account | kind |\n|---|---|"
    for name, kind in CHART.items():
        yield f"| {name} | {kind.replace('_', ' ')} |"
    yield "\n## Due work\n\nIn the order in which work of one instant runs on a test clock.\n"
    yield "| kind | where it runs | rows at a time |\n|---|---|---|"
    for handler in HANDLERS:
        where = "in one transaction" if handler.inside else "between transactions, under a lease"
        yield f"| {handler.kind} | {where} | {handler.batch} |"
    yield "\n## Tables of API objects\n\n| object | table | id |\n|---|---|---|"
    for cls in RESOURCES:
        yield f"| {cls.__name__} | {cls.TABLE.name} | `{cls.TABLE.prefix}_…` |"
    yield "\n## Event types\n"
    yield ", ".join(f"`{name}`" for name in sorted(TYPES))
