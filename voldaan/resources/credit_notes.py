"""Credit notes: what is taken back of a finalized invoice, before it is paid or after."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Derived,
    Embedded,
    Expandable,
    Hidden,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.billing import DiscountAmount, NotSupported, PretaxCreditAmount, TaxAmount
from voldaan.resources.params import (
    Amount,
    DecimalString,
    Hash,
    ListParams,
    Metadata,
    PageParams,
    Params,
    PositiveAmount,
    SignedAmount,
    Timestamp,
    Unset,
    exclusive,
)
from voldaan.resources.shipping_rates import Shipped, ShippingCost, cost_of
from voldaan.resources.tax_rates import TaxRate

CreditNoteReason = Literal["duplicate", "fraudulent", "order_change", "product_unsatisfactory"]
CreditNoteType = Literal["mixed", "post_payment", "pre_payment"]
LineType = Literal["custom_line_item", "invoice_line_item"]


class CreditNoteRefund(Part, kw_only=True):
    """A refund, and how much of it is given back by this note."""

    amount_refunded: int
    payment_record_refund: dict[str, Any] | None = None
    refund: Annotated[str, Expandable("refund")]
    type: Literal["payment_record_refund", "refund"] | None = "refund"


class CreditNoteLine(Resource, kw_only=True):
    """One line of a note, minor units. `amount` is before discounts and exclusive tax, as that of an invoice line."""

    TABLE: ClassVar[Table] = Table("credit_note_line_items", prefix="cnli", newest_first=False)
    object: Literal["credit_note_line_item"] = "credit_note_line_item"
    amount: Annotated[int, Column()]
    description: str | None = None
    discount_amount: Annotated[int, Column("discount")] = 0
    discount_amounts: list[DiscountAmount] = []
    invoice_line_item: Annotated[str | UnsetType, Derived()] = UNSET
    livemode: bool
    metadata: dict[str, str] | None = {}
    pretax_credit_amounts: list[PretaxCreditAmount] = []
    quantity: Annotated[int | None, Column()] = None
    tax_rates: Annotated[list[TaxRate | str], Embedded("tax_rate")] = []
    taxes: list[TaxAmount] | None = []
    type: Annotated[LineType, Column()]
    unit_amount: int | None = None
    unit_amount_decimal: Decimal | None = None

    credit_note: Annotated[str, Column("credit_note_id"), Hidden()]
    invoice_line: Annotated[str | None, Column("invoice_line_item_id"), Hidden()] = None
    tax: Annotated[int, Column(), Hidden()] = 0
    net: Annotated[int, Column(), Hidden()] = 0

    def __post_init__(self) -> None:
        self.invoice_line_item = UNSET if self.invoice_line is None else self.invoice_line


class CreditedLine(Resource, kw_only=True):
    """Ours alone: what a note takes back of one line of its invoice, whatever the note's own lines say.

    `taxes` are by the id of the rate; `off`, what came off before tax, by that of the discount or of the billing credit's
    movement. `left_out` is tax that an exempt customer's price had held.
    """

    TABLE: ClassVar[Table] = Table("credited_lines", prefix="")
    credit_note: Annotated[str, Column("credit_note_id")]
    invoice_line: Annotated[str, Column("invoice_line_item_id")]
    amount: Annotated[int, Column()] = 0
    net: Annotated[int, Column()] = 0
    tax: Annotated[int, Column()] = 0
    quantity: Annotated[int, Column()] = 0
    off: dict[str, int] = {}
    taxes: dict[str, int] = {}
    left_out: int = 0
    by: Literal["amount", "quantity"] | None = None      # how lines of the note have named it


class CreditNote(Resource, kw_only=True):
    """total = pre_payment_amount + post_payment_amount; the latter is refunded, credited or given back out of band."""

    TABLE: ClassVar[Table] = Table("credit_notes", prefix="cn", state="status")
    object: Literal["credit_note"] = "credit_note"
    amount: Annotated[int, Column()]
    amount_shipping: int = 0
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    customer_balance_transaction: Annotated[str | None, Expandable("customer_balance_transaction")] = None
    discount_amount: int = 0
    discount_amounts: list[DiscountAmount] = []
    effective_at: int | None = None
    invoice: Annotated[str, Column("invoice_id"), Expandable("invoice")]
    lines: Annotated[
        ListObject[CreditNoteLine],
        Children("credit_note_line_item", by="credit_note", url="/v1/credit_notes/{id}/lines", order="id"),
    ]
    livemode: bool
    memo: str | None = None
    metadata: dict[str, str] | None = {}
    number: Annotated[str, Column()]
    out_of_band_amount: Annotated[int | None, Column()] = None
    pdf: str
    post_payment_amount: Annotated[int, Column()] = 0
    pre_payment_amount: Annotated[int, Column()] = 0
    pretax_credit_amounts: list[PretaxCreditAmount] = []
    reason: CreditNoteReason | None = None
    refunds: list[CreditNoteRefund] = []
    shipping_cost: Annotated[ShippingCost | None, Derived()] = None
    status: Annotated[Literal["issued", "void"], Column()] = "issued"
    subtotal: int = 0
    subtotal_excluding_tax: int | None = None
    total: int = 0
    total_excluding_tax: int | None = None
    total_taxes: list[TaxAmount] | None = []
    type: Annotated[CreditNoteType, Column()]
    voided_at: Annotated[Instant | None, Column()] = None

    net: Annotated[int, Column(), Hidden()] = 0
    tax: Annotated[int, Column(), Hidden()] = 0
    refund_amount: Annotated[int, Column(), Hidden()] = 0
    credit_amount: Annotated[int, Column(), Hidden()] = 0
    recognised: Annotated[int, Column(), Hidden()] = 0   # how much of `net` had been revenue already
    clock: Annotated[str | None, Hidden()] = None
    shipped: Annotated[Shipped | None, Hidden()] = None  # what of the invoice's shipping it takes back
    shipping_tax_rates: Annotated[list[TaxRate | str], Embedded("tax_rate"), Hidden()] = []

    def __post_init__(self) -> None:
        self.shipping_cost = None if self.shipped is None else cost_of(self.shipped, self.shipping_tax_rates)


# What requests hold ------------------------------------------------------------------------------------------------


class LineTaxAmount(Hash):
    amount: Amount
    tax_rate: str
    taxable_amount: SignedAmount


class NoteLine(Hash):
    """What is credited: of a line of the invoice an amount or a quantity, or something of the note's own."""

    amount: SignedAmount | None = None
    description: str | None = None
    invoice_line_item: str | None = None
    metadata: Metadata | Unset = {}
    quantity: Annotated[int, Field(ge=1)] | None = None
    tax_amounts: Annotated[list[LineTaxAmount], Field(max_length=20)] | Unset | None = None
    tax_rates: list[str] | Unset | None = None
    type: LineType
    unit_amount: Amount | None = None
    unit_amount_decimal: DecimalString | None = None

    _one_unit = exclusive("unit_amount", "unit_amount_decimal")
    _one_tax = exclusive("tax_rates", "tax_amounts")


