"""Invoice line items: one amount for one thing over one period. What revenue and every report are counted from."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import UNSET, Column, Derived, Expandable, Hidden, Instant, Part, Resource, Table
from voldaan.resources.basis import Basis
from voldaan.resources.billing import (
    Behavior,
    DiscountAmount,
    Period,
    PeriodParams,
    PretaxCreditAmount,
    PriceDetails,
    Pricing,
    TaxAmount,
)
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import (
    Currency,
    DecimalString,
    Hash,
    Metadata,
    PageParams,
    Params,
    SignedAmount,
    Unset,
    exclusive,
)
from voldaan.resources.prices import ProductDataTaxDetails
from voldaan.resources.tax_rates import JurisdictionLevel, TaxabilityReason, TaxType


class GivenTax(Part, kw_only=True):
    """Ours alone: a tax that the seller has computed, with the id of the rate that says what it is. Minor units."""

    amount: int
    rate: str
    taxable_amount: int


class CreditedItems(Part, kw_only=True):
    invoice: str
    invoice_line_items: list[str]


class LineProration(Part, kw_only=True):
    credited_items: CreditedItems | None = None


class InvoiceItemDetails(Part, kw_only=True):
    invoice_item: str
    proration: bool
    proration_details: LineProration | None = None
    subscription: str | None = None


class SubscriptionItemDetails(Part, kw_only=True):
    invoice_item: str | None = None
    proration: bool
    proration_details: LineProration | None = None
    subscription: str | None = None
    subscription_item: str


class LineParent(Part, kw_only=True):
    type: Literal["invoice_item_details", "subscription_item_details"]
    invoice_item_details: InvoiceItemDetails | None = None
    subscription_item_details: SubscriptionItemDetails | None = None


class TierUsage(Part, kw_only=True):
    """What one tier contributes. The amounts of all tiers, minor units, add up to what the whole quantity costs."""

    up_to: int | None = None
    quantity: Decimal
    amount: int


class LineUsage(Part, kw_only=True):
    """What a metered line was computed from: a meter's usage in [start, end), counted so far.

    `before` is what was billed of it earlier, by other lines; null when this line is the first. `in_time`: it was billed
    earlier because a threshold was reached, and not because the rest came late.
    """

    usage_period: str
    meter: str
    start: int
    end: int
    quantity: Decimal
    before: Decimal | None = None
    in_time: bool = False
    tiers: list[TierUsage] = []

    @property
    def is_late(self) -> bool:
        """Whether it bills what had not arrived when its period was billed."""
        return self.before is not None and not self.in_time


class LineItem(Resource, kw_only=True):
    """Minor units. `amount` is before the invoice's discounts and before exclusive tax.

    The hidden columns hold what SQL sums: `net` is what the line earns, after discounts and without any tax. Their
    visible twins `period`, `parent`, `pricing` and `quantity` are derived.
    """

    TABLE: ClassVar[Table] = Table("invoice_line_items", prefix="il", newest_first=False)
    object: Literal["line_item"] = "line_item"
    amount: Annotated[int, Column()]
    currency: Annotated[str, Column()]
    description: str | None = None
    discount_amounts: list[DiscountAmount] | None = []
    discountable: bool = True
    discounts: list[Annotated[str, Expandable("discount")]] = []
    invoice: Annotated[str | None, Column("invoice_id")]
    livemode: bool
    metadata: dict[str, str] = {}
    parent: Annotated[LineParent | None, Derived()] = None
    period: Annotated[Period | None, Derived()] = None
    pretax_credit_amounts: list[PretaxCreditAmount] | None = []
    pricing: Annotated[Pricing | None, Derived()] = None
    quantity: Annotated[int | None, Derived()] = None
    quantity_decimal: Annotated[Decimal | None, Column("quantity")] = None
    subscription: Annotated[str | None, Column("subscription_id"), Expandable("subscription")] = None
    subtotal: Annotated[int, Column()]
    taxes: list[TaxAmount] | None = []

    period_start: Annotated[Instant, Column("period_start_at"), Hidden()]
    period_end: Annotated[Instant, Column("period_end_at"), Hidden()]
    price: Annotated[str | None, Column("price_id"), Hidden()] = None
    product: Annotated[str | None, Column("product_id"), Hidden()] = None
    subscription_item: Annotated[str | None, Column("subscription_item_id"), Hidden()] = None
    invoice_item: Annotated[str | None, Column("invoice_item_id"), Hidden()] = None
    proration: Annotated[bool, Column(), Hidden()] = False
    discount: Annotated[int, Column(), Hidden()] = 0
    tax: Annotated[int, Column(), Hidden()] = 0          # inclusive and exclusive
    net: Annotated[int, Column(), Hidden()] = 0
    unit_amount_decimal: Annotated[Decimal | None, Hidden()] = None
    credited: Annotated[CreditedItems | None, Hidden()] = None
    tax_rates: Annotated[list[str] | None, Hidden()] = None  # of its own; None: the invoice's
    taxes_given: Annotated[list[GivenTax] | None, Hidden()] = None  # at those rates, computed by the seller
    tax_behavior: Annotated[Behavior | None, Hidden()] = None
    tax_code: Annotated[str | None, Hidden()] = None  # of its own; None: its product's
    basis: Annotated[Basis | None, Hidden()] = None  # None: price or unit amount times quantity, or the amount as given
    commitment: Annotated[str | None, Hidden()] = None  # the commitment period whose minimum it brings
    usage: Annotated[LineUsage | None, Hidden()] = None  # of a metered price, as long as nobody edits the line by hand

    def __post_init__(self) -> None:
        self.period = Period(start=self.period_start, end=self.period_end)
        self.quantity = None if self.quantity_decimal is None else int(self.quantity_decimal)
        self.pricing = pricing(self.price, self.product, self.unit_amount_decimal)
        details = LineProration(credited_items=self.credited) if self.proration else None
        if self.subscription_item:
            self.parent = LineParent(
                type="subscription_item_details",
                subscription_item_details=SubscriptionItemDetails(
                    invoice_item=self.invoice_item,
                    proration=self.proration,
                    proration_details=details or NO_CREDIT,
                    subscription=self.subscription,
                    subscription_item=self.subscription_item,
                ),
            )
        elif self.invoice_item:
            self.parent = LineParent(
                type="invoice_item_details",
                invoice_item_details=InvoiceItemDetails(
                    invoice_item=self.invoice_item,
                    proration=self.proration,
                    proration_details=details or NO_CREDIT,
                    subscription=self.subscription,
                ),
            )
        else:
            self.parent = None


NO_CREDIT = LineProration()


def pricing(price: str | None, product: str | None, unit_amount_decimal: Decimal | None) -> Pricing | None:
    """What an amount was computed from; None when it was simply given."""
    if price is None and unit_amount_decimal is None:
        return None
    details = PriceDetails(price=price, product=product or "") if price else UNSET
    return Pricing(price_details=details, unit_amount_decimal=unit_amount_decimal)


class LineProductData(Hash):
    """A product made for this line alone."""

    description: str | None = None
    images: list[str] | None = None
    metadata: Metadata | Unset = {}
    name: str
    tax_code: str | None = None
    tax_details: ProductDataTaxDetails | None = None
    unit_label: Annotated[str, Field(max_length=12)] | None = None


class LinePriceData(Hash):
    currency: Currency
    product: str | None = None
    product_data: LineProductData | None = None
    tax_behavior: Behavior = "unspecified"
    unit_amount: int | None = None
    unit_amount_decimal: DecimalString | None = None

    _one_amount = exclusive("unit_amount", "unit_amount_decimal")
    _one_product = exclusive("product", "product_data")


class LinePricing(Hash):
    price: str | None = None


class TaxRateData(Hash):
    """What a tax is that was computed elsewhere."""

    country: str | None = None
    description: str | None = None
    display_name: Annotated[str, Field(max_length=50)]
    inclusive: bool
    jurisdiction: Annotated[str, Field(max_length=50)] | None = None
    jurisdiction_level: JurisdictionLevel | None = None
    percentage: DecimalString
    state: str | None = None
    tax_type: TaxType | None = None


class TaxAmountParams(Hash):
    amount: SignedAmount
    tax_rate_data: TaxRateData
    taxability_reason: TaxabilityReason | None = None
    taxable_amount: SignedAmount


class LineHash(Hash):
    """What is said of a line wherever one is given."""

    amount: SignedAmount | None = None
    description: str | None = None
    discountable: bool | None = None
    discounts: list[DiscountParams] | Unset | None = None
    metadata: Metadata | Unset = {}
    period: PeriodParams | None = None
    price_data: LinePriceData | None = None
    pricing: LinePricing | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    quantity_decimal: DecimalString | None = None
    tax_amounts: list[TaxAmountParams] | Unset | None = None
    tax_rates: list[str] | Unset | None = None

    _one_price = exclusive("amount", "price_data", "pricing")
    _one_quantity = exclusive("quantity", "quantity_decimal")
    _one_way_to_tax = exclusive("tax_amounts", "tax_rates")


class LineAdd(LineHash):
    invoice_item: str | None = None


class LineChange(LineHash):
    id: str


class LineRemove(Hash):
    behavior: Literal["delete", "unassign"]
    id: str


class LinesAdd(Params):
    invoice_metadata: Metadata | Unset = {}
    lines: list[LineAdd]


class LinesUpdate(Params):
    invoice_metadata: Metadata | Unset = {}
    lines: list[LineChange]


class LinesRemove(Params):
    invoice_metadata: Metadata | Unset = {}
    lines: list[LineRemove]


class LineUpdate(Params, LineHash):
    """POST /v1/invoices/{invoice}/lines/{line_item_id}"""


class LineItemList(PageParams):
    pass


