"""How Python values meet PostgreSQL's: instants are ints here and timestamptz there, documents arrive and leave as JSON bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from typing import Any

import msgspec
import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types.json import set_json_loads
from psycopg.types.string import BytesBinaryDumper

POSTGRES_EPOCH = 946_684_800  # 2000-01-01 in epoch seconds
MICRO = 1_000_000
TIMESTAMPTZ_OID = 1184
JSONB_OID = 3802
JSONB_VERSION = b"\x01"
TEXT_OID, TEXT_ARRAY_OID = 25, 1009
INT8_OID, INT8_ARRAY_OID = 20, 1016

_from_json = msgspec.json.Decoder().decode
_pack = struct.Struct("!q").pack
_unpack = struct.Struct("!q").unpack
_pack_length = struct.Struct("!i").pack
_array_head = struct.Struct("!iiIii").pack  # dimensions, nulls, type of members, length, lower bound
_EIGHT = _pack_length(8)
_NULL = _pack_length(-1)


def _instants(column: Iterable[int | None]) -> list[int | None]:
    return [None if at is None else (at - POSTGRES_EPOCH) * MICRO for at in column]


def _documents(column: Iterable[bytes | None]) -> list[bytes | None]:
    return [None if json is None else JSONB_VERSION + json for json in column]


def _text_arrays(column: Iterable[list[str] | None]) -> list[bytes | None]:
    return [None if texts is None else _text_array(texts) for texts in column]


def _text_array(values: list[Any]) -> bytes:
    """text[] as it is sent; members are text, bytes of encoded text, or None."""
    texts = [member.encode() if type(member) is str else member for member in values]
    if None in values:
        members = [_NULL if text is None else _pack_length(len(text)) + text for text in texts]
        return _array(TEXT_OID, values) + b"".join(members)
    lengths = map(_pack_length, map(len, texts))
    return _array(TEXT_OID, values) + b"".join(chain.from_iterable(zip(lengths, texts, strict=True)))


# What binary COPY's columns become that the driver would make row by row in Python: of a type that it writes in C.
AS_SENT: dict[str, tuple[str, Callable[[Iterable[Any]], list[Any]]]] = {
    "timestamptz": ("int8", _instants),
    "jsonb": ("bytea", _documents),
    "text[]": ("bytea", _text_arrays),
}


def binary_columns(types: Sequence[str], columns: Sequence[Iterable[Any]]) -> tuple[list[str], list[Iterable[Any]]]:
    """The types and columns to give to the driver for binary COPY; instants are epoch seconds, documents JSON bytes."""
    sent = [AS_SENT.get(name, (name, None)) for name in types]
    made = [convert(column) if convert else column for (_, convert), column in zip(sent, columns, strict=True)]
    return [name for name, _ in sent], made


class At(int):
    """An instant that is passed to a query as timestamptz."""


class Json(bytes):
    """Encoded JSON that is passed to a query as jsonb."""


class InstantDumper(Dumper):
    format = Format.BINARY
    oid = TIMESTAMPTZ_OID

    def dump(self, obj: int) -> bytes:
        return _pack((obj - POSTGRES_EPOCH) * MICRO)


class InstantBinaryLoader(Loader):
    format = Format.BINARY

    def load(self, data: Any) -> int:
        return _unpack(data)[0] // MICRO + POSTGRES_EPOCH  # type: ignore[no-any-return]


class Texts(list["str | bytes | None"]):
    """A list that is passed to a query as text[]; bytes are text that is encoded already.

    The driver's own way costs a microsecond for each member.
    """


class Numbers(list["int | None"]):
    """The same as bigint[]."""


def array(values: list[Any]) -> list[Any]:
    """A list parameter in the form that is cheapest to send."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return Texts(values)
    return Numbers(values) if kinds == {int} else values


class TextsDumper(Dumper):
    format = Format.BINARY
    oid = TEXT_ARRAY_OID

    def dump(self, obj: Texts) -> bytes:
        return _text_array(obj)


class NumbersDumper(Dumper):
    format = Format.BINARY
    oid = INT8_ARRAY_OID

    def dump(self, obj: Numbers) -> bytes:
        if None in obj:
            members = [_NULL if number is None else _EIGHT + _pack(number) for number in obj]
            return _array(INT8_OID, obj) + b"".join(members)
        pairs = chain.from_iterable(zip(repeat(8), obj))  # each member is its length and its value
        return _array(INT8_OID, obj) + struct.pack("!" + "iq" * len(obj), *pairs)


def _array(member: int, values: list[Any]) -> bytes:
    """The head of a one-dimensional array."""
    return _array_head(1, None in values, member, len(values), 1)


class JsonbDumper(Dumper):
    format = Format.BINARY
    oid = JSONB_OID

    def dump(self, obj: bytes) -> bytes:
        return JSONB_VERSION + obj


class JsonbLoader(Loader):
    format = Format.BINARY

    def load(self, data: Any) -> Any:
        return _from_json(data[1:])


def prepare(connection: psycopg.AsyncConnection[Any]) -> None:
    """Registers the adapters on one connection."""
    adapters = connection.adapters
    adapters.register_dumper(At, InstantDumper)
    adapters.register_dumper(Json, JsonbDumper)
    adapters.register_dumper(Texts, TextsDumper)
    adapters.register_dumper(Numbers, NumbersDumper)
    adapters.register_loader("timestamptz", InstantBinaryLoader)
    adapters.register_dumper(bytes, BytesBinaryDumper)  # also for what COPY is told to be bytea
    adapters.register_loader("jsonb", JsonbLoader)
    set_json_loads(msgspec.json.decode, connection)
