"""Setup intents: a payment method made ready for later, without money."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field

from voldaan.resources.base import UNSET, Column, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.mandates import MandateData
from voldaan.resources.params import Hash, ListParams, Metadata, Params, Unset, exclusive
from voldaan.resources.payment_intents import (
    AutomaticPaymentMethods,
    AutomaticPaymentMethodsParams,
    MandateOptionsParams,
    NextAction,
    PaymentError,
)
from voldaan.resources.payment_methods import NotServed, OtherTypes, PaymentMethodData

SetupIntentStatus = Literal[
    "requires_payment_method", "requires_confirmation", "requires_action", "processing", "succeeded", "canceled",
]  # fmt: skip


class SetupCardOptions(Part, kw_only=True):
    mandate_options: dict[str, Any] | None = None
    network: str | None = None
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = "automatic"


class SetupMethodOptions(Part, kw_only=True):
    mandate_options: dict[str, Any] | UnsetType = UNSET


class SetupIntentOptions(Part, kw_only=True):
    card: SetupCardOptions | UnsetType = UNSET
    sepa_debit: SetupMethodOptions | UnsetType = UNSET
    us_bank_account: SetupMethodOptions | UnsetType = UNSET


class SetupIntent(Resource, kw_only=True):
    TABLE: ClassVar[Table] = Table("setup_intents", prefix="seti", state="status")
    object: Literal["setup_intent"] = "setup_intent"
    allowed_payment_method_types: list[str] | None = None
    application: str | None = None
    attach_to_self: bool | UnsetType = UNSET
    automatic_payment_methods: AutomaticPaymentMethods | None = None
    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None
    client_secret: str | None = None
    created: Annotated[Instant, Column("created_at")]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    description: str | None = None
    excluded_payment_method_types: list[str] | None = None
    flow_directions: list[str] | None = None
    last_setup_error: PaymentError | None = None
    latest_attempt: Annotated[str | None, Expandable("setup_attempt")] = None
    livemode: bool = False
    managed_payments: dict[str, Any] | UnsetType | None = None
    mandate: Annotated[str | None, Expandable("mandate")] = None
    metadata: dict[str, str] | None = {}
    next_action: NextAction | None = None
    on_behalf_of: str | None = None
    payment_method: Annotated[str | None, Column("payment_method_id"), Expandable("payment_method")] = None
    payment_method_configuration_details: dict[str, Any] | None = None
    payment_method_options: SetupIntentOptions | None = None
    payment_method_types: list[str] = field(default_factory=lambda: ["card"])
    single_use_mandate: Annotated[str | None, Expandable("mandate")] = None
    status: Annotated[SetupIntentStatus, Column()] = "requires_payment_method"
    usage: Literal["off_session", "on_session"] = "off_session"

    attempt: Annotated[str | None, Hidden()] = None
    clock: Annotated[str | None, Hidden()] = None


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────


class SetupCardOptionsParams(Hash):
    mandate_options: NotServed = None
    moto: bool | None = None
    network: str | None = None
    request_three_d_secure: Literal["any", "automatic", "challenge"] | None = None
    setup_credential_usage: NotServed = None
    three_d_secure: NotServed = None


class SetupMethodOptionsParams(Hash):
    financial_connections: NotServed = None
    mandate_options: MandateOptionsParams | None = None
    verification_method: Literal["automatic", "instant", "microdeposits"] | None = None


class SetupIntentOptionsParams(OtherTypes):
    blik: SetupMethodOptionsParams | None = None
    card: SetupCardOptionsParams | None = None
    card_present: NotServed = None
    sepa_debit: SetupMethodOptionsParams | None = None
    us_bank_account: SetupMethodOptionsParams | None = None


class SetupIntentCreate(Params):
    """POST /v1/setup_intents"""

    allowed_payment_method_types: list[str] | None = None
    attach_to_self: NotServed = None
    automatic_payment_methods: AutomaticPaymentMethodsParams | None = None
    confirm: bool = False
    confirmation_token: NotServed = None
    customer: str | None = None
    customer_account: NotServed = None
    description: str | None = None
    excluded_payment_method_types: list[str] | None = None
    flow_directions: NotServed = None
    mandate_data: MandateData | None = None
    metadata: Metadata | None = None
    on_behalf_of: NotServed = None
    payment_method: str | None = None
    payment_method_configuration: NotServed = None
    payment_method_data: PaymentMethodData | None = None
    payment_method_options: SetupIntentOptionsParams | None = None
    payment_method_types: list[str] | None = None                   # refused: no longer part of the API
    return_url: str | None = None
    single_use: NotServed = None
    usage: Literal["off_session", "on_session"] | None = None
    use_stripe_sdk: bool | None = None

    _method = exclusive("payment_method", "payment_method_data")


class SetupIntentUpdate(Params):
    """POST /v1/setup_intents/{id}"""

    allowed_payment_method_types: list[str] | Unset | None = None
    attach_to_self: NotServed = None
    customer: str | None = None
    customer_account: NotServed = None
    description: str | None = None
    excluded_payment_method_types: list[str] | Unset | None = None
    flow_directions: NotServed = None
    metadata: Metadata | Unset | None = None
    payment_method: str | None = None
    payment_method_configuration: NotServed = None
    payment_method_data: PaymentMethodData | None = None
    payment_method_options: SetupIntentOptionsParams | None = None

    _method = exclusive("payment_method", "payment_method_data")


class SetupIntentConfirm(Params):
    """POST /v1/setup_intents/{id}/confirm"""

    allowed_payment_method_types: list[str] | None = None
    confirmation_token: NotServed = None
    mandate_data: MandateData | None = None
    payment_method: str | None = None
    payment_method_data: PaymentMethodData | None = None
    payment_method_options: SetupIntentOptionsParams | None = None
    return_url: str | None = None
    use_stripe_sdk: bool | None = None

    _method = exclusive("payment_method", "payment_method_data")


class SetupIntentCancel(Params):
    """POST /v1/setup_intents/{id}/cancel"""

    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None


class SetupIntentList(ListParams):
    """GET /v1/setup_intents"""

    attach_to_self: NotServed = None
    customer: str | None = None
    customer_account: NotServed = None
    payment_method: str | None = None
