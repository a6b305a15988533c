"""What the official SDK declares, read out of its installed source.

The Stripe package for Python is generated from Stripe's own description of the API, so its type annotations are the
contract: every operation, parameter and response field, with types, enumerations and what may be null. Nothing is
imported or copied; the files are parsed when asked for, one at a time, and what was read stays in memory.

    operation("POST", "/v1/invoices/in_123/void")   ->  Operation
    declared("stripe.Invoice")                      ->  Class, with its fields
    declared("stripe.params.InvoiceCreateParams")   ->  Class, with the parameters as fields

Classes carry their public name; a nested class carries its owner's, as in "stripe.Invoice.AutomaticTax".
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from .kinds import ANY, NULL, Array, Class, Enum, Expandable, Field, Map, OneOf, Operation, Page, Ref, Scalar, Type

ROOT = Path(next(iter(find_spec("stripe").submodule_search_locations)))

# ---------------------------------------------------------------------------------------------------- files


@dataclass(frozen=True)
class Source:
    """One parsed file: its classes by name, other top-level assignments, and where its imported names come from."""

    package: str
    classes: dict[str, ast.ClassDef]
    assigned: dict[str, ast.expr]
    imported: dict[str, tuple[str, str]]


@cache
def source(path: Path) -> Source:
    classes, assigned, imported = {}, {}, {}
    for node in _flat(ast.parse(path.read_text(encoding="utf-8")).body):
        match node:
            case ast.ClassDef():
                classes[node.name] = node
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value):
                assigned[name] = value
            case ast.ImportFrom(module=str(module)):
                imported |= {alias.asname or alias.name: (module, alias.name) for alias in node.names}
    return Source(_package(path), classes, assigned, imported)


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements at the top, with those under `if TYPE_CHECKING`."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _flat(node.body)
        else:
            yield node


def _package(path: Path) -> str:
    return ".".join(("stripe", *path.relative_to(ROOT).parent.parts))


@cache
def whereabouts() -> dict[str, Path]:
    """Public name of every top-level class -> the file it is in; found by pattern, as parsing all takes seconds."""
    files = (path for path in ROOT.rglob("_*.py") if path.name != "__init__.py")
    return {
        f"{_package(path)}.{name}": path
        for path in sorted(files)
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


# ---------------------------------------------------------------------------------------------------- classes


@cache
def declared(name: str) -> Class:
    """The class of that public name. KeyError when the SDK has none."""
    top, inner = _split(name)
    file = source(whereabouts()[top])
    node = file.classes[top.rpartition(".")[2]]
    for part in inner:
        nested = {n.name: n for n in node.body if isinstance(n, ast.ClassDef)}
        if part not in nested:
            raise KeyError(f"the SDK declares no class {name}")
        node = nested[part]
    return Class(name, _object_name(node), _fields(node, name, file))


@cache
def resources() -> dict[str, str]:
    """The value of `object` in a response -> the public name of its class, for every resource of the API."""
    table = source(ROOT / "_object_classes.py").assigned["OBJECT_CLASSES"]
    rows = ast.literal_eval(table).items()
    return {value: f"{module.rpartition('.')[0]}.{name}" for value, (module, name) in rows}


def _split(name: str) -> tuple[str, list[str]]:
    """stripe.Invoice.AutomaticTax -> stripe.Invoice, [AutomaticTax]"""
    parts = name.split(".")
    for end in range(2, len(parts) + 1):
        if (top := ".".join(parts[:end])) in whereabouts():
            return top, parts[end:]
    raise KeyError(f"the SDK declares no class {name}")


def _object_name(node: ast.ClassDef) -> str | None:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and line.target.id == "OBJECT_NAME" and line.value:
            return ast.literal_eval(line.value)
    return None


def _fields(node: ast.ClassDef, name: str, file: Source) -> dict[str, Field]:
    read = _Reader(name, file, {n.name for n in node.body if isinstance(n, ast.ClassDef)})
    fields = {}
    for base in node.bases:
        fields |= _inherited(ast.unparse(base), read)
    encodings = _literal(node, "_field_encodings")
    renamed = _literal(node, "_field_remappings")
    for line, following in zip(node.body, [*node.body[1:], None], strict=True):
        if not isinstance(line, ast.AnnAssign) or _is_classvar(line.annotation) or line.target.id.startswith("_"):
            continue
        target = line.target.id
        key = renamed.get(target, target)
        fields[key] = read.field(key, line.annotation, encodings.get(target), _text(following))
    return fields


def _is_classvar(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Subscript) and getattr(annotation.value, "id", None) == "ClassVar"


def _inherited(base: str, read: "_Reader") -> dict[str, Field]:
    """Fields of a base class that is about data; the SDK's machinery, such as its request options, is none."""
    if (functional := read.file.assigned.get(base)) is not None:  # TypedDict("X", {...}): names that Python reserves
        keys = functional.args[1]
        pairs = ((ast.literal_eval(k), v) for k, v in zip(keys.keys, keys.values, strict=True))
        return {key: read.field(key, value, None, "") for key, value in pairs}
    plain = base.partition("[")[0]
    if plain in {"StripeObject", "RequestOptions", "TypedDict"} or plain.endswith("APIResource"):
        return {}
    target = read.public(plain) if plain in read.file.imported or plain in read.file.classes else None
    return declared(target).fields if target in whereabouts() else {}


