"""Test clocks: a time of their own for the customers that live by them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import field
from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import PageParams, Params, Timestamp


class Advancing(Part, kw_only=True):
    target_frozen_time: int


class TestClockStatusDetails(Part, kw_only=True):
    advancing: Advancing | UnsetType = UNSET


class TestClock(Resource, kw_only=True):
    """Stands still at `frozen_time` until it is advanced to `target`; all in epoch seconds.

    `created` and `deletes_after` are wall time.
    """

    __test__ = False  # not a test, whatever pytest thinks of the name
    TABLE: ClassVar[Table] = Table("test_clocks", prefix="clock", state="status")
    object: Literal["test_helpers.test_clock"] = "test_helpers.test_clock"
    created: Annotated[Instant, Column("created_at")]
    deletes_after: int
    frozen_time: Annotated[Instant, Column("frozen_at")]
    livemode: bool
    name: str | None = None
    status: Annotated[Literal["advancing", "internal_failure", "ready"], Column()] = "ready"
    status_details: TestClockStatusDetails = field(default_factory=TestClockStatusDetails)
    target: Annotated[Instant | None, Column("target_at"), Hidden()] = None
    deleted_at: Annotated[Instant | None, Column(), Hidden()] = None


class TestClockCreate(Params):
    __test__ = False
    customer: str | None = None
    frozen_time: Timestamp
    name: Annotated[str, Limit(max_length=300)] | None = None


class TestClockAdvance(Params):
    __test__ = False
    frozen_time: Timestamp


class TestClockDelete(Params):
    __test__ = False


class TestClockList(PageParams):
    __test__ = False
