"""From a resource to the API's JSON."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any, get_args

import msgspec

from voldaan.resources.base import UNSET, ListObject, Resource, spec
from voldaan.resources.numbers import encode_json


def encode(resource: Resource) -> bytes:
    """The object as JSON, without what is hidden and without what only `expand` includes."""
    return encode_json(shown(resource))


def to_dict(resource: Resource, include: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object as plain values; `include` names includable fields to keep."""
    return msgspec.json.decode(encode_json(shown(resource, include)))  # type: ignore[no-any-return]


def shown(resource: Resource, include: tuple[str, ...] = ()) -> Resource:
    """The object without what is absent from an answer, in itself and in the objects that stand inside it."""
    s = spec(type(resource))
    inside = _objects_inside(type(resource))
    if not (s.absent or s.children or inside):
        return resource
    out = copy.copy(resource)
    for name in s.absent:
        if name not in include:
            setattr(out, name, UNSET)
    for field in s.children:
        page = getattr(out, field.name)
        if isinstance(page, ListObject) and page.data:
            setattr(out, field.name, ListObject(data=[shown(c) for c in page.data], has_more=page.has_more, url=page.url))
    for name in inside:
        value = getattr(out, name)
        if isinstance(value, Resource):
            setattr(out, name, shown(value))
        elif isinstance(value, list) and value:
            setattr(out, name, [shown(v) if isinstance(v, Resource) else v for v in value])
    return out


@cache
def _objects_inside(cls: type[Resource]) -> tuple[str, ...]:
    """The fields in which whole objects may stand, alone or in a list."""
    return tuple(f.name for f in spec(cls).fields if not f.children and _has_object(f.annotation))


def _has_object(hint: Any) -> bool:
    return (isinstance(hint, type) and issubclass(hint, Resource)) or any(map(_has_object, get_args(hint)))
