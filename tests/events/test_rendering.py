"""What an event shows of an object is what a plain rendering shows of it, for every class of objects."""

from __future__ import annotations

from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from voldaan.events import snapshots
from voldaan.resources.base import UNSET, ListObject, Resource, UnsetType, spec
from voldaan.resources.numbers import Number, encode_json, to_json
from voldaan.resources.registry import RESOURCES
from voldaan.resources.render import encode
from voldaan.rules.decision import Event


def filled(cls: type) -> Any:
    """An object of this class with something in every field, and whole objects wherever they may stand."""
    hints = get_type_hints(cls, include_extras=True)
    return cls(**{name: something(hints[name], name) for name in cls.__struct_fields__})


def something(hint: Any, name: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return something(inner[0], name)
    if origin is Literal:
        return inner[0]
    if origin is ListObject:
        return ListObject(data=[something(inner[0], name) for _ in range(2)], url=f"/v1/{name}", has_more=True)
    if origin is list:
        return [something(inner[0], name)]
    if origin is dict:
        return {"ключ\n": something(inner[1], name)}
    if origin is tuple:
        return tuple(something(kind, name) for kind in inner if kind is not ...)
    if inner:  # a union: the whole object, if it may be one
        kinds = [kind for kind in inner if kind not in (NoneType, UnsetType)]
        return something(next((k for k in kinds if isinstance(k, type) and issubclass(k, Resource)), kinds[0]), name)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return filled(hint)
    return {str: f'"{name}" ⛵\n', int: 7, bool: True, Decimal: Decimal("1.50"), Number: Number("12.5")}.get(hint, name)


def plain(value: Any) -> Any:
    """The same by the declarations alone, field after field."""
    if isinstance(value, Resource):
        fields = ((f.name, getattr(value, f.name)) for f in spec(type(value)).fields if not (f.hidden or f.includable))
        return {name: plain(each) for name, each in fields if each is not UNSET}
    if isinstance(value, ListObject):
        return {"object": "list", "data": plain(value.data), "has_more": value.has_more, "url": value.url}
    return [plain(each) for each in value] if isinstance(value, list) else value


def in_events(*events: Event) -> list[bytes]:
    """The `data` hashes of events, as they are read back."""
    [frame, *_], _, places = snapshots.pack(events, [f"evt_{n}" for n in range(len(events))])
    assert frame
    return [snapshots.unpack(frame, place) for place in places]


@pytest.mark.parametrize("cls", RESOURCES, ids=lambda cls: cls.__name__)
def test_an_object_is_encoded_as_its_declaration_says(cls: type[Resource]) -> None:
    resource = filled(cls)
    expected = msgspec.json.encode(plain(resource), enc_hook=to_json)
    assert encode(resource) == encode(resource) == expected
    told = b'{"object":' + expected + b',"previous_attributes":{"livemode":false}}'
    assert in_events(Event("any", resource, {"livemode": False})) == [told]


def test_lists_that_two_snapshots_share_are_encoded_for_each_object_as_they_are_then() -> None:
    invoice = filled(next(cls for cls in RESOURCES if cls.__name__ == "Invoice"))
    later = msgspec.structs.replace(invoice, number="A-1")
    first, second = in_events(Event("any", invoice), Event("any", later))
    assert msgspec.json.decode(first)["object"]["lines"] == msgspec.json.decode(second)["object"]["lines"]
    later.lines.data[0].amount += 1
    [third] = in_events(Event("any", later))
    assert third == encode_json({"object": msgspec.Raw(encode(later))}) != second
