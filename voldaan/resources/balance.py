"""The balance: what processors hold for us, now available or still pending. A sum of balance transactions, not a row."""

from __future__ import annotations

from typing import Literal

import msgspec

from voldaan.resources.base import UNSET, Part, UnsetType
from voldaan.resources.params import Params


class SourceTypes(Part, kw_only=True):
    bank_account: int | UnsetType = UNSET
    card: int | UnsetType = UNSET


class BalanceAmount(Part, kw_only=True):
    amount: int
    currency: str
    source_types: SourceTypes | UnsetType = UNSET


class Balance(msgspec.Struct, kw_only=True):
    object: Literal["balance"] = "balance"
    available: list[BalanceAmount]
    livemode: bool
    pending: list[BalanceAmount]


class BalanceRetrieve(Params):
    """GET /v1/balance"""
