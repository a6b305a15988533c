"""Snapshots come back as they were, from every dictionary there ever was."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import zstandard
from msgspec.structs import replace

from voldaan.events import snapshots
from voldaan.resources.base import ListObject
from voldaan.resources.customers import Customer
from voldaan.resources.render import to_dict
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.decision import Event
from voldaan.store.ids import new_id

CUSTOMER = Customer(
    id="cus_8DoGcxaTmvlyd5oHybWgy6hDz2", created=1_790_000_000, invoice_prefix="A1B2C3D4", livemode=False, name="Żółta Łódź ⛵"
)


def packed(*events: Event) -> list[snapshots.Row]:
    return snapshots.pack(events, new_id)


def read(rows: list[snapshots.Row]) -> list[Any]:
    """What each event's `data` hash is, by the rows alone."""
    frames = {row.id: row.frame for row in rows}
    return [
        snapshots.unpack_object(row.frame or frames[row.holder], row.place + nth)
        for row in rows
        for nth in range(len(row.events))
    ]


def lines_of(row: snapshots.Row) -> list[bytes]:
    """A row's frame as it is stored."""
    assert row.frame
    dictionary = snapshots.dictionaries()[zstandard.get_frame_parameters(row.frame).dict_id]
    return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(row.frame).splitlines()


def test_a_snapshot_comes_back_with_what_it_was_before() -> None:
    rows = packed(Event("customer.updated", CUSTOMER, {"name": None}))
    assert read(rows) == [{"object": to_dict(CUSTOMER), "previous_attributes": {"name": None}}]


def test_events_that_are_written_together_share_a_frame_and_a_row() -> None:
    count = snapshots.TOGETHER + 2
    customers = [replace(CUSTOMER, id=f"cus_{n}", name=f"Number {n}\n") for n in range(count)]
    rows = packed(*(Event("customer.created", customer) for customer in customers))
    assert [(len(row.events), row.frame is None, row.holder, row.place) for row in rows] == [
        (16, False, None, 0),
        (2, False, None, 0),
    ]
    assert read(rows) == [{"object": to_dict(customer)} for customer in customers]
    ids = [id for row in rows for id in row.ids()]
    assert ids == sorted(set(ids))
    assert {id[:30] for id in ids} == {row.id for row in rows}


def test_events_of_several_requests_share_a_frame_and_have_rows_of_their_own() -> None:
    customers = [replace(CUSTOMER, id=f"cus_{n}") for n in range(4)]
    causes = [("req_1", None), ("req_1", None), ("req_2", "key"), None]
    rows = packed(*(Event("customer.created", c, cause=cause) for c, cause in zip(customers, causes, strict=True)))
    assert [(len(row.events), row.frame is None, row.holder, row.place) for row in rows] == [
        (2, False, None, 0), (1, True, rows[0].id, 2), (1, True, rows[0].id, 3)
    ]  # fmt: skip
    assert read(rows) == [{"object": to_dict(customer)} for customer in customers]


def test_an_object_that_the_frame_has_is_not_written_again() -> None:
    later = replace(CUSTOMER, balance=-500)
    told = [Event("customer.created", CUSTOMER), Event("customer.updated", later), Event("customer.updated", CUSTOMER)]
    [row] = rows = packed(*told)
    text = b"\n".join(lines_of(row))
    assert text.count(b'"object":"customer"') == 1
    assert text.count(b'"balance"') == 2
    assert [data["object"] for data in read(rows)] == [to_dict(event.object) for event in told]


SUBSCRIPTION = Subscription(
    id="sub_1", billing_cycle_anchor=0, created=0, currency="eur", current_period_start=0, current_period_end=100,
    customer="cus_1", livemode=False, start_date=0, status="active",
    items=ListObject(data=[], url="/v1/subscription_items?subscription=sub_1"),
)  # fmt: skip


def with_items(*items: SubscriptionItem) -> Subscription:
    return replace(SUBSCRIPTION, items=ListObject(data=list(items), url=SUBSCRIPTION.items.url))


def item(id: str, end: int, **fields: Any) -> SubscriptionItem:
    return SubscriptionItem(
        id=id, created=0, current_period_start=end - 100, current_period_end=end, price="price_1", subscription="sub_1", **fields
    )


def test_of_children_that_stay_only_what_was_otherwise_is_written() -> None:
    was = with_items(item("si_1", 100, quantity=7, metadata={"desk": "north"}), item("si_2", 200))
    now = with_items(replace(was.items.data[0], current_period_start=100, current_period_end=200), was.items.data[1])
    rows = packed(Event("customer.subscription.updated", now, {"items": was.items, "latest_invoice": None}))
    assert lines_of(rows[0])[0].count(b'"north"') == 1
    assert read(rows) == [
        {
            "object": to_dict(now),
            "previous_attributes": {"items": {"data": [to_dict(each) for each in was.items.data]}, "latest_invoice": None},
        }
    ]


def test_children_that_go_come_or_are_less_than_now_are_written_whole() -> None:
    first, second = item("si_1", 100, quantity=7), item("si_2", 100)
    changes = [
        (with_items(first, second), with_items(first)),
        (with_items(first), with_items(first, second)),
        (with_items(first, second), with_items(second, first)),
        (with_items(second), with_items(replace(second, quantity=1))),  # its quantity was not there to be seen
    ]
    rows = packed(*(Event("customer.subscription.updated", now, was) for was, now in changes))
    assert [data["previous_attributes"] for data in read(rows)] == [
        {"items": {"data": [to_dict(each) for each in was.items.data]}} for was, _ in changes
    ]


def test_children_of_an_object_that_the_frame_has_come_back_too() -> None:
    states = [with_items(item("si_1", end, quantity=7)) for end in (100, 200, 300)]
    told = [Event("customer.subscription.updated", now, was) for was, now in pairwise(states)]
    rows = packed(Event("customer.subscription.created", states[0]), *told)
    assert [b'"like":0' in line for line in lines_of(rows[0])] == [False, True, True]
    assert read(rows)[1:] == [
        {"object": to_dict(now), "previous_attributes": {"items": {"data": [to_dict(was.items.data[0])]}}}
        for was, now in pairwise(states)
    ]


def test_the_dictionary_is_what_makes_it_small() -> None:
    [row] = packed(Event("customer.created", CUSTOMER))
    assert row.frame
    alone = zstandard.compress(snapshots.unpack(row.frame, 0), level=snapshots.LEVEL)
    assert len(row.frame) * 2 < len(alone)
    assert zstandard.get_frame_parameters(row.frame).dict_id == max(snapshots.dictionaries())


def test_what_was_written_with_another_dictionary_or_none_is_still_read() -> None:
    said = b'{"object":{"id":"cus_1"}}'
    assert snapshots.unpack(zstandard.compress(said), 0) == said
    for dictionary in snapshots.dictionaries().values():
        frame = zstandard.ZstdCompressor(dict_data=dictionary).compress(said)
        assert msgspec.json.decode(snapshots.unpack(frame, 0)) == {"object": {"id": "cus_1"}}


def test_every_dictionary_has_a_number_of_its_own() -> None:
    files = list(snapshots.HERE.glob("snapshots-*.zdict"))
    assert len(files) == len(snapshots.dictionaries()) >= 1
