"""From a resource to the API's JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import compress, count
from operator import is_not, itemgetter
from typing import Any, NamedTuple, get_args

import msgspec
from msgspec.structs import astuple

from voldaan.resources.base import UNSET, ListObject, Resource, spec
from voldaan.resources.numbers import encode_json


def encode(resource: Resource) -> bytes:
    """The object as JSON, without what is hidden and without what only `expand` includes."""
    return encode_json(seen(resource))


class Sight(NamedTuple):
    """What is to be seen of a class, worked out once: a struct of the visible fields, made of the object's values."""

    names: tuple[str, ...]
    values: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    struct: Callable[..., msgspec.Struct]
    children: tuple[int, ...]  # positions among the values of lists of children,
    inside: tuple[int, ...]    # and of whole objects, alone or in a list


@cache
def _sight(cls: type[Resource]) -> Sight | None:
    """None where all is to be seen, as it is."""
    s, inside = spec(cls), _objects_inside(cls)
    if not (s.absent or s.children or inside):
        return None
    visible = [field.name for field in s.fields if field.name not in s.absent]
    children = {field.name for field in s.children}
    return Sight(
        tuple(visible),
        itemgetter(*(at for at, field in enumerate(s.fields) if field.name in visible)),
        msgspec.defstruct(cls.__name__, [(name, Any) for name in visible]),
        tuple(at for at, name in enumerate(visible) if name in children),
        tuple(at for at, name in enumerate(visible) if name in inside),
    )


def seen(resource: Resource) -> msgspec.Struct:
    """The object as it is encoded: of the same JSON as `shown`, with what stands inside as JSON already."""
    sight = _sight(type(resource))
    if sight is None:
        return resource
    values = sight.values(astuple(resource))
    if not (sight.children or sight.inside):
        return sight.struct(*values)
    parts = list(values)
    for at in sight.children:
        parts[at] = _page(parts[at])
    for at in sight.inside:
        parts[at] = _with_inside(parts[at])
    return sight.struct(*parts)


def seen_since(resource: Resource, was: Resource) -> dict[str, Any] | None:
    """What is to be seen of the object that was not to be seen of `was`, the same object before: by name, UNSET where it is
    gone. None where both are to be seen whole, as they are."""
    sight = _sight(type(resource))
    if sight is None or type(was) is not type(resource):
        return None
    after, before = sight.values(astuple(resource)), sight.values(astuple(was))
    parts: dict[str, Any] = {}
    for at in compress(count(), map(is_not, after, before)):  # a changed object is a copy: nearly all is the very same
        value = after[at]
        if at in sight.children:
            value = _page(value)
        elif at in sight.inside:
            value = _with_inside(value)
        parts[sight.names[at]] = value
    return parts


def _page(page: Any) -> Any:
    """A list of children as it is encoded."""
    if not isinstance(page, ListObject) or not page.data:
        return page
    return ListObject(data=[seen(child) for child in page.data], has_more=page.has_more, url=page.url)


def to_dict(resource: Resource, include: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object as plain values; `include` names includable fields to keep."""
    return msgspec.json.decode(encode_json(shown(resource, include)))  # type: ignore[no-any-return]


def shown(resource: Resource, include: tuple[str, ...] = ()) -> Resource:
    """The object without what is absent from an answer, in itself and in the objects that stand inside it."""
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
            setattr(out, field.name, ListObject(data=[shown(c) for c in page.data], has_more=page.has_more, url=page.url))
    for name in inside:
        value = getattr(out, name)
        if isinstance(value, Resource):
            setattr(out, name, shown(value))
        elif isinstance(value, list) and value:
            setattr(out, name, [shown(v) if isinstance(v, Resource) else v for v in value])
    return out


KEPT_MAX = 1_000
_kept: dict[int, tuple[Resource, msgspec.Raw]] = {}  # by identity: what stands inside others is replaced, never changed


def _with_inside(value: Any) -> Any:
    """A whole object, or each of a list, as JSON."""
    if isinstance(value, Resource):
        return _inside(value)
    if isinstance(value, list) and value:
        return [_inside(v) if isinstance(v, Resource) else v for v in value]
    return value


def _inside(resource: Resource) -> msgspec.Raw:
    """An object inside another, encoded once for all those that it stands in: a run of a thousand bills has them from a few
    prices and tax rates."""
    found = _kept.get(id(resource))
    if found is not None and found[0] is resource:
        return found[1]
    if len(_kept) >= KEPT_MAX:
        _kept.clear()
    encoded = msgspec.Raw(encode(resource))
    _kept[id(resource)] = (resource, encoded)
    return encoded


@cache
def _objects_inside(cls: type[Resource]) -> tuple[str, ...]:
    """The fields in which whole objects may stand, alone or in a list."""
    return tuple(f.name for f in spec(cls).fields if not f.children and _has_object(f.annotation))


def _has_object(hint: Any) -> bool:
    return (isinstance(hint, type) and issubclass(hint, Resource)) or any(map(_has_object, get_args(hint)))
