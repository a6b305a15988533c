"""From a resource to the API's JSON."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec

from voldaan.resources.base import UNSET, ListObject, Resource, spec
from voldaan.resources.numbers import encode_json


def encode(resource: Resource) -> bytes:
    """The object as JSON, without what is hidden and without what only `expand` includes."""
    return encode_json(shown(resource, whole=False))


def to_dict(resource: Resource, include: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object as plain values; `include` names includable fields to keep."""
    return msgspec.json.decode(encode_json(shown(resource, include)))  # type: ignore[no-any-return]


def shown(resource: Resource, include: tuple[str, ...] = (), *, whole: bool = True) -> Resource:
    """The object without what is absent from an answer, in itself and in the objects that stand inside it.

    Not `whole`: embedded objects are there as JSON. A run of a thousand bills has them from a few prices and tax rates.
    """
    s, inside = spec(type(resource)), _objects_inside(type(resource))
    if not (s.absent or s.children or inside):
        return resource
    out: Resource = resource.__copy__()
    for name in s.absent:
        if name not in include:
            setattr(out, name, UNSET)
    for field in s.children:
        page = getattr(out, field.name)
        if isinstance(page, ListObject) and page.data:
            setattr(out, field.name, _page(page, whole))
    for name in inside:
        value = getattr(out, name)
        if isinstance(value, Resource):
            setattr(out, name, _inside(value, whole))
        elif isinstance(value, list) and value:
            setattr(out, name, [_inside(v, whole) if isinstance(v, Resource) else v for v in value])
    return out


def _page(page: ListObject[Any], whole: bool) -> ListObject[Any]:
    return ListObject(data=[shown(c, whole=whole) for c in page.data], has_more=page.has_more, url=page.url)


KEPT_MAX = 1_000
_kept: dict[int, tuple[Resource, msgspec.Raw]] = {}  # by identity: what stands inside others is replaced, never changed


def _inside(resource: Resource, whole: bool) -> Any:
    """An object inside another, encoded once for all those that it stands in."""
    if whole:
        return shown(resource)
    found = _kept.get(id(resource))
    if found is not None and found[0] is resource:
        return found[1]
    if len(_kept) >= KEPT_MAX:
        _kept.clear()
    encoded = msgspec.Raw(encode_json(shown(resource)))
    _kept[id(resource)] = (resource, encoded)
    return encoded


@cache
def _objects_inside(cls: type[Resource]) -> tuple[str, ...]:
    """The fields in which whole objects may stand, alone or in a list."""
    return tuple(f.name for f in spec(cls).fields if not f.children and _has_object(f.annotation))


def _has_object(hint: Any) -> bool:
    return (isinstance(hint, type) and issubclass(hint, Resource)) or any(map(_has_object, get_args(hint)))
