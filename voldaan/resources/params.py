"""How a request's parameters are declared: one Pydantic class per verb, with plain annotations.

    class Create(Params):
        email:    Email | Unset | None = None              # "" was sent: the caller wants the field to be unset
        balance:  int = 0
        metadata: Metadata | Unset = {}
        address:  AddressParams | Unset | None = None      # a nested hash: class AddressParams(Hash)

Requests arrive as forms, so every leaf is a string. Inside a `Hash` or `Params` the plain annotations therefore mean:
`int` takes "10" and not "10.0", `bool` takes "true" and "false" only, `str` takes 1 to 5,000 characters (write
`str | Unset` where an empty string unsets the field). `model_fields_set` says which parameters were given.

Refusals are `PydanticCustomError`s made by `refuse`; api/validate.py turns the first one into Stripe's error object.
Limits and wording: docs/behaviour-api.md, "Parameters".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
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

from voldaan.rules import money

TEXT_MAX = 5_000  # characters of any string without a limit of its own
EMAIL_MAX = 512
METADATA_KEYS_MAX = 50
METADATA_KEY_MAX = 40
METADATA_VALUE_MAX = 500
AMOUNT_MAX = max(money.MAXIMUM_AMOUNT, *money.MAXIMUM_AMOUNT_OF.values())  # of any currency; see `amount_limits`
PAGE_MAX = 100
SHOWN_MAX = 200  # characters of a caller's value that a refusal repeats

_INTEGER = re.compile(r"-?[0-9]{1,18}")  # fits a bigint
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]+))?")
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")
_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)


def refuse(code: str, message: str, **context: Any) -> PydanticCustomError:
    """The refusal of one value, to be raised inside a validator.

    `code` is Stripe's error code, or "" where Stripe sends none. `message` may name whatever `context` holds, and
    `{param}`, the full path, which is filled in later. A context entry `param` says which parameter of a hash is meant.
    """
    return PydanticCustomError(code or "invalid", message, context)


def exclusive(*names: str) -> Any:
    """A rule in a `Hash` or `Params` class: at most one of these. `_one = exclusive("coupon", "promotion_code")`"""

    def at_most_one(self: Hash) -> Hash:
        given = [name for name in names if name in self.model_fields_set and getattr(self, name) not in (None, "")]
        if len(given) > 1:
            message = "You may only specify one of these parameters: {names}."
            raise refuse("", message, names=", ".join(given), param=given[0])
        return self

    return model_validator(mode="after")(at_most_one)


def amount_limits(*names: str) -> Any:
    """A rule in a class with a `currency`: these amounts have no more digits than the currency takes.

    Eight digits for most: 999,999.99 in dollars. `_limits = amount_limits("unit_amount")`
    """

    def within(self: Any) -> Any:
        for name in names:
            amount = getattr(self, name)
            if amount and self.currency and not money.is_within_maximum(amount, self.currency):
                most = _shown_amount(money.maximum_amount(self.currency), self.currency)
                raise refuse("amount_too_large", "Amount must be no more than {most}", most=most, param=name)
        return self

    return model_validator(mode="after")(within)


def merge_metadata(old: Mapping[str, str], given: Mapping[str, str] | Literal[""]) -> dict[str, str]:
    """What is stored after an update: keys are merged, an empty value deletes its key, "" deletes all.

    Raises the refusal of `refuse` when more than 50 keys would remain.
    """
    if given == "":
        return {}
    merged = {key: text for key, text in {**old, **given}.items() if text != ""}
    if len(merged) > METADATA_KEYS_MAX:
        raise _too_many_keys(len(merged))
    return merged


class Indexed(list[Any]):
    """A list that was written with indices (`items[0][price]`), in their order; `keys` are the indices as sent."""

    __slots__ = ("keys",)

    def __init__(self, values: Any, keys: tuple[str, ...]) -> None:
        super().__init__(values)
        self.keys = keys


# Leaves -------------------------------------------------------------------------------------------------------------


def _integer(value: Any) -> Any:
    if type(value) is not str:
        return value
    if _INTEGER.fullmatch(value):
        return int(value)
    raise refuse("parameter_invalid_integer", "Invalid integer: {value}", value=value[:SHOWN_MAX])


def _boolean(value: Any) -> Any:
    if value == "true":
        return True
    if value == "false":
        return False
    if type(value) is bool:
        return value
    raise refuse("", "Invalid boolean: {value}", value=str(value)[:SHOWN_MAX])


def _decimal(value: Any) -> Decimal:
    text = format(value, "f") if type(value) is Decimal else value
    match = _DECIMAL.fullmatch(text) if type(text) is str else None
    if not match:
        raise refuse("", "Invalid decimal: {value}", value=str(value)[:SHOWN_MAX])
    if len(match[1] or "") > money.DECIMALS:
        message = "Invalid decimal: {value}; must contain at most 12 decimal places."
        raise refuse("", message, value=str(value)[:SHOWN_MAX])
    return Decimal(text)


def _currency(value: Any) -> Any:
    lowered = value.lower() if type(value) is str else value
    if type(lowered) is str and money.is_supported(lowered):
        return lowered
    codes = ", ".join(["usd", *sorted(money.CURRENCIES - {"usd"})])
    message = "Invalid currency: {value}. Voldaan currently supports these currencies: {codes}"
    raise refuse("", message, value=str(lowered)[:SHOWN_MAX], codes=codes)


def _email(value: str) -> str:
    if _EMAIL.fullmatch(value):
        return value
    raise refuse("email_invalid", "Invalid email address: {value}", value=value[:SHOWN_MAX])


def _url(value: str) -> str:
    if _URL.fullmatch(value):
        return value
    raise refuse("url_invalid", "Not a valid URL")


def _page_size(value: int) -> int:
    """A list's `limit` is brought into 1..100, not refused: observed with Stripe."""
    return min(max(value, 1), PAGE_MAX)


