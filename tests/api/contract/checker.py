"""Holds a response against what the SDK declares, and names every difference.

    check(response, "stripe.Invoice")                    ->  [Problem("response.lines.data[0].amount", "missing"), ...]
    check_operation("GET", "/v1/invoices/in_1", body)    ->  the same, for whatever that operation must answer
    check_error(body)                                    ->  the same, for the body of a refusal

Reported are: a missing or unknown field, a value of another type, null where none is declared, a value outside its
enumeration (also of one that later versions may extend: our own values must all be known now), a decimal that is not
a JSON string, an instant in anything but seconds. Expanded objects, lists and the object inside an event are followed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from . import kinds, sdk
from .absence import presence

# What a deleted object still tells besides id, object and deleted; by the SDK for Node, which declares them apart.
DISCOUNT = "checkout_session customer customer_account invoice invoice_item promotion_code source start"
KEPT_WHEN_DELETED = {
    "stripe.Application": {"name"},
    "stripe.BankAccount": {"currency"},
    "stripe.Card": {"currency"},
    "stripe.Discount": {*DISCOUNT.split(), "subscription", "subscription_item"},
    "stripe.terminal.Reader": {"device_type", "serial_number"},
}
MAY_BE_LEFT_OUT_WHEN_DELETED = {"currency"}

LONGEST_SECONDS = 10**11  # the year 5138; an instant above it counts milliseconds
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
INTEGER = re.compile(r"-?\d+")


SCALARS = {
    "any": (lambda value: True, ""),
    "null": (lambda value: value is None, "null"),
    "str": (lambda value: isinstance(value, str), "str"),
    "bool": (lambda value: isinstance(value, bool), "bool"),
    "int": (lambda value: isinstance(value, int) and not isinstance(value, bool), "int"),
    "float": (lambda value: isinstance(value, int | float) and not isinstance(value, bool), "a number"),
    "decimal": (lambda value: isinstance(value, str) and DECIMAL.fullmatch(value), "a decimal number in a string"),
    "int64": (lambda value: isinstance(value, str) and INTEGER.fullmatch(value), "a whole number in a string"),
}


@dataclass(frozen=True)
class Problem:
    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def check(response: Any, name: str) -> list[Problem]:
    """Of an object that should be of that class."""
    return list(_object(sdk.declared(name), response, "response"))


def check_operation(verb: str, path: str, response: Any) -> list[Problem]:
    """Of the decoded JSON that this operation answered with success; None and {} stand for an empty answer."""
    operation = sdk.operation(verb, path)
    if operation.response is None:
        return [Problem("response", "must be empty")] if response else []
    problems = list(_value(operation.response, response, "response"))
    if operation.verb == "DELETE" and not problems and _says_deleted(operation.response) and "deleted" not in response:
        return [Problem("response.deleted", "missing")]
    return problems


def check_error(body: Any) -> list[Problem]:
    """Of the body of an answer with a status of 400 or more: type and message are always there, null is nowhere."""
    if not isinstance(body, dict) or body.keys() != {"error"} or not isinstance(body["error"], dict):
        return [Problem("response", "must be an object with the one field error, an object")]
    error, declared = body["error"], sdk.declared("stripe.ErrorObject")
    problems = [Problem(f"response.error.{name}", "missing") for name in ("type", "message") if name not in error]
    for name, value in error.items():
        path = f"response.error.{name}"
        if name in declared.fields:
            problems += _value(declared.fields[name].type, value, path)
        else:
            problems.append(Problem(path, "unknown"))
    return problems


def _says_deleted(kind: kinds.Type) -> bool:
    return isinstance(kind, kinds.Ref) and "deleted" in sdk.declared(kind.name).fields


# ---------------------------------------------------------------------------------------------------- values


def _value(kind: kinds.Type, value: Any, path: str) -> Iterator[Problem]:
    match kind:
        case kinds.Scalar(name):
            yield from _scalar(name, value, path)
        case kinds.Enum(values):
            if not any(value is v if isinstance(v, bool) else value == v for v in values):
                yield Problem(path, f"{value!r} is none of {_some(values)}")
        case kinds.Ref(name):
            yield from _object(sdk.declared(_of_its_type(name, value)), value, path)
        case kinds.Expandable(whole):
            if not isinstance(value, str):
                yield from _value(whole, value, path)
            elif not value:
                yield Problem(path, "an empty id")
        case kinds.Array(item):
            yield from _items(item, value, path)
        case kinds.Map(item):
            if not isinstance(value, dict):
                yield Problem(path, f"{_shown(value)} is not an object")
                return
            for key, inner in value.items():
                yield from _value(item, inner, f"{path}.{key}")
        case kinds.Page(item, page):
            yield from _page(item, page, value, path)
        case kinds.OneOf(options):
            yield from _one_of(options, value, path)


def _of_its_type(name: str, value: Any) -> str:
    """A thin event that carries data has a class of its type's own: v1.billing.meter.x is V1BillingMeterXEvent."""
    if name != "stripe.v2.core.Event" or not isinstance(value, dict) or "data" not in value:
        return name
    return "stripe.events." + "".join(word.capitalize() for word in re.split(r"[._]", str(value.get("type")))) + "Event"