def _literal(node: ast.ClassDef, name: str) -> dict[str, str]:
    for line in node.body:
        if isinstance(line, ast.Assign) and line.targets[0].id == name:
            return ast.literal_eval(line.value)
    return {}


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


# ---------------------------------------------------------------------------------------------------- annotations


@dataclass(frozen=True)
class _Reader:
    """Turns annotations into types, seen from inside one class: its own nested classes come before the file's names."""

    owner: str
    file: Source
    nested: set[str]

    def field(self, name: str, annotation: ast.expr, encoding: str | None, doc: str) -> Field:
        options = list(self.options(annotation))
        optional = NULL in options
        unset = any(isinstance(o, Enum) and "" in o.values for o in options)
        kind = _one([_without_empty(o) for o in options if o != NULL])
        if encoding == "int64_string":
            kind = Scalar("int64")
        return Field(self.owner, name, kind, optional, unset, doc)

    def type(self, node: ast.expr) -> Type:
        return _one(list(self.options(node)))

    def options(self, node: ast.expr) -> Iterator[Type]:
        """The alternatives of an annotation; NULL among them says that there may be no value."""
        match node:
            case ast.Constant(value=str(text)):
                yield from self.options(ast.parse(text, mode="eval").body)
            case ast.Constant(value=None):
                yield NULL
            case ast.BinOp(left=left, right=right):
                yield from self.options(left)
                yield from self.options(right)
            case ast.Subscript(value=ast.Name(id="Optional" | "NotRequired"), slice=inner):
                yield NULL
                yield from self.options(inner)
            case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=members)):
                for member in members:
                    yield from self.options(member)
            case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
                values = tuple(ast.literal_eval(e) for e in (inner.elts if isinstance(inner, ast.Tuple) else [inner]))
                yield Enum(values, open=False)
            case ast.Subscript(value=ast.Name(id="List"), slice=inner):
                yield Array(self.type(inner))
            case ast.Subscript(value=ast.Name(id="Dict"), slice=ast.Tuple(elts=[_, inner])):
                yield Map(self.type(inner))
            case ast.Subscript(value=ast.Name(id="UntypedStripeObject"), slice=inner):
                yield Map(self.type(inner))
            case ast.Subscript(value=ast.Name(id="ExpandableField"), slice=inner):
                yield Expandable(self.type(inner))
            case ast.Subscript(value=ast.Name(id="ListObject"), slice=inner):
                v2 = self.file.imported["ListObject"][0].startswith("stripe.v2")
                yield Page(self.type(inner), "v2 list" if v2 else "list")
            case ast.Subscript(value=ast.Name(id="SearchResultObject"), slice=inner):
                yield Page(self.type(inner), "search_result")
            case ast.Name(id="str" | "int" | "bool" | "float" as name):
                yield Scalar(name)
            case ast.Name(id="StripeContext"):  # an object in Python, text on the wire
                yield Scalar("str")
            case ast.Name(id="Decimal"):
                yield Scalar("decimal")
            case ast.Name(id="Any" | "object" | "StripeObject" | "UntypedStripeObject"):
                yield ANY
            case ast.Name(id="T"):
                yield ANY
            case ast.Name(id=name):
                yield Ref(self.public(name))
            case _:
                raise ValueError(f"{self.owner}: no rule to read {ast.unparse(node)}")

    def public(self, name: str) -> str:
        """The public name of a class as this one sees it."""
        if name in self.nested:
            return f"{self.owner}.{name}"
        if name in self.file.classes:
            return f"{self.file.package}.{name}"
        module, original = self.file.imported[name]
        package, _, last = module.rpartition(".")
        return f"{package if last.startswith('_') else module}.{original}"


