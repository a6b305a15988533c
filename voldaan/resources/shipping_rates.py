"""Shipping rates: what it costs to send what was bought, and how an invoice shows that cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import UNSET, Column, Expandable, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.billing import Behavior, TaxAmount
from voldaan.resources.params import (
    Amount,
    Currency,
    Hash,
    ListParams,
    Metadata,
    Params,
    Unset,
    exclusive,
)
from voldaan.resources.render import shown
from voldaan.resources.tax_rates import TaxRate

Unit = Literal["business_day", "day", "hour", "month", "week"]


class DeliveryBound(Part, kw_only=True):
    unit: Unit
    value: int


class DeliveryEstimate(Part, kw_only=True):
    """A bound that is not set is none."""

    maximum: DeliveryBound | None = None
    minimum: DeliveryBound | None = None


class ShippingCurrencyOption(Part, kw_only=True):
    amount: int
    tax_behavior: Behavior = "unspecified"


class FixedAmount(Part, kw_only=True):
    """Minor units."""

    amount: int
    currency: str
    currency_options: dict[str, ShippingCurrencyOption] | UnsetType = UNSET


class ShippingRate(Resource, kw_only=True):
    """What sending costs, in minor units of one currency or of several. Another amount is another rate."""

    TABLE: ClassVar[Table] = Table("shipping_rates", prefix="shr")
    object: Literal["shipping_rate"] = "shipping_rate"
    active: Annotated[bool, Column()] = True
    created: Annotated[Instant, Column("created_at")]
    delivery_estimate: DeliveryEstimate | None = None
    display_name: str | None = None
    fixed_amount: FixedAmount | None = None
    livemode: bool
    metadata: dict[str, str] = {}
    tax_behavior: Behavior | None = "unspecified"
    tax_code: Annotated[str | None, Expandable("tax_code")] = None
    type: Literal["fixed_amount"] = "fixed_amount"


# What an invoice and a credit note show of it ------------------------------------------------------------------------


class ShippingTax(Part, kw_only=True):
    amount: int
    rate: TaxRate | str
    taxability_reason: str | None = None
    taxable_amount: int | None = None


class ShippingCost(Part, kw_only=True):
    """Minor units. The subtotal is what the rate says; inclusive tax is inside it, exclusive tax makes the total more."""

    amount_subtotal: int
    amount_tax: int
    amount_total: int
    shipping_rate: Annotated[str | None, Expandable("shipping_rate")] = None
    taxes: list[ShippingTax] | None = []


class Shipped(Part, kw_only=True):
    """Ours alone: what an invoice charges for shipping, or a note credits of it. What a line of an invoice has of amounts.

    `net` is without any tax. `tax_rates` are those that automatic tax found; None: the invoice's.
    """

    rate: str
    name: str | None = None
    amount: int
    net: int = 0
    tax: int = 0
    taxes: list[TaxAmount] = []
    tax_rates: list[str] | None = None
    tax_behavior: Behavior | None = None
    tax_code: str | None = None
    left_out: int = 0


def cost_of(shipped: Shipped, rates: Sequence[TaxRate | str]) -> ShippingCost:
    """What is shown of it. `rates` are those of its taxes, in their order, whole where they are known."""
    taxes = [
        ShippingTax(
            amount=tax.amount,
            rate=rate if isinstance(rate, str) else shown(rate),  # type: ignore[arg-type]
            taxability_reason=None if tax.taxability_reason == "not_available" else tax.taxability_reason,
            taxable_amount=tax.taxable_amount,
        )
        for tax, rate in zip(shipped.taxes, rates, strict=False)
    ]
    return ShippingCost(
        amount_subtotal=shipped.amount,
        amount_tax=shipped.tax,
        amount_total=shipped.net + shipped.tax,
        shipping_rate=shipped.rate,
        taxes=taxes,
    )


# What requests hold --------------------------------------------------------------------------------------------------


class DeliveryBoundParams(Hash):
    unit: Unit
    value: Annotated[int, Field(ge=1)]


class DeliveryEstimateParams(Hash):
    maximum: DeliveryBoundParams | None = None
    minimum: DeliveryBoundParams | None = None


class ShippingCurrencyOptionParams(Hash):
    amount: Amount
    tax_behavior: Behavior = "unspecified"


class FixedAmountParams(Hash):
    amount: Amount
    currency: Currency
    currency_options: dict[Currency, ShippingCurrencyOptionParams] | None = None


class ShippingRateData(Hash):
    """What is said of a new rate, also of one that is made for a single invoice."""

    delivery_estimate: DeliveryEstimateParams | None = None
    display_name: Annotated[str, Field(max_length=100)]
    fixed_amount: FixedAmountParams | None = None
    metadata: Metadata | Unset = {}
    tax_behavior: Behavior = "unspecified"
    tax_code: str | None = None
    type: Literal["fixed_amount"] = "fixed_amount"


class ShippingRateCreate(Params, ShippingRateData):
    """POST /v1/shipping_rates"""


class ShippingCurrencyOptionChange(Hash):
    amount: Amount | None = None
    tax_behavior: Behavior | None = None


class FixedAmountChange(Hash):
    currency_options: dict[Currency, ShippingCurrencyOptionChange] | None = None


class ShippingRateUpdate(Params):
    """POST /v1/shipping_rates/{id}"""

    active: bool | None = None
    fixed_amount: FixedAmountChange | None = None
    metadata: Metadata | Unset = {}
    tax_behavior: Behavior | None = None


class ShippingRateList(ListParams):
    """GET /v1/shipping_rates"""

    active: bool | None = None
    currency: Currency | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "currency": "(t.doc->'fixed_amount'->>'currency' = %(currency)s or "
        "t.doc->'fixed_amount'->'currency_options' ? %(currency)s)"
    }


class ShippingCostParams(Hash):
    """What an invoice is told: a rate that is there, or one made for it alone."""

    shipping_rate: str | None = None
    shipping_rate_data: ShippingRateData | None = None

    _one_rate = exclusive("shipping_rate", "shipping_rate_data")