def _metadata(value: Any) -> dict[str, str]:
    """Checks one given hash. The number of keys counts after the merge, but no request needs more than 50 by itself."""
    if isinstance(value, Indexed):  # metadata[0]=x was read as a list
        value = dict(zip(value.keys, value, strict=True))
    if not isinstance(value, dict):
        raise refuse("", "Invalid object")
    if len(value) > METADATA_KEYS_MAX:
        raise _too_many_keys(len(value))
    for key, text in value.items():
        if type(text) is not str:
            raise refuse("", "Invalid string", param=key)
        if not 1 <= len(key) <= METADATA_KEY_MAX:
            message = (
                "Metadata keys can have up to 40 characters, but you passed in a key that is {length} characters. "
                "Invalid key: {key}"
            )
            raise refuse("", message, length=len(key), key=key[:SHOWN_MAX])
        if len(text) > METADATA_VALUE_MAX:
            message = (
                "Metadata values can have up to 500 characters, but you passed in a value that is {length} characters. "
                "Invalid value: {text}"
            )
            raise refuse("", message, length=len(text), text=text[:SHOWN_MAX], param=key)
    return value


def _too_many_keys(count: int) -> PydanticCustomError:
    return refuse("", "Metadata can have up to 50 keys, but you've set {count}.", count=count)


def _shown_amount(amount: int, currency: str) -> str:
    """99999999 usd is $999,999.99."""
    digits = money.exponent(currency)
    whole, fraction = divmod(amount, 10**digits)
    number = f"{whole:,}.{fraction:0{digits}}" if digits else f"{whole:,}"
    symbol = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency}"


Unset = Literal[""]
Timestamp = Annotated[int, Field(ge=0, le=253_402_300_799)]  # epoch seconds, until the year 9999
Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]  # minor units
PositiveAmount = Annotated[int, Field(ge=1, le=AMOUNT_MAX)]
SignedAmount = Annotated[int, Field(ge=-AMOUNT_MAX, le=AMOUNT_MAX)]
Currency = Annotated[str, BeforeValidator(_currency)]
Email = Annotated[str, Field(max_length=EMAIL_MAX), AfterValidator(_email)]
Url = Annotated[str, AfterValidator(_url)]
DecimalString = Annotated[  # up to 12 places; a string on the wire
    Decimal, PlainValidator(_decimal), WithJsonSchema({"type": "string", "format": "decimal"})
]
Metadata = Annotated[
    dict[str, str],
    PlainValidator(_metadata),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Expand = list[str]


# Hashes -------------------------------------------------------------------------------------------------------------


def _read_as_form(schema: Any) -> Any:
    """The same core schema, its leaves reading strings as a form means them. Other models have done their own part."""
    kind = schema["type"]
    if kind == "int":
        return core_schema.no_info_before_validator_function(_integer, {**schema, "strict": True})
    if kind == "bool":
        return core_schema.no_info_plain_validator_function(_boolean, json_schema_input_schema=schema)
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
    if kind == "union":
        changed["choices"] = [_read_as_form(choice) for choice in schema["choices"]]
    return changed


class Hash(BaseModel):
    """A nested hash of a request, such as an address. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, protected_namespaces=())

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

    limit: Annotated[int, AfterValidator(_page_size)] = 10
    starting_after: str | None = None
    ending_before: str | None = None

    @model_validator(mode="after")
    def _one_direction(self) -> PageParams:
        if self.starting_after and self.ending_before:
            raise refuse("", "Received both starting_after and ending_before parameters. Please pass in only one.")
        return self


class ListParams(PageParams):
    """A list that can be filtered by `created`: one instant or a range."""

    created: Timestamp | Range | None = None


class SearchParams(Params):
    query: str
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 10
    page: str | None = None
