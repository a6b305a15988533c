"""What was used: the reading side of metering. Bills, previews and summaries ask here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from voldaan.resources.meters import Meter
from voldaan.rules import usage as rules
from voldaan.rules.usage import Tally, UsageKey
from voldaan.store.adapt import Texts
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def quantities(tx: Transaction, keys: Iterable[UsageKey]) -> dict[UsageKey, Decimal]:
    """The usage of each key, exact to the second, as of this transaction. At most four queries, however many keys.

    Events in [start, end) count, however late they came. No event is 0. Raises Missing for a meter that is not there.
    """
    asked = list(dict.fromkeys(keys))
    meters = await tx.get(Meter, {key.meter for key in asked})
    kinds: dict[str, list[UsageKey]] = {"totals": [], "windowed": [], "different": []}
    for key in asked:
        if key.meter not in meters:
            raise Missing("billing.meter", key.meter)
        kinds[_kind(meters[key.meter])].append(key)
    found: dict[UsageKey, Decimal] = {}
    for kind, those in kinds.items():
        if those:
            tallies = await _tallies(tx, kind, those, meters)
            for place, key in enumerate(those, 1):
                formula = meters[key.meter].default_aggregation.formula
                found[key] = rules.quantity(formula, tallies.get(place, Tally()))
    return found


def _kind(meter: Meter) -> str:
    """The query that answers for a meter."""
    if meter.default_aggregation.formula == "count_distinct":
        return "different"
    return "windowed" if meter.event_time_window else "totals"


async def _tallies(tx: Transaction, kind: str, keys: Sequence[UsageKey], meters: dict[str, Meter]) -> dict[int, Tally]:
    """By the place of the key, counted from 1; keys without events are absent."""
    whole = [(place, *rules.whole_hours(key.start, key.end)) for place, key in enumerate(keys, 1)]
    edges = [(place, *edge) for place, key in enumerate(keys, 1) for edge in rules.edges(key.start, key.end)]
    given: dict[str, Any] = {
        "customers": Texts(key.customer for key in keys),
        "meters": Texts(key.meter for key in keys),
        "dimensions": Texts(msgspec.json.encode(dict(key.dimensions)) for key in keys),
        "places": [place for place, since, until in whole if since < until],
        "since": [since for _, since, until in whole if since < until],
        "until": [until for _, since, until in whole if since < until],
        "edge_places": [place for place, _, _ in edges],
        "edge_since": [since for _, since, _ in edges],
        "edge_until": [until for _, _, until in edges],
    }
    if kind == "windowed":
        given["steps"] = [f"1 {meters[key.meter].event_time_window}" for key in keys]
    rows = await tx.all(query("usage", kind), **given)
    return {place: Tally(*rest) for place, *rest in rows}
