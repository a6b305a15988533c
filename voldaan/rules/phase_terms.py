"""What a phase says, carried over: its items matched with those that are there, and what it adds once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscription_schedules import Phase, PhaseAddedItem, PhaseDiscount, PhaseItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import invoice_items, lines, periods
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.crediting import ItemChange
from voldaan.rules.decision import Refused
from voldaan.rules.metadata import merged
from voldaan.rules.redeeming import Redeeming
from voldaan.rules.subscription_items import NewItem
from voldaan.rules.subscriptions import zone_of


def new_item(redeem: Redeeming, subscription: str, item: PhaseItem) -> NewItem:
    id = redeem.new_id("si")
    return NewItem(
        id=id,
        price=item.price,
        quantity=item.quantity,
        discounts=redeem.all(item.discounts, subscription=subscription, subscription_item=id),
        tax_rates=redeem.facts.catalogue.whole_rates(item.tax_rates),
        metadata=merged_metadata({}, item.metadata),
        thresholds=item.billing_thresholds,
    )


def item_changes(redeem: Redeeming, subscription: Subscription, phase: Phase) -> list[ItemChange]:
    """New items first, then those of the same price that stay and change, then those that go."""
    there = {lines.price_id(item): item for item in subscription.items.data}
    wanted = {item.price: item for item in phase.items}
    new = [ItemChange(None, new_item(redeem, subscription.id, item)) for price, item in wanted.items() if price not in there]
    kept = [_kept(redeem, subscription, there[price], item) for price, item in wanted.items() if price in there]
    gone = [ItemChange(item, None) for price, item in there.items() if price not in wanted]
    return [*new, *(change for change in kept if change is not None), *gone]


def _kept(redeem: Redeeming, subscription: Subscription, item: SubscriptionItem, want: PhaseItem) -> ItemChange | None:
    """The item as it shall be; None if it is so already."""
    new = NewItem(
        id=item.id,
        price=want.price,
        quantity=want.quantity,
        discounts=redeem.all(want.discounts, item.discounts, subscription=subscription.id, subscription_item=item.id),
        tax_rates=redeem.facts.catalogue.whole_rates(want.tax_rates),
        metadata=merged_metadata(item.metadata, want.metadata),
        thresholds=want.billing_thresholds,
    )
    before = (item.quantity, item.discounts, item.metadata, item.billing_thresholds)
    same = (new.quantity, new.discounts, new.metadata, new.thresholds) == before
    return None if same and lines.rate_ids(new.tax_rates) == lines.rate_ids(item.tax_rates) else ItemChange(item, new)


def added(redeem: Redeeming, phase: Phase, subscription: str, span: tuple[int, int]) -> list[InvoiceItem]:
    """What the phase bills once. `span` is from the latest start to the earliest end of the items' periods."""
    facts, found = redeem.facts, []
    for want in phase.add_invoice_items:
        id = redeem.new_id("ii")
        found.append(
            invoice_items.make(
                facts.catalogue,
                id=id,
                customer=redeem.customer,
                currency=phase.currency,
                livemode=facts.account.livemode,
                now=redeem.now,
                quantity=Decimal(1 if want.quantity is None else want.quantity),
                price=want.price,
                period=_period(want, phase, span),
                discountable=want.discountable is not False,
                discounts=redeem.all(want.discounts, invoice_item=id),
                metadata=merged_metadata({}, want.metadata),
                subscription=subscription,
                tax_rates=facts.catalogue.whole_rates(want.tax_rates),
                test_clock=facts.parties.customers[redeem.customer].test_clock,
            )
        )
    return found


def first_span(facts: BillingFacts, phase: Phase, customer: Customer, at: int) -> tuple[int, int]:
    """The period of the items that a subscription begins with."""
    return _span(facts.catalogue, phase, phase.start_date, zone_of(facts, customer), at, at)


def span(catalogue: Catalogue, phase: Phase, subscription: Subscription, start: int, at: int) -> tuple[int, int]:
    """From `start` to the earliest end of the periods that the items are in once the phase has begun."""
    return _span(catalogue, phase, subscription.billing_cycle_anchor, subscription.timezone, start, at)


