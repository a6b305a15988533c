"""From a resource to the API's JSON."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from voldaan.resources.base import UNSET, Resource, spec
from voldaan.resources.numbers import encode_json


def encode(resource: Resource) -> bytes:
    """The object as JSON, without what is hidden and without what only `expand` includes."""
    return encode_json(_shown(resource))


def to_dict(resource: Resource, include: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object as plain values; `include` names includable fields to keep."""
    return msgspec.json.decode(encode_json(_shown(resource, include)))  # type: ignore[no-any-return]


def _shown(resource: Resource, include: tuple[str, ...] = ()) -> Resource:
    absent = [n for n in spec(type(resource)).absent if n not in include]
    if not absent:
        return resource
    shown = copy.copy(resource)
    for name in absent:
        setattr(shown, name, UNSET)
    return shown
