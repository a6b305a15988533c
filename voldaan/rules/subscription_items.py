"""The items of a subscription as a request wants them, and what no subscription can consist of."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from voldaan.resources.base import UNSET, UnsetType
from voldaan.resources.subscription_items import ItemThresholds, SubscriptionItem, SubscriptionItemUpdate
from voldaan.resources.subscriptions import Subscription, SubscriptionItemChange
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import lines, pricing, states
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.decision import Refused
from voldaan.rules.invoice_items import check_currency
from voldaan.rules.metadata import merged
from voldaan.rules.money import is_within_maximum, maximum_amount
from voldaan.rules.refusals import missing, refused


@dataclass(slots=True)
class NewItem:
    """An item of a request with what it names looked up."""

    id: str
    price: str
    quantity: int | UnsetType
    discounts: list[str] = field(default_factory=list)
    tax_rates: list[TaxRate | str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    thresholds: ItemThresholds | None = None
    next_price: str | None = None  # of an item that moves: what was agreed for its next period


def as_it_is(item: SubscriptionItem) -> NewItem:
    """The item in the form in which requests ask for one."""
    return NewItem(
        id=item.id,
        price=lines.price_id(item),
        quantity=item.quantity,
        discounts=item.discounts,
        tax_rates=list(item.tax_rates or []),
        metadata=item.metadata,
        thresholds=item.billing_thresholds,
        next_price=item.next_price,
    )


def with_price(catalogue: Catalogue, item: SubscriptionItem, price: str) -> NewItem:
    """The item as it is, but for its price. One of these has a quantity, or a threshold of usage, and keeps it."""
    moved = dataclasses.replace(as_it_is(item), price=price, next_price=None)
    if lines.is_metered(catalogue, price):
        return dataclasses.replace(moved, quantity=UNSET)
    return dataclasses.replace(moved, quantity=lines.quantity(item), thresholds=None)


def kept(item: SubscriptionItem, wanted: NewItem, params: SubscriptionItemChange | SubscriptionItemUpdate) -> NewItem:
    """What is asked of an item that exists: what is not said stays as it is."""
    given = params.model_fields_set
    keeps = params.quantity is None and UNSET not in (item.quantity, wanted.quantity)  # usage has no quantity to keep
    keeps_threshold = "billing_thresholds" not in given and wanted.quantity is UNSET
    return NewItem(
        id=item.id,
        price=wanted.price,
        quantity=item.quantity if keeps else wanted.quantity,
        discounts=wanted.discounts if "discounts" in given else item.discounts,
        tax_rates=wanted.tax_rates if "tax_rates" in given else list(item.tax_rates or []),
        metadata=merged(item.metadata, params.metadata) if "metadata" in given else item.metadata,
        thresholds=item.billing_thresholds if keeps_threshold else wanted.thresholds,
    )


def units(quantity: int | None, *, counted: bool, param: str) -> int | UnsetType:
    """How many a request wants, one if it does not say. What a meter counts has no quantity, and a request that gives one is
    refused."""
    if not counted:
        return 1 if quantity is None else quantity
    if quantity is not None:
        raise refused("You cannot set the quantity for metered plans.", param)
    return UNSET


def none_left(subscription: str, param: str | None = None) -> Refused:
    """No: a subscription keeps at least one item."""
    return refused(
        f"A subscription must have at least one active plan. All plans on {subscription} cannot be deleted. "
        "Cancel the subscription instead.",
        param,
    )


def check_changeable(subscription: Subscription, param: str) -> None:
    """Refuses to change the items of a subscription that is not running, or waits for a payment."""
    if subscription.status in states.SUBSCRIPTION_ENDED or subscription.status in ("incomplete", "paused"):
        raise refused(f"The items of a subscription that is {subscription.status} cannot be changed.", param)
    if subscription.held is not None:
        raise refused("The subscription has a pending update, which waits for its payment.", param)


def check_items(
    catalogue: Catalogue, named: Sequence[tuple[str, str]], currency: str, mode: str, fixed: Container[str] = ()
) -> None:
    """Refuses prices that do not recur, are off, twice there, or do not go together. Each comes with the parameter to blame.

    `fixed` are those that the subscription has already, or that were made for it alone: these need not be active.
    """
    if not named:
        raise missing("items")
    seen: set[str] = set()
    terms = set()
    for id, param in named:
        price = catalogue.prices[id]
        if price.recurring is None:
            raise refused(
                "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
                param,
            )
        if not price.active and id not in fixed:
            raise refused("The price specified is inactive. This field only accepts active prices.", param)
        if id in seen:
            raise refused(f"Cannot add multiple subscription items with the same plan: {id}", param)
        check_currency(price, currency, param)
        seen.add(id)
        terms.add((price.recurring.interval, price.recurring.interval_count))
    if mode == "classic" and len(terms) > 1:
        raise refused(
            "Currency and interval fields must match across all plans on this subscription. Found mismatch in interval "
            "field.",
            named[0][1],
        )


def check_amounts(catalogue: Catalogue, items: Sequence[NewItem], currency: str, params: Sequence[str]) -> None:
    """Refuses a quantity whose bill would have more digits than the currency takes. `params` names each quantity."""
    for item, param in zip(items, params, strict=True):
        if item.quantity is UNSET:
            continue
        cost = pricing.amount(catalogue.terms(item.price, currency), item.quantity)
        if not is_within_maximum(cost, currency):
            raise refused(f"Amount must be no more than {shown(maximum_amount(currency), currency)}", param, "amount_too_large")
