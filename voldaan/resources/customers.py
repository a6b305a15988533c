"""Customers: who buys and pays."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Expandable,
    Includable,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)


class Address(Part):
    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None
