"""Tax codes: a fixed list."""

from __future__ import annotations

from voldaan.resources.params import Params
from voldaan.resources.tax_codes import TaxCode, TaxCodeList
from voldaan.rules.tax_codes import BY_ID, CODES
from voldaan.store.pages import Page
from voldaan.store.transaction import Missing, Transaction


async def page(tx: Transaction, params: TaxCodeList) -> Page:
    """GET /v1/tax_codes"""
    ids = [code.id for code in CODES]
    cursor = params.starting_after or params.ending_before
    if cursor and cursor not in BY_ID:
        raise Missing("tax_code", cursor, "starting_after" if params.starting_after else "ending_before")
    if params.ending_before:
        before = CODES[: ids.index(params.ending_before)]
        return Page(list(before[-params.limit :]), has_more=len(before) > params.limit)
    after = CODES[ids.index(params.starting_after) + 1 :] if params.starting_after else CODES
    return Page(list(after[: params.limit]), has_more=len(after) > params.limit)


page.many = True  # type: ignore[attr-defined]


async def retrieve(tx: Transaction, params: Params, id: str) -> TaxCode:
    """GET /v1/tax_codes/{id}"""
    if id not in BY_ID:
        raise Missing("tax_code", id)
    return BY_ID[id]
