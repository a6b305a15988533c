"""`expand`: ids replaced by objects, and includable fields filled in. One query per path and kind, never one per object.

What may be expanded is known from the declarations alone, so it is checked before the command runs: a request with a
wrong path changes nothing.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from voldaan.api import errors
from voldaan.commands import automatic_tax
from voldaan.resources.base import Children, Expandable, Hidden, Includable, Part, Resource
from voldaan.resources.customers import Customer
from voldaan.resources.registry import BY_OBJECT, RESOURCES
from voldaan.resources.render import to_dict
from voldaan.store import children
from voldaan.store.transaction import Transaction

DEPTH_MAX = 4            # levels; the `data` of lists is none
PATHS_MAX = 50
BY_PREFIX = {cls.TABLE.prefix: cls for cls in RESOURCES if cls.TABLE.prefix}

Tree = dict[str, "Tree"]


def tree(paths: Iterable[str]) -> Tree:
    """The paths as a tree. Refuses more than four levels."""
    root: Tree = {}
    for number, path in enumerate(paths):
        segments = [s for s in path.split(".") if s]
        if sum(s != "data" for s in segments) > DEPTH_MAX or number >= PATHS_MAX or len(segments) > 2 * DEPTH_MAX:
            raise errors.invalid_request(
                f"You cannot expand more than {DEPTH_MAX} levels of a property. Property: {errors.quoted(path)}",
                code="property_expansion_max_depth",
                param=f"expand[{number}]",
            )
        node = root
        for segment in segments:
            node = node.setdefault(segment, {})
    return root


# What there is to expand ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What `expand` must know of a field. `whole` is the class of an object that stands there unexpanded."""

    expandable: Expandable | None
    includable: bool
    children: Children | None
    part: type[Part] | None
    whole: type[Resource] | None


@cache
def facts_of(cls: type[msgspec.Struct]) -> dict[str, Facts]:
    """The fields of a resource, or of a hash inside one, that a path may name."""
    hints = get_type_hints(cls, include_extras=True)
    found = {name: _facts(hint) for name, hint in hints.items() if name != "TABLE"}
    return {name: facts for name, facts in found.items() if facts is not None}


def _facts(hint: Any) -> Facts | None:
    marks: list[Any] = []
    classes: list[type] = []
    _collect(hint, marks, classes)

    def mark(kind: type) -> Any:
        return next((m for m in marks if isinstance(m, kind)), None)

    def first(kind: type) -> Any:
        return next((c for c in classes if issubclass(c, kind)), None)

    if mark(Hidden):
        return None
    return Facts(mark(Expandable), mark(Includable) is not None, mark(Children), first(Part), first(Resource))


def _collect(hint: Any, marks: list[Any], classes: list[type]) -> None:
    origin = get_origin(hint)
    if origin is Annotated:
        base, *extra = get_args(hint)
        marks += extra
        _collect(base, marks, classes)
    elif origin in (Union, types.UnionType, list):
        for arg in get_args(hint):
            _collect(arg, marks, classes)
    elif isinstance(hint, type) and issubclass(hint, Part | Resource):
        classes.append(hint)


def check(cls: type[Resource] | None, wanted: Tree, *, many: bool) -> None:
    """Refuses a path that leads nowhere in an answer of this class, or in a list of it."""
    if not wanted or cls is None:
        return
    if not many:
        _check(cls, wanted)
        return
    for name in wanted:
        if name != "data":
            hint = f" You may want to try expanding 'data.{name}' instead." if name in facts_of(cls) else ""
            raise _not_expandable(name, hint)
    _check(cls, wanted["data"])


def _check(cls: type[msgspec.Struct], wanted: Tree) -> None:
    for name, below in wanted.items():
        facts = facts_of(cls).get(name)
        if facts is None:
            raise _not_expandable(name)
        if facts.expandable:
            if whole := BY_OBJECT.get(facts.expandable.object):
                _check(whole, below)
        elif facts.children:
            for inner in below:
                if inner != "data":
                    raise _not_expandable(inner)
            if facts.children.object in BY_OBJECT:
                _check(BY_OBJECT[facts.children.object], below.get("data", {}))
        elif below and (inside := facts.whole or facts.part):
            _check(inside, below)
        elif below or not facts.includable:
            raise _not_expandable(name)


