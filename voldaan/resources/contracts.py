"""Contracts: what was agreed with one customer beside the price list: prices of their own, and a minimum."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from voldaan.resources.base import Column, Expandable, Hidden, Instant, Part, Resource, Table
from voldaan.resources.billing import Interval
from voldaan.resources.params import (
    Amount,
    Hash,
    ListParams,
    Metadata,
    PageParams,
    Params,
    PositiveAmount,
    Timestamp,
    Unset,
    refuse,
)

Status = Literal["active", "ended"]
EarlyEnd = Literal["prorate", "full"]


class Minimum(Part, kw_only=True):
    """What a subscription comes to at least, before discounts and tax, in each interval from the start of the contract.

    `early_end`: of an interval that is cut short the minimum is its share of the time, or all of it.
    """

    amount: int
    interval: Interval
    interval_count: int = 1
    early_end: EarlyEnd = "prorate"


class PriceOverride(Part, kw_only=True):
    """`override` is charged where a subscription of the customer has `price`."""

    price: Annotated[str, Expandable("price")]
    override: Annotated[str, Expandable("price")]


class FormerPrice(Part, kw_only=True):
    """What was agreed in [starts_at, ends_at), until the contract was changed."""

    price: str
    override: str
    starts_at: int
    ends_at: int


class Contract(Resource, kw_only=True):
    """[starts_at, ends_at) in epoch seconds; without an end it goes on. `minimum` is held against the subscription."""

    TABLE: ClassVar[Table] = Table("contracts", prefix="ctr", state="status")
    object: Literal["voldaan.contract"] = "voldaan.contract"
    created: Annotated[Instant, Column("created_at")]
    currency: str
    customer: Annotated[str, Column("customer_id"), Expandable("customer")]
    ends_at: Annotated[Instant | None, Column()] = None
    livemode: bool
    metadata: dict[str, str] = {}
    minimum: Minimum | None = None
    name: str
    price_overrides: list[PriceOverride] = []
    starts_at: Annotated[Instant, Column()]
    status: Annotated[Status, Column()] = "active"
    subscription: Annotated[str | None, Column("subscription_id"), Expandable("subscription")] = None
    terms: str | None = None
    test_clock: Annotated[str | None, Expandable("test_helpers.test_clock")] = None
    settled_until: Annotated[int, Hidden()] = 0  # where the first interval of the minimum begins that was not looked at yet
    agreed_at: Annotated[int, Hidden()] = 0      # when the prices and the end were changed last
    formerly: Annotated[list[FormerPrice], Hidden()] = []


class CommitmentPeriod(Resource, kw_only=True):
    """One interval of a contract's minimum that is over. Its id is the contract and the start, so it is settled once.

    Minor units: `committed` the minimum, `spent` what was billed, `charged` what all lines for the difference come to.
    `open` as long as usage may still arrive, which then counts.
    """

    TABLE: ClassVar[Table] = Table("commitment_periods", prefix="")
    object: Literal["voldaan.commitment_period"] = "voldaan.commitment_period"
    contract: Annotated[str, Column("contract_id")]
    subscription: Annotated[str, Column("subscription_id")]
    invoice: Annotated[str, Column("invoice_id")]  # the first that looked at it
    currency: Annotated[str, Column()]
    period_start: Annotated[Instant, Column("period_start_at")]
    period_end: Annotated[Instant, Column("period_end_at")]
    committed: Annotated[int, Column()]
    spent: Annotated[int, Column()]
    charged: Annotated[int, Column()]
    open: Annotated[bool, Column(), Hidden()] = True


class ContractTerms(Resource, kw_only=True):
    """All that holds for a customer beside the price list, now. `commitments` says how far each running minimum is met."""

    TABLE: ClassVar[Table] = Table("contracts", prefix="")
    object: Literal["voldaan.contract_terms"] = "voldaan.contract_terms"
    id: Annotated[str, Hidden()]
    customer: str
    contracts: list[Contract]
    price_overrides: list[PriceOverride]
    commitments: list[RunningCommitment]
    timezone: str


class RunningCommitment(Part, kw_only=True):
    """The interval that is running: what was billed of it, and what is still to come to the minimum. Minor units."""

    contract: str
    currency: str
    period_start: int
    period_end: int
    committed: int
    spent: int
    remaining: int


class MinimumParams(Hash):
    amount: PositiveAmount
    interval: Interval = "month"
    interval_count: Annotated[int, Field(ge=1, le=36)] = 1
    early_end: EarlyEnd = "prorate"


class OverrideData(Hash):
    """A price like the one that it stands for, with another amount."""

    unit_amount: Amount


class PriceOverrideParams(Hash):
    price: str
    override: str | None = None
    override_data: OverrideData | None = None

    @model_validator(mode="after")
    def _one(self) -> PriceOverrideParams:
        if (self.override is None) == (self.override_data is None):
            raise refuse("", "You must specify exactly one of `override` and `override_data`.", param="override")
        return self


class ContractCreate(Params):
    customer: str
    subscription: str | None = None
    name: Annotated[str, Field(max_length=200)]
    terms: str | None = None
    starts_at: Timestamp | None = None
    ends_at: Timestamp | None = None
    minimum: MinimumParams | None = None
    price_overrides: Annotated[list[PriceOverrideParams], Field(max_length=100)] = []
    metadata: Metadata = {}


class ContractUpdate(Params):
    name: Annotated[str, Field(max_length=200)] | None = None
    terms: str | Unset | None = None
    ends_at: Timestamp | Unset | None = None
    price_overrides: Annotated[list[PriceOverrideParams], Field(max_length=100)] | Unset | None = None
    metadata: Metadata | Unset = {}


class ContractEnd(Params):
    """POST /voldaan/contracts/{id}/end: now."""


class ContractList(ListParams):
    customer: str | None = None
    status: Status | None = None
    subscription: str | None = None


class CommitmentPeriodList(PageParams):
    """GET /voldaan/contracts/{contract}/commitment_periods"""
