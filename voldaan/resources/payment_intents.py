"""Payment intents: one payment from wish to money, over as many tries as it takes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field
from msgspec.structs import replace
from pydantic import Field

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.mandates import MandateData
from voldaan.resources.params import (
    AMOUNT_MAX,
    Amount,
    Currency,
    Hash,
    ListParams,
    Metadata,
    PageParams,
    Params,
    SearchParams,
    Unset,
    exclusive,
)
from voldaan.resources.payment_methods import (
    NotServed,
    OtherTypes,
    PaymentMethodData,
    RadarOptionsParams,
)
from voldaan.resources.shared import Shipping
from voldaan.resources.shared import ShippingParams as PlainShippingParams
from voldaan.resources.tax_hooks import HooksParams, TaxHook

IntentStatus = Literal[
    "requires_payment_method", "requires_confirmation", "requires_action", "processing", "requires_capture",
    "succeeded", "canceled",
]  # fmt: skip
CancellationReason = Literal[
    "abandoned", "automatic", "duplicate", "expired", "failed_invoice", "fraudulent", "requested_by_customer",
    "void_invoice",
]  # fmt: skip
SetupFutureUsage = Literal["off_session", "on_session"]
CaptureMethod = Literal["automatic", "automatic_async", "manual"]


# ── the object ──────────────────────────────────────────────────────────────────────────────────────────────────────


class AmountShipping(Part, kw_only=True):
    amount: int | None = None
    from_postal_code: str | None = None
    to_postal_code: str | None = None


class AmountTax(Part, kw_only=True):
    total_tax_amount: int | None = None


class AmountDetails(Part, kw_only=True):
    """Where the amount comes from; told to the network, computed with by nobody."""

    discount_amount: int | UnsetType = UNSET
    shipping: AmountShipping | UnsetType = UNSET
    tax: AmountTax | UnsetType = UNSET
    tip: dict[str, Any] | UnsetType = UNSET


class AutomaticPaymentMethods(Part, kw_only=True):
    allow_redirects: Literal["always", "never"] | UnsetType = UNSET
    enabled: bool = True


class PaymentError(Part, kw_only=True):
    """Why the last try failed, as the API's error object says it."""

    advice_code: str | UnsetType = UNSET
    charge: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    decline_code: str | UnsetType = UNSET
    doc_url: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    network_advice_code: str | UnsetType = UNSET
    network_decline_code: str | UnsetType = UNSET
    param: str | UnsetType = UNSET
    payment_method: dict[str, Any] | UnsetType = UNSET
    payment_method_type: str | UnsetType = UNSET
    type: Literal["api_error", "card_error", "idempotency_error", "invalid_request_error"] = "card_error"


class RedirectToUrl(Part, kw_only=True):
    return_url: str | None = None
    url: str | None = None


class NextAction(Part, kw_only=True):
    display_bank_transfer_instructions: dict[str, Any] | UnsetType = UNSET
    redirect_to_url: RedirectToUrl | UnsetType = UNSET
    type: str
    use_stripe_sdk: dict[str, Any] | UnsetType = UNSET
    verify_with_microdeposits: dict[str, Any] | UnsetType = UNSET


class CardOptions(Part, kw_only=True):
    capture_method: Literal["manual"] | UnsetType = UNSET
    installments: dict[str, Any] | None = None
    mandate_options: dict[str, Any] | None = None
    network: str | None = None
    request_extended_authorization: str | UnsetType = UNSET
    request_incremental_authorization: str | UnsetType = UNSET
    request_multicapture: str | UnsetType = UNSET
    request_overcapture: str | UnsetType = UNSET
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = "automatic"
    require_cvc_recollection: bool | UnsetType = UNSET
    setup_future_usage: Literal["none", "off_session", "on_session"] | UnsetType = UNSET


class MethodOptions(Part, kw_only=True):
    """Options of any other type."""

    mandate_options: dict[str, Any] | UnsetType = UNSET
    setup_future_usage: Literal["none", "off_session", "on_session"] | UnsetType = UNSET
    target_date: str | UnsetType = UNSET


class BancontactOptions(Part, kw_only=True):
    preferred_language: Literal["de", "en", "fr", "nl"] = "en"
    setup_future_usage: Literal["none", "off_session"] | UnsetType = UNSET


class CustomerBalanceOptions(Part, kw_only=True):
    bank_transfer: dict[str, Any] | UnsetType = UNSET
    funding_type: Literal["bank_transfer"] | None = None
    setup_future_usage: Literal["none"] | UnsetType = UNSET