class NoteRefund(Hash):
    amount_refunded: PositiveAmount | None = None
    payment_record_refund: NotSupported = None
    refund: str | None = None
    type: Literal["payment_record_refund", "refund"] = "refund"


class NoteShipping(Hash):
    shipping_rate: str | None = None


class NoteTerms(Hash):
    """What a note and its preview say."""

    amount: PositiveAmount | None = None
    credit_amount: Amount | None = None
    effective_at: Timestamp | None = None
    email_type: Literal["credit_note", "none"] = "credit_note"
    invoice: str
    lines: list[NoteLine] | None = None
    memo: str | None = None
    metadata: Metadata | Unset = {}
    out_of_band_amount: Amount | None = None
    reason: CreditNoteReason | None = None
    refund_amount: Amount | None = None
    refunds: list[NoteRefund] | None = None
    shipping_cost: NoteShipping | None = None


class CreditNoteCreate(Params, NoteTerms):
    """POST /v1/credit_notes"""


class CreditNotePreview(Params, NoteTerms):
    """GET /v1/credit_notes/preview"""


class CreditNotePreviewLines(PageParams, NoteTerms):
    """GET /v1/credit_notes/preview/lines"""


class CreditNoteUpdate(Params):
    """POST /v1/credit_notes/{id}"""

    memo: str | Unset | None = None
    metadata: Metadata | Unset = {}


class CreditNoteVoid(Params):
    """POST /v1/credit_notes/{id}/void"""


class CreditNoteLineList(PageParams):
    """GET /v1/credit_notes/{credit_note}/lines"""


class CreditNoteList(ListParams):
    """GET /v1/credit_notes"""

    customer: str | None = None
    customer_account: NotSupported = None
    invoice: str | None = None

    FILTERS: ClassVar[dict[str, str]] = {"customer_account": ""}
