"""Recording usage: a batch of events is read, checked and written with its sums in one transaction, each event once.

An event is acknowledged after the commit, so what was acknowledged is stored and counted. A repeated identifier counts
nothing a second time, however long ago the first was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from psycopg.errors import UniqueViolation

from voldaan.commands import usage_notices
from voldaan.resources.meter_events import CoreMeterEventCreate, MeterEventCreate
from voldaan.resources.meters import Meter
from voldaan.rules import usage as rules
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.usage import Given, Place, Point, Rejection
from voldaan.store.adapt import Numbers, Texts
from voldaan.store.ids import new_id, ticks
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

_repeating: set[str] = set()  # accounts some of whose last batch had been there


class Standing(NamedTuple):
    """Of a place: its series, and the business time of its customer."""

    series: int
    now: int


class Row(msgspec.Struct, frozen=True, gc=False):
    """What is written of one event for one meter."""

    identifier: str
    place: int
    series: int | None
    at: int
    received: int
    value: str
    text: str | None


async def create(tx: Transaction, params: MeterEventCreate) -> dict[str, Any]:
    """POST /v1/billing/meter_events: one event, checked before it is answered."""
    outcome = (await create_all(tx, [params]))[0]
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


async def create_all(
    tx: Transaction, asked: Sequence[MeterEventCreate | CoreMeterEventCreate]
) -> list[dict[str, Any] | Refused]:
    """Events that arrive together, each with an answer of its own."""
    given = [Given(p.event_name, p.payload, p.identifier or new_id("mevt"), p.timestamp) for p in asked]
    outcomes = await record(tx, given)
    return [
        refusal(outcome) if outcome else shown(tx, event) for event, outcome in zip(given, outcomes, strict=True)
    ]


create.together = create_all  # type: ignore[attr-defined]


def shown(tx: Transaction, event: Given) -> dict[str, Any]:
    """The event as /v1 shows it."""
    return {
        "object": "billing.meter_event",
        "created": tx.wall,
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": tx.account.livemode,
        "payload": event.payload,
        "timestamp": tx.wall if event.timestamp is None else event.timestamp,
    }


def refusal(rejection: Rejection) -> Refused:
    """The rejection as an error of a request."""
    return Refused(Refusal(rejection.code, rejection.message, rejection.param))


async def record(tx: Transaction, events: Sequence[Given]) -> list[Rejection | None]:
    """Stores and counts these events; of each None if it was, or why not. Five statements, a few more for what is rare.

    What is counted last is waited for by whoever adds to the same hours, until this transaction ends: so everything else is
    done before.
    """
    meters = await listening(tx, {event.event_name for event in events})
    readings = [rules.read(event, meters.get(event.event_name, ())) for event in events]
    standings = await _standings(tx, readings)
    await usage_notices.notice(tx, ((meter, customer) for customer, meter, _ in standings))
    received = ticks(len(events))
    outcomes: list[Rejection | None] = []
    main: dict[str, Row] = {}
    further: list[Row] = []
    for number, (event, reading) in enumerate(zip(events, readings, strict=True)):
        made = _rows(event, reading, standings, received + number, tx.wall)
        if isinstance(made, Rejection):
            outcomes.append(made)
        elif event.identifier in main:
            outcomes.append(rules.duplicate(event.identifier))
        else:
            outcomes.append(None)
            main[event.identifier] = made[0]
            further += made[1:]
    known = await _write_new(tx, main)
    fresh = [row for row in further if row.identifier not in known]
    if fresh:
        await _write(tx, fresh)
    await _write_values(tx, [row for row in (*main.values(), *fresh) if row.text is not None and row.identifier not in known])
    if known:
        for number, event in enumerate(events):
            if outcomes[number] is None and event.identifier in known:
                outcomes[number] = rules.duplicate(event.identifier)
    return outcomes


async def listening(tx: Transaction, names: set[str]) -> dict[str, list[Meter]]:
    """The meters of each event name, inactive ones too."""
    found: dict[str, list[Meter]] = {}
    for meter in await tx.select(Meter, "t.event_name = any(%(names)s)", names=list(names)):
        found.setdefault(meter.event_name, []).append(meter)
    return found


async def _standings(tx: Transaction, readings: Sequence[list[Point] | Rejection]) -> dict[Place, Standing]:
    """Of each place whose customer is there. A place that is used for the first time gets its series."""
    points = {point.place: point for reading in readings if isinstance(reading, list) for point in reading}
    places = sorted(points)
    if not places:
        return {}
    found = await tx.all(query("usage", "standing"), **_arrays(places))
    series = {places[at - 1]: (id, tx.wall if frozen is None else frozen) for at, id, frozen in found}
    new = [place for place in places if place in series and series[place][0] is None]
    if new:
        dimensions = Texts(msgspec.json.encode(dict(points[place].dimensions)) for place in new)
        await tx.run(query("usage", "open_series"), **_arrays(new), dimensions=dimensions)
        for at, id in await tx.all(query("usage", "find_series"), **_arrays(new)):
            series[new[at - 1]] = (id, series[new[at - 1]][1])
    return {place: Standing(*facts) for place, facts in series.items()}


def _arrays(places: Sequence[Place]) -> dict[str, Any]:
    customers, meters, keys = zip(*places, strict=True)
    return {"customers": Texts(customers), "meters": Texts(meters), "keys": Texts(keys)}


def _rows(
    event: Given, reading: list[Point] | Rejection, standings: dict[Place, Standing], received: int, wall: int
) -> list[Row] | Rejection:
    """What is written of one event: a row for each meter, or one that counts for none."""
    if isinstance(reading, Rejection):
        return reading
    if not reading:  # no filter lets it through
        at = wall if event.timestamp is None else event.timestamp
        return rules.outside(at, wall, None) or [Row(event.identifier, 0, None, at, received, "0", None)]
    made = []
    for number, point in enumerate(reading):
        standing = standings.get(point.place)
        if standing is None:
            return rules.no_customer(point)
        at = standing.now
        if event.timestamp is not None:
            at = event.timestamp
            wrong = rules.outside(at, standing.now, point.place[1])
            if wrong:
                return wrong
        made.append(Row(event.identifier, number, standing.series, at, received, point.value, point.text))
    return made


async def _write_new(tx: Transaction, made: Mapping[str, Row]) -> set[str]:
    """Writes those of the rows, by identifier, that are new, and their sums; returns the identifiers that were there before.

    All of them are expected to be new, unless some of the account's last batch were not: a statement that need not look first
    costs a third less, and fails where it was wrong. Then those that are there are asked for and left out.
    """
    if not made:
        return set()
    known = await _known(tx, made) if tx.account.id in _repeating else set()
    await tx.run("savepoint recording")
    while new := [row for identifier, row in made.items() if identifier not in known]:
        try:
            await _write(tx, new)
            break
        except UniqueViolation:
            await tx.run("rollback to savepoint recording")
            known |= await _known(tx, made)
    (_repeating.add if known else _repeating.discard)(tx.account.id)
    return known


async def _known(tx: Transaction, identifiers: Iterable[str]) -> set[str]:
    """Those that are there."""
    return {row[0] for row in await tx.all(query("usage", "known"), identifiers=Texts(identifiers))}


async def _write(tx: Transaction, new: list[Row]) -> None:
    """Writes rows and their sums. Raises UniqueViolation if one is there, which leaves the transaction to be rolled back.

    Sorted, so that two transactions with the same identifiers wait for each other instead of locking each other out.
    """
    new.sort(key=attrgetter("identifier"))
    await tx.run(
        query("usage", "record"),
        identifiers=Texts([row.identifier for row in new]),
        places=Numbers([row.place for row in new] if any(row.place for row in new) else ()),
        series=Numbers([row.series for row in new]),
        at=Numbers([row.at for row in new]),
        received=Numbers([row.received for row in new]),
        values=Texts([row.value for row in new]),
        texts=Texts([row.text for row in new] if any(row.text is not None for row in new) else ()),
    )


async def _write_values(tx: Transaction, made: Sequence[Row]) -> None:
    if not made:
        return
    counted = Counter((row.series, rules.hour_of(row.at), row.text) for row in made)
    places = sorted(counted)
    series, hours, values = zip(*places, strict=True)
    await tx.run(
        query("usage", "record_values"),
        series=Numbers(series),
        hours=Numbers(hours),
        values=Texts(values),
        events=Numbers(counted[place] for place in places),
    )
