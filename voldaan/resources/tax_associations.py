"""Tax associations: what became of the tax calculation that a payment intent names. Kept with the intent."""

from __future__ import annotations

from typing import ClassVar, Literal

from voldaan.resources.base import Resource, Table
from voldaan.resources.params import Params
from voldaan.resources.tax_hooks import TaxTransactionAttempt


class TaxAssociation(Resource, kw_only=True):
    """`tax_transaction_attempts` is null until the payment has succeeded."""

    TABLE: ClassVar[Table] = Table("payment_intents", prefix="")
    object: Literal["tax.association"] = "tax.association"
    id: str
    calculation: str
    payment_intent: str
    tax_transaction_attempts: list[TaxTransactionAttempt] | None


class TaxAssociationFind(Params):
    """GET /v1/tax/associations/find"""

    payment_intent: str
