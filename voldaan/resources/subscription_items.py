"""Subscription items: what a subscription consists of, each with its own price, quantity and period."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import (
    UNSET,
    Column,
    Derived,
    Embedded,
    Expandable,
    Hidden,
    Instant,
    Part,
    Resource,
    Table,
    UnsetType,
)
from voldaan.resources.billing import DiscountAmount, NotSupported, RecurringPriceData
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import Hash, Metadata, PageParams, Params, Timestamp, Unset, exclusive
from voldaan.resources.plans import Plan, plan_of
from voldaan.resources.prices import Price
from voldaan.resources.tax_rates import TaxRate

ProrationBehavior = Literal["always_invoice", "create_prorations", "none"]
PaymentBehavior = Literal["allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"]


class ItemThresholds(Part, kw_only=True):
    usage_gte: int


class CurrentTrial(Part, kw_only=True):
    start_date: int
    end_date: int
    trial_offer: str


class Debit(Part, kw_only=True):
    """A line, or an invoice item that waits to become one, by which [start, end) of the present period was billed.

    A change of the item in flexible billing gives back what of it lies ahead; `credited` is how much that was so far.
    """

    line: str | None = None
    invoice: str | None = None
    invoice_item: str | None = None
    amount: int                      # minor units, after discounts, before tax
    off: list[DiscountAmount] = []   # what each discount had taken off before
    start: int
    end: int
    credited: int = 0
    cut: bool = False                # its end was cut off, and given back
    ahead: bool = False              # billed in advance of the periods that it is for
    credited_by: str | None = None   # the invoice item that gave back what lay ahead; it counts again if that is void


class BilledPeriod(Resource, kw_only=True):
    """Ours alone: a period of an item that a renewal has billed. Its id is the item and the start, so there is only one.
    Where a change moves the item's periods, it ends with that."""

    TABLE: ClassVar[Table] = Table("billed_periods", prefix="")
    subscription_item: Annotated[str, Column("subscription_item_id")]
    period_start: Annotated[Instant, Column("period_start_at")]
    period_end: Annotated[Instant, Column("period_end_at")]
    invoice: Annotated[str, Column("invoice_id")]


class SubscriptionItem(Resource, kw_only=True):
    """One price of a subscription. It exists as long as it is billed; what it was billed for is in billed_periods."""

    TABLE: ClassVar[Table] = Table("subscription_items", prefix="si")
    object: Literal["subscription_item"] = "subscription_item"
    subscription: Annotated[str, Column("subscription_id")]
    price: Annotated[Price | str, Column("price_id"), Embedded("price")]
    plan: Annotated[Plan | None, Derived()] = None         # the price in its legacy shape
    quantity: Annotated[int | UnsetType, Column()] = UNSET  # absent for metered prices
    created: Annotated[Instant, Column("created_at")]
    current_period_start: Annotated[Instant, Column("current_period_start_at")]
    current_period_end: Annotated[Instant, Column("current_period_end_at")]
    discounts: list[Annotated[str, Expandable("discount")]] = []
    tax_rates: Annotated[list[TaxRate | str] | None, Embedded("tax_rate")] = []
    billing_thresholds: ItemThresholds | None = None
    current_trial: CurrentTrial | None = None
    metadata: dict[str, str] = {}
    debits: Annotated[list[Debit], Hidden()] = []
    next_price: Annotated[str | None, Hidden()] = None  # what it costs from its next period on
    billed_until: Annotated[int | UnsetType, Derived()] = UNSET  # where that is beyond the present period
    usage_since: Annotated[int | UnsetType, Hidden()] = UNSET  # of a metered one, if usage counts from elsewhere than the start

    def __post_init__(self) -> None:
        self.plan = _plan(self.price) if isinstance(self.price, Price) else None
        self.billed_until = billed_until(self.current_period_end, self.debits) if self.debits else UNSET


def billed_until(end: int, debits: list[Debit]) -> int | UnsetType:
    """Until when was billed ahead from `end` on, without a gap; UNSET if nothing was."""
    for debit in debits:
        if debit.ahead:
            break
    else:
        return UNSET  # of nearly all items, at every renewal
    until = end
    for debit in sorted((d for d in debits if d.ahead and d.credited_by is None), key=lambda d: d.start):
        if debit.start <= until < debit.end:
            until = debit.end
    return UNSET if until == end else until


KEPT_MAX = 1_000
_kept: dict[int, tuple[Price, Plan]] = {}  # by identity: a price is replaced, never changed


def _plan(price: Price) -> Plan:
    """The plan of a price, the same one for all the items that have this price."""
    found = _kept.get(id(price))
    if found is not None and found[0] is price:
        return found[1]
    if len(_kept) >= KEPT_MAX:
        _kept.clear()
    plan = plan_of(price)
    _kept[id(price)] = (price, plan)
    return plan


class ItemThresholdsParams(Hash):
    usage_gte: Annotated[int, Field(ge=1)]


class ItemHash(Hash):
    """What is said of an item wherever one is given."""

    price: str | None = None
    plan: str | None = None
    price_data: RecurringPriceData | None = None
    quantity: Annotated[int, Field(ge=0)] | None = None
    discounts: list[DiscountParams] | Unset | None = None
    tax_rates: list[str] | Unset | None = None
    billing_thresholds: ItemThresholdsParams | Unset | None = None
    current_trial: NotSupported = None

    _one_price = exclusive("price", "plan", "price_data")


class SubscriptionItemCreate(Params, ItemHash):
    subscription: str
    metadata: Metadata | Unset = {}
    payment_behavior: PaymentBehavior = "allow_incomplete"
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Timestamp | None = None


class SubscriptionItemUpdate(Params, ItemHash):
    metadata: Metadata | Unset = {}
    off_session: bool = False
    payment_behavior: PaymentBehavior = "allow_incomplete"
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Timestamp | None = None


class SubscriptionItemDelete(Params):
    clear_usage: bool = False  # no effect: a meter's usage is the customer's, not the item's
    payment_behavior: PaymentBehavior = "allow_incomplete"
    proration_behavior: ProrationBehavior = "create_prorations"
    proration_date: Timestamp | None = None


class SubscriptionItemList(PageParams):
    subscription: str
