"""Between a resource and its row: which columns, what goes into `doc`, and the statements for one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import compress, count, repeat
from operator import attrgetter, is_not
from types import NoneType
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
from msgspec.structs import astuple

from voldaan.resources.base import UNSET, Field, Resource, UnsetType, spec
from voldaan.resources.numbers import encode_json, from_json
from voldaan.store.adapt import Json, Numbers, Texts

R = TypeVar("R", bound=Resource)


@cache
def select_list(cls: type[Resource], alias: str = "t") -> str:
    """The columns of a row in the order that `from_row` reads them.

    The document comes as text, which the driver's C code hands on; jsonb would cost a call into Python for each row.
    """
    return ", ".join(f"{alias}.{c}" for c in ["id", *(f.column or "" for f in spec(cls).columns), "doc::text"])


def from_row(cls: type[R], row: Sequence[Any]) -> R:
    """The resource of a row read with `select_list`."""
    return reader(cls)(row)


@cache
def reader(cls: type[R]) -> Callable[[Sequence[Any]], R]:
    """A function that turns a row of `select_list` into a resource."""
    names = ("id", *(f.name for f in spec(cls).columns))
    last = len(names)
    placeholders = {f.name: _no_children(f) for f in spec(cls).children}
    absent = [f.name for f in spec(cls).columns if UnsetType in get_args(f.annotation) and NoneType not in get_args(f.annotation)]
    convert, decode = msgspec.convert, msgspec.json.Decoder(dict[str, Any]).decode

    def read(row: Sequence[Any]) -> R:
        values = decode(row[last]) if row[last] else {}
        values.update(zip(names, row, strict=False))
        if placeholders:
            values.update(placeholders)
        for name in absent:
            if values[name] is None:
                del values[name]
        return convert(values, cls, dec_hook=from_json)

    return read


def _no_children(field: Field) -> dict[str, Any]:
    return {"object": "list", "data": [], "has_more": False, "url": ""}


class Shape(NamedTuple):
    """How the rows of one class are made, worked out once. A getter reads many fields in one call."""

    columns: Callable[[Resource], tuple[Any, ...]]
    convert: tuple[tuple[int, Callable[[Any], Any]], ...]  # columns whose value is not the field's: position, and how
    doc: Callable[[Resource], tuple[Any, ...]]
    document: Callable[..., msgspec.Struct]                # the same fields as an object that leaves out what is at its default
    embedded: tuple[int, ...]                              # positions in `doc` of which only ids are stored
    to_copy: tuple[tuple[int, Callable[[Iterable[Any]], Iterable[Any]]], ...]  # the same for COPY, a whole column at once


@cache
def shape(cls: type[Resource]) -> Shape:
    s = spec(cls)
    convert, to_copy = [], []
    for at, field in enumerate(s.columns):
        if UnsetType in get_args(field.annotation):
            to_copy.append((at, _present))
        if field.embedded:
            convert.append((at, ids_of))
            to_copy.append((at, _ids))
        if field.sql_type == "jsonb":
            to_copy.append((at, _encoded))
    return Shape(
        columns=_getter([f.name for f in s.columns]),
        convert=tuple(convert),
        doc=_getter([f.name for f in s.in_doc]),
        document=_document(cls),
        embedded=tuple(at for at, f in enumerate(s.in_doc) if f.embedded),
        to_copy=tuple(to_copy),
    )


def _getter(names: Sequence[str]) -> Callable[[Resource], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda resource: tuple(getattr(resource, name) for name in names)


def _document(cls: type[Resource]) -> type[msgspec.Struct]:
    """A struct of the fields that live in `doc`: a field at its default is not stored."""
    declared = {f.name: f for f in msgspec.structs.fields(cls)}
    fields: list[Any] = []
    for name in (f.name for f in spec(cls).in_doc):
        default, factory = declared[name].default, declared[name].default_factory
        if factory is not msgspec.NODEFAULT:
            fields.append((name, Any, msgspec.field(default_factory=factory)))
        else:
            fields.append((name, Any, UNSET if default is msgspec.NODEFAULT else default))
    return msgspec.defstruct(f"{cls.__name__}Doc", fields, omit_defaults=True)


def _present(column: Iterable[Any]) -> list[Any]:
    return [None if value is UNSET else value for value in column]


def _ids(column: Iterable[Any]) -> list[Any]:
    return [ids_of(value) for value in column]


def _encoded(column: Iterable[Any]) -> list[bytes | None]:
    return [None if value is None else encode_json(value) for value in column]


def to_doc(resource: Resource) -> bytes:
    """The `doc` of a resource, as JSON."""
    made = shape(type(resource))
    values = made.doc(resource)
    if made.embedded:
        stored = list(values)
        for at in made.embedded:
            stored[at] = ids_of(stored[at])
        return encode_json(made.document(*stored))
    return encode_json(made.document(*values))


def ids_of(value: Any) -> Any:
    """What is stored of an embedded object or list of objects."""
    if isinstance(value, list):
        return [ids_of(member) for member in value]
    return value.id if isinstance(value, Resource) else value


def stored(resource: Resource) -> list[Any]:
    """The values of all columns, in the order of the declaration; UNSET where the field is absent."""
    made = shape(type(resource))
    values = list(made.columns(resource))
    for at, convert in made.convert:
        values[at] = convert(values[at])
    return values


@cache
def insert_statement(cls: type[Resource]) -> str:
    """Inserts any number of rows that arrive as one JSON array of arrays-by-name."""
    s = spec(cls)
    columns = [("id", "text", "x.id")]
    columns += [(c.column or "", _wire_type(c), _from_wire(c)) for c in s.columns]
    columns.append(("doc", "jsonb", "x.doc"))
    return (
        f"insert into {s.table.name} (account_id, {', '.join(c[0] for c in columns)}) "
        f"select %(account)s, {', '.join(c[2] for c in columns)} "
        f"from jsonb_to_recordset(%(rows)s) as x({', '.join(f'{c[0]} {c[1]}' for c in columns)})"
    )


def insert_rows(resources: Sequence[Resource]) -> Json:
    """The parameter of `insert_statement`."""
    s = spec(type(resources[0]))
    rows = []
    for r in resources:
        row: dict[str, Any] = {"id": r.id, "doc": msgspec.Raw(to_doc(r))}
        for field, value in zip(s.columns, stored(r), strict=True):
            if value is not UNSET:
                row[field.column or field.name] = value
        rows.append(row)
    return Json(encode_json(rows))


@cache
def copy_statement(cls: type[Resource]) -> tuple[str, list[str]]:
    """COPY for many rows, and the types of its columns."""
    s = spec(cls)
    names = ["account_id", "id", *(f.column or "" for f in s.columns), "doc"]
    types = ["text", "text", *(f.sql_type for f in s.columns), "jsonb"]
    return f"copy {s.table.name} ({', '.join(names)}) from stdin (format binary)", types


def copy_columns(account: str, resources: Sequence[Resource]) -> list[Iterable[Any]]:
    """The columns of rows for `copy_statement`. Converting a whole column is far cheaper than value by value."""
    made = shape(type(resources[0]))
    columns: list[Iterable[Any]] = list(zip(*map(made.columns, resources), strict=True))
    for at, convert in made.to_copy:
        columns[at] = convert(columns[at])
    return [repeat(account), [resource.id for resource in resources], *columns, map(to_doc, resources)]


def changed_columns(new: Resource, was: Resource) -> tuple[str, ...]:
    """Names of the fields whose column differs, with "doc" last if anything in the document differs.

    A changed object is a copy, so that nearly all its values are the very same: only the others need be compared.
    """
    after, before, fields = astuple(new), astuple(was), _places(type(new))
    changed: dict[str, None] = {}
    for at in compress(count(), map(is_not, after, before)):
        column, embedded = fields[at]
        if column is None or after[at] == before[at] or (embedded and ids_of(after[at]) == ids_of(before[at])):
            continue
        changed[column] = None
    if "doc" in changed:
        changed["doc"] = changed.pop("doc")  # last
    return tuple(changed)


@cache
def _places(cls: type[Resource]) -> tuple[tuple[str | None, bool], ...]:
    """Of each field: its own name if it is a column, "doc" if it is in the document, else None; and whether it is embedded."""
    s = spec(cls)
    columns, in_doc = {f.name for f in s.columns}, {f.name for f in s.in_doc}
    return tuple(
        (f.name if f.name in columns else "doc" if f.name in in_doc else None, f.embedded is not None) for f in s.fields
    )


@cache
def update_statement(cls: type[Resource], changed: tuple[str, ...]) -> str:
    """Changes the named fields of any number of rows; a changed state also names the state it comes from.

    The rows arrive as one array for each column, which PostgreSQL reads in half the time of JSON. Returns the number of
    rows that were as expected.
    """
    s = spec(cls)
    by_name = {f.name: f for f in s.columns}
    arrays, names, sets = ["%(ids)s::text[]"], ["id"], []
    for name in changed:
        if name == "doc":
            arrays.append("%(doc)s::text[]")
            names.append("doc")
            sets.append("doc = x.doc::jsonb")
            continue
        f = by_name[name]
        arrays.append(f"%({name})s::{_array_type(f)}")
        names.append(f.column or "")
        sets.append(f"{f.column} = {_from_array(f)}")
    condition = ""
    if s.table.state in changed:
        arrays.append("%(was_state)s::text[]")
        names.append("was_state")
        condition = f" and t.{s.table.state} is not distinct from x.was_state"
    return (
        f"update {s.table.name} t set {', '.join(sets)} "
        f"from unnest({', '.join(arrays)}) as x({', '.join(names)}) "
        f"where t.account_id = %(account)s and t.id = x.id{condition}"
    )


def update_arrays(changed: tuple[str, ...], pairs: Sequence[tuple[Resource, Resource]]) -> dict[str, Any]:
    """The parameters of `update_statement`, from (new, was) pairs."""
    s = spec(type(pairs[0][0]))
    arrays: dict[str, Any] = {"ids": Texts(new.id for new, _ in pairs)}
    for field in s.columns:
        if field.name in changed:
            column = _present(map(attrgetter(field.name), [new for new, _ in pairs]))
            arrays[field.name] = _as_array(field, _ids(column) if field.embedded else column)
    if "doc" in changed:
        arrays["doc"] = Texts(to_doc(new) for new, _ in pairs)
    if s.table.state in changed:
        arrays["was_state"] = Texts(getattr(was, s.table.state or "") for _, was in pairs)
    return arrays


def _as_array(field: Field, values: list[Any]) -> Any:
    match _array_type(field):
        case "bigint[]":
            return Numbers(values)
        case "boolean[]":
            return values
    if field.sql_type == "jsonb":
        return Texts(None if value is None else encode_json(value) for value in values)
    return Texts(None if value is None else str(value) for value in values)


def _array_type(field: Field) -> str:
    """Instants travel as epoch seconds; decimals and JSON as their text."""
    if field.instant or field.sql_type == "bigint":
        return "bigint[]"
    return "boolean[]" if field.sql_type == "boolean" else "text[]"


def _from_array(field: Field) -> str:
    if field.instant:
        return f"to_timestamp(x.{field.column})"
    cast = f"::{field.sql_type}" if field.sql_type in ("numeric", "jsonb") else ""
    return f"x.{field.column}{cast}"


def _wire_type(field: Field) -> str:
    """Instants travel as epoch seconds."""
    return "bigint" if field.instant else field.sql_type


def _from_wire(field: Field) -> str:
    return f"to_timestamp(x.{field.column})" if field.instant else f"x.{field.column}"
