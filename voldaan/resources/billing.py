"""Hashes that subscriptions, invoices and invoice items share, in answers and in parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from voldaan.resources.base import UNSET, Expandable, Part, UnsetType
from voldaan.resources.params import Currency, DecimalString, Hash, Timestamp, Unset, exclusive, refuse

Behavior = Literal["exclusive", "inclusive", "unspecified"]
CollectionMethod = Literal["charge_automatically", "send_invoice"]
Interval = Literal["day", "week", "month", "year"]


# What answers hold ---------------------------------------------------------------------------------------------------


class Period(Part, kw_only=True):
    """[start, end) in epoch seconds."""

    start: int
    end: int


class Liability(Part, kw_only=True):
    """Who answers for the tax, or issues the invoice: always the account itself."""

    type: Literal["account", "self"] = "self"
    account: str | UnsetType = UNSET


class CustomField(Part, kw_only=True):
    """A line of one's own on an invoice, such as a purchase order number."""

    name: str
    value: str


class TaxRateDetails(Part, kw_only=True):
    tax_rate: str


class TaxAmount(Part, kw_only=True):
    """One rate's tax on a line, or on all lines of an invoice."""

    amount: int
    tax_behavior: Literal["exclusive", "inclusive"]
    tax_rate_details: TaxRateDetails | None
    taxability_reason: str = "not_available"
    taxable_amount: int | None = None
    type: Literal["tax_rate_details"] = "tax_rate_details"

    @property
    def rate(self) -> str:
        """The id of its rate; "" where it has none."""
        return self.tax_rate_details.tax_rate if self.tax_rate_details else ""


class DiscountAmount(Part, kw_only=True):
    amount: int
    discount: Annotated[str, Expandable("discount")]


class PretaxCreditAmount(Part, kw_only=True):
    amount: int
    discount: Annotated[str | UnsetType, Expandable("discount")] = UNSET
    credit_balance_transaction: Annotated[str | UnsetType | None, Expandable("billing.credit_balance_transaction")] = UNSET
    type: Literal["credit_balance_transaction", "discount"] = "discount"


class PriceDetails(Part, kw_only=True):
    price: Annotated[str, Expandable("price")]
    product: str


class Pricing(Part, kw_only=True):
    """What a line's amount was computed from."""

    price_details: PriceDetails | UnsetType = UNSET
    type: Literal["price_details"] = "price_details"
    unit_amount_decimal: Any = None  # Decimal, of a minor unit


class CardOptions(Part, kw_only=True):
    network: str | None = None
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = None
    mandate_options: dict[str, Any] | UnsetType = UNSET


class InvoiceCardOptions(Part, kw_only=True):
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = None


class PaymentMethodOptions(Part, kw_only=True):
    """What is told to one kind of payment method only. Kinds that Voldaan cannot collect by stay null."""

    acss_debit: dict[str, Any] | None = None
    bancontact: dict[str, Any] | None = None
    card: CardOptions | None = None
    customer_balance: dict[str, Any] | None = None
    konbini: dict[str, Any] | None = None
    payto: dict[str, Any] | None = None
    pix: dict[str, Any] | None = None
    sepa_debit: dict[str, Any] | None = None
    upi: dict[str, Any] | None = None
    us_bank_account: dict[str, Any] | None = None


class InvoicePaymentMethodOptions(PaymentMethodOptions, kw_only=True):
    card: InvoiceCardOptions | None = None  # type: ignore[assignment]


# What requests hold --------------------------------------------------------------------------------------------------


def _refused(value: Any) -> None:
    if value in ("", None, "false", False):
        return
    raise refuse("", "{param} is not supported by this version of Voldaan.")


NotSupported = Annotated[None, PlainValidator(_refused), WithJsonSchema({})]
"""A documented parameter that is refused when it asks for something, rather than ignored."""


class LiabilityParams(Hash):
    type: Literal["self"]
    account: NotSupported = None


class AutomaticTaxParams(Hash):
    enabled: bool
    liability: LiabilityParams | None = None


class CustomFieldParams(Hash):
    name: Annotated[str, Field(max_length=40)]
    value: Annotated[str, Field(max_length=140)]


class IntervalParams(Hash):
    interval: Interval
    interval_count: Annotated[int, Field(ge=1)] = 1


class DurationParams(Hash):
    """So long after something: at most three years of days."""

    interval: Interval
    interval_count: Annotated[int, Field(ge=1, le=1_095)] = 1


class OneTimePriceData(Hash):
    """A price made for this line alone."""

    currency: Currency
    product: str
    tax_behavior: Behavior = "unspecified"
    unit_amount: int | None = None
    unit_amount_decimal: DecimalString | None = None

    _one = exclusive("unit_amount", "unit_amount_decimal")


class RecurringPriceData(OneTimePriceData):
    recurring: IntervalParams


class PeriodParams(Hash):
    start: Timestamp
    end: Timestamp

    @model_validator(mode="after")
    def _forward(self) -> PeriodParams:
        if self.end < self.start:
            raise refuse("", "The period's end must not be before its start.", param="end")
        return self


class CardOptionsParams(Hash):
    mandate_options: dict[str, Any] | None = None
    network: str | None = None
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = None
    installments: NotSupported = None


class PaymentMethodOptionsParams(Hash):
    acss_debit: NotSupported = None
    bancontact: NotSupported = None
    billie: NotSupported = None
    blik: NotSupported = None
    card: CardOptionsParams | Unset | None = None
    customer_balance: dict[str, Any] | Unset | None = None
    konbini: NotSupported = None
    payto: NotSupported = None
    pix: NotSupported = None
    sepa_debit: dict[str, Any] | Unset | None = None
    upi: NotSupported = None
    us_bank_account: NotSupported = None


class BillingThresholds(Part, kw_only=True):
    """When a subscription is billed before its period is over."""

    amount_gte: int | None = None                    # minor units that are not billed yet, before tax
    reset_billing_cycle_anchor: bool | None = None


class BillingThresholdsParams(Hash):
    amount_gte: Annotated[int, Field(ge=50)] | None = None
    reset_billing_cycle_anchor: bool | None = None