def _span(catalogue: Catalogue, phase: Phase, anchor: int, zone: str, start: int, at: int) -> tuple[int, int]:
    if phase.trial_end is not None and phase.trial_end > at:
        return at, phase.trial_end
    ends = [periods.period_at(anchor, *lines.interval(catalogue, item.price), at, zone).end for item in phase.items]
    return start, min(ends)


def _period(want: PhaseAddedItem, phase: Phase, span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    first, last = want.period.start, want.period.end
    if first.type == "phase_start":
        start = phase.start_date
    elif first.timestamp is not UNSET:
        start = first.timestamp
    if last.type == "phase_end":
        end = phase.end_date
    elif last.timestamp is not UNSET:
        end = last.timestamp
    return start, max(start, end)


def with_changes(phase: Phase, was: Subscription, after: Subscription) -> Phase:
    """The phase with what was changed of its subscription directly. A coupon that is on stays a coupon."""
    values: dict[str, Any] = {}
    if _items(was) != _items(after):
        said = {item.price: item.metadata for item in phase.items}
        values["items"] = [_phase_item(item, said.get(lines.price_id(item), {})) for item in after.items.data]
    if was.discounts != after.discounts:
        values["discounts"] = [PhaseDiscount(discount=id) for id in after.discounts]
    if was.ignores_customers_discount != after.ignores_customers_discount:
        values["ignores_customers_discount"] = after.ignores_customers_discount or UNSET
    if lines.rate_ids(was.default_tax_rates) != lines.rate_ids(after.default_tax_rates):
        values["default_tax_rates"] = list(lines.rate_ids(after.default_tax_rates))
    if was.trial_end != after.trial_end:
        within = after.trial_end is not None and phase.start_date < after.trial_end <= phase.end_date
        values |= {"trial_end": after.trial_end if within else None}
    for name in ("billing_thresholds", "collection_method", "default_payment_method", "description"):
        if getattr(was, name) != getattr(after, name):
            values[name] = getattr(after, name)
    return replace(phase, **values) if values else phase


def _items(subscription: Subscription) -> list[tuple[Any, ...]]:
    return [
        (lines.price_id(item), item.quantity, item.discounts, lines.rate_ids(item.tax_rates), item.billing_thresholds)
        for item in subscription.items.data
    ]


def of_subscription(subscription: Subscription) -> Phase:
    """The present period of a subscription as a phase; its end, if that is agreed already, as the phase's."""
    trial = subscription.trial_end if subscription.status == "trialing" else None
    return Phase(
        currency=subscription.currency,
        default_tax_rates=list(lines.rate_ids(subscription.default_tax_rates)),
        discounts=[PhaseDiscount(discount=id) for id in subscription.discounts],
        end_date=max(subscription.cancel_at or subscription.current_period_end, trial or 0),
        ignores_customers_discount=subscription.ignores_customers_discount or UNSET,
        items=[_phase_item(item, item.metadata) for item in subscription.items.data],
        start_date=subscription.current_period_start,
        trial_end=trial,
    )


def _phase_item(item: SubscriptionItem, metadata: dict[str, str] | None) -> PhaseItem:
    price = lines.price_id(item)
    return PhaseItem(
        price=price,
        plan=price,
        quantity=item.quantity,
        billing_thresholds=item.billing_thresholds,
        discounts=[PhaseDiscount(discount=id) for id in item.discounts],
        tax_rates=list(lines.rate_ids(item.tax_rates)),
        metadata=metadata,
    )


def named_rates(phases: Iterable[Phase]) -> list[str]:
    """The ids of all tax rates in these phases, each once."""
    found: dict[str, None] = {}
    for phase in phases:
        for rates in (
            phase.default_tax_rates,
            *(item.tax_rates for item in phase.items),
            *(item.tax_rates for item in phase.add_invoice_items),
        ):
            found |= dict.fromkeys(lines.rate_ids(rates))
    return list(found)


def merged_metadata(old: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Keys added and replaced, those with an empty value taken away. What has become too much when the phase begins is left."""
    try:
        return merged(old, given or {})
    except Refused:
        return dict(old)
