"""`expand`: ids replaced by objects, and includable fields filled in. One query per path and kind, never one per object."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from voldaan.api import errors
from voldaan.resources.base import Children, Expandable, Includable, Part, Resource
from voldaan.resources.registry import BY_OBJECT
from voldaan.resources.render import to_dict
from voldaan.store import children
from voldaan.store.transaction import Transaction

DEPTH_MAX = 4
PATHS_MAX = 50

Tree = dict[str, "Tree"]

@dataclass(slots=True)
class _Spot:
    """A hash of the answer that is being filled in, and the class that declares it."""

    hash: dict[str, Any]
    cls: type[msgspec.Struct]
    resource: Resource | None = None

def tree(paths: Iterable[str]) -> Tree:
    """The paths as a tree. Refuses more than four levels."""
    root: Tree = {}
    for number, path in enumerate(paths):
        segments = [s for s in path.split(".") if s]
        depth = len(segments) - (segments[:1] == ["data"])
        if depth > DEPTH_MAX or number >= PATHS_MAX:
            raise errors.invalid_request(
                f"You cannot expand more than {DEPTH_MAX} levels of a property. Property: {path}", param=f"expand[{number}]"
            )
        node = root
        for segment in segments:
            node = node.setdefault(segment, {})
    return root

async def render(tx: Transaction, resources: Sequence[Resource], wanted: Tree) -> list[dict[str, Any]]:
    """These resources as plain values, expanded."""
    included = tuple(wanted)
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
    if facts is None:
        raise errors.invalid_request(f"This property cannot be expanded ({name}).", code="property_cannot_be_expanded")
    if facts.expandable:
        if whole := BY_OBJECT.get(facts.expandable.object):  # else of a kind that is not kept here: the id is all there is
            await _replace(tx, whole, group, name, below)
    elif facts.children:
        members = [
            _Spot(hash, type(child), child)
            for spot in group
            for hash, child in zip(spot.hash[name]["data"], getattr(spot.resource, name).data, strict=True)
        ]
        await _expand(tx, members, below.get("data", {}))
    elif facts.part:
        values = [spot.hash.get(name) for spot in group]
        flat = [v for value in values for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]
        if not below:
            if not facts.includable:
                raise _not_expandable(name)
            return
        await _expand(tx, [_Spot(v, facts.part) for v in flat], below)
    elif not facts.includable:
        raise _not_expandable(name)

def _not_expandable(name: str) -> errors.ApiError:
    return errors.invalid_request(f"This property cannot be expanded ({name}).", code="property_cannot_be_expanded")

async def _replace(tx: Transaction, cls: type[Resource], group: list[_Spot], name: str, below: Tree) -> None:
    """Puts objects in the place of their ids, one by one or in a list."""
    ids: set[str] = set()
    for spot in group:
        value = spot.hash.get(name)
        ids.update(value if isinstance(value, list) else [value] if isinstance(value, str) else [])
    if not ids:
        return
    found = await tx.get(cls, ids)
    ordered = list(found.values())
    hashes = dict(zip(found, await render(tx, ordered, below), strict=True))
    for spot in group:
        value = spot.hash.get(name)
        if isinstance(value, list):
            spot.hash[name] = [hashes.get(i, i) for i in value]
        elif value in hashes:
            spot.hash[name] = dict(hashes[value])

@dataclass(frozen=True, slots=True)
class _Facts:
    expandable: Expandable | None
    includable: bool
    children: Children | None
    part: type[Part] | None

@cache
def facts_of(cls: type[msgspec.Struct]) -> dict[str, _Facts]:
    """What `expand` must know of each field of a resource or of a hash inside one."""
    return {name: _facts(hint) for name, hint in get_type_hints(cls, include_extras=True).items() if name != "TABLE"}

def _facts(hint: Any) -> _Facts:
    marks: list[Any] = []
    parts: list[type[Part]] = []
    _collect(hint, marks, parts)

    def mark(kind: type) -> Any:
        return next((m for m in marks if isinstance(m, kind)), None)

    return _Facts(mark(Expandable), mark(Includable) is not None, mark(Children), parts[0] if parts else None)

def _collect(hint: Any, marks: list[Any], parts: list[type[Part]]) -> None:
    origin = get_origin(hint)
    if origin is Annotated:
        base, *extra = get_args(hint)
        marks += extra
        _collect(base, marks, parts)
    elif origin in (Union, types.UnionType, list):
        for arg in get_args(hint):
            _collect(arg, marks, parts)
    elif isinstance(hint, type) and issubclass(hint, Part):
        parts.append(hint)

