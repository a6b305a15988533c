"""What an event remembers: the object as it was, encoded once and compressed.

Uncompressed snapshots of 1 to 4 kB would double the write-ahead log. Compressed with what they have in common, the
dictionary, they take some two hundred bytes, and a quarter of the time (docs/performance.md). A frame names its dictionary,
so a new one may be added for what is written from then on; none is ever taken away or changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from voldaan.events.changes import previous_attributes
from voldaan.resources.base import Resource
from voldaan.resources.numbers import encode_json
from voldaan.resources.render import Pages, seen
from voldaan.rules.decision import Event

HERE = Path(__file__).parent
LEVEL = 1
AT_ONCE = 64


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


def pack(events: Sequence[Event]) -> list[bytes]:
    """The `data` hash of each event, compressed: a few at a time with one call, so that they stay in the processor's cache."""
    packed: list[bytes] = []
    for start in range(0, len(events), AT_ONCE):
        pages: Pages = {}  # a bill's two snapshots show the same lines
        hashes = [encode_json(_data(event, pages)) for event in events[start : start + AT_ONCE]]
        packed += [frame.tobytes() for frame in _compressor().multi_compress_to_buffer(hashes)]
    return packed


def _data(event: Event, pages: Pages) -> Data:
    previous = event.previous
    if previous is None:
        return Data(seen(event.object, pages))
    if isinstance(previous, Resource):
        previous = previous_attributes(event.object, previous)
    return Data(seen(event.object, pages), previous)


def unpack(packed: bytes) -> bytes:
    """The JSON of the `data` hash."""
    return _decompressor(zstandard.get_frame_parameters(packed).dict_id).decompress(packed)


def unpack_object(packed: bytes) -> Any:
    """The `data` hash as plain values."""
    return msgspec.json.decode(unpack(packed))
