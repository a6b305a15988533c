"""What an event remembers: the object as it was, encoded once and compressed together with its neighbours.

Uncompressed snapshots of 1 to 4 kB would double the write-ahead log. A few events that are written together share a frame, in
which each is a line; the first one's row holds it. With the dictionary, what all snapshots have in common, an event takes
some hundred and seventy bytes (docs/performance.md). A frame names its dictionary, so a new one may be added for what is
written from then on; none is ever taken away or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from voldaan.events.changes import previous_attributes
from voldaan.resources.base import Resource
from voldaan.resources.numbers import encode_lines
from voldaan.resources.render import Pages, seen
from voldaan.rules.decision import Event

HERE = Path(__file__).parent
LEVEL = 1
TOGETHER = 16  # events in a frame: reading one takes ten microseconds


@cache
def dictionaries() -> dict[int, zstandard.ZstdCompressionDict]:
    """By the number that frames name them with; the last one is the present one. Made by setup/train-snapshots.py."""
    found = [zstandard.ZstdCompressionDict(path.read_bytes()) for path in HERE.glob("snapshots-*.zdict")]
    return {dictionary.dict_id(): dictionary for dictionary in sorted(found, key=lambda d: d.dict_id())}


@cache
def _compressor() -> zstandard.ZstdCompressor:
    present = list(dictionaries().values())[-1:]
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=present[0] if present else None, write_checksum=False)


@cache
def _decompressor(dictionary: int) -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(dict_data=dictionaries()[dictionary] if dictionary else None)


class Data(msgspec.Struct):
    """An event's `data` hash."""

    object: msgspec.Struct
    previous_attributes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Packed(NamedTuple):
    """Of each event, in order: the frame, if its row holds one, else the id of the event that holds it; and its place there."""

    frames: list[bytes | None]
    holders: list[str | None]
    places: list[int]


def pack(events: Sequence[Event], ids: Sequence[str]) -> Packed:
    """The `data` hashes of events that are written under these ids."""
    compress, packed = _compressor().compress, Packed([], [], [])
    for start in range(0, len(events), TOGETHER):
        pages: Pages = {}  # a bill's two snapshots show the same lines
        data = [_data(event, pages) for event in events[start : start + TOGETHER]]
        others = len(data) - 1
        packed.frames.extend([compress(encode_lines(data)), *[None] * others])
        packed.holders.extend([None, *[ids[start]] * others])
        packed.places.extend(range(len(data)))
    return packed


def _data(event: Event, pages: Pages) -> Data:
    previous = event.previous
    if previous is None:
        return Data(seen(event.object, pages))
    if isinstance(previous, Resource):
        previous = previous_attributes(event.object, previous)
    return Data(seen(event.object, pages), previous)


def unpack(frame: bytes, place: int) -> bytes:
    """The JSON of the `data` hash that stands at this place of a frame."""
    return _lines(frame)[place]


@lru_cache(maxsize=8)
def _lines(frame: bytes) -> list[bytes]:
    """Who reads a page of events needs the same frame several times."""
    return _decompressor(zstandard.get_frame_parameters(frame).dict_id).decompress(frame).split(b"\n")


def unpack_object(frame: bytes, place: int) -> Any:
    """The `data` hash as plain values."""
    return msgspec.json.decode(unpack(frame, place))
