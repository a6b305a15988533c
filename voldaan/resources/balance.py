"""The balance: what processors hold for us, now available or still pending. A sum of balance transactions, not a row."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import UNSET, Hidden, Part, Resource, Table, UnsetType
from voldaan.resources.params import Params


class SourceTypes(Part, kw_only=True):
    bank_account: int | UnsetType = UNSET
    card: int | UnsetType = UNSET


class BalanceAmount(Part, kw_only=True):
    amount: int
    currency: str
    source_types: SourceTypes | UnsetType = UNSET


class Balance(Resource, kw_only=True):
    """Has no row and no id of its own; `id` stands in its events only."""

    TABLE: ClassVar[Table] = Table("balance_transactions", prefix="balance")
    object: Literal["balance"] = "balance"
    id: Annotated[str, Hidden()] = "balance"
    available: list[BalanceAmount]
    livemode: bool
    pending: list[BalanceAmount]


class BalanceRetrieve(Params):
    """GET /v1/balance"""
