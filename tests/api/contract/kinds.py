"""The words in which the contract is told: types, fields, classes and operations of the API."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scalar:
    """str, int, bool, float, any or null; decimal and int64 are numbers that travel as JSON strings."""

    name: str


@dataclass(frozen=True)
class Enum:
    """Closed enumerations never grow; open ones may gain values in a later version of the API."""

    values: tuple[str, ...]
    open: bool


@dataclass(frozen=True)
class Ref:
    """An object of another declared class."""

    name: str


@dataclass(frozen=True)
class Array:
    item: "Type"


@dataclass(frozen=True)
class Map:
    """An object whose keys are free, such as metadata."""

    item: "Type"


@dataclass(frozen=True)
class Page:
    """One page of results; kind is "list", "search_result" or "v2 list"."""

    item: "Type"
    kind: str


@dataclass(frozen=True)
class Expandable:
    """An id, or the whole object when the request asked for it."""

    whole: "Type"


@dataclass(frozen=True)
class OneOf:
    options: tuple["Type", ...]


Type = Scalar | Enum | Ref | Array | Map | Page | Expandable | OneOf
ANY, NULL = Scalar("any"), Scalar("null")


@dataclass(frozen=True)
class Field:
    """optional: a response field that may be null or absent, or a parameter that may be left out.
    unset: a parameter that an empty string clears. owner: the class that declares it, which may be a base."""

    owner: str
    name: str
    type: Type
    optional: bool
    unset: bool
    doc: str


@dataclass(frozen=True)
class Class:
    name: str
    object: str | None  # the value of its `object` field, for resources
    fields: dict[str, Field]


@dataclass(frozen=True)
class Operation:
    verb: str
    path: str  # a template, as in /v1/invoices/{invoice}/void
    params: str | None  # name of the class of parameters
    response: Type | None  # None: an empty answer, or a stream of bytes
    streams: bool
    base: str  # which of the base addresses: api, files, connect or meter_events
    method: str  # as in stripe.InvoiceService.void_invoice

    @property
    def version(self) -> str:
        return self.path.split("/")[1]
