"""The tax calculation that a payment intent names, and what became of it."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from voldaan.resources.base import UNSET, Part, UnsetType
from voldaan.resources.params import Hash, Unset


class CommittedTax(Part, kw_only=True):
    transaction: str


class ErroredTax(Part, kw_only=True):
    reason: str


class TaxTransactionAttempt(Part, kw_only=True):
    """What a payment or a refund (`source`) did to the tax that is due."""

    committed: CommittedTax | UnsetType = UNSET
    errored: ErroredTax | UnsetType = UNSET
    source: str
    status: Literal["committed", "errored"]


class TaxHook(Part, kw_only=True):
    """The tax association of an intent that names a calculation."""

    id: str
    calculation: str
    attempts: list[TaxTransactionAttempt] = field(default_factory=list)


class TaxHookParams(Hash):
    calculation: str | Unset


class HookInputsParams(Hash):
    tax: TaxHookParams | None = None


class HooksParams(Hash):
    inputs: HookInputsParams | None = None
