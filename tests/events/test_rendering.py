"""What an event shows of an object is what a plain rendering shows of it, for every class of objects."""

from __future__ import annotations

from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from voldaan.events import snapshots
from voldaan.resources.base import UNSET, ListObject, Resource, UnsetType, spec
from voldaan.resources.customers import Customer
from voldaan.resources.entitlements import ActiveEntitlementSummary
from voldaan.resources.numbers import Number, encode_json, to_json
from voldaan.resources.registry import RESOURCES
from voldaan.resources.render import encode, to_dict
from voldaan.rules.decision import Event
from voldaan.store.ids import new_id

CUSTOMER = Customer(id="cus_8DoGcxaTmvlyd5oHybWgy6hDz2", created=1_790_000_000, invoice_prefix="A1B2C3D4", livemode=False)


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
    [row] = snapshots.pack(events, new_id)
    assert row.frame
    return [snapshots.unpack(row.frame, place) for place in range(len(events))]


@pytest.mark.parametrize("cls", RESOURCES, ids=lambda cls: cls.__name__)
def test_an_object_is_encoded_as_its_declaration_says(cls: type[Resource]) -> None:
    resource = filled(cls)
    expected = msgspec.json.encode(plain(resource), enc_hook=to_json)
    assert encode(resource) == encode(resource) == expected
    told = b'{"object":' + expected + b',"previous_attributes":{"livemode":false}}'
    assert in_events(Event("any", resource, {"livemode": False})) == [told]


@pytest.mark.parametrize("cls", RESOURCES, ids=lambda cls: cls.__name__)
def test_an_object_that_was_told_before_is_told_by_what_is_new(cls: type[Resource]) -> None:
    """Each field in turn becomes something else, or is gone; then all is as it was."""
    hints = get_type_hints(cls, include_extras=True)
    was = filled(cls)
    for name in cls.__struct_fields__:
        if name in ("id", "object"):
            continue
        other = {str: "else", int: 8, bool: False}.get(type(getattr(was, name)))
        later = msgspec.structs.replace(was)
        setattr(later, name, UNSET if UnsetType in get_args(hints[name]) else other)
        told = in_events(*(Event("any", object, {"n": 1}) for object in (was, later, CUSTOMER, was)))
        expected = [plain(object) for object in (was, later, CUSTOMER, was)]
        for line, shown in zip(told, expected, strict=True):
            assert msgspec.json.decode(line) == msgspec.json.decode(
                encode_json({"object": shown, "previous_attributes": {"n": 1}})
            )


def test_objects_of_two_classes_with_the_same_id_are_each_told_in_full() -> None:
    summary, customer = filled(ActiveEntitlementSummary), msgspec.structs.replace(CUSTOMER, id="id")
    summary.id = "id"
    told = in_events(Event("any", customer), Event("any", summary), Event("any", customer))
    assert [msgspec.json.decode(line)["object"] for line in told] == [to_dict(customer), to_dict(summary), to_dict(customer)]


def test_exact_numbers_stay_exact_where_only_what_is_new_is_kept() -> None:
    rate = filled(next(cls for cls in RESOURCES if cls.__name__ == "TaxRate"))
    rate.percentage = Number("12.3456789012345678901")
    told = in_events(Event("any", rate), Event("any", msgspec.structs.replace(rate, active=False)))
    assert b'"percentage":12.3456789012345678901,' in told[1]
    assert b'"active":false' in told[1]


def test_lists_that_two_snapshots_share_are_encoded_for_each_object_as_they_are_then() -> None:
    invoice = filled(next(cls for cls in RESOURCES if cls.__name__ == "Invoice"))
    later = msgspec.structs.replace(invoice, number="A-1")
    first, second = in_events(Event("any", invoice), Event("any", later))
    assert msgspec.json.decode(first)["object"]["lines"] == msgspec.json.decode(second)["object"]["lines"]
    later.lines.data[0].amount += 1
    [third] = in_events(Event("any", later))
    assert third == encode_json({"object": msgspec.Raw(encode(later))}) != second
