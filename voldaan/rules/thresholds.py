"""Billing thresholds: what may be set, when one is reached, and what the invoice says of it.

Sources: docs/behaviour-billing.md, "Billing thresholds". Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from voldaan.resources.billing import BillingThresholds, BillingThresholdsParams
from voldaan.resources.invoices import Invoice, ThresholdReason, ThresholdReasonItem
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscription_items import ItemThresholds, ItemThresholdsParams
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import pricing
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.decision import Due
from voldaan.rules.lines import is_metered, price_id
from voldaan.rules.refusals import refused

DAY = 86_400
BILLS = frozenset({"active", "past_due"})  # in a trial usage is free; unpaid, nothing more is asked for


@dataclass(frozen=True, slots=True)
class Reached:
    """Which thresholds have been reached: the subscription's amount, and the units of items, by item."""

    amount: int | None = None
    items: dict[str, int] = field(default_factory=dict)


def due(subscription: str, token: str, at: int, clock: str | None) -> Due:
    """The work of looking whether a subscription's thresholds are reached.

    Each has a subject of its own, so that none is lost because another one, that has counted already, is there still.
    """
    return Due("subscription.threshold", f"{subscription}:{token}", at, clock)


def of(subject: str) -> str:
    """The subscription that due work is about."""
    return subject.partition(":")[0]


def given(was: BillingThresholds | None, wanted: BillingThresholdsParams | str | None) -> BillingThresholds | None:
    """The subscription's thresholds after a request: "" takes them away, what is not said stays."""
    if not isinstance(wanted, BillingThresholdsParams):
        return None
    said = wanted.model_fields_set
    before = was or BillingThresholds()
    amount = wanted.amount_gte if "amount_gte" in said else before.amount_gte
    resets = wanted.reset_billing_cycle_anchor if "reset_billing_cycle_anchor" in said else before.reset_billing_cycle_anchor
    return BillingThresholds(amount_gte=amount, reset_billing_cycle_anchor=resets)


def asked(own: BillingThresholds) -> BillingThresholdsParams:
    """What a request for these thresholds says."""
    return BillingThresholdsParams(
        amount_gte=own.amount_gte, reset_billing_cycle_anchor=own.reset_billing_cycle_anchor
    )


def of_item(wanted: ItemThresholdsParams | str | None, *, counted: bool, param: str) -> ItemThresholds | None:
    """An item's threshold in a request. Refuses one for a price that is not billed by usage."""
    if not isinstance(wanted, ItemThresholdsParams):
        return None
    if not counted:
        raise refused("Billing thresholds can only be set on items with `usage_type=metered` prices.", param)
    return ItemThresholds(usage_gte=wanted.usage_gte)


def are_set(subscription: Subscription) -> bool:
    """Whether usage of the subscription has to be looked at."""
    own = subscription.billing_thresholds
    return (own is not None and own.amount_gte is not None) or any(i.billing_thresholds for i in subscription.items.data)


def check(catalogue: Catalogue, subscription: Subscription) -> None:
    """Refuses an amount that flat fees alone would reach."""
    prices = [price_id(item) for item in subscription.items.data]
    check_amount(
        catalogue, subscription.billing_thresholds, prices, subscription.currency, "billing_thresholds[amount_gte]"
    )


def check_amount(
    catalogue: Catalogue, own: BillingThresholds | None, prices: Iterable[str], currency: str, param: str
) -> None:
    """The same for these prices; `param` is to blame."""
    if own is None or own.amount_gte is None:
        return
    flat = sum(pricing.amount(catalogue.terms(price, currency), 0) for price in prices if is_metered(catalogue, price))
    if own.amount_gte <= flat:
        raise refused(
            f"The threshold must be greater than the flat fees of the metered items, which are {shown(flat, currency)}.",
            param,
        )


def is_looked_at(subscription: Subscription, now: int) -> bool:
    """Whether thresholds count at all: not in a trial, and not on the day before a period ends."""
    if subscription.status not in BILLS or subscription.held is not None:
        return False
    return are_set(subscription) and now < subscription.current_period_end - DAY


def reached(subscription: Subscription, invoice: Invoice, drawn: Iterable[LineItem]) -> Reached | None:
    """What is reached by an invoice with all that is not billed yet; None if nothing is.

    The amount is before tax, after discounts and billing credits. A negative one is never billed before its time.
    """
    own = subscription.billing_thresholds
    unbilled = invoice.total_excluding_tax or 0
    amount = own.amount_gte if own is not None and own.amount_gte is not None and unbilled >= own.amount_gte else None
    units = {line.subscription_item: line.quantity_decimal or Decimal(0) for line in drawn if _is_present(line)}
    items = {
        item.id: item.billing_thresholds.usage_gte
        for item in subscription.items.data
        if item.billing_thresholds is not None and units.get(item.id, 0) >= item.billing_thresholds.usage_gte
    }
    return Reached(amount, items) if amount is not None or items else None


def reason(found: Reached, drawn: Sequence[LineItem]) -> ThresholdReason:
    """What the invoice says of why it came."""
    return ThresholdReason(
        amount_gte=found.amount,
        item_reasons=[
            ThresholdReasonItem(
                line_item_ids=[line.id for line in drawn if line.subscription_item == item and _is_present(line)],
                usage_gte=usage_gte,
            )
            for item, usage_gte in found.items.items()
        ],
    )


def _is_present(line: LineItem) -> bool:
    return line.usage is not None and not line.usage.is_late

