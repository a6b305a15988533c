"""Usage: what quantities() answers equals the events counted one by one, whatever was asked and in whatever order it came."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.rows_read import rows_read
from voldaan.commands import customers, meter_event_adjustments, meter_events, meters
from voldaan.commands.usage import quantities
from voldaan.reports.verify import verify
from voldaan.resources.accounts import Account
from voldaan.resources.alerts import Alert, UsageThreshold
from voldaan.resources.customers import Customer, CustomerCreate
from voldaan.resources.meters import MeterCreate, OwnMeterCreate
from voldaan.rules import alerts
from voldaan.rules.decision import Decision
from voldaan.rules.usage import DUPLICATE, Given, UsageKey
from voldaan.store import accounts
from voldaan.store.adapt import Texts
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.queries import query, shelf
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import write
from voldaan.work import clock

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86_400
KINDS = [(formula, window) for formula in ("sum", "count", "last", "max", "average") for window in (None, "hour", "day")]
KINDS.append(("count_distinct", None))


@dataclass(frozen=True)
class Sent:
    """One event of a test: who, what, when (seconds before now), where it belongs."""

    customer: int
    identifier: str
    ago: int
    value: str
    region: str


SENT = st.builds(
    Sent,
    customer=st.integers(0, 1),
    identifier=st.sampled_from([f"e{number}" for number in range(30)]),
    ago=st.one_of(st.integers(0, 3 * HOUR), st.integers(0, 3 * DAY)),
    value=st.sampled_from(["0", "1", "2.5", "-3", "1000000", "0.000001", "7"]),
    region=st.sampled_from(["eu", "us"]),
)

BOUND = st.one_of(st.integers(0, 4 * HOUR), st.integers(0, 4 * DAY))  # seconds before now


def reference(formula: str, window: str | None, events: Iterable[tuple[int, int, Sent]]) -> Decimal:
    """Counted by hand from (at, order of arrival, event), of one customer, within the window that is asked for."""
    found = sorted(events, key=lambda e: e[:2])
    if window:
        size = HOUR if window == "hour" else DAY
        found = list({(at // size, sent.region): (at, n, sent) for at, n, sent in found}.values())
        found.sort(key=lambda e: e[:2])
    values = [Decimal(sent.value) for _, _, sent in found]
    if not values:
        return Decimal(0)
    match formula:
        case "sum":
            return sum(values, Decimal(0))
        case "count":
            return Decimal(len(values))
        case "count_distinct":
            return Decimal(len({sent.value for _, _, sent in found}))
        case "last":
            return values[-1]
        case "max":
            return max(values)
        case _:
            return (sum(values, Decimal(0)) / len(values)).quantize(Decimal("1e-12"), ROUND_HALF_UP)


async def own_meter(tx: Transaction, formula: str, window: str | None) -> str:
    given: dict[str, object] = {
        "default_aggregation": {"formula": formula}, "display_name": formula, "event_name": "baked", "dimensions": ["region"],
    }  # fmt: skip
    if window:
        given["event_time_window"] = window
    return (await meters.create(tx, OwnMeterCreate.model_validate(given))).id


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(SENT, max_size=12), max_size=4),
    canceled=st.sets(st.sampled_from([f"e{number}" for number in range(30)]), max_size=8),
    bounds=st.lists(st.tuples(BOUND, BOUND), min_size=1, max_size=3),
)
async def test_quantities_are_the_events_counted_one_by_one(
    pool: Pool, batches: list[list[Sent]], canceled: set[str], bounds: list[tuple[int, int]]
) -> None:
    account = (await accounts.create(pool, clock.wall())).account
    now = clock.wall()
    windows = [(now - max(pair), now - min(pair)) for pair in bounds]

    async with transaction(pool, account, now, now) as tx:
        who = [(await customers.create(tx, CustomerCreate())).id for _ in range(2)]
        meter_of = {kind: await own_meter(tx, *kind) for kind in KINDS}
    kept: dict[str, tuple[int, int, Sent]] = {}
    arrived = 0
    for batch in batches:
        async with transaction(pool, account, now, now) as tx:
            events = [
                Given("baked", {"stripe_customer_id": who[s.customer], "value": s.value, "region": s.region}, s.identifier,
                      now - s.ago)
                for s in batch
            ]
            outcomes = await meter_events.record(tx, events)
        for sent, outcome in zip(batch, outcomes, strict=True):
            arrived += 1
            assert (outcome is not None) == (sent.identifier in kept)
            kept.setdefault(sent.identifier, (now - sent.ago, arrived, sent))

    async with transaction(pool, account, now, now) as tx:
        for identifier in canceled & kept.keys():
            await meter_event_adjustments.cancel(tx, "baked", identifier)
            del kept[identifier]

    expected: dict[UsageKey, Decimal] = {}
    for kind, meter in meter_of.items():
        for number, customer in enumerate(who):
            for start, end in windows:
                for region in (None, "eu"):
                    theirs = [(at, n, s) for at, n, s in kept.values() if s.customer == number and start <= at < end]
                    key = UsageKey(meter, customer, start, end, (("region", region),) if region else ())
                    expected[key] = reference(*kind, (e for e in theirs if region in (None, e[2].region)))
    async with transaction(pool, account, now, now) as tx:
        assert await quantities(tx, expected) == expected
    assert (await verify(pool, now, account=account.id)).findings == []


async def make(pool: Pool, account: Account, **more: object) -> tuple[str, str]:
    """A customer and a plain meter for `baked`."""
    now = clock.wall()
    params = {"default_aggregation": {"formula": "sum"}, "display_name": "Baked", "event_name": "baked", **more}
    async with transaction(pool, account, now, now) as tx:
        customer = await customers.create(tx, CustomerCreate())
        return customer.id, (await meters.create(tx, MeterCreate.model_validate(params))).id


async def test_a_thousand_keys_take_as_many_queries_as_one(pool: Pool, account: Account, asked: list[str]) -> None:
    customer, meter = await make(pool, account)
    now = clock.wall()
    tallies = []
    for many in (1, 1000):
        async with transaction(pool, account, now, now) as tx:
            asked.clear()
            keys = [UsageKey(meter, customer, now - number - 1, now) for number in range(many)]
            assert len(await quantities(tx, keys)) == many
            tallies.append(len(asked))
    assert tallies == [2, 2]


async def test_recording_takes_the_same_queries_for_one_and_for_many(pool: Pool, account: Account, asked: list[str]) -> None:
    customer, _ = await make(pool, account)
    now = clock.wall()

    async def record(many: int) -> int:
        events = [Given("baked", {"stripe_customer_id": customer, "value": "1"}, new_id("e"), now) for _ in range(many)]
        async with transaction(pool, account, now, now) as tx:
            asked.clear()
            assert await meter_events.record(tx, events) == [None] * many
            return len(asked)

    await record(1)
    assert [await record(1), await record(500)] == [5, 5]


async def test_repeated_events_among_new_ones_count_once(pool: Pool, account: Account) -> None:
    """Whatever the batch before was like: after new ones only, and after repeated ones."""
    customer, meter = await make(pool, account)
    now = clock.wall()

    async def send(numbers: Iterable[int]) -> list[int]:
        """The numbers of those that were counted."""
        given = [Given("baked", {"stripe_customer_id": customer, "value": "1"}, f"e{number:03}", now) for number in numbers]
        async with transaction(pool, account, now, now) as tx:
            outcomes = await meter_events.record(tx, given)
        codes = {outcome.code for outcome in outcomes if outcome}
        assert codes <= {DUPLICATE}
        return [number for number, outcome in zip(numbers, outcomes, strict=True) if outcome is None]

    assert await send(range(20)) == list(range(20))
    assert await send(range(10, 30)) == list(range(20, 30))
    assert await send(range(25, 40)) == list(range(30, 40))
    assert await send(range(40)) == []
    assert await send([40, 41, 40]) == [40, 41]
    assert await send([5, 50]) == [50]
    async with transaction(pool, account, now, now) as tx:
        key = UsageKey(meter, customer, now - DAY, now + DAY)
        assert await quantities(tx, [key]) == {key: Decimal(43)}
    assert (await verify(pool, now, account=account.id)).findings == []


BREAK = {
    "U1_hours_are_the_sums_of_their_events": "update usage_rollups set total = total + 1 where account_id = %s",
    "U2_values_are_those_of_their_events": "update usage_values set events = events + 1 where account_id = %s",
    "U3_events_are_of_a_series": "update meter_events set series_id = -1 where account_id = %s and identifier = 'e0'",
    "U4_no_event_is_there_twice": "insert into meter_events (account_id, identifier, place, series_id, at, received_at, value) "
    "select account_id, identifier, 9, series_id, at, received_at, value from meter_events "
    "where account_id = %s and identifier = 'e0' and place = 0",
}


@pytest.mark.parametrize("invariant", BREAK)
async def test_verify_finds_usage_that_does_not_add_up(pool: Pool, account: Account, invariant: str) -> None:
    customer, _ = await make(pool, account)
    now = clock.wall()
    async with transaction(pool, account, now, now) as tx:
        await own_meter(tx, "count_distinct", None)
        payload = {"stripe_customer_id": customer, "value": "1", "region": "eu"}
        events = [Given("baked", payload, f"e{number}", now - number * 1800) for number in range(5)]
        assert await meter_events.record(tx, events) == [None] * 5
        await meter_event_adjustments.cancel(tx, "baked", "e3")
    assert (await verify(pool, now, account=account.id)).findings == []
    async with pool.connection() as connection:
        await connection.execute(BREAK[invariant], (account.id,))
    for since in (0, now - DAY):
        found = (await verify(pool, now, account=account.id, usage_since=since)).findings
        assert invariant in {finding.invariant for finding in found}
    assert (await verify(pool, now, account=account.id, usage_since=now + HOUR)).findings == []


async def test_verify_finds_an_event_that_is_known_by_another_digest(pool: Pool, account: Account, dsn: str) -> None:
    """As if the function that makes them had been changed: PostgreSQL would not make those anew that are there."""
    customer, _ = await make(pool, account)
    now = clock.wall()
    async with transaction(pool, account, now, now) as tx:
        events = [Given("baked", {"stripe_customer_id": customer, "value": "1"}, f"e{number}", now) for number in range(3)]
        assert await meter_events.record(tx, events) == [None] * 3
    with psycopg.connect(dsn) as connection:
        check, given = shelf("verify")["U5_events_are_known_by_their_digests"], {"only": account.id, "usage_since": 0}
        assert connection.execute(check, given).fetchall() == []
        connection.execute("alter table meter_events alter column digest drop expression")
        wrong = "update meter_events set digest = gen_random_uuid() where account_id = %s and identifier = 'e1'"
        connection.execute(wrong, (account.id,))
        for since in (0, now - DAY):
            assert [row[:2] for row in connection.execute(check, {**given, "usage_since": since})] == [(account.id, "e1")]
        assert connection.execute(check, {**given, "usage_since": now + HOUR}).fetchall() == []
        connection.rollback()


@pytest.mark.parametrize("identifier", ["e1", "7f9c", "a b", r"back\slash", r"\x61", "\\", "Grüße", "%s", "'", "\t\n"])
@pytest.mark.parametrize("place", [0, 1, 32_767])
def test_a_digest_is_of_account_and_identifier_and_ends_with_the_place(dsn: str, identifier: str, place: int) -> None:
    made = sha256(f"acct_1 {identifier}".encode()).digest()[:14] + place.to_bytes(2, "big")
    with psycopg.connect(dsn) as connection:
        asked = connection.execute("select event_digest('acct_1', %s::text, %s::smallint)", (identifier, place))
        assert asked.fetchone() == (UUID(bytes=made),)


async def test_an_event_is_looked_for_by_its_digest(pool: Pool, account: Account) -> None:
    """Whatever the book has: also under row-level security, which takes few comparisons into an index."""
    customer, _ = await make(pool, account)
    now = clock.wall()
    async with transaction(pool, account, now, now) as tx:
        await own_meter(tx, "max", None)
        payload = {"stripe_customer_id": customer, "value": "1", "region": "eu"}
        events = [Given("baked", payload, f"e{number}", now - number) for number in range(2_000)]
        assert await meter_events.record(tx, events) == [None] * 2_000
    async with transaction(pool, account, now, now) as tx:
        before = await rows_read(tx)
        assert await tx.all(query("usage", "known"), identifiers=Texts(["e7", "e2000", "e8"])) == [("e7",), ("e8",)]
        looked = await rows_read(tx)
        assert looked - before <= 2
        assert [row[0] for row in await tx.all(query("usage", "event_to_cancel"), identifier="e7")] == [0, 1]
        await tx.run(query("usage", "cancel"), identifier="e7", wall=now)
        assert await rows_read(tx) - looked <= 12


async def test_kept_sums_without_an_event_are_found_by_the_whole_check(pool: Pool, account: Account) -> None:
    customer, _ = await make(pool, account)
    now = clock.wall()
    async with transaction(pool, account, now, now) as tx:
        assert await meter_events.record(tx, [Given("baked", {"stripe_customer_id": customer, "value": "1"}, "e", now)]) == [None]
    earlier = "update usage_rollups set hour_at = hour_at - interval '9 days' where account_id = %s"
    async with pool.connection() as connection:
        await connection.execute(earlier, (account.id,))
    for since, hours in ((0, 2), (now - DAY, 1)):
        found = (await verify(pool, now, account=account.id, usage_since=since)).findings
        assert [finding.invariant for finding in found] == ["U1_hours_are_the_sums_of_their_events"] * hours


async def test_checking_what_came_lately_reads_what_came_lately(pool: Pool, account: Account, dsn: str) -> None:
    """And the hours that it came into; not the events of all time."""
    customer, _ = await make(pool, account)
    now = clock.wall() // HOUR * HOUR
    payload = {"stripe_customer_id": customer, "value": "1"}
    old = [Given("baked", payload, new_id("e"), now - number * 60) for number in range(20_000)]
    async with transaction(pool, account, now, now) as tx:
        assert await meter_events.record(tx, old) == [None] * len(old)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze meter_events")  # the index of receipts is complete then
    await asyncio.sleep(1.1)
    since = clock.wall()
    async with transaction(pool, account, now, now) as tx:
        new = [Given("baked", payload, new_id("e"), now - 1800) for _ in range(300)]
        assert await meter_events.record(tx, new) == [None] * len(new)

    def read(name: str, whole_tables: str = "off") -> int:  # see rows_read.py
        with psycopg.connect(dsn) as connection:
            connection.execute(f"set enable_seqscan = {whole_tables}")
            given = {"only": account.id, "usage_since": since}
            before = connection.execute(EVENTS_READ).fetchone()[0]
            assert connection.execute(shelf("verify")[name], given).fetchall() == []
            return int(connection.execute(EVENTS_READ).fetchone()[0]) - before

    for name in (name for name in shelf("verify") if name.startswith("U")):
        assert read(name) < 10_000, name
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("analyze meter_events")  # then the planner expects that many are looked for
    assert read("U4_no_event_is_there_twice", "on") < 10_000


async def test_an_event_taken_back_while_another_comes_into_its_hour(pool: Pool, account: Account) -> None:
    """The sum waits for who is adding to it."""
    customer, meter = await make(pool, account)
    now = clock.wall()

    def event(identifier: str, value: str) -> Given:
        return Given("baked", {"stripe_customer_id": customer, "value": value}, identifier, now - now % HOUR)

    async def cancel() -> None:
        async with transaction(pool, account, now, now) as tx:
            await meter_event_adjustments.cancel(tx, "baked", "wrong")

    async with transaction(pool, account, now, now) as tx:
        await meter_events.record(tx, [event("wrong", "100"), event("right", "1")])
    async with transaction(pool, account, now, now) as arriving:
        await meter_events.record(arriving, [event("late", "10")])
        canceling = asyncio.create_task(cancel())
        done, _ = await asyncio.wait([canceling], timeout=0.3)
        assert not done, "it did not wait"
    await canceling
    async with transaction(pool, account, now, now) as tx:
        key = UsageKey(meter, customer, now - DAY, now + DAY)
        assert await quantities(tx, [key]) == {key: Decimal(11)}
    assert (await verify(pool, now, account=account.id)).findings == []


async def test_the_same_events_in_many_transactions_at_once_count_once(pool: Pool, account: Account) -> None:
    customer, meter = await make(pool, account)
    now = clock.wall()
    events = [Given("baked", {"stripe_customer_id": customer, "value": "1"}, f"same{number}", now) for number in range(300)]

    async def send(shift: int) -> int:
        async with transaction(pool, account, now, now) as tx:
            return (await meter_events.record(tx, events[shift:] + events[:shift])).count(None)

    accepted = await asyncio.gather(*(send(shift) for shift in (0, 50, 100, 150, 200, 250)))
    assert sum(accepted) == 300
    async with transaction(pool, account, now, now) as tx:
        key = UsageKey(meter, customer, now - DAY, now + DAY)
        assert await quantities(tx, [key]) == {key: Decimal(300)}


EVENTS_READ = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'meter_events'"


async def test_what_is_read_does_not_grow_with_history(pool: Pool, account: Account) -> None:
    """Whole hours come from their sums, parts of hours from their own events; the rest of the past is not looked at."""
    customer, meter = await make(pool, account)
    now = clock.wall() // HOUR * HOUR
    payload = {"stripe_customer_id": customer, "value": "1"}
    events = [Given("baked", payload, new_id("e"), now - number * 600) for number in range(4_000)]  # six an hour
    async with transaction(pool, account, now, now) as tx:
        assert await meter_events.record(tx, events) == [None] * 4_000
    async with transaction(pool, account, now, now) as tx:
        before = await rows_read(tx)
        key = UsageKey(meter, customer, now - 20 * HOUR - 1800, now - 1800)
        assert await quantities(tx, [key]) == {key: Decimal(120)}
        read = await rows_read(tx) - before
    assert read <= 60, read  # 19 hours, 6 events of two half hours, the meter, the series and little else


async def test_until_now_the_events_of_a_busy_hour_are_not_read(pool: Pool, account: Account) -> None:
    """Where the rest of an hour has no event, its sum is the hour's; one event after the window, and they are counted."""
    customer, meter = await make(pool, account)
    now = clock.wall() // HOUR * HOUR - 1800
    key = UsageKey(meter, customer, now - DAY - 900, now + 60)

    async def record(*at: int) -> None:
        async with transaction(pool, account, now, now) as tx:
            events = [Given("baked", {"stripe_customer_id": customer, "value": "1"}, new_id("e"), each) for each in at]
            assert await meter_events.record(tx, events) == [None] * len(at)

    async def read() -> tuple[Decimal, int]:
        async with transaction(pool, account, now, now) as tx:
            before = await rows_read(tx)
            found = await quantities(tx, [key])
            return found[key], await rows_read(tx) - before

    await record(*(now - number % 1800 for number in range(2_000)))
    used, rows = await read()
    assert used == 2_000
    assert rows <= 20, rows
    await record(now + 60)
    assert (await read())[0] == 2_000


