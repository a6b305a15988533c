"""Retrieving one object and listing many: generic, read from the declarations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from voldaan.resources.base import Resource, Spec, spec
from voldaan.resources.params import Hash, PageParams, Params, Range
from voldaan.resources.registry import BY_OBJECT
from voldaan.store import rows
from voldaan.store.pages import Page
from voldaan.store.transaction import Missing, Transaction

NOT_FILTERS = frozenset({"limit", "starting_after", "ending_before", "expand", "created", "query", "page"})
BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def one(cls: type[Resource], **parents: str) -> Callable[..., Awaitable[Resource]]:
    """A command that retrieves by id. `parents` maps a placeholder of the path to the field that must agree with it."""

    async def retrieve(tx: Transaction, params: Params, id: str, **path: str) -> Resource:
        found = _as_of(await tx.need(cls, id), tx.now)
        for placeholder, name in parents.items():
            if getattr(found, name) != path[placeholder]:
                raise Missing(spec(cls).object, id)
        return found

    retrieve.loads = cls  # type: ignore[attr-defined]
    retrieve.__doc__ = f"Retrieves a {spec(cls).object.replace('_', ' ')}."
    return retrieve


def page(cls: type[Resource], **parents: str) -> Callable[..., Awaitable[Page]]:
    """A command that lists. `parents` maps a placeholder of the path to the field it filters on."""

    async def listing(tx: Transaction, params: PageParams, **path: str) -> Page:
        conditions, values = filters(cls, params)
        if owner := getattr(params, "customer", None):
            await tx.need(BY_OBJECT["customer"], owner, param="customer")
        for placeholder, name in parents.items():
            if parent := _parent(placeholder):
                await tx.need(parent, path[placeholder])
            conditions.append(f"t.{column(spec(cls), name)} = %({placeholder})s")
            values[placeholder] = path[placeholder]
        return await fetch(tx, cls, params, conditions, values)

    listing.many = True  # type: ignore[attr-defined]
    listing.__doc__ = f"Lists {spec(cls).table.name.replace('_', ' ')}, newest first."
    return listing


def _parent(placeholder: str) -> type[Resource] | None:
    """The class that a placeholder of a path is an id of: {customer}, or {calculation} of tax.calculation."""
    return next((cls for name, cls in BY_OBJECT.items() if name.rpartition(".")[2] == placeholder), None)


def _as_of(resource: Resource, now: int) -> Resource:
    """What shows the time that it is read at, as it stands then."""
    as_of = getattr(resource, "as_of", None)
    return resource if as_of is None else as_of(now)  # type: ignore[no-any-return]


def filters(cls: type[Resource], params: PageParams) -> tuple[list[str], dict[str, Any]]:
    """SQL conditions on the row `t` for what the caller asked, with their values."""
    s = spec(cls)
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if any(f.name == "deleted_at" for f in s.columns):
        conditions.append("t.deleted_at is null")
    special: dict[str, str] = getattr(type(params), "FILTERS", {})
    for name, value in params.given().items():
        if name in NOT_FILTERS or value is None:
            continue
        if name in special:
            if special[name]:
                conditions.append(special[name])
                values[name] = value
            continue
        if isinstance(value, Hash) and not isinstance(value, Range):
            for part, wanted in value.given().items():
                conditions.append(special[f"{name}.{part}"])
                values[f"{name}_{part}"] = wanted
            continue
        field = next((f for f in s.columns if f.name == name), None)
        if field is None:
            raise LookupError(f"{type(params).__name__}.{name} filters nothing: no column and no entry in FILTERS")
        if field.instant:
            _bounds(conditions, values, field.column or name, name, value)
        else:
            conditions.append(f"t.{field.column} = %({name})s")
            values[name] = value
    unless_given: dict[str, str] = getattr(type(params), "UNLESS_GIVEN", {})
    conditions += [condition for name, condition in unless_given.items() if name not in params.model_fields_set]
    created = getattr(params, "created", None)
    if created is not None:
        _bounds(conditions, values, column(s, "created"), "created", created)
    return conditions, values


def _bounds(conditions: list[str], values: dict[str, Any], column_name: str, name: str, value: Any) -> None:
    bounds = {"=": value} if not isinstance(value, Range) else {BOUNDS[k]: v for k, v in value.given().items() if v is not None}
    for number, (operator, instant) in enumerate(bounds.items()):
        conditions.append(f"t.{column_name} {operator} to_timestamp(%({name}_{number})s)")
        values[f"{name}_{number}"] = instant


def column(s: Spec, name: str) -> str:
    """The column of a field."""
    return next(f.column or name for f in s.columns if f.name == name)


async def fetch(
    tx: Transaction, cls: type[Resource], params: PageParams, conditions: list[str], values: dict[str, Any]
) -> Page:
    """One page by keyset: ids sort by time, so the newest comes first, or the oldest, without an index of its own."""
    s = spec(cls)
    order = s.table.order
    backwards = params.ending_before is not None
    descending = s.table.newest_first != backwards
    cursor = params.starting_after or params.ending_before
    if cursor:
        at = await tx.one(f"select {order} from {s.table.name} where account_id = %(account)s and id = %(id)s", id=cursor)
        if at is None:
            raise Missing(s.object, cursor, "ending_before" if backwards else "starting_after")
        conditions = [*conditions, f"t.{order} {'<' if descending else '>'} %(cursor)s"]
        values = {**values, "cursor": at[0]}
    where = "".join(f" and ({c})" for c in conditions)
    found = await tx.all(
        f"select {rows.select_list(cls)} from {s.table.name} t where t.account_id = %(account)s{where} "
        f"order by t.{order} {'desc' if descending else 'asc'} limit %(limit)s",
        **values,
        limit=params.limit + 1,
    )
    read = rows.reader(cls)
    items: list[Resource] = [_as_of(read(row), tx.now) for row in found[: params.limit]]
    if backwards:
        items.reverse()
    return Page(items, has_more=len(found) > params.limit)
