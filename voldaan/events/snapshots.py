"""What an event remembers: the object as it was, encoded once and compressed together with its neighbours.

Uncompressed snapshots of 1 to 4 kB would double the write-ahead log. A few events that are written together share a frame, in
which each is a line, and those of one request or piece of work share a row. With the dictionary, what all snapshots have in
common, an event takes some hundred and fifty bytes (docs/performance.md). A frame names its dictionary, so a new one may be
added for what is written from then on; none is ever taken away or changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import zstandard

from voldaan.events.changes import previous_attributes
from voldaan.resources.base import ListObject, Resource
from voldaan.resources.numbers import encode_lines
from voldaan.resources.render import seen, seen_since
from voldaan.rules.decision import Event

HERE = Path(__file__).parent
LEVEL = 1
SUITED = {"hash_log": 13, "min_match": 7}  # an eighth smaller than the level's own, and as fast: JSON repeats long pieces
TOGETHER = 16  # events in a frame: reading one takes ten microseconds; a place is one hexadecimal digit


@cache
def dictionaries() -> dict[int, zstandard.ZstdCompressionDict]:
    """By the number that frames name them with; the last one is the present one. Made by setup/train-snapshots.py."""
    found = [zstandard.ZstdCompressionDict(path.read_bytes()) for path in HERE.glob("snapshots-*.zdict")]
    return {dictionary.dict_id(): dictionary for dictionary in sorted(found, key=lambda d: d.dict_id())}


@cache
def _compressor() -> zstandard.ZstdCompressor:
    present = list(dictionaries().values())[-1:]
    parameters = zstandard.ZstdCompressionParameters(compression_level=LEVEL, write_dict_id=True, **SUITED)
    return zstandard.ZstdCompressor(dict_data=present[0] if present else None, compression_params=parameters)


@cache
def _decompressor(dictionary: int) -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(dict_data=dictionaries()[dictionary] if dictionary else None)


Were = dict[str, list[dict[str, Any]]]  # of an object's lists: of each child what was otherwise before


class Data(msgspec.Struct):
    """An event's `data` hash, and its line in a frame. `were` belongs to the previous attributes, and is not in the hash."""

    were: Were | msgspec.UnsetType
    object: msgspec.Struct | dict[str, msgspec.Raw]
    previous_attributes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Since(msgspec.Struct):
    """The line of an object that the frame has already, at the place `like`: what is seen of it only now, and what no more."""

    like: int
    object: dict[str, Any]
    gone: list[str]
    were: Were | msgspec.UnsetType = msgspec.UNSET
    previous_attributes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Line(msgspec.Struct):
    """Either, as it is read."""

    object: dict[str, msgspec.Raw]
    like: int | None = None
    gone: list[str] = []
    were: Were = {}
    previous_attributes: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


WHOLE = b'{"object"'  # how a line begins that is the `data` hash as it stands
_read = msgspec.json.Decoder(Line).decode
_read_children = msgspec.json.Decoder(ListObject[dict[str, msgspec.Raw]]).decode


class Row(NamedTuple):
    """Events that share a row: the first is known by its id, the others by that and their place after it.

    The row has its `frame`, or names the row that has it; `place` is where its first event stands there.
    """

    id: str
    events: Sequence[Event]
    frame: bytes | None
    holder: str | None
    place: int

    def ids(self) -> list[str]:
        """Of its events, in order; that is how they sort."""
        return [self.id, *(f"{self.id}{place:x}" for place in range(1, len(self.events)))]


def pack(events: Sequence[Event], new_id: Callable[[str], str]) -> list[Row]:
    """The rows of events that are written together. Those that had another cause have another row."""
    compress, rows = _compressor().compress, []
    for start in range(0, len(events), TOGETHER):
        together = events[start : start + TOGETHER]
        frame: bytes | None = compress(encode_lines(_lines(together)))
        holder, place = None, 0
        for _, same in groupby(together, attrgetter("cause")):
            row = Row(new_id("evt"), list(same), frame, holder, place)
            rows.append(row)
            frame, holder, place = None, holder or row.id, place + len(row.events)
    return rows


def _lines(together: Sequence[Event]) -> list[Data | Since]:
    first: dict[str, tuple[int, Resource]] = {}  # by the id of an object: where it is in full
    lines: list[Data | Since] = []
    for place, event in enumerate(together):
        like, was = first.setdefault(event.object.id, (place, event.object))
        lines.append(_line(event) if like == place else _since(event, like, was))
    return lines


def _line(event: Event) -> Data:
    were, previous = _before(event)
    return Data(were, seen(event.object), previous)


def _since(event: Event, like: int, was: Resource) -> Data | Since:
    new = seen_since(event.object, was)
    if new is None:
        return _line(event)
    gone = [name for name, value in new.items() if value is msgspec.UNSET]
    for name in gone:
        del new[name]
    return Since(like, new, gone, *_before(event))


def _before(event: Event) -> tuple[Were | msgspec.UnsetType, dict[str, Any] | msgspec.UnsetType]:
    """The previous attributes of an event, and apart from them the children that the object has still."""
    previous = event.previous
    if previous is None:
        return msgspec.UNSET, msgspec.UNSET
    if isinstance(previous, Resource):
        previous = previous_attributes(event.object, previous)
    were: Were = {}
    told: dict[str, Any] = {}
    for name, value in previous.items():
        if not isinstance(value, ListObject):
            told[name] = value
        elif (children := _otherwise(value, getattr(event.object, name))) is not None:
            were[name] = children
        else:
            told[name] = {"data": [seen(child) for child in value.data]}
    return were or msgspec.UNSET, told


def _otherwise(was: ListObject[Resource], now: Any) -> list[dict[str, Any]] | None:
    """What of each child was otherwise. None where they were others, or what they show now was not there to be seen."""
    if not isinstance(now, ListObject) or [child.id for child in was.data] != [child.id for child in now.data]:
        return None
    found = []
    for before, after in zip(was.data, now.data, strict=True):
        differs = seen_since(before, after)
        if differs is None or any(value is msgspec.UNSET for value in differs.values()):
            return None
        found.append(differs)
    return found


def unpack(frame: bytes, place: int) -> bytes:
    """The JSON of the `data` hash that stands at this place of a frame."""
    lines = _lines_of(frame)
    if lines[place].startswith(WHOLE):
        return lines[place]
    line = _read(lines[place])
    whole = line.object if line.like is None else _read(lines[line.like]).object | line.object
    for name in line.gone:
        whole.pop(name, None)
    previous = line.previous_attributes
    if line.were:
        were = {name: {"data": _as_they_were(whole[name], children)} for name, children in line.were.items()}
        previous = were | (previous or {})
    return msgspec.json.encode(Data(msgspec.UNSET, whole, previous))


def _as_they_were(page: msgspec.Raw, otherwise: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [child | differs for child, differs in zip(_read_children(page).data, otherwise, strict=True)]


@lru_cache(maxsize=8)
def _lines_of(frame: bytes) -> list[bytes]:
    """Who reads a page of events needs the same frame several times."""
    return _decompressor(zstandard.get_frame_parameters(frame).dict_id).decompress(frame).split(b"\n")


def unpack_object(frame: bytes, place: int) -> Any:
    """The `data` hash as plain values."""
    return msgspec.json.decode(unpack(frame, place))
