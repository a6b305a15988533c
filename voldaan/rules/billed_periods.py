"""What renewals have billed of each item: a row for each period, so that none is billed a second time."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.resources.subscription_items import BilledPeriod, SubscriptionItem
from voldaan.rules.decision import Cut


def billed_period(item: SubscriptionItem, invoice: str) -> BilledPeriod:
    """What makes billing this period of the item a second time impossible."""
    return BilledPeriod(
        id=_period_id(item),
        subscription_item=item.id,
        period_start=item.current_period_start,
        period_end=item.current_period_end,
        invoice=invoice,
    )


def cuts(before: Iterable[SubscriptionItem], after: Iterable[SubscriptionItem]) -> list[Cut]:
    """Where a change moves the periods of items, what was billed of the present ones ends as they do now, or where they begin
    anew. Periods that no renewal has billed have no row, and nothing happens."""
    were = {item.id: item for item in before}
    found = []
    for item in after:
        was = were.get(item.id, item)
        start, end = item.current_period_start, item.current_period_end
        if start != was.current_period_start:
            found.append(Cut(_period_id(was), min(start, was.current_period_end)))
        elif end != was.current_period_end:
            found.append(Cut(_period_id(was), end))
    return found


def _period_id(item: SubscriptionItem) -> str:
    return f"{item.id}/{item.current_period_start}"
