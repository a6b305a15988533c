"""How Python values meet PostgreSQL's: instants are ints here and timestamptz there, documents arrive and leave as JSON bytes."""

from __future__ import annotations

import struct
from typing import Any

import msgspec
import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types.json import set_json_loads

POSTGRES_EPOCH = 946_684_800  # 2000-01-01 in epoch seconds
MICRO = 1_000_000
TIMESTAMPTZ_OID = 1184
JSONB_OID = 3802

_pack = struct.Struct("!q").pack
_unpack = struct.Struct("!q").unpack


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
        return int(_unpack(bytes(data))[0]) // MICRO + POSTGRES_EPOCH


class JsonbDumper(Dumper):
    format = Format.BINARY
    oid = JSONB_OID

    def dump(self, obj: bytes) -> bytes:
        return b"\x01" + obj


def prepare(connection: psycopg.AsyncConnection[Any]) -> None:
    """Registers the adapters on one connection."""
    adapters = connection.adapters
    adapters.register_dumper(At, InstantDumper)
    adapters.register_dumper(Json, JsonbDumper)
    adapters.register_loader("timestamptz", InstantBinaryLoader)
    set_json_loads(msgspec.json.decode, connection)
