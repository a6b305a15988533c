"""Snapshots come back as they were, from every dictionary there ever was."""

from __future__ import annotations

import msgspec
import zstandard
from msgspec.structs import replace

from voldaan.events import snapshots
from voldaan.resources.customers import Customer
from voldaan.resources.render import to_dict
from voldaan.rules.decision import Event

CUSTOMER = Customer(
    id="cus_8DoGcxaTmvlyd5oHybWgy6hDz2", created=1_790_000_000, invoice_prefix="A1B2C3D4", livemode=False, name="Żółta Łódź ⛵"
)


def test_a_snapshot_comes_back_with_what_it_was_before() -> None:
    [frame], _, _ = snapshots.pack([Event("customer.updated", CUSTOMER, {"name": None})], ["evt_1"])
    assert frame
    assert snapshots.unpack_object(frame, 0) == {"object": to_dict(CUSTOMER), "previous_attributes": {"name": None}}


def test_events_that_are_written_together_share_frames_that_the_first_of_each_holds() -> None:
    count = snapshots.TOGETHER + 2
    customers = [replace(CUSTOMER, name=f"Number {n}\n") for n in range(count)]
    ids = [f"evt_{n}" for n in range(count)]
    packed = snapshots.pack([Event("customer.created", customer) for customer in customers], ids)
    rows = dict(zip(ids, zip(*packed, strict=True), strict=True))
    assert [id for id, (frame, _, _) in rows.items() if frame] == [ids[0], ids[snapshots.TOGETHER]]
    for customer, (frame, holder, place) in zip(customers, rows.values(), strict=True):
        assert (frame is None) == (holder is not None)
        assert snapshots.unpack_object(frame or rows[holder][0], place) == {"object": to_dict(customer)}


def test_the_dictionary_is_what_makes_it_small() -> None:
    [packed], _, _ = snapshots.pack([Event("customer.created", CUSTOMER)], ["evt_1"])
    assert packed
    alone = zstandard.compress(snapshots.unpack(packed, 0), level=snapshots.LEVEL)
    assert len(packed) * 2 < len(alone)
    assert zstandard.get_frame_parameters(packed).dict_id == max(snapshots.dictionaries())


def test_what_was_written_with_another_dictionary_or_none_is_still_read() -> None:
    said = b'{"object":{"id":"cus_1"}}'
    assert snapshots.unpack(zstandard.compress(said), 0) == said
    for dictionary in snapshots.dictionaries().values():
        packed = zstandard.ZstdCompressor(dict_data=dictionary).compress(said)
        assert msgspec.json.decode(snapshots.unpack(packed, 0)) == {"object": {"id": "cus_1"}}


def test_every_dictionary_has_a_number_of_its_own() -> None:
    files = list(snapshots.HERE.glob("snapshots-*.zdict"))
    assert len(files) == len(snapshots.dictionaries()) >= 1