async def test_whoever_waits_for_usage_is_found_among_all_who_do(pool: Pool, account: Account) -> None:
    """An alert for everybody that was told to everybody, and one for each customer."""
    customer, meter = await make(pool, account)
    now = clock.wall()
    others = [new_id("cus") for _ in range(500)]

    def alert(whose: str | None) -> Alert:
        return Alert(
            id=new_id("alrt"), created=now, customer=whose, livemode=False, meter=meter, title="Many",
            usage_threshold=UsageThreshold(filters=None, gte=1, meter=meter),
        )  # fmt: skip

    async with transaction(pool, account, now, now) as tx:
        made = [Customer(id=id, created=now, invoice_prefix=id[-8:], livemode=False) for id in others]
        all_of_them = alert(None)
        told = [alerts.trigger(all_of_them, id, Decimal(1), now) for id in others]
        await write(tx, [Decision(inserts=[*made, all_of_them, *map(alert, others)]), *told])
    async with transaction(pool, account, now, now) as tx:
        before = await rows_read(tx)
        rows = await tx.all(query("usage", "watched"), meters=[meter] * 2, customers=[customer, others[0]])
        read = await rows_read(tx) - before
    assert sorted(row[1] for row in rows) == sorted([customer, others[0]])
    assert read <= 10, read
