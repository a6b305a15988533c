"""The account itself: GET /v1/account."""

from __future__ import annotations

from voldaan.resources.accounts import Account
from voldaan.resources.params import Params
from voldaan.store.transaction import Transaction


async def retrieve(tx: Transaction, params: Params) -> Account:
    """The account of the key."""
    return tx.account
