"""One page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voldaan.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Page:
    """Items newest first, and whether there are more in the direction of reading."""

    items: Sequence[Resource]
    has_more: bool

    def envelope(self) -> dict[str, Any]:
        """What stands around the items, except the list's address."""
        return {"object": "list", "has_more": self.has_more}


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Items that a search found; `next_page` continues it."""

    items: Sequence[Resource]
    has_more: bool
    next_page: str | None

    def envelope(self) -> dict[str, Any]:
        """What stands around the items, except the search's address."""
        return {"object": "search_result", "has_more": self.has_more, "next_page": self.next_page}
