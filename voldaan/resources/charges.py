"""Charges: each time money was taken, held or refused."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field
from pydantic import Field

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
from voldaan.resources.params import AMOUNT_MAX, Currency, Hash, ListParams, Metadata, Params, SearchParams, Unset
from voldaan.resources.payment_intents import Descriptor, PaymentError, ShippingParams
from voldaan.resources.payment_methods import BillingDetails, CardChecks, NotServed, RadarOptionsParams
from voldaan.resources.refunds import Refund
from voldaan.resources.shared import Shipping


class CaptureFeature(Part, kw_only=True):
    status: str


class Overcapture(Part, kw_only=True):
    maximum_amount_capturable: int
    status: str = "unavailable"


class ThreeDSecureDetails(Part, kw_only=True):
    authentication_flow: Literal["challenge", "frictionless"] | None = None
    electronic_commerce_indicator: str | None = None
    exemption_indicator: Literal["low_risk", "none"] | None = None
    result: str | None = None
    result_reason: str | None = None
    transaction_id: str | None = None
    version: str | None = None


class CardDetails(Part, kw_only=True):
    """The card as it was at the time of the charge."""

    amount_authorized: int | None = None
    authorization_code: str | None = None
    brand: str | None = None
    capture_before: int | UnsetType = UNSET
    checks: CardChecks | None = None
    country: str | None = None
    electronic_commerce_indicator: str | None = None
    exp_month: int
    exp_year: int
    extended_authorization: CaptureFeature | UnsetType = UNSET
    fingerprint: str | None = None
    funding: str | None = None
    incremental_authorization: CaptureFeature | UnsetType = UNSET
    installments: dict[str, Any] | None = None
    last4: str | None = None
    mandate: Annotated[str | None, Expandable("mandate")] = None
    multicapture: CaptureFeature | UnsetType = UNSET
    network: str | None = None
    network_token: dict[str, Any] | UnsetType | None = UNSET
    network_transaction_id: str | None = None
    overcapture: Overcapture | UnsetType = UNSET
    regulated_status: Literal["regulated", "unregulated"] | None = "unregulated"
    three_d_secure: ThreeDSecureDetails | None = None
    transaction_link_id: str | None = None
    wallet: dict[str, Any] | None = None


class SepaDebitDetails(Part, kw_only=True):
    bank_code: str | None = None
    branch_code: str | None = None
    country: str | None = None
    expected_debit_date: str | UnsetType = UNSET
    fingerprint: str | None = None
    last4: str | None = None
    mandate: str | None = None


class UsBankAccountDetails(Part, kw_only=True):
    account_holder_type: Literal["company", "individual"] | None = None
    account_type: Literal["checking", "savings"] | None = None
    bank_name: str | None = None
    expected_debit_date: str | UnsetType = UNSET
    fingerprint: str | None = None
    last4: str | None = None
    mandate: str | UnsetType = UNSET
    payment_reference: str | None = None
    routing_number: str | None = None


class IdealDetails(Part, kw_only=True):
    bank: str | None = None
    bic: str | None = None
    generated_sepa_debit: str | None = None
    generated_sepa_debit_mandate: str | None = None
    iban_last4: str | None = None
    transaction_id: str | None = None
    verified_name: str | None = None


class BancontactDetails(Part, kw_only=True):
    bank_code: str | None = None
    bank_name: str | None = None
    bic: str | None = None
    generated_sepa_debit: str | None = None
    generated_sepa_debit_mandate: str | None = None
    iban_last4: str | None = None
    preferred_language: Literal["de", "en", "fr", "nl"] | None = None
    verified_name: str | None = None


class EpsDetails(Part, kw_only=True):
    bank: str | None = None
    verified_name: str | None = None


class P24Details(Part, kw_only=True):
    bank: str | None = None
    reference: str | None = None
    verified_name: str | None = None


class BlikDetails(Part, kw_only=True):
    buyer_id: str | None = None


class PaymentMethodDetails(Part, kw_only=True):
    bancontact: BancontactDetails | UnsetType = UNSET
    blik: BlikDetails | UnsetType = UNSET
    card: CardDetails | UnsetType = UNSET
    customer_balance: dict[str, Any] | UnsetType = UNSET
    eps: EpsDetails | UnsetType = UNSET
    ideal: IdealDetails | UnsetType = UNSET
    p24: P24Details | UnsetType = UNSET
    sepa_debit: SepaDebitDetails | UnsetType = UNSET
    twint: dict[str, Any] | UnsetType = UNSET
    type: str
    us_bank_account: UsBankAccountDetails | UnsetType = UNSET


class Outcome(Part, kw_only=True):
    """What the network and the fraud filter made of it."""

    advice_code: Literal["confirm_card_data", "do_not_try_again", "try_again_later"] | None = None
    network_advice_code: str | None = None
    network_decline_code: str | None = None
    network_status: str | None = None
    reason: str | None = None
    risk_level: str | UnsetType = UNSET
    risk_score: int | UnsetType = UNSET
    seller_message: str | None = None
    type: str


class FraudDetails(Part, kw_only=True):
    stripe_report: str | UnsetType = UNSET
    user_report: str | UnsetType = UNSET


class CardSource(Part, kw_only=True):
    """The card of a charge that was made the old way, with `source`."""

    id: str
    object: Literal["card"] = "card"
    address_city: str | None = None
    address_country: str | None = None
    address_line1: str | None = None
    address_line1_check: str | None = None
    address_line2: str | None = None
    address_state: str | None = None
    address_zip: str | None = None
    address_zip_check: str | None = None
    brand: str
    country: str | None = None
    customer: str | None = None
    cvc_check: str | None = None
    dynamic_last4: str | None = None
    exp_month: int
    exp_year: int
    fingerprint: str | None = None
    funding: str
    last4: str
    metadata: dict[str, str] | None = {}
    name: str | None = None
    regulated_status: Literal["regulated", "unregulated"] | None = "unregulated"
    tokenization_method: str | None = None


class Charge(Resource, kw_only=True):
    """What may still be refunded is amount_captured - amount_refunded - amount_disputed; none of them passes amount_captured."""

    TABLE: ClassVar[Table] = Table("charges", prefix="ch", state="status")
    object: Literal["charge"] = "charge"
    amount: Annotated[int, Column()]                                # minor units
    amount_captured: Annotated[int, Column()] = 0
    amount_refunded: Annotated[int, Column()] = 0                   # refunds under way included
    application: str | None = None
    application_fee: str | None = None
    application_fee_amount: int | None = None
    authorization_code: str | UnsetType = UNSET
    balance_transaction: Annotated[str | None, Expandable("balance_transaction")] = None
    billing_details: BillingDetails = field(default_factory=BillingDetails)
    calculated_statement_descriptor: str | None = None
    captured: Annotated[bool, Column()] = False
    created: Annotated[Instant, Column("created_at")]
    currency: Annotated[str, Column()]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    description: str | None = None
    disputed: bool = False
    failure_balance_transaction: Annotated[str | None, Expandable("balance_transaction")] = None
    failure_code: Annotated[str | None, Column()] = None
    failure_message: str | None = None
    fraud_details: FraudDetails | None = field(default_factory=FraudDetails)
    level3: dict[str, Any] | UnsetType = UNSET
    livemode: bool = False
    metadata: dict[str, str] = {}
    on_behalf_of: str | None = None
    outcome: Outcome | None = None
    paid: bool = False
    payment_intent: Annotated[str | None, Column("payment_intent_id"), Expandable("payment_intent")] = None
    payment_method: Annotated[str | None, Column("payment_method_id")] = None
    payment_method_details: PaymentMethodDetails | None = None
    presentment_details: dict[str, Any] | UnsetType = UNSET
    radar_options: dict[str, Any] | UnsetType = UNSET
    receipt_email: str | None = None
    receipt_number: str | None = None
    receipt_url: str | None = None
    refunded: bool = False
    refunds: Annotated[
        ListObject[Refund] | UnsetType | None, Includable(), Children("refund", by="charge", url="/v1/charges/{id}/refunds")
    ] = UNSET
    review: str | None = None
    shipping: Shipping | None = None
    source: CardSource | None = None
    source_transfer: str | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: Annotated[Literal["failed", "pending", "succeeded"], Column()]
    transfer_data: dict[str, Any] | None = None
    transfer_group: Annotated[str | None, Column()] = None

    amount_disputed: Annotated[int, Column(), Hidden()] = 0         # withdrawn and not reinstated
    attempt: Annotated[str, Hidden()]                               # the attempt that made it
    capture_error: Annotated[PaymentError | None, Hidden()] = None  # why the last capture was refused
    clock: Annotated[str | None, Hidden()] = None                   # the customer's test clock
    invoice: Annotated[str | None, Hidden()] = None
    processor: Annotated[str, Hidden()]
    processor_id: Annotated[str | None, Hidden()] = None


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────


class ChargeCreate(Params):
    """POST /v1/charges"""

    amount: Annotated[int, Field(ge=0)] | None = None
    application_fee: NotServed = None
    application_fee_amount: NotServed = None
    capture: bool = True
    currency: Currency | None = None
    customer: str | None = None
    description: str | None = None
    destination: NotServed = None
    metadata: Metadata | Unset | None = None
    on_behalf_of: NotServed = None
    radar_options: RadarOptionsParams | None = None
    receipt_email: str | None = None
    shipping: ShippingParams | None = None
    source: str | None = None
    statement_descriptor: Descriptor | None = None
    statement_descriptor_suffix: Descriptor | None = None
    transfer_data: NotServed = None
    transfer_group: str | None = None


class FraudDetailsParams(Hash):
    user_report: Literal["fraudulent", "safe", ""]


class ChargeUpdate(Params):
    """POST /v1/charges/{id}"""

    customer: str | None = None
    description: str | Unset | None = None
    fraud_details: FraudDetailsParams | None = None
    metadata: Metadata | Unset | None = None
    receipt_email: str | Unset | None = None
    shipping: ShippingParams | None = None
    transfer_group: str | None = None


class ChargeCapture(Params):
    """POST /v1/charges/{id}/capture"""

    amount: Annotated[int, Field(ge=1, le=AMOUNT_MAX)] | None = None
    application_fee: NotServed = None
    application_fee_amount: NotServed = None
    receipt_email: str | None = None
    statement_descriptor: Descriptor | None = None
    statement_descriptor_suffix: Descriptor | None = None
    transfer_data: NotServed = None
    transfer_group: str | None = None


class ChargeList(ListParams):
    """GET /v1/charges"""

    customer: str | None = None
    payment_intent: str | None = None
    transfer_group: str | None = None


class ChargeSearch(SearchParams):
    """GET /v1/charges/search"""