class PaymentMethodOptions(Part, kw_only=True):
    bancontact: BancontactOptions | UnsetType = UNSET
    blik: MethodOptions | UnsetType = UNSET
    card: CardOptions | UnsetType = UNSET
    customer_balance: CustomerBalanceOptions | UnsetType = UNSET
    eps: MethodOptions | UnsetType = UNSET
    ideal: MethodOptions | UnsetType = UNSET
    p24: MethodOptions | UnsetType = UNSET
    sepa_debit: MethodOptions | UnsetType = UNSET
    twint: MethodOptions | UnsetType = UNSET
    us_bank_account: MethodOptions | UnsetType = UNSET


class PaymentDetails(Part, kw_only=True):
    customer_reference: str | None = None
    order_reference: str | None = None


class PaymentIntent(Resource, kw_only=True):
    """`attempt` is the try that its status speaks of; all tries are in attempts."""

    TABLE: ClassVar[Table] = Table("payment_intents", prefix="pi", state="status")
    object: Literal["payment_intent"] = "payment_intent"
    allowed_payment_method_types: list[str] | None = None
    amount: Annotated[int, Column()]                                # minor units
    amount_capturable: Annotated[int, Column()] = 0
    amount_details: AmountDetails | UnsetType = UNSET
    amount_received: Annotated[int, Column()] = 0
    application: str | None = None
    application_fee_amount: int | None = None
    automatic_payment_methods: AutomaticPaymentMethods | None = None
    canceled_at: Annotated[Instant | None, Column()] = None
    cancellation_reason: CancellationReason | None = None
    capture_method: CaptureMethod = "automatic_async"
    client_secret: str | None = None
    confirmation_method: Literal["automatic", "manual"] = "automatic"
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    description: str | None = None
    excluded_payment_method_types: list[str] | None = None
    hooks: dict[str, Any] | UnsetType = UNSET
    last_payment_error: PaymentError | None = None
    latest_charge: Annotated[str | None, Expandable("charge")] = None
    livemode: bool = False
    managed_payments: dict[str, Any] | None = None
    metadata: dict[str, str] = {}
    next_action: NextAction | None = None
    on_behalf_of: str | None = None
    payment_details: PaymentDetails | UnsetType = UNSET
    payment_method: Annotated[str | None, Column("payment_method_id"), Expandable("payment_method")] = None
    payment_method_configuration_details: dict[str, Any] | None = None
    payment_method_options: PaymentMethodOptions | None = None
    payment_method_types: list[str] = field(default_factory=lambda: ["card"])
    payment_record: str | None = None
    presentment_details: dict[str, Any] | UnsetType = UNSET
    processing: dict[str, Any] | None = None
    receipt_email: str | None = None
    review: str | None = None
    setup_future_usage: SetupFutureUsage | None = None
    shipping: Shipping | None = None
    source: str | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: Annotated[IntentStatus, Column()] = "requires_payment_method"
    transfer_data: dict[str, Any] | UnsetType | None = None
    transfer_group: str | None = None

    attempt: Annotated[str | None, Hidden()] = None                 # the newest authorization
    clock: Annotated[str | None, Hidden()] = None                   # the customer's test clock
    invoice: Annotated[str | None, Column("invoice_id"), Hidden()] = None
    mandate: Annotated[str | None, Hidden()] = None                 # to debit under
    tax: Annotated[TaxHook | None, Hidden()] = None                 # the calculation that it names, and what became of it


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────

PositiveAmount = Annotated[int, Field(ge=1, le=AMOUNT_MAX)]


class AmountShippingParams(Hash):
    amount: Amount | Unset | None = None
    from_postal_code: str | Unset | None = None
    to_postal_code: str | Unset | None = None


class AmountTaxParams(Hash):
    total_tax_amount: Amount


class AmountDetailsParams(Hash):
    discount_amount: Amount | Unset | None = None
    enforce_arithmetic_validation: bool | None = None
    line_items: NotServed = None
    shipping: AmountShippingParams | Unset | None = None
    tax: AmountTaxParams | Unset | None = None


class AutomaticPaymentMethodsParams(Hash):
    allow_redirects: Literal["always", "never"] | None = None
    enabled: bool


