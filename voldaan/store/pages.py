"""One page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voldaan.resources.base import Resource
from voldaan.resources.params import PageParams
from voldaan.store.transaction import Missing


@dataclass(frozen=True, slots=True)
class Page:
    """Items newest first, and whether there are more in the direction of reading."""

    items: Sequence[Resource]
    has_more: bool

    def envelope(self) -> dict[str, Any]:
        """What stands around the items, except the list's address."""
        return {"object": "list", "has_more": self.has_more}


def page_of(items: Sequence[Resource], params: PageParams, kind: str) -> Page:
    """The page that `params` asks for of items, of this kind, that are in no table. Raises Missing for an unknown cursor."""
    places = {item.id: place for place, item in enumerate(items)}
    cursor = params.starting_after or params.ending_before
    if cursor and cursor not in places:
        raise Missing(kind, cursor, "starting_after" if params.starting_after else "ending_before")
    if params.ending_before:
        before = items[: places[params.ending_before]]
        return Page(before[-params.limit :], has_more=len(before) > params.limit)
    after = items[places[params.starting_after] + 1 :] if params.starting_after else items
    return Page(after[: params.limit], has_more=len(after) > params.limit)


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Items that a search found; `next_page` continues it."""

    items: Sequence[Resource]
    has_more: bool
    next_page: str | None

    def envelope(self) -> dict[str, Any]:
        """What stands around the items, except the search's address."""
        return {"object": "search_result", "has_more": self.has_more, "next_page": self.next_page}