def _scalar(name: str, value: Any, path: str) -> Iterator[Problem]:
    fits, words = SCALARS[name]
    if not fits(value):
        yield Problem(path, f"{_shown(value)} is not {words}")


def _items(item: kinds.Type, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, f"{_shown(value)} is not a list")
        return
    for place, inner in enumerate(value):
        yield from _value(item, inner, f"{path}[{place}]")


def _one_of(options: tuple[kinds.Type, ...], value: Any, path: str) -> Iterator[Problem]:
    """Objects are told apart by their field `object`; other values must fit one of the alternatives."""
    classes = {o.name: sdk.declared(o.name) for o in options if isinstance(o, kinds.Ref)}
    if classes and isinstance(value, dict):
        named = [c for c in classes.values() if c.object == value.get("object")]
        if not named:
            yield Problem(path, f"object is {value.get('object')!r}, none of {_some(c.object for c in classes.values())}")
        for declared in named[:1]:
            yield from _object(declared, value, path)
    elif all(list(_value(option, value, path)) for option in options):
        yield Problem(path, f"{_shown(value)} is none of the declared alternatives")


# ---------------------------------------------------------------------------------------------------- objects


def _object(declared: kinds.Class, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"{_shown(value)} is not an object")
        return
    if value.get("deleted") is True and "deleted" in declared.fields:
        yield from _deleted(declared, value, path)
        return
    for field in declared.fields.values():
        always, _ = presence(field)
        if field.name in value:
            yield from _field(field, value[field.name], f"{path}.{field.name}")
        elif always:
            yield Problem(f"{path}.{field.name}", "missing")
    yield from (Problem(f"{path}.{name}", "unknown") for name in value if name not in declared.fields)
    if declared.name == "stripe.Event" and isinstance(subject := _at(value, "data", "object"), dict):
        yield from _subject(subject, f"{path}.data.object")


def _field(field: kinds.Field, value: Any, path: str) -> Iterator[Problem]:
    _, nullable = presence(field)
    if value is None:
        if not nullable:
            yield Problem(path, "null")
        return
    problems = list(_value(field.type, value, path))
    if not problems and "Unix epoch" in field.doc and isinstance(value, int) and abs(value) >= LONGEST_SECONDS:
        problems.append(Problem(path, f"{value} is not in seconds"))
    if not problems and _is_v2_instant(field) and not RFC_3339.fullmatch(value):
        problems.append(Problem(path, f"{value!r} is not an RFC 3339 instant"))
    yield from problems


def _is_v2_instant(field: kinds.Field) -> bool:
    named = field.name in ("created", "updated", "timestamp") or field.name.endswith("_at")
    return named and field.type == kinds.Scalar("str") and field.owner.startswith(("stripe.v2.", "stripe.events."))


def _deleted(declared: kinds.Class, value: dict[str, Any], path: str) -> Iterator[Problem]:
    kept = KEPT_WHEN_DELETED.get(declared.name, set()) | ({"id", "object", "deleted"} & declared.fields.keys())
    for name in sorted(kept):
        if name in value:
            yield from _field(declared.fields[name], value[name], f"{path}.{name}")
        elif name not in MAY_BE_LEFT_OUT_WHEN_DELETED:
            yield Problem(f"{path}.{name}", "missing")
    yield from (Problem(f"{path}.{name}", "unknown in a deleted object") for name in value if name not in kept)


def _page(item: kinds.Type, page: str, value: Any, path: str) -> Iterator[Problem]:
    """The frame of a page of results, which the SDK reads by hand, and what is on it."""
    if not isinstance(value, dict):
        yield Problem(path, f"{_shown(value)} is not an object")
        return
    text, token = kinds.Scalar("str"), kinds.OneOf((kinds.Scalar("str"), kinds.NULL))
    frame, extra = {
        "list": ({"has_more": kinds.Scalar("bool"), "url": text}, {}),
        "search_result": (
            {"has_more": kinds.Scalar("bool"), "url": text, "next_page": token},
            {"total_count": kinds.Scalar("int")},
        ),
        "v2 list": ({"next_page_url": token}, {"previous_page_url": token}),
    }[page]
    frame = frame | {"data": kinds.Array(item)}
    if page != "v2 list":
        frame = frame | {"object": kinds.Enum((page,), open=False)}
    for name, kind in (frame | extra).items():
        if name in value:
            yield from _value(kind, value[name], f"{path}.{name}")
        elif name in frame:
            yield Problem(f"{path}.{name}", "missing")
    yield from (Problem(f"{path}.{name}", "unknown") for name in value if name not in frame | extra)
    if page == "search_result" and value.get("has_more") is True and value.get("next_page") is None:
        yield Problem(f"{path}.next_page", "null although there is more")


def _subject(value: dict[str, Any], path: str) -> Iterator[Problem]:
    """The object that an event tells of: any resource, so its own `object` says which."""
    name = value.get("object")
    if name in sdk.resources():
        yield from _object(sdk.declared(sdk.resources()[name]), value, path)
    else:
        yield Problem(f"{path}.object", f"{name!r} is no resource")


def _at(value: dict[str, Any], first: str, second: str) -> Any:
    inner = value.get(first)
    return inner.get(second) if isinstance(inner, dict) else None


# ---------------------------------------------------------------------------------------------------- words


def _some(values: Any) -> str:
    listed = [repr(v) for v in values]
    return ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
