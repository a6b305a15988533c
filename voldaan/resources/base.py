"""How an API object is declared: one class, read by the store, the renderer, the lists and the OpenAPI document.

A resource is a struct of exactly the API's shape. Facts that other parts need ride in `Annotated`:

    class Customer(Resource, kw_only=True):
        TABLE = Table("customers", prefix="cus")
        object:  Literal["customer"] = "customer"
        email:   Annotated[str | None, Column()] = None          # a column of its own: filtered, joined, summed
        created: Annotated[Instant, Column("created_at")]        # timestamptz in the database, epoch seconds here
        address: Address | None = None                           # no column: lives in `doc`

No logic stands here, so rules and ledger may import declarations although they import nothing else (docs/design.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """The field has a database column; `name` when the column is not called like the field."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Expandable:
    """The field holds an id (or a list of ids) that `expand` may replace by the object with this `object` name."""

    object: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """Ours alone: stored, never rendered."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The row stores an id (or a list of ids); `store/children.attach` puts the whole object in its place.

    The field's type says both: `Price | str`, `list[TaxRate | str]`.
    """

    object: str


@dataclass(frozen=True, slots=True)
class Derived:
    """Made from other fields of the same object in `__post_init__`: rendered, never stored."""


@dataclass(frozen=True, slots=True)
class Includable:
    """Absent from the answer unless `expand` asks for it."""


@dataclass(frozen=True, slots=True)
class Children:
    """A list of child rows in a table of their own: `by` is the child's field that names this parent.

    `embedded` is how many the parent shows; the rest is at the list's `url` (a template with `{id}`).
    """

    object: str
    by: str
    url: str
    embedded: int = 10
    order: str = "id desc"
    condition: str = "true"


class _InstantMark:
    """Marks an int of epoch seconds that is a timestamptz in the database."""


Instant = Annotated[int, _InstantMark()]


@dataclass(frozen=True, slots=True)
class Table:
    """Where a resource lives. `state` is the column whose changes always name the state they come from.

    `order` is the column that sorts by time: another than the id where callers may choose ids of their own. Lists show the
    newest first, unless said otherwise.
    """

    name: str
    prefix: str
    state: str | None = None
    order: str = "id"
    newest_first: bool = True


class Part(msgspec.Struct, kw_only=True, frozen=True):
    """A hash inside a resource, such as an address: a value, replaced and never changed."""


class Resource(msgspec.Struct, kw_only=True):
    """An object of the API. Fields in the API's order do not matter; names and types are Stripe's."""

    TABLE: ClassVar[Table]
    id: str


class ListObject(msgspec.Struct, Generic[T], kw_only=True):
    """`{"object": "list", …}` as it stands inside another object."""

    object: Literal["list"] = "list"
    data: list[T]
    has_more: bool = False
    url: str


@dataclass(frozen=True, slots=True)
class Field:
    """What one field of a resource is, read once from its annotation."""

    name: str
    column: str | None
    sql_type: str
    instant: bool
    expandable: Expandable | None
    hidden: bool
    includable: bool
    children: Children | None
    embedded: Embedded | None
    derived: bool
    annotation: Any


@dataclass(frozen=True, slots=True)
class Spec:
    """The whole declaration of a resource class, in the form the store and the renderer read."""

    cls: type[Resource]
    object: str
    table: Table
    fields: tuple[Field, ...]
    columns: tuple[Field, ...]      # without id; id is always the first column
    in_doc: tuple[Field, ...]
    children: tuple[Field, ...]
    embedded: tuple[Field, ...]
    derived: tuple[Field, ...]
    absent: tuple[str, ...]         # hidden and includable: left out of the answer


SQL_TYPES: dict[Any, str] = {str: "text", int: "bigint", bool: "boolean", Decimal: "numeric"}


@cache
def spec(cls: type[Resource]) -> Spec:
    """Reads the declaration of `cls`."""
    hints = get_type_hints(cls, include_extras=True)
    fields = tuple(_field(name, hints[name]) for name in cls.__struct_fields__)
    object_name = get_args(_bare(hints["object"]))[0] if "object" in hints else cls.TABLE.name
    columns = tuple(f for f in fields if f.column and f.name != "id")
    return Spec(
        cls=cls,
        object=object_name,
        table=cls.TABLE,
        fields=fields,
        columns=columns,
        in_doc=tuple(
            f for f in fields if not (f.column or f.children or f.derived) and f.name not in ("id", "object")
        ),
        children=tuple(f for f in fields if f.children),
        embedded=tuple(f for f in fields if f.embedded),
        derived=tuple(f for f in fields if f.derived),
        absent=tuple(f.name for f in fields if f.hidden or f.includable),
    )


def _field(name: str, hint: Any) -> Field:
    marks: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        marks = tuple(rest)
    optional = _bare(hint)
    inner_marks: tuple[Any, ...] = ()
    for part in get_args(hint) if get_origin(hint) in (Union, UnionType) else ():
        if get_origin(part) is Annotated:  # Instant | None
            inner_marks += tuple(get_args(part)[1:])

    def mark(kind: type[T]) -> T | None:
        return next((m for m in (*marks, *inner_marks) if isinstance(m, kind)), None)

    column = mark(Column)
    instant = mark(_InstantMark) is not None
    embedded = mark(Embedded)
    one_embedded = embedded is not None and get_origin(optional) is not list
    return Field(
        name=name,
        column=(column.name or name) if column else None,
        sql_type="timestamptz" if instant else "text" if one_embedded else _sql_type(optional),
        instant=instant,
        expandable=mark(Expandable),
        hidden=mark(Hidden) is not None,
        includable=mark(Includable) is not None,
        children=mark(Children),
        embedded=embedded,
        derived=mark(Derived) is not None,
        annotation=hint,
    )


def _bare(hint: Any) -> Any:
    """The type without Annotated, None and UNSET."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        rest = [a for a in get_args(hint) if a not in (NoneType, UnsetType)]
        return _bare(rest[0]) if rest else hint
    return hint


def _sql_type(bare: Any) -> str:
    if get_origin(bare) is Literal:
        return "text"
    return SQL_TYPES.get(bare, "jsonb")


__all__ = [
    "UNSET",
    "Children",
    "Column",
    "Derived",
    "Embedded",
    "Expandable",
    "Field",
    "Hidden",
    "Includable",
    "Instant",
    "ListObject",
    "Part",
    "Resource",
    "Spec",
    "Table",
    "UnsetType",
    "spec",
]