def _one(options: list[Type]) -> Type:
    """Alternatives become one type: closed values next to plain text are an open enumeration."""
    values = [v for o in options if isinstance(o, Enum) for v in o.values]
    text = Scalar("str") in options
    merged = [] if not values or (values == [""] and text) else [Enum(tuple(values), open=text)]
    rest = [o for o in options if not isinstance(o, Enum) and not (merged and o == Scalar("str"))]
    distinct = tuple(dict.fromkeys([*merged, *rest]))
    return distinct[0] if len(distinct) == 1 else OneOf(distinct)


def _without_empty(option: Type) -> Type:
    if isinstance(option, Enum):
        return Enum(tuple(v for v in option.values if v != ""), option.open)
    return option


# ---------------------------------------------------------------------------------------------------- operations


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the SDK once, by path and verb; a few are reachable through two methods."""
    found = {
        (operation.verb, operation.path): operation
        for path in sorted(ROOT.rglob("*_service.py"))
        for node in source(path).classes.values()
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        for operation in _operation(method, node.name, source(path))
    }
    return tuple(sorted(found.values(), key=lambda o: (o.version, o.path, o.verb)))


def _operation(method: ast.FunctionDef, service: str, file: Source) -> Iterator[Operation]:
    """One, or none when the method makes no call."""
    for call in ast.walk(method):
        match call:
            case ast.Call(func=ast.Attribute(attr="_request" | "_request_stream" as sent), args=[verb, path, *_]):
                break
    else:
        return
    if not isinstance(verb, ast.Constant):  # the base class passes its own arguments on
        return
    template = path.func.value if isinstance(path, ast.Call) else path
    read = _Reader(service, file, set())
    params = [a.annotation for a in method.args.args if a.arg == "params"]
    yield Operation(
        verb=verb.value.upper(),
        path=template.value,
        params=next((read.field("", p, None, "").type.name for p in params), None),
        response=None if sent == "_request_stream" else _response(method.returns, read),
        streams=sent == "_request_stream",
        base=next(k.value.value for k in call.keywords if k.arg == "base_address"),
        method=f"{file.package}.{service}.{method.name}",
    )


def _response(annotation: ast.expr, read: _Reader) -> Type | None:
    kind = read.type(annotation)
    return None if kind == NULL else kind


def operation(verb: str, path: str) -> Operation:
    """The operation that a call reaches; the path may be a template (any names in braces) or a real one, without query.

    KeyError when the SDK has none. A literal segment wins over a placeholder: /v1/invoices/search is no invoice.
    """
    candidates = [o for o in operations() if o.verb == verb.upper() and _matches(o.path, path)]
    if not candidates:
        raise KeyError(f"the SDK has no operation {verb} {path}")
    return min(candidates, key=lambda o: o.path.count("{"))


def _matches(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        w == g or (w.startswith("{") and g != "") for w, g in zip(wanted, given, strict=True)
    )
