"""Tax codes: a fixed list."""

from __future__ import annotations

from voldaan.resources.params import Params
from voldaan.resources.tax_codes import TaxCode, TaxCodeList
from voldaan.rules.tax_codes import BY_ID, CODES
from voldaan.store.pages import Page, page_of
from voldaan.store.transaction import Missing, Transaction


async def page(tx: Transaction, params: TaxCodeList) -> Page:
    """GET /v1/tax_codes"""
    return page_of(CODES, params, "tax_code")


page.many = True  # type: ignore[attr-defined]


async def retrieve(tx: Transaction, params: Params, id: str) -> TaxCode:
    """GET /v1/tax_codes/{id}"""
    if id not in BY_ID:
        raise Missing("tax_code", id)
    return BY_ID[id]
