"""What changed between two states of an object, as `previous_attributes` of an update event tells it."""

from __future__ import annotations

from typing import Any

import msgspec

from voldaan.resources.base import UNSET, ListObject, Resource, spec
from voldaan.resources.numbers import to_builtin


def previous_attributes(new: Resource, was: Resource) -> dict[str, Any]:
    """The old values of what differs; of a hash only the keys that differ, of a list all of it, a page of children as it was."""
    out: dict[str, Any] = {}
    for field in spec(type(new)).fields:
        if field.hidden or field.includable:
            continue
        before, after = getattr(was, field.name), getattr(new, field.name)
        if before is after or before == after:
            continue
        if isinstance(before, ListObject):
            out[field.name] = before
        else:
            out[field.name] = _difference(to_builtins(before), to_builtins(after))
    return out


def to_builtins(value: Any) -> Any:
    """Plain values in the API's shape."""
    return None if value is UNSET else msgspec.to_builtins(value, enc_hook=to_builtin)


def _difference(before: Any, after: Any) -> Any:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return before
    return {
        key: _difference(before.get(key), after.get(key))
        for key in {**before, **after}
        if before.get(key) != after.get(key)
    }
