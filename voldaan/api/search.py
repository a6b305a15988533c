"""`/search` on the seven resources: Stripe's query language over our own rows. What was just written is found at once."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from voldaan.api import errors, search_language
from voldaan.api.search_language import FIELDS, Kind
from voldaan.resources.base import Resource, spec
from voldaan.resources.params import SearchParams
from voldaan.store import rows
from voldaan.store.pages import SearchPage
from voldaan.store.transaction import Transaction

# Fields that do not stand where their name says.
ELSEWHERE = {
    "charges": {"refunded": "case when t.amount_refunded = 0 then null else t.amount_refunded = t.amount_captured end"},
    "invoices": {
        "last_finalization_error_code": "t.doc #>> '{last_finalization_error,code}'",
        "last_finalization_error_type": "t.doc #>> '{last_finalization_error,type}'",
    },
}
CASTS = {Kind.BOOLEAN: "coalesce(({})::boolean, false)", Kind.NUMERIC: "({})::bigint"}


def search(cls: type[Resource]) -> Callable[..., Awaitable[SearchPage]]:
    """A command that searches the resource."""
    noun = spec(cls).table.name
    columns = {name: expression(cls, noun, name, kind) for name, kind in FIELDS[noun].items()}

    async def find(tx: Transaction, params: SearchParams) -> SearchPage:
        condition, values = search_language.compile(search_language.parse(params.query, noun), columns)
        after = ""
        if params.page:
            after = " and t.id < %(after)s"
            values["after"] = _id_of(params.page)
        alive = " and t.deleted_at is null" if any(f.name == "deleted_at" for f in spec(cls).columns) else ""
        found = await tx.all(
            f"select {rows.select_list(cls)} from {noun} t where t.account_id = %(account)s and ({condition}){alive}{after} "
            f"order by t.id desc limit %(limit)s",
            **values,
            limit=params.limit + 1,
        )
        read = rows.reader(cls)
        items: list[Resource] = [read(row) for row in found[: params.limit]]
        more = len(found) > params.limit
        return SearchPage(items, more, _page_of(items[-1].id) if more else None)

    find.many = True  # type: ignore[attr-defined]
    find.__doc__ = f"Searches {noun}."
    return find


def expression(cls: type[Resource], noun: str, name: str, kind: Kind) -> str:
    """The SQL of a searchable field: a column, or a path into the document."""
    if name in ELSEWHERE.get(noun, {}):
        return ELSEWHERE[noun][name]
    column = next((f.column for f in spec(cls).columns if f.name == name), None)
    if column:
        return f"t.{column}"
    if kind in (Kind.TOKEN, Kind.STRING) and name == "metadata":
        return "(t.doc -> 'metadata')"
    path = f"t.doc #>> '{{{name.replace('.', ',')}}}'"
    return CASTS.get(kind, "{}").format(path)


def _page_of(id: str) -> str:
    return base64.urlsafe_b64encode(id.encode()).decode()


def _id_of(page: str) -> str:
    try:
        return base64.b64decode(page.encode(), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise errors.invalid_request("Invalid page token.", param="page") from error
