"""What a meter counted for a customer, as a whole or hour by hour or day by day."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from voldaan.commands import customers
from voldaan.commands.usage import quantities
from voldaan.resources.meter_events import MeterEventSummaryList
from voldaan.resources.meters import Meter
from voldaan.resources.numbers import Number, plain
from voldaan.rules.refusals import refused
from voldaan.rules.usage import UsageKey
from voldaan.store.transaction import Missing, Transaction

SECONDS = {"hour": 3600, "day": 86_400}
MINUTE = 60


async def page(tx: Transaction, params: MeterEventSummaryList, id: str) -> dict[str, Any]:
    """GET /v1/billing/meters/{id}/event_summaries: the newest window first, those without usage too."""
    await tx.preload(Meter, [id])  # quantities asks for it again
    await tx.need(Meter, id)
    await customers.living(tx, params.customer, param="customer")
    windows = _windows(params)
    chosen, has_more = _page(params, windows)
    keys = [UsageKey(id, params.customer, start, end) for start, end in chosen]
    found = await quantities(tx, keys)
    return {
        "object": "list",
        "data": [_summary(tx, key, found[key]) for key in keys],
        "has_more": has_more,
        "url": f"/v1/billing/meters/{id}/event_summaries",
    }


page.many = True  # type: ignore[attr-defined]


def _windows(params: MeterEventSummaryList) -> range:
    """The starts of the windows, ascending; the step is their length."""
    start, end = params.start_time, params.end_time
    window = params.value_grouping_window
    step = SECONDS[window] if window else MINUTE
    for name in ("start_time", "end_time"):
        if getattr(params, name) % step:
            raise refused(f"`{name}` must be aligned with {window or 'minute'} boundaries.", name)
    if start >= end:
        raise refused("`end_time` must be after `start_time`.", "end_time")
    return range(start, end, step if window else end - start)


def _page(params: MeterEventSummaryList, windows: range) -> tuple[list[tuple[int, int]], bool]:
    """The windows of this page, newest first, and whether there are more."""
    starts = windows[::-1]
    backwards = params.ending_before is not None
    if cursor := params.starting_after or params.ending_before:
        at = _start_of(cursor)
        if at not in windows:
            raise Missing("billing.meter_event_summary", cursor, "ending_before" if backwards else "starting_after")
        place = starts.index(at)
        starts = starts[:place] if backwards else starts[place + 1 :]
    chosen = starts[-params.limit :] if backwards else starts[: params.limit]
    return [(start, start + windows.step) for start in chosen], len(starts) > params.limit


def _summary(tx: Transaction, key: UsageKey, quantity: Decimal) -> dict[str, Any]:
    return {
        "id": f"mtrusg_{key.start:012d}{key.meter.removeprefix('mtr_')}",
        "object": "billing.meter_event_summary",
        "aggregated_value": Number(plain(quantity)),
        "end_time": key.end,
        "livemode": tx.account.livemode,
        "meter": key.meter,
        "start_time": key.start,
    }


def _start_of(id: str) -> int:
    """The start of the window that a summary's id names; -1 for what is no id of ours."""
    digits = id.removeprefix("mtrusg_")[:12]
    return int(digits) if digits.isascii() and digits.isdecimal() else -1
