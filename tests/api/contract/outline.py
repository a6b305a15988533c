"""Classes of the SDK as indented text: a line a field, nested objects below their field.

fields                                         parameters
name: T        always there, never null        name*: T      required
name: T|null   always there, perhaps null      name: T       may be left out
name?: T       may be left out, never null     name: T ""    an empty string clears it
name?: T|null  may be left out or null

T: str int bool float any; decimal and int64 are JSON strings; a|b one of these values (a|b|+9: and 9 more,
   shown by --all); [T] list; {T} object with free keys; {} object described below; ->X id of X, or X when
   expanded; =X whole X; list of X; int or X: either
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import kinds, sdk
from .absence import presence

Line = Callable[[kinds.Field], str]
LONG, SHOWN = 24, 6  # an enumeration with more than LONG values is cut to its first SHOWN


@dataclass(frozen=True)
class Outline:
    depth: int = 99
    every_value: bool = False

    def fields(self, name: str) -> Iterator[str]:
        """A response class: one line for it, then its fields."""
        declared = sdk.declared(name)
        yield f"{name}  object={declared.object}  {len(declared.fields)} fields"
        yield from self._lines(declared, self._field, 1)

    def params(self, operation: kinds.Operation) -> Iterator[str]:
        """An operation with its parameters; `expand`, which all have, is left out."""
        base = "" if operation.base == "api" else f"  base={operation.base}"
        yield f"{operation.verb} {operation.path}  -> {self.answer(operation)}{base}"
        if operation.params:
            declared = sdk.declared(operation.params)
            yield from self._lines(declared, self._parameter, 1)

    def answer(self, operation: kinds.Operation) -> str:
        if operation.streams:
            return "bytes"
        return self._word(operation.response, "").removeprefix("=") if operation.response else "nothing"

    def _lines(self, owner: kinds.Class, line: Line, level: int) -> Iterator[str]:
        for field in owner.fields.values():
            if field.name == "expand":
                continue
            yield "  " * level + line(field)
            if level < self.depth:
                for nested in _below(field.type, field.owner):
                    yield from self._lines(nested, line, level + 1)

    def _field(self, field: kinds.Field) -> str:
        always, nullable = presence(field)
        return f"{field.name}{'' if always else '?'}: {self._word(field.type, field.owner)}{'|null' if nullable else ''}"

    def _parameter(self, field: kinds.Field) -> str:
        text = f"{field.name}{'' if field.optional else '*'}: {self._word(field.type, field.owner)}"
        return f'{text} ""' if field.unset else text

    def _word(self, kind: kinds.Type, owner: str) -> str:
        match kind:
            case kinds.Scalar(name):
                return name
            case kinds.Enum(values) if len(values) > LONG and not self.every_value:
                return "|".join([*values[:SHOWN], f"+{len(values) - SHOWN}"])
            case kinds.Enum(values):
                return "|".join(v if isinstance(v, str) else str(v).lower() for v in values)
            case kinds.Ref(name):
                return "{}" if _belongs(name, owner) else f"={name}"
            case kinds.Expandable(kinds.OneOf(options)):
                return "->" + "/".join(option.name for option in options)
            case kinds.Expandable(whole):
                return f"->{whole.name}"
            case kinds.Array(inner):
                return f"[{self._word(inner, owner)}]"
            case kinds.Map(inner):
                return "{" + self._word(inner, owner) + "}"
            case kinds.Page(inner, page):
                return f"{page} of {self._word(inner, owner).removeprefix('=')}"
            case kinds.OneOf(options):
                return " or ".join(self._word(option, owner) for option in options)


def docs(name: str) -> Iterator[str]:
    """What the SDK says about a field, as in stripe.Invoice.status, or about all fields of a class."""
    try:
        owner, wanted = sdk.declared(name), None
    except KeyError:
        above, _, wanted = name.rpartition(".")
        owner = sdk.declared(above)
    for field in owner.fields.values():
        if wanted in (None, field.name):
            yield f"{field.name}: {field.doc or '(not described)'}"


def _below(kind: kinds.Type, owner: str) -> Iterator[kinds.Class]:
    """Classes to describe under a field: those that belong to its owner, not resources of their own."""
    match kind:
        case kinds.Ref(name) if _belongs(name, owner):
            yield sdk.declared(name)
        case kinds.Array(inner) | kinds.Map(inner) | kinds.Expandable(inner) | kinds.Page(inner):
            yield from _below(inner, owner)
        case kinds.OneOf(options):
            for option in options:
                yield from _below(option, owner)


def _belongs(name: str, owner: str) -> bool:
    return bool(owner) and name.startswith((f"{owner}.", "stripe.params."))
