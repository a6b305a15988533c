"""Invoice items: amounts that wait for an invoice: one-off charges, credits, prorations."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import (
    UNSET,
    Column,
    Derived,
    Embedded,
    Expandable,
    Hidden,
    Instant,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.basis import Basis
from voldaan.resources.billing import (
    Behavior,
    DiscountAmount,
    NotSupported,
    OneTimePriceData,
    Period,
    PeriodParams,
    Pricing,
)
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.line_items import GivenTax, LinePricing, LineUsage, pricing
from voldaan.resources.params import (
    Currency,
    DecimalString,
    Hash,
    ListParams,
    Metadata,
    Params,
    SignedAmount,
    Unset,
    exclusive,
)
from voldaan.resources.tax_rates import TaxRate


class InvoiceItemSubscription(Part, kw_only=True):
    subscription: str
    subscription_item: str | UnsetType = UNSET


class InvoiceItemParent(Part, kw_only=True):
    subscription_details: InvoiceItemSubscription | None = None
    type: Literal["subscription_details"] = "subscription_details"


class CreditedLines(Part, kw_only=True):
    invoice: str
    invoice_line_items: list[str]


class InvoiceItemCredited(Part, kw_only=True):
    type: Literal["invoice_item", "invoice_line_items"]
    invoice_item: str | UnsetType = UNSET
    invoice_line_item_details: CreditedLines | UnsetType = UNSET


class InvoiceItemProration(Part, kw_only=True):
    credited_items: InvoiceItemCredited | None = None
    discount_amounts: list[DiscountAmount] = []


class InvoiceItem(Resource, kw_only=True):
    """Pending until an invoice takes it up; then `invoice` names that invoice and a line of it stands for the item."""

    TABLE: ClassVar[Table] = Table("invoice_items", prefix="ii")
    object: Literal["invoiceitem"] = "invoiceitem"
    amount: Annotated[int, Column()]
    currency: Annotated[str, Column()]
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    date: Annotated[int, Derived()] = 0
    description: str | None = None
    discountable: bool = True
    discounts: list[Annotated[str, Expandable("discount")]] | None = []
    frozen_fields: list[Literal["discounts", "pricing", "quantity"]] | UnsetType = UNSET
    invoice: Annotated[str | None, Column("invoice_id"), Expandable("invoice")] = None
    invoicing_rules: list[dict[str, Any]] | UnsetType = UNSET
    livemode: bool
    metadata: dict[str, str] = {}
    net_amount: Annotated[int | None, Derived()] = None  # after discounts; None where discounts are still to come off
    parent: Annotated[InvoiceItemParent | None, Derived()] = None
    period: Annotated[Period | None, Derived()] = None
    pricing: Annotated[Pricing | None, Derived()] = None
    proration: Annotated[bool, Column()] = False
    proration_details: InvoiceItemProration | UnsetType = UNSET
    quantity: Annotated[int, Derived()] = 1
    quantity_decimal: Annotated[Decimal, Column("quantity")] = Decimal(1)
    tax_rates: Annotated[list[TaxRate | str] | None, Embedded("tax_rate")] = []
    basis: Annotated[Basis | None, Hidden()] = None
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None

    created: Annotated[Instant, Column("created_at"), Hidden()]
    period_start: Annotated[Instant, Column("period_start_at"), Hidden()]
    period_end: Annotated[Instant, Column("period_end_at"), Hidden()]
    subscription: Annotated[str | None, Column("subscription_id"), Hidden()] = None
    subscription_item: Annotated[str | None, Column("subscription_item_id"), Hidden()] = None
    price: Annotated[str | None, Column("price_id"), Hidden()] = None
    product: Annotated[str | None, Hidden()] = None
    unit_amount_decimal: Annotated[Decimal | None, Hidden()] = None
    tax_behavior: Annotated[Behavior | None, Hidden()] = None
    tax_code: Annotated[str | None, Hidden()] = None  # of its own; None: its product's
    taxes_given: Annotated[list[GivenTax] | None, Hidden()] = None  # computed by the seller
    usage: Annotated[LineUsage | None, Hidden()] = None  # of a metered price, as long as nobody edits the item by hand

    def __post_init__(self) -> None:
        self.date = self.created
        self.period = Period(start=self.period_start, end=self.period_end)
        self.quantity = int(self.quantity_decimal)
        self.pricing = pricing(self.price, self.product, self.unit_amount_decimal)
        taken = self.basis.taken if self.basis else None
        self.net_amount = None if self.discountable else self.amount - sum(each.amount for each in taken or ())
        self.parent = None
        if self.subscription:
            item = self.subscription_item or UNSET
            details = InvoiceItemSubscription(subscription=self.subscription, subscription_item=item)
            self.parent = InvoiceItemParent(subscription_details=details)


class InvoiceItemHash(Hash):
    """What is said of an invoice item wherever one is given."""

    amount: SignedAmount | None = None
    description: str | None = None
    discountable: bool | None = None
    discounts: list[DiscountParams] | Unset | None = None
    metadata: Metadata | Unset = {}
    period: PeriodParams | None = None
    price_data: OneTimePriceData | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    quantity_decimal: DecimalString | None = None
    tax_behavior: Behavior | None = None
    tax_code: str | Unset | None = None
    tax_rates: list[str] | Unset | None = None
    unit_amount_decimal: DecimalString | None = None

    _one_quantity = exclusive("quantity", "quantity_decimal")


class InvoiceItemCreate(Params, InvoiceItemHash):
    currency: Currency | None = None
    customer: str
    customer_account: NotSupported = None
    invoice: str | None = None
    pricing: LinePricing | None = None
    subscription: str | None = None

    _one_price = exclusive("amount", "pricing", "price_data", "unit_amount_decimal")


class InvoiceItemUpdate(Params, InvoiceItemHash):
    invoicing_rules: NotSupported = None
    pricing: LinePricing | None = None

    _one_price = exclusive("amount", "pricing", "price_data", "unit_amount_decimal")


class InvoiceItemDelete(Params):
    pass


class InvoiceItemList(ListParams):
    customer: str | None = None
    customer_account: NotSupported = None
    invoice: str | None = None
    pending: bool | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "customer_account": "",
        "pending": "(t.invoice_id is null) = %(pending)s",
    }
