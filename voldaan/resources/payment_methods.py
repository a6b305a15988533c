"""Payment methods: a card or a bank account as far as we may know it. The number itself never comes here, only a token."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field
from pydantic import BeforeValidator, Field

from voldaan.resources.base import (
    UNSET,
    Column,
    Expandable,
    Hidden,
    Instant,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.params import Hash, Metadata, PageParams, Params, Unset, refuse
from voldaan.resources.shared import Address, AddressParams

PaymentMethodType = Literal[
    "bancontact", "blik", "card", "customer_balance", "eps", "ideal", "p24", "sepa_debit", "twint", "us_bank_account",
]  # fmt: skip
AllowRedisplay = Literal["always", "limited", "unspecified"]


# ── the object ──────────────────────────────────────────────────────────────────────────────────────────────────────


class BillingDetails(Part, kw_only=True):
    address: Address | None = Address()
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    tax_id: str | None = None


class CardChecks(Part, kw_only=True):
    """What the issuer says of what was typed in: pass, fail, unavailable, unchecked; None if it was not given."""

    address_line1_check: str | None = None
    address_postal_code_check: str | None = None
    cvc_check: str | None = None


class CardNetworks(Part, kw_only=True):
    available: list[str]
    preferred: str | None = None


class ThreeDSecureUsage(Part, kw_only=True):
    supported: bool


class Card(Part, kw_only=True):
    brand: str
    checks: CardChecks | None = None
    country: str | None = None
    display_brand: str | None = None
    exp_month: int
    exp_year: int
    fingerprint: str | None = None
    funding: str = "unknown"
    generated_from: dict[str, Any] | None = None
    last4: str
    networks: CardNetworks | None = None
    regulated_status: Literal["regulated", "unregulated"] | None = "unregulated"
    three_d_secure_usage: ThreeDSecureUsage | None = None
    wallet: dict[str, Any] | None = None


class SepaDebit(Part, kw_only=True):
    bank_code: str | None = None
    branch_code: str | None = None
    country: str | None = None
    fingerprint: str | None = None
    generated_from: dict[str, Any] | None = None
    last4: str | None = None


class UsBankNetworks(Part, kw_only=True):
    preferred: str | None = "ach"
    supported: list[str] = field(default_factory=lambda: ["ach"])


class UsBankAccount(Part, kw_only=True):
    account_holder_type: Literal["company", "individual"] | None = None
    account_type: Literal["checking", "savings"] | None = None
    bank_name: str | None = None
    financial_connections_account: str | None = None
    fingerprint: str | None = None
    last4: str | None = None
    networks: UsBankNetworks | None = None
    routing_number: str | None = None
    status_details: dict[str, Any] | None = None


class Bank(Part, kw_only=True):
    """A payment at one's own bank that may name the bank."""

    bank: str | None = None


class IdealBank(Part, kw_only=True):
    bank: str | None = None
    bic: str | None = None


class Blik(Part, kw_only=True):
    buyer_id: str | None = None


class Empty(Part, kw_only=True):
    """A type that has nothing to tell."""


class PaymentMethod(Resource, kw_only=True):
    """Belongs to one customer once attached; one that is not attached can be used once."""

    TABLE: ClassVar[Table] = Table("payment_methods", prefix="pm")
    object: Literal["payment_method"] = "payment_method"
    allow_redisplay: AllowRedisplay | UnsetType = "unspecified"
    bancontact: Empty | UnsetType = UNSET
    billing_details: BillingDetails = field(default_factory=BillingDetails)
    blik: Blik | UnsetType = UNSET
    card: Card | UnsetType = UNSET
    created: Annotated[Instant, Column("created_at")]
    customer: Annotated[str | None, Column("customer_id"), Expandable("customer")] = None
    customer_account: str | None = None
    customer_balance: Empty | UnsetType = UNSET
    eps: Bank | UnsetType = UNSET
    ideal: IdealBank | UnsetType = UNSET
    livemode: bool = False
    metadata: dict[str, str] | None = {}
    p24: Bank | UnsetType = UNSET
    sepa_debit: SepaDebit | UnsetType = UNSET
    twint: Empty | UnsetType = UNSET
    type: Annotated[str, Column()]
    us_bank_account: UsBankAccount | UnsetType = UNSET

    processor: Annotated[str, Hidden()]                             # who knows the token
    token: Annotated[str, Hidden()]                                 # the processor's name for it, never a number
    mandate: Annotated[str | None, Hidden()] = None                 # the mandate that later debits rest on
    network_transaction_id: Annotated[str | None, Hidden()] = None  # of the payment or setup that stored the card
    spent: Annotated[bool, Hidden()] = False                        # detached, or used without a customer


# ── parameters ──────────────────────────────────────────────────────────────────────────────────────────────────────


class BillingDetailsParams(Hash):
    address: AddressParams | Unset | None = None
    email: str | Unset | None = None
    name: str | Unset | None = None
    phone: str | Unset | None = None
    tax_id: str | None = None


class CardNetworksParams(Hash):
    preferred: Literal["cartes_bancaires", "mastercard", "visa"] | Unset | None = None


class CardParams(Hash):
    cvc: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    networks: CardNetworksParams | None = None
    number: str | None = None
    token: str | None = None


class CardUpdateParams(Hash):
    exp_month: Annotated[int, Field(ge=1, le=12)] | None = None
    exp_year: Annotated[int, Field(ge=1970, le=2199)] | None = None
    networks: CardNetworksParams | None = None


