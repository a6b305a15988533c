"""Billing credits: what a customer has in advance for metered usage, bought or given, and every movement of it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import UNSET, Column, Derived, Expandable, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.billing import NotSupported
from voldaan.resources.params import Currency, Hash, Metadata, PageParams, Params, PositiveAmount, Timestamp, Unset

Category = Literal["paid", "promotional"]


class Monetary(Part, kw_only=True):
    currency: str
    value: int


class CreditAmount(Part, kw_only=True):
    monetary: Monetary | None
    type: Literal["monetary"] = "monetary"


class ScopePrice(Part, kw_only=True):
    id: str | None


class CreditScope(Part, kw_only=True):
    """All metered prices, or these."""

    price_type: Literal["metered"] | UnsetType = UNSET
    prices: list[ScopePrice] | UnsetType = UNSET


class ApplicabilityConfig(Part, kw_only=True):
    scope: CreditScope


class CreditGrant(Resource, kw_only=True):
    """`balance` is what is left of `value`, in minor units of `currency`. Priority 0 is used first. Epoch seconds."""

    TABLE: ClassVar[Table] = Table("credit_grants", prefix="credgr")
    object: Literal["billing.credit_grant"] = "billing.credit_grant"
    amount: Annotated[CreditAmount | None, Derived()] = None
    applicability_config: ApplicabilityConfig
    category: Annotated[Category, Column()] = "paid"
    created: Annotated[Instant, Column("created_at")]
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    customer_account: str | None = None
    effective_at: Annotated[Instant, Column()]
    expires_at: Annotated[Instant | None, Column()] = None
    livemode: bool
    metadata: dict[str, str] = {}
    name: str | None = None
    priority: Annotated[int, Column()] = 50
    test_clock: Annotated[str | None, Column("test_clock_id"), Expandable("test_helpers.test_clock")] = None
    updated: Annotated[Instant, Column("updated_at")]
    voided_at: Annotated[Instant | None, Column()] = None
    value: Annotated[int, Column(), Hidden()]
    currency: Annotated[str, Column(), Hidden()]
    balance: Annotated[int, Column(), Hidden()]

    def __post_init__(self) -> None:
        self.amount = CreditAmount(monetary=Monetary(currency=self.currency, value=self.value))


class AmountMonetaryParams(Hash):
    currency: Currency
    value: PositiveAmount


class AmountParams(Hash):
    monetary: AmountMonetaryParams | None = None
    type: Literal["monetary"]


class ScopePriceParams(Hash):
    id: str


class ScopeParams(Hash):
    price_type: Literal["metered"] | None = None
    prices: Annotated[list[ScopePriceParams], Limit(max_length=20)] | None = None


class ApplicabilityParams(Hash):
    scope: ScopeParams


class CreditGrantCreate(Params):
    amount: AmountParams
    applicability_config: ApplicabilityParams
    category: Category = "paid"
    customer: str | None = None
    customer_account: NotSupported = None
    effective_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    metadata: Metadata = {}
    name: Annotated[str, Limit(max_length=100)] | None = None
    priority: Annotated[int, Limit(ge=0, le=100)] = 50


class CreditGrantUpdate(Params):
    expires_at: Timestamp | Unset | None = None
    metadata: Metadata = {}


class CreditGrantExpire(Params):
    pass


class CreditGrantVoid(Params):
    pass


class CreditGrantList(PageParams):
    customer: str | None = None
    customer_account: NotSupported = None