class CardOptionsParams(Hash):
    capture_method: Literal["manual"] | Unset | None = None
    cvc_token: str | None = None
    installments: NotServed = None
    mandate_options: NotServed = None
    moto: bool | None = None
    network: str | None = None
    request_extended_authorization: Literal["if_available", "never"] | None = None
    request_incremental_authorization: Literal["if_available", "never"] | None = None
    request_multicapture: Literal["if_available", "never"] | None = None
    request_overcapture: Literal["if_available", "never"] | None = None
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = None
    require_cvc_recollection: bool | None = None
    setup_credential_usage: NotServed = None
    setup_future_usage: Literal["none", "off_session", "on_session"] | Unset | None = None
    statement_descriptor_suffix_kana: str | Unset | None = None
    statement_descriptor_suffix_kanji: str | Unset | None = None
    stored_credential_usage: NotServed = None
    three_d_secure: NotServed = None


class MandateOptionsParams(Hash):
    collection_method: Literal["paper"] | Unset | None = None
    reference_prefix: Annotated[str, Field(max_length=12)] | Unset | None = None


class MethodOptionsParams(Hash):
    bank_transfer: NotServed = None
    code: str | None = None
    financial_connections: NotServed = None
    funding_type: Literal["bank_transfer"] | None = None
    mandate_options: MandateOptionsParams | None = None
    preferred_language: Literal["de", "en", "fr", "nl"] | None = None
    setup_future_usage: Literal["none", "off_session", "on_session"] | Unset | None = None
    target_date: str | None = None
    tos_shown_and_accepted: bool | None = None
    transaction_purpose: str | Unset | None = None
    verification_method: Literal["automatic", "instant", "microdeposits"] | None = None


class PaymentMethodOptionsParams(OtherTypes):
    bancontact: MethodOptionsParams | Unset | None = None
    blik: MethodOptionsParams | Unset | None = None
    card: CardOptionsParams | Unset | None = None
    card_present: NotServed = None
    customer_balance: MethodOptionsParams | Unset | None = None
    eps: MethodOptionsParams | Unset | None = None
    ideal: MethodOptionsParams | Unset | None = None
    p24: MethodOptionsParams | Unset | None = None
    sepa_debit: MethodOptionsParams | Unset | None = None
    twint: MethodOptionsParams | Unset | None = None
    us_bank_account: MethodOptionsParams | Unset | None = None


class ShippingParams(PlainShippingParams):
    carrier: str | Unset | None = None
    tracking_number: str | Unset | None = None

    def shipping(self) -> Shipping:
        return replace(super().shipping(), carrier=self.carrier or None, tracking_number=self.tracking_number or None)


class PaymentDetailsParams(Hash):
    customer_reference: str | Unset | None = None
    order_reference: str | Unset | None = None


Descriptor = Annotated[str, Field(max_length=22)]
MethodTypes = list[str]


class PaymentIntentCreate(Params):
    """POST /v1/payment_intents"""

    allowed_payment_method_types: MethodTypes | None = None
    amount: Annotated[int, Field(ge=0)]
    amount_details: AmountDetailsParams | None = None
    application_fee_amount: NotServed = None
    automatic_payment_methods: AutomaticPaymentMethodsParams | None = None
    capture_method: CaptureMethod | None = None
    confirm: bool = False
    confirmation_method: Literal["automatic", "manual"] | None = None
    confirmation_token: NotServed = None
    currency: Currency
    customer: str | None = None
    customer_account: NotServed = None
    description: Annotated[str, Field(max_length=1000)] | None = None
    error_on_requires_action: bool | None = None
    excluded_payment_method_types: MethodTypes | None = None
    hooks: HooksParams | None = None
    mandate: str | None = None
    mandate_data: MandateData | None = None
    metadata: Metadata | None = None
    off_session: bool | Literal["one_off", "recurring"] | None = None
    on_behalf_of: NotServed = None
    payment_details: PaymentDetailsParams | None = None
    payment_method: str | None = None
    payment_method_configuration: NotServed = None
    payment_method_data: PaymentMethodData | None = None
    payment_method_options: PaymentMethodOptionsParams | None = None
    payment_method_types: MethodTypes | None = None                 # refused: no longer part of the API
    radar_options: RadarOptionsParams | None = None
    receipt_email: str | None = None
    return_url: str | None = None
    setup_future_usage: SetupFutureUsage | None = None
    shipping: ShippingParams | None = None
    statement_descriptor: Descriptor | None = None
    statement_descriptor_suffix: Descriptor | None = None
    transfer_data: NotServed = None
    transfer_group: str | None = None
    use_stripe_sdk: bool | None = None

    _method = exclusive("payment_method", "payment_method_data")
    _types = exclusive("excluded_payment_method_types", "allowed_payment_method_types")