class SepaDebitParams(Hash):
    iban: str


class UsBankAccountParams(Hash):
    account_holder_type: Literal["company", "individual"] | None = None
    account_number: str | None = None
    account_type: Literal["checking", "savings"] | None = None
    financial_connections_account: str | None = None
    routing_number: str | None = None


class BankParams(Hash):
    bank: str | None = None


class RadarOptionsParams(Hash):
    """Descriptions for a fraud filter; taken and not used."""

    referrer: str | Unset | None = None
    session: str | None = None


def _not_served(value: Any) -> Any:
    raise refuse("parameter_unknown", "The parameter {param} is not served here.")


NotServed = Annotated[Any, BeforeValidator(_not_served)]  # known to the API, and refused rather than ignored


class OtherTypes(Hash):
    """Payment method types of the API that no processor here serves: named, and refused by name."""

    acss_debit: NotServed = None
    affirm: NotServed = None
    afterpay_clearpay: NotServed = None
    alipay: NotServed = None
    alma: NotServed = None
    amazon_pay: NotServed = None
    au_becs_debit: NotServed = None
    bacs_debit: NotServed = None
    billie: NotServed = None
    bizum: NotServed = None
    boleto: NotServed = None
    cashapp: NotServed = None
    crypto: NotServed = None
    fpx: NotServed = None
    giropay: NotServed = None
    grabpay: NotServed = None
    interac_present: NotServed = None
    kakao_pay: NotServed = None
    klarna: NotServed = None
    konbini: NotServed = None
    kr_card: NotServed = None
    link: NotServed = None
    mb_way: NotServed = None
    mobilepay: NotServed = None
    multibanco: NotServed = None
    naver_pay: NotServed = None
    nz_bank_account: NotServed = None
    oxxo: NotServed = None
    pay_by_bank: NotServed = None
    payco: NotServed = None
    paynow: NotServed = None
    paypal: NotServed = None
    paypay: NotServed = None
    payto: NotServed = None
    pix: NotServed = None
    promptpay: NotServed = None
    revolut_pay: NotServed = None
    samsung_pay: NotServed = None
    satispay: NotServed = None
    scalapay: NotServed = None
    sequra: NotServed = None
    sofort: NotServed = None
    sunbit: NotServed = None
    swish: NotServed = None
    upi: NotServed = None
    wechat_pay: NotServed = None
    zip: NotServed = None


class PaymentMethodData(OtherTypes):
    """`payment_method_data`: a payment method that is made on the way."""

    allow_redisplay: AllowRedisplay | None = None
    bancontact: Hash | None = None
    billing_details: BillingDetailsParams | None = None
    blik: Hash | None = None
    customer_balance: Hash | None = None
    eps: BankParams | None = None
    ideal: BankParams | None = None
    metadata: Metadata | None = None
    p24: BankParams | None = None
    radar_options: RadarOptionsParams | None = None
    sepa_debit: SepaDebitParams | None = None
    twint: Hash | None = None
    type: PaymentMethodType
    us_bank_account: UsBankAccountParams | None = None


class PaymentMethodCreate(OtherTypes, Params):
    """POST /v1/payment_methods"""

    allow_redisplay: AllowRedisplay | None = None
    bancontact: Hash | None = None
    billing_details: BillingDetailsParams | None = None
    blik: Hash | None = None
    card: CardParams | None = None
    custom: NotServed = None
    customer: str | None = None
    customer_balance: Hash | None = None
    eps: BankParams | None = None
    ideal: BankParams | None = None
    metadata: Metadata | None = None
    p24: BankParams | None = None
    payment_method: NotServed = None
    radar_options: RadarOptionsParams | None = None
    sepa_debit: SepaDebitParams | None = None
    twint: Hash | None = None
    type: PaymentMethodType | None = None
    us_bank_account: UsBankAccountParams | None = None


class UsBankAccountUpdateParams(Hash):
    account_holder_type: Literal["company", "individual"] | None = None
    account_type: Literal["checking", "savings"] | None = None


class PaymentMethodUpdate(Params):
    """POST /v1/payment_methods/{id}"""

    allow_redisplay: AllowRedisplay | None = None
    billing_details: BillingDetailsParams | None = None
    card: CardUpdateParams | None = None
    metadata: Metadata | Unset | None = None
    payto: NotServed = None
    us_bank_account: UsBankAccountUpdateParams | None = None


class PaymentMethodAttach(Params):
    """POST /v1/payment_methods/{id}/attach"""

    customer: str | None = None
    customer_account: NotServed = None


class PaymentMethodDetach(Params):
    """POST /v1/payment_methods/{id}/detach"""


class PaymentMethodList(PageParams):
    """GET /v1/payment_methods"""

    FILTERS: ClassVar[dict[str, str]] = {
        "allow_redisplay": "coalesce(t.doc->>'allow_redisplay', 'unspecified') = %(allow_redisplay)s",
    }
    allow_redisplay: AllowRedisplay | None = None
    customer: str | None = None
    customer_account: NotServed = None
    type: str | None = None


class CustomerPaymentMethodList(PageParams):
    """GET /v1/customers/{customer}/payment_methods"""

    FILTERS: ClassVar[dict[str, str]] = PaymentMethodList.FILTERS
    allow_redisplay: AllowRedisplay | None = None
    type: str | None = None
