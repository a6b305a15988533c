"""Tax transactions: tax that became due, and what of it was taken back. Minor units; reversals are negative."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Hidden,
    Includable,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.params import Hash, Metadata, Params, SignedAmount, Timestamp
from voldaan.resources.tax_calculations import ShipFrom, TaxCustomer, TaxedBehavior, TaxShippingCost

TransactionType = Literal["reversal", "transaction"]
Reference = Annotated[str, Limit(max_length=500)]
Negative = Annotated[SignedAmount, Limit(le=0)]


class LineReversal(Part, kw_only=True):
    original_line_item: str


class TransactionReversal(Part, kw_only=True):
    original_transaction: str | None


class TaxTransactionLineItem(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("tax_transaction_line_items", prefix="tax_li", newest_first=False)
    object: Literal["tax.transaction_line_item"] = "tax.transaction_line_item"
    amount: Annotated[int, Column()]
    amount_tax: Annotated[int, Column()]
    livemode: bool
    metadata: dict[str, str] | None = None
    product: str | None = None
    quantity: int = 1
    reference: str
    reversal: LineReversal | None = None
    tax_behavior: TaxedBehavior
    tax_code: str
    type: TransactionType = "transaction"
    transaction: Annotated[str, Column("transaction_id"), Hidden()]
    original: Annotated[str | None, Column("original_id"), Hidden()] = None


class TaxTransaction(Resource, kw_only=True):
    """Never changes. The hidden columns say what of, and where from."""

    TABLE: ClassVar[Table] = Table("tax_transactions", prefix="tax")
    object: Literal["tax.transaction"] = "tax.transaction"
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    customer: Annotated[str | None, Column("customer_id")] = None
    customer_details: TaxCustomer
    line_items: Annotated[
        ListObject[TaxTransactionLineItem] | UnsetType | None,
        Includable(),
        Children("tax.transaction_line_item", by="transaction", url="/v1/tax/transactions/{id}/line_items", order="id"),
    ] = UNSET
    livemode: bool
    metadata: dict[str, str] | None = None
    posted_at: Annotated[Instant, Column()]
    reference: Annotated[str, Column()]
    reversal: TransactionReversal | None = None
    ship_from_details: ShipFrom | None = None
    shipping_cost: TaxShippingCost | None = None
    tax_date: int
    type: Annotated[TransactionType, Column()] = "transaction"
    calculation: Annotated[str | None, Column("calculation_id"), Hidden()] = None
    original: Annotated[str | None, Column("original_id"), Hidden()] = None


class TaxTransactionCreate(Params):
    """POST /v1/tax/transactions/create_from_calculation"""

    calculation: str
    metadata: Metadata | None = None
    posted_at: Timestamp | None = None
    reference: Reference


class ReversedLine(Hash):
    amount: Negative
    amount_tax: Negative
    metadata: Metadata | None = None
    original_line_item: str
    quantity: Annotated[int, Limit(ge=1)] | None = None
    reference: Reference


class ReversedShipping(Hash):
    amount: Negative
    amount_tax: Negative


class TaxTransactionReverse(Params):
    """POST /v1/tax/transactions/create_reversal"""

    flat_amount: Negative | None = None
    line_items: list[ReversedLine] = []
    metadata: Metadata | None = None
    mode: Literal["full", "partial"]
    original_transaction: str
    reference: Reference
    shipping_cost: ReversedShipping | None = None
