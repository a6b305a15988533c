"""How a request's parameters are declared: one Pydantic class per verb, with plain annotations.

    class Create(Params):
        email:    str | Unset | None = None                # "" was sent: the caller wants the field to be unset
        balance:  int = 0
        metadata: Metadata | Unset = {}
        address:  AddressParams | Unset | None = None      # a nested hash: class AddressParams(Hash)

Requests arrive as forms, so every leaf is a string. Inside a `Hash` or `Params` the plain annotations therefore mean:
`int` takes "10" and not "10.0", `bool` takes "true" and "false" only, `str` takes 1 to 5,000 characters (write
`str | Unset` where an empty string unsets the field). `model_fields_set` says which parameters were given.

Refusals are `PydanticCustomError`s made by `refuse`; api/validate.py turns the first one into Stripe's error object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

TEXT_MAX = 5_000  # characters of any string without a limit of its own
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
AMOUNT_MAX = 99_999_999  # minor units; eight digits
DECIMAL_PLACES_MAX = 12
PAGE_MAX = 100

_INTEGER = re.compile(r"-?[0-9]{1,18}")  # fits a bigint
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_CURRENCY = re.compile(r"[a-z]{3}")


def refuse(code: str, message: str, **context: Any) -> PydanticCustomError:
    """The refusal of one value, to be raised inside a validator.

    `code` is Stripe's error code, or "" where Stripe sends none. `message` may name `{param}` (the full path, filled in
    later) and whatever `context` holds. A context entry `param` says which parameter of a hash is meant.
    """
    return PydanticCustomError(code or "invalid", message, context)


def exclusive(*names: str) -> Any:
    """A rule in a `Hash` or `Params` class: at most one of these. `_one = exclusive("coupon", "promotion_code")`"""

    def at_most_one(self: Hash) -> Hash:
        given = [name for name in names if name in self.model_fields_set and getattr(self, name) not in (None, "")]
        if len(given) > 1:
            raise refuse(
                "parameters_exclusive",
                "You may only specify one of these parameters: {names}.",
                names=", ".join(given),
                param=given[0],
            )
        return self

    return model_validator(mode="after")(at_most_one)


def _integer(value: Any) -> Any:
    if type(value) is not str:
        return value
    if _INTEGER.fullmatch(value):
        return int(value)
    raise refuse("parameter_invalid_integer", "Invalid integer: {value}", value=value[:100])


def _boolean(value: Any) -> Any:
    if value == "true":
        return True
    if value == "false":
        return False
    if type(value) is bool:
        return value
    raise refuse("", "Invalid boolean: {value}", value=str(value)[:100])


def _decimal(value: Any) -> Decimal:
    if type(value) is Decimal:
        value = format(value, "f")
    if type(value) is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise refuse("", "Invalid decimal: {value}", value=str(value)[:100])


def _currency(value: Any) -> Any:
    if type(value) is str and _CURRENCY.fullmatch(lowered := value.lower()):
        return lowered
    return _no_such_currency(value)


def _no_such_currency(value: Any) -> Any:
    raise refuse("", "Invalid currency: {value}", value=str(value)[:100])


def _metadata(value: Any) -> dict[str, str]:
    """Checks one given hash; the limit of keys is checked again after the merge.

    A form's `metadata[0]=x` was read as a list; its keys are taken back from the list (see `Indexed`).
    """
    if isinstance(value, Indexed):
        value = dict(zip(value.keys, value, strict=True))
    if not isinstance(value, dict):
        raise refuse("", "Invalid object")
    if len(value) > METADATA_KEYS_MAX:
        raise _too_many_keys(len(value))
    for key, text in value.items():
        if type(text) is not str:
            raise refuse("", "Metadata values must be strings.", param=key)
        if not key:
            raise refuse("parameter_invalid_empty", "Metadata keys cannot be empty.")
        if len(key) > METADATA_KEY_MAX:
            raise refuse(
                "",
                "Metadata keys can be up to 40 characters long. "
                "The key you passed ({key}) is {length} characters long.",
                key=key[:100],
                length=len(key),
            )
        if len(text) > METADATA_VALUE_MAX:
            raise refuse(
                "",
                "Metadata values can have up to 500 characters, but you passed in a value that is {length} characters. "
                "Invalid value: {text}",
                length=len(text),
                text=text[:100],
                param=key,
            )
    return value


def _too_many_keys(count: int) -> PydanticCustomError:
    return refuse(
        "",
        "Metadata can have up to 50 keys, but you tried to set {count}. Remove some keys first.",
        count=count,
    )


def merge_metadata(old: Mapping[str, str], given: Mapping[str, str] | Literal[""]) -> dict[str, str]:
    """What is stored after an update: keys are merged, an empty value deletes its key, "" deletes all.

    Raises the refusal of `refuse` when more than 50 keys would remain.
    """
    if given == "":
        return {}
    merged = {**old, **given}
    merged = {key: text for key, text in merged.items() if text != ""}
    if len(merged) > METADATA_KEYS_MAX:
        raise _too_many_keys(len(merged))
    return merged


class Indexed(list[Any]):
    """A list that was written with indices (`items[0][price]`), in their order; `keys` are the indices as sent."""

    __slots__ = ("keys",)

    def __init__(self, values: Any, keys: tuple[str, ...]) -> None:
        super().__init__(values)
        self.keys = keys


Unset = Literal[""]
Timestamp = Annotated[int, Field(ge=0, le=253_402_300_799)]  # epoch seconds, until the year 9999
Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]  # minor units
PositiveAmount = Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
SignedAmount = Annotated[int, Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
Currency = Annotated[str, BeforeValidator(_currency)]
DecimalString = Annotated[
    Decimal, PlainValidator(_decimal), WithJsonSchema({"type": "string", "format": "decimal"})
]  # up to 12 places
Metadata = Annotated[
    dict[str, str],
    PlainValidator(_metadata),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Expand = list[str]


def _read_as_form(schema: Any) -> Any:
    """The same core schema, its leaves reading strings as a form means them. Other models have done their own part."""
    kind = schema["type"]
    if kind == "int":
        return core_schema.no_info_before_validator_function(_integer, {**schema, "strict": True})
    if kind == "bool":
        return core_schema.no_info_plain_validator_function(
            _boolean, json_schema_input_schema=schema, metadata=schema.get("metadata")
        )
    if kind == "str":
        return {"min_length": 1, "max_length": TEXT_MAX, **schema}
    if kind in ("model", "definition-ref"):
        return schema

    changed = dict(schema)
    for part in ("schema", "items_schema", "values_schema"):
        if isinstance(schema.get(part), dict):
            changed[part] = _read_as_form(schema[part])
    if kind == "model-fields":
        changed["fields"] = {name: _read_as_form(field) for name, field in schema["fields"].items()}
    if kind in ("union", "tagged-union") and isinstance(schema["choices"], list):
        changed["choices"] = [
            (_read_as_form(choice[0]), choice[1]) if type(choice) is tuple else _read_as_form(choice)
            for choice in schema["choices"]
        ]
    if kind == "chain":
        changed["steps"] = [_read_as_form(step) for step in schema["steps"]]
    return changed


class Hash(BaseModel):
    """A nested hash of a request, such as an address. Unknown parameters are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=(), arbitrary_types_allowed=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        model: Any = handler.resolve_ref_schema(schema)
        while model["type"] != "model":  # validators of the whole hash stand around it
            model = model["schema"]
        model["schema"] = _read_as_form(model["schema"])
        return schema

    def given(self) -> dict[str, Any]:
        """The parameters that were in the request, in the order of their declaration. Nested hashes stay hashes."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class Params(Hash):
    """The parameters of one verb. Every verb can expand."""

    expand: Expand = []


class Range(Hash):
    """`created[gt]=…`: instants, each bound on its own."""

    gt: Timestamp | None = None
    gte: Timestamp | None = None
    lt: Timestamp | None = None
    lte: Timestamp | None = None


class PageParams(Params):
    """A list without a filter by time."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 10
    starting_after: str | None = None
    ending_before: str | None = None

    _one_direction = exclusive("starting_after", "ending_before")


class ListParams(PageParams):
    """A list that can be filtered by `created`: one instant or a range."""

    created: Timestamp | Range | None = None


class SearchParams(Params):
    query: str
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 10
    page: str | None = None
