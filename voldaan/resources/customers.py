"""Customers: who buys and pays."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field
from pydantic import Field as Limit

from voldaan.resources.base import (
    UNSET,
    Children,
    Column,
    Expandable,
    Hidden,
    Includable,
    Instant,
    ListObject,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.billing import CustomField, CustomFieldParams
from voldaan.resources.discounts import Discount
from voldaan.resources.params import Hash, ListParams, Metadata, Params, SearchParams, SignedAmount, Unset
from voldaan.resources.shared import Address, AddressParams, Shipping, ShippingParams
from voldaan.resources.tax_ids import TaxIdData

TaxExempt = Literal["none", "exempt", "reverse"]
TaxDisplay = Literal["exclude_tax", "include_inclusive_tax"]


class RenderingOptions(Part, kw_only=True):
    amount_tax_display: TaxDisplay | None = None
    template: str | None = None


class CustomerInvoiceSettings(Part, kw_only=True):
    """What this customer's invoices take over."""

    custom_fields: list[CustomField] | None = None
    default_payment_method: Annotated[str | None, Expandable("payment_method")] = None
    footer: str | None = None
    rendering_options: RenderingOptions | None = None


class TaxLocation(Part, kw_only=True):
    country: str
    source: Literal["billing_address", "ip_address", "payment_method", "shipping_destination"]
    state: str | None = None


class CustomerTax(Part, kw_only=True):
    """Where the customer is taxed, as far as it is known."""

    automatic_tax: Literal["failed", "not_collecting", "supported", "unrecognized_location"] = "unrecognized_location"
    ip_address: str | None = None
    location: TaxLocation | None = None
    provider: Literal["anrok", "avalara", "sphere", "stripe"] = "stripe"


class Customer(Resource, kw_only=True):
    """Who buys and pays. `balance` is what the customer owes beside its invoices; negative is credit, in `currency`."""

    TABLE: ClassVar[Table] = Table("customers", prefix="cus")
    object: Literal["customer"] = "customer"
    address: Address | None = None
    balance: Annotated[int, Column()] = 0
    business_name: str | UnsetType = UNSET
    cash_balance: Annotated[dict[str, Any] | None, Includable()] = None
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str | None, Column()] = None
    customer_account: str | None = None
    default_source: Annotated[str | None, Expandable("payment_method")] = None
    delinquent: Annotated[bool, Column()] = False
    description: str | None = None
    discount: Discount | None = None
    email: Annotated[str | None, Column()] = None
    individual_name: str | UnsetType = UNSET
    invoice_credit_balance: Annotated[dict[str, int], Includable()] = {}
    invoice_prefix: Annotated[str, Column()]
    invoice_settings: CustomerInvoiceSettings = field(default_factory=CustomerInvoiceSettings)
    livemode: bool
    metadata: dict[str, str] = {}
    name: Annotated[str | None, Column()] = None
    next_invoice_sequence: Annotated[int, Column()] = 1
    phone: str | None = None
    preferred_locales: list[str] = []
    shipping: Shipping | None = None
    sources: Annotated[  # how methods were called before payment methods; here there are none
        ListObject[Any] | UnsetType,
        Includable(),
        Children("tax_id", by="customer", url="/v1/customers/{id}/sources", condition="false"),
    ] = UNSET
    subscriptions: Annotated[
        ListObject[Any] | UnsetType,
        Includable(),
        Children(
            "subscription",
            by="customer",
            url="/v1/subscriptions?customer={id}",
            condition="t.status not in ('canceled', 'incomplete_expired')",
        ),
    ] = UNSET
    tax: Annotated[CustomerTax, Includable()] = field(default_factory=CustomerTax)
    tax_exempt: TaxExempt = "none"
    timezone: Annotated[str | None, Hidden()] = None  # of the billing days of new subscriptions; None: the account's
    tax_ids: Annotated[
        ListObject[Any] | UnsetType, Includable(), Children("tax_id", by="customer", url="/v1/customers/{id}/tax_ids")
    ] = UNSET
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None
    deleted_at: Annotated[Instant | None, Column(), Hidden()] = None


class RenderingOptionsParams(Hash):
    amount_tax_display: TaxDisplay | Unset | None = None
    template: str | None = None


class InvoiceSettingsParams(Hash):
    custom_fields: Annotated[list[CustomFieldParams], Limit(max_length=4)] | Unset | None = None
    default_payment_method: str | Unset | None = None
    footer: str | Unset | None = None
    rendering_options: RenderingOptionsParams | Unset | None = None


class CashBalanceSettingsParams(Hash):
    reconciliation_mode: Literal["automatic", "manual", "merchant_default"] | None = None


class CashBalanceParams(Hash):
    settings: CashBalanceSettingsParams | None = None


class CustomerTaxCreateParams(Hash):
    ip_address: str | Unset | None = None
    validate_location: Literal["deferred", "immediately"] | None = None


class CustomerTaxUpdateParams(Hash):
    ip_address: str | Unset | None = None
    validate_location: Literal["auto", "deferred", "immediately"] | None = None


class _CustomerParams(Params):
    """What can be said at creation and later."""

    address: AddressParams | Unset | None = None
    balance: SignedAmount | None = None
    business_name: Annotated[str, Limit(max_length=150)] | Unset | None = None
    cash_balance: CashBalanceParams | None = None
    description: str | Unset | None = None
    email: Annotated[str, Limit(max_length=512)] | Unset | None = None
    individual_name: Annotated[str, Limit(max_length=150)] | Unset | None = None
    invoice_prefix: str | None = None
    invoice_settings: InvoiceSettingsParams | None = None
    metadata: Metadata | Unset = {}
    name: Annotated[str, Limit(max_length=256)] | Unset | None = None
    next_invoice_sequence: Annotated[int, Limit(ge=1, le=1_000_000_000)] | None = None
    phone: Annotated[str, Limit(max_length=20)] | Unset | None = None
    preferred_locales: list[str] | Unset | None = None
    shipping: ShippingParams | Unset | None = None
    source: str | None = None
    tax_exempt: TaxExempt | Unset | None = None
    validate_: Annotated[bool | None, Limit(alias="validate")] = None


class CustomerCreate(_CustomerParams):
    payment_method: str | None = None
    tax: CustomerTaxCreateParams | None = None
    tax_id_data: Annotated[list[TaxIdData], Limit(max_length=5)] | None = None
    test_clock: str | None = None


class CustomerUpdate(_CustomerParams):
    default_source: str | None = None
    tax: CustomerTaxUpdateParams | None = None


class CustomerDelete(Params):
    pass


class CustomerList(ListParams):
    email: str | None = None
    test_clock: str | None = None

    UNLESS_GIVEN: ClassVar[dict[str, str]] = {"test_clock": "t.test_clock_id is null"}


class CustomerSearch(SearchParams):
    pass
