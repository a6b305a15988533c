"""Which optional response fields may be left out, and which must be there as null.

Stripe's SDK for Python says Optional for both. Its SDK for Node, of the same version of the API, tells them apart
(`payments?: X` may be left out, `footer: X | null` is always sent), so that one fact is kept from it in absence.txt:

    stripe.Invoice: auto_advance confirmation_secret hosted_invoice_url~ ...

    name   may be left out; never null
    name~  may be left out or null
    name!  always there and never null, though Python's says Optional

An optional field that is not in the file is always there, perhaps as null. The file leaves out namespaces that are out
of scope. To renew it, unpack the npm package `stripe` and run `python -m tests.api.contract.absence DIRECTORY`.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from . import kinds, sdk

FILE = Path(__file__).with_suffix(".txt")
OUT_OF_SCOPE = re.compile(
    r"stripe\.(apps|climate|financial_connections|forwarding|identity|issuing|radar|reserve|sigma|terminal|treasury"
    r"|three_d_secure|v2\.commerce|v2\.money_management|v2\.core\.(Account|vault))"
)
OTHER_NAMES = {"FeeRefund": "ApplicationFeeRefund", "EventBase": "Event"}  # Node's -> Python's


class Presence(NamedTuple):
    always: bool
    nullable: bool


def presence(declared: kinds.Field) -> Presence:
    """Whether a response must carry the field, and whether it may be null."""
    if not declared.optional:
        return Presence(always=True, nullable=False)
    if declared.name == "deleted":
        return Presence(always=False, nullable=False)
    mark = listed().get(declared.owner, {}).get(declared.name)
    return {
        None: Presence(always=True, nullable=True),
        "": Presence(always=False, nullable=False),
        "~": Presence(always=False, nullable=True),
        "!": Presence(always=True, nullable=False),
    }[mark]


@cache
def listed() -> dict[str, dict[str, str]]:
    """Class -> field -> its mark, "" when it has none."""
    lines = (line.partition(": ") for line in FILE.read_text().splitlines() if not line.startswith("#"))
    return {owner: {f.rstrip("~!"): f[len(f.rstrip("~!")) :] for f in fields.split()} for owner, _, fields in lines}


# ---------------------------------------------------------------------------------------------------- renewal


@dataclass
class Scope:
    """An interface and the namespace of its name, which are written apart but belong together."""

    name: str
    above: "Scope | None"
    fields: dict[str, tuple[bool, str]] = field(default_factory=dict)  # name -> may it be left out, the text of its type
    inner: dict[str, "Scope"] = field(default_factory=dict)

    def find(self, dotted: str) -> "Scope | None":
        """What a name means from here: its first part is looked up outwards, the rest inwards."""
        first, *rest = dotted.split(".")
        place: Scope | None = self
        while place and first not in place.inner:
            place = place.above
        found = place.inner[first] if place else None
        for part in rest:
            found = found.inner.get(part) if found else None
        return found


def renew(package: Path) -> Iterator[str]:
    """Writes absence.txt; yields what the two packages disagree on otherwise."""
    marks = {"stripe.v2.core.EventNotification": {"context": "~", "reason": "~"}}  # no interface of its own in Node
    resources = package / "esm" / "resources"
    for path in sorted(resources.rglob("*.d.ts")):
        folders = [re.sub(r"(?<!^)(?=[A-Z])", "_", part).lower() for part in path.relative_to(resources).parent.parts]
        for name, scope in read_declarations(path).inner.items():
            python = ".".join(["stripe", *folders, OTHER_NAMES.get(name, name)])
            if scope.fields and python in sdk.whereabouts() and not name.startswith("Unknown"):
                yield from compare(python, scope, marks)
    marks["stripe.v2.core.Event"] |= {"context": "~", "reason": "~"}  # Python's reads them unasked; documented as null
    version = (package / "VERSION").read_text().strip()
    lines = [f"# what may be absent, by the declarations of the npm package stripe {version}; see absence.py"]
    for owner, fields in sorted(marks.items()):
        if fields and not OUT_OF_SCOPE.match(owner):
            lines.append(f"{owner}: {' '.join(name + mark for name, mark in sorted(fields.items()))}")
    FILE.write_text("\n".join(lines) + "\n")


def read_declarations(path: Path) -> Scope:
    """Interfaces of one .d.ts file. These are generated: one declaration or one field a line, except free objects."""
    top = place = Scope("", None)
    pending = ""
    for line in re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines():
        text = line.strip()
        if opened := re.match(r"(?:export )?(?:declare )?(?:interface|namespace|class|type) (\w+)[^;]*\{$", text):
            place = place.inner.setdefault(opened[1], Scope(opened[1], place))
        elif text in ("}", "};") and not pending:
            place = place.above or top
        elif pending or re.match(r"\w+\??: ", text):
            pending += text
            if text.endswith(";") and pending.count("{") == pending.count("}"):
                name, mark, kind = re.match(r"(\w+)(\??): (.*);$", pending).groups()
                place.fields[name] = (mark == "?", kind)
                pending = ""
    return top


def compare(python: str, node: Scope, marks: dict[str, dict[str, str]]) -> Iterator[str]:
    """Walks one class in both languages, nested classes with it, and marks its fields; yields what does not fit."""
    if python in marks:
        return
    marks[python] = {}
    ours = sdk.declared(python).fields
    yield from (f"{python}.{name}: only in Node" for name in node.fields.keys() - ours.keys())
    for name, declared in ours.items():
        if name not in node.fields:
            yield f"{python}.{name}: only in Python"
            continue
        absent, kind = node.fields[name]
        null = bool(re.search(r"\bnull\b", kind))
        if (absent or null) and not declared.optional:
            yield f"{python}.{name}: not optional in Python"
        if absent and name != "deleted":
            marks[python][name] = "~" if null else ""
        elif declared.optional and not absent and not null:
            marks[python][name] = "!"
        for nested in _nested(declared.type, python):
            scopes = [s for s in map((node.above or node).find, re.findall(r"[\w.]+", kind)) if s]
            if scopes:
                yield from compare(nested, scopes[0], marks)
            elif "Address" not in kind:  # the one shared shape; all of its fields are always there
                yield f"{nested}: no counterpart in {kind}"


def _nested(kind: kinds.Type, owner: str) -> Iterator[str]:
    match kind:
        case kinds.Ref(name) if name.startswith(f"{owner}."):
            yield name
        case kinds.Array(inner) | kinds.Map(inner) | kinds.Expandable(inner) | kinds.Page(inner):
            yield from _nested(inner, owner)
        case kinds.OneOf(options):
            for option in options:
                yield from _nested(option, owner)


if __name__ == "__main__":
    for difference in renew(Path(sys.argv[1])):
        print(difference)
