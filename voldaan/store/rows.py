"""Between a resource and its row: which columns, what goes into `doc`, and the statements for one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from voldaan.resources.base import UNSET, Field, Resource, spec
from voldaan.resources.numbers import encode_json, from_json
from voldaan.store.adapt import Json

R = TypeVar("R", bound=Resource)


@cache
def select_list(cls: type[Resource], alias: str = "t") -> str:
    """The columns of a row in the order that `from_row` reads them."""
    return ", ".join(f"{alias}.{c}" for c in ["id", *(f.column or "" for f in spec(cls).columns), "doc"])


def from_row(cls: type[R], row: Sequence[Any]) -> R:
    """The resource of a row read with `select_list`."""
    return reader(cls)(row)


@cache
def reader(cls: type[R]) -> Callable[[Sequence[Any]], R]:
    """A function that turns a row of `select_list` into a resource."""
    names = ("id", *(f.name for f in spec(cls).columns))
    last = len(names)
    placeholders = {f.name: _no_children(f) for f in spec(cls).children}
    convert = msgspec.convert

    def read(row: Sequence[Any]) -> R:
        values = dict(row[last] or {})
        values.update(zip(names, row, strict=False))
        if placeholders:
            values.update(placeholders)
        return convert(values, cls, dec_hook=from_json)

    return read


def _no_children(field: Field) -> dict[str, Any]:
    return {"object": "list", "data": [], "has_more": False, "url": ""}


@cache
def doc_fields(cls: type[Resource]) -> tuple[tuple[str, Any], ...]:
    """The fields that live in `doc`, with their defaults: a field at its default is not stored."""
    defaults = {
        f.name: f.default if f.default_factory is msgspec.NODEFAULT else f.default_factory()
        for f in msgspec.structs.fields(cls)
    }
    return tuple((f.name, defaults[f.name]) for f in spec(cls).in_doc)


def to_doc(resource: Resource) -> bytes:
    """The `doc` of a resource, as JSON."""
    doc = {}
    cls = type(resource)
    for name, default in doc_fields(cls):
        value = getattr(resource, name)
        if value is not UNSET and value != default:
            doc[name] = value
    for field in spec(cls).embedded:
        if field.name in doc:
            doc[field.name] = ids_of(doc[field.name])
    return encode_json(doc)


def ids_of(value: Any) -> Any:
    """What is stored of an embedded object or list of objects."""
    if isinstance(value, list):
        return [ids_of(member) for member in value]
    return value.id if isinstance(value, Resource) else value


def stored(resource: Resource, field: Field) -> Any:
    """The value of a column."""
    value = getattr(resource, field.name)
    return ids_of(value) if field.embedded else value


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
        for field in s.columns:
            value = stored(r, field)
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


def copy_row(account: str, resource: Resource) -> list[Any]:
    """One row for `copy_statement`."""
    row = [account, resource.id]
    for f in spec(type(resource)).columns:
        value = stored(resource, f)
        if value is UNSET or value is None:
            row.append(None)
        elif f.sql_type == "jsonb":
            row.append(encode_json(value))
        else:
            row.append(value)
    row.append(to_doc(resource))
    return row


def changed_columns(new: Resource, was: Resource) -> tuple[str, ...]:
    """Names of the fields whose column differs, with "doc" last if anything in the document differs."""
    cls = type(new)
    changed = [f.name for f in spec(cls).columns if stored(new, f) != stored(was, f)]
    embedded = {f.name for f in spec(cls).embedded}
    for name, _ in doc_fields(cls):
        value, before = getattr(new, name), getattr(was, name)
        if value != before and (name not in embedded or ids_of(value) != ids_of(before)):
            changed.append("doc")
            break
    return tuple(changed)


@cache
def update_statement(cls: type[Resource], changed: tuple[str, ...]) -> str:
    """Changes the named fields of any number of rows; a changed state also names the state it comes from.

    Returns the number of rows that were as expected.
    """
    s = spec(cls)
    by_name = {f.name: f for f in s.columns}
    wire = [("id", "text")]
    sets = []
    for name in changed:
        if name == "doc":
            wire.append(("doc", "jsonb"))
            sets.append("doc = x.doc")
            continue
        f = by_name[name]
        wire.append((f.column or "", _wire_type(f)))
        sets.append(f"{f.column} = {_from_wire(f)}")
    condition = ""
    if s.table.state in changed:
        wire.append(("was_state", "text"))
        condition = f" and t.{s.table.state} is not distinct from x.was_state"
    return (
        f"update {s.table.name} t set {', '.join(sets)} "
        f"from jsonb_to_recordset(%(rows)s) as x({', '.join(f'{c} {t}' for c, t in wire)}) "
        f"where t.account_id = %(account)s and t.id = x.id{condition}"
    )


def update_rows(changed: tuple[str, ...], pairs: Sequence[tuple[Resource, Resource]]) -> Json:
    """The parameter of `update_statement`, from (new, was) pairs."""
    s = spec(type(pairs[0][0]))
    columns = [f for f in s.columns if f.name in changed]
    rows = []
    for new, was in pairs:
        row: dict[str, Any] = {"id": new.id}
        for field in columns:
            value = stored(new, field)
            row[field.column or field.name] = None if value is UNSET else value
        if "doc" in changed:
            row["doc"] = msgspec.Raw(to_doc(new))
        if s.table.state in changed:
            row["was_state"] = getattr(was, s.table.state or "")
        rows.append(row)
    return Json(encode_json(rows))


def _wire_type(field: Field) -> str:
    """Instants travel as epoch seconds."""
    return "bigint" if field.instant else field.sql_type


def _from_wire(field: Field) -> str:
    return f"to_timestamp(x.{field.column})" if field.instant else f"x.{field.column}"