def _not_expandable(name: str, hint: str = "") -> errors.ApiError:
    message = f"This property cannot be expanded ({errors.quoted(name)}).{hint}"
    return errors.invalid_request(message, code="property_cannot_be_expanded")


# Filling in -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Spot:
    """A hash of the answer that is being filled in, and the class that declares it."""

    hash: dict[str, Any]
    cls: type[msgspec.Struct]
    resource: Resource | None = None


async def render(tx: Transaction, resources: Sequence[Resource], wanted: Tree) -> list[dict[str, Any]]:
    """These resources as plain values, expanded. `wanted` has been checked."""
    included = tuple(wanted)
    if "tax" in included and (customers := [r for r in resources if isinstance(r, Customer)]):
        await automatic_tax.stand(tx, customers)
    await children.attach(tx, resources, included)
    spots = [_Spot(_shown(r, included), type(r), r) for r in resources]
    await _expand(tx, spots, wanted)
    return [s.hash for s in spots]


def _shown(resource: Resource, included: tuple[str, ...]) -> dict[str, Any]:
    if getattr(resource, "deleted_at", None):
        return deleted(resource)
    return to_dict(resource, included)


def deleted(resource: Resource) -> dict[str, Any]:
    """What is left to show of a deleted object."""
    return {"id": resource.id, "object": getattr(resource, "object"), "deleted": True}  # noqa: B009


async def _expand(tx: Transaction, spots: list[_Spot], wanted: Tree) -> None:
    for name, below in wanted.items():
        by_class: dict[type[msgspec.Struct], list[_Spot]] = {}
        for spot in spots:
            if not spot.hash.get("deleted"):
                by_class.setdefault(spot.cls, []).append(spot)
        for cls, group in by_class.items():
            await _expand_field(tx, cls, group, name, below)


async def _expand_field(tx: Transaction, cls: type[msgspec.Struct], group: list[_Spot], name: str, below: Tree) -> None:
    facts = facts_of(cls).get(name)
    if facts is None:  # of several kinds that may stand here, this one has no such field
        return
    if facts.expandable:
        await _replace(tx, BY_OBJECT.get(facts.expandable.object), group, name, below)
    elif facts.children:
        members = [
            _Spot(hash, type(child), child)
            for spot in group
            for hash, child in zip(spot.hash[name]["data"], getattr(spot.resource, name).data, strict=True)
        ]
        inside = below.get("data", {})
        for member in members:
            _include(member, inside)
        await _expand(tx, members, inside)
    elif facts.whole and below:
        await _replace(tx, facts.whole, group, name, below)
    elif facts.part and below:
        values = [v for spot in group for v in _listed(spot.hash.get(name)) if isinstance(v, dict)]
        await _expand(tx, [_Spot(v, facts.part) for v in values], below)


def _include(spot: _Spot, wanted: Tree) -> None:
    """Of an object inside another, the fields that are absent unless asked for."""
    facts = facts_of(spot.cls)
    names = tuple(name for name in wanted if name in facts and facts[name].includable and not facts[name].children)
    if names and spot.resource is not None:
        whole = to_dict(spot.resource, names)
        spot.hash |= {name: whole[name] for name in names}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _id(value: Any) -> str | None:
    """The id of what stands in a field: an id, or an object that has one."""
    return value if isinstance(value, str) else value.get("id") if isinstance(value, dict) else None


async def _replace(tx: Transaction, cls: type[Resource] | None, group: list[_Spot], name: str, below: Tree) -> None:
    """Puts objects in the place of their ids, one by one or in a list. Without a class, the ids say what they are ids of.

    Of a kind that is not kept here the id is all there is.
    """
    by_class: dict[type[Resource], set[str]] = {}
    for spot in group:
        for id in filter(None, map(_id, _listed(spot.hash.get(name)))):
            kind = cls or BY_PREFIX.get(id.rpartition("_")[0])
            if kind:
                by_class.setdefault(kind, set()).add(id)
    objects: dict[str, dict[str, Any]] = {}
    for kind, ids in by_class.items():
        found = await tx.get(kind, ids)
        objects.update(zip(found, await render(tx, list(found.values()), below), strict=True))

    def put(value: Any) -> Any:
        whole = objects.get(_id(value) or "")
        return dict(whole) if whole else value

    for spot in group:
        value = spot.hash.get(name)
        spot.hash[name] = [put(v) for v in value] if isinstance(value, list) else put(value)