class PaymentIntentUpdate(Params):
    """POST /v1/payment_intents/{id}"""

    allowed_payment_method_types: MethodTypes | Unset | None = None
    amount: Annotated[int, Field(ge=0)] | None = None
    amount_details: AmountDetailsParams | Unset | None = None
    application_fee_amount: NotServed = None
    capture_method: CaptureMethod | None = None
    currency: Currency | None = None
    customer: str | None = None
    customer_account: NotServed = None
    description: Annotated[str, Field(max_length=1000)] | None = None
    excluded_payment_method_types: MethodTypes | Unset | None = None
    hooks: HooksParams | None = None
    metadata: Metadata | Unset | None = None
    payment_details: PaymentDetailsParams | Unset | None = None
    payment_method: str | Unset | None = None
    payment_method_configuration: NotServed = None
    payment_method_data: PaymentMethodData | None = None
    payment_method_options: PaymentMethodOptionsParams | None = None
    receipt_email: str | Unset | None = None
    setup_future_usage: SetupFutureUsage | Unset | None = None
    shipping: ShippingParams | Unset | None = None
    statement_descriptor: Descriptor | None = None
    statement_descriptor_suffix: Descriptor | None = None
    transfer_data: NotServed = None
    transfer_group: str | None = None

    _method = exclusive("payment_method", "payment_method_data")


class PaymentIntentConfirm(Params):
    """POST /v1/payment_intents/{id}/confirm"""

    allowed_payment_method_types: MethodTypes | None = None
    amount_details: AmountDetailsParams | Unset | None = None
    amount_to_confirm: int | None = None
    capture_method: CaptureMethod | None = None
    confirmation_token: NotServed = None
    error_on_requires_action: bool | None = None
    excluded_payment_method_types: MethodTypes | Unset | None = None
    hooks: HooksParams | None = None
    mandate: str | None = None
    mandate_data: MandateData | None = None
    off_session: bool | Literal["one_off", "recurring"] | None = None
    payment_details: PaymentDetailsParams | Unset | None = None
    payment_method: str | None = None
    payment_method_data: PaymentMethodData | None = None
    payment_method_options: PaymentMethodOptionsParams | None = None
    radar_options: RadarOptionsParams | None = None
    receipt_email: str | Unset | None = None
    return_url: str | None = None
    setup_future_usage: SetupFutureUsage | Unset | None = None
    shipping: ShippingParams | Unset | None = None
    use_stripe_sdk: bool | None = None

    _method = exclusive("payment_method", "payment_method_data")


class PaymentIntentCapture(Params):
    """POST /v1/payment_intents/{id}/capture"""

    amount_details: AmountDetailsParams | Unset | None = None
    amount_to_capture: Annotated[int, Field(ge=1)] | None = None
    application_fee_amount: NotServed = None
    final_capture: bool | None = None
    hooks: HooksParams | None = None
    metadata: Metadata | Unset | None = None
    payment_details: PaymentDetailsParams | Unset | None = None
    statement_descriptor: Descriptor | None = None
    statement_descriptor_suffix: Descriptor | None = None
    transfer_data: NotServed = None


class PaymentIntentCancel(Params):
    """POST /v1/payment_intents/{id}/cancel"""

    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None = None


class PaymentIntentApplyCustomerBalance(Params):
    """POST /v1/payment_intents/{id}/apply_customer_balance"""

    amount: int | None = None
    currency: Currency | None = None


class PaymentIntentIncrementAuthorization(Params):
    """POST /v1/payment_intents/{id}/increment_authorization"""

    amount: Annotated[int, Field(ge=1)]
    amount_details: AmountDetailsParams | None = None
    application_fee_amount: NotServed = None
    description: str | None = None
    hooks: NotServed = None
    metadata: Metadata | None = None
    payment_details: PaymentDetailsParams | None = None
    statement_descriptor: Descriptor | None = None
    transfer_data: NotServed = None


class VerifyMicrodeposits(Params):
    """POST …/verify_microdeposits"""

    amounts: list[int] | None = None
    descriptor_code: str | None = None


class PaymentIntentList(ListParams):
    """GET /v1/payment_intents"""

    customer: str | None = None
    customer_account: NotServed = None


class PaymentIntentSearch(SearchParams):
    """GET /v1/payment_intents/search"""


class AmountDetailsLineItemList(PageParams):
    """GET /v1/payment_intents/{id}/amount_details_line_items"""


