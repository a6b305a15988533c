"""Replays: a past period of the book computed again, with its prices or with others. Nothing is written."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import Hidden, Part, Resource, Table
from voldaan.resources.params import Hash, Params, Timestamp


class ReplaySum(Part, kw_only=True):
    """What finalized invoices came to, and would come to. Minor units, with tax."""

    currency: str
    before: int
    after: int
    difference: int


class ReplayCustomer(Part, kw_only=True):
    customer: str
    invoices: int
    sums: list[ReplaySum]


class ReplayDifference(Part, kw_only=True):
    """`line` null: the total of the invoice."""

    customer: str
    invoice: str
    line: str | None
    price: str | None
    before: int
    after: int


class Replay(Resource, kw_only=True):
    """One page: the customers from `starting_after` on, each with all of their invoices in the period."""

    TABLE: ClassVar[Table] = Table("invoices", prefix="")
    object: Literal["voldaan.replay"] = "voldaan.replay"
    id: Annotated[str, Hidden()]
    start: int
    end: int
    invoices: int
    lines: int
    same_lines: int
    sums: list[ReplaySum]
    customers: list[ReplayCustomer]
    differences: list[ReplayDifference]
    has_more: bool
    next_customer: str | None


class ReplacedPrice(Hash):
    price: str
    replace_with: str


class ReplayCreate(Params):
    """Invoices that were made in [start, end), without drafts and void ones."""

    start: Timestamp
    end: Timestamp
    customer: str | None = None
    prices: Annotated[list[ReplacedPrice], Field(max_length=100)] = []
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    starting_after: str | None = None
