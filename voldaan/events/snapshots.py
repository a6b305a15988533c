"""What an event remembers: the object as it was, encoded once and compressed.

An uncompressed invoice of 2-4 kB per event would double the write-ahead log; with the shared dictionary it is a few hundred bytes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from voldaan.events.changes import previous_attributes
from voldaan.resources.base import Resource
from voldaan.resources.render import encode
from voldaan.rules.decision import Event

DICTIONARY = Path(__file__).with_name("snapshots.zdict")
LEVEL = 1


@cache
def _codec() -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    shared = zstandard.ZstdCompressionDict(DICTIONARY.read_bytes()) if DICTIONARY.exists() else None
    return (
        zstandard.ZstdCompressor(level=LEVEL, dict_data=shared, write_checksum=False),
        zstandard.ZstdDecompressor(dict_data=shared),
    )


def pack(event: Event) -> bytes:
    """The event's `data` hash: {"object": …, "previous_attributes": …}, compressed."""
    data = b'{"object":' + encode(event.object)
    if event.previous is not None:
        previous = event.previous
        if isinstance(previous, Resource):
            previous = previous_attributes(event.object, previous)
        data += b',"previous_attributes":' + msgspec.json.encode(previous)
    return _codec()[0].compress(data + b"}")


def unpack(packed: bytes) -> bytes:
    """The JSON of the `data` hash."""
    return _codec()[1].decompress(packed)


def unpack_object(packed: bytes) -> Any:
    """The `data` hash as plain values."""
    return msgspec.json.decode(unpack(packed))
