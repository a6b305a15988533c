"""A processor's own storage: its own schema, reached through its own connections, with its own commits."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
Connection = psycopg.AsyncConnection[Any]
Row = TypeVar("Row")


@cache
def queries(path: Path) -> dict[str, str]:
    """The named queries of one .sql file."""
    parts = NAME.split(path.read_text(encoding="utf-8"))[1:]
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}


class Storage:
    """A small pool over one schema; `home` is the folder of schema.sql and queries.sql."""

    def __init__(self, dsn: str, home: Path, name: str, size: int) -> None:
        self._schema = (home / "schema.sql").read_text(encoding="utf-8")
        self._queries = queries(home / "queries.sql")
        self._name = name
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            dsn, min_size=1, max_size=size, open=False, timeout=10,
            kwargs={"autocommit": True, "application_name": name}, configure=_configure,
        )

    async def open(self) -> None:
        """Opens the connections and creates the schema where it is missing; processes that start together take turns."""
        await self._pool.open(wait=True, timeout=60)
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s)", (crc32(self._name.encode()),))
            await connection.execute(self._schema)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection in autocommit: each statement is a commit."""
        async with self._pool.connection() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._pool.connection() as connection, connection.transaction():
            yield connection

    async def run(self, connection: Connection, query: str, **values: object) -> int:
        """Runs a named query for its effect; returns how many rows it touched."""
        return (await connection.execute(self._queries[query], values)).rowcount

    async def rows(self, connection: Connection, kind: type[Row], query: str, **values: object) -> list[Row]:
        """The rows of a named query, each as a `kind`."""
        async with connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(self._queries[query], values)
            return await cursor.fetchall()

    async def column(self, connection: Connection, query: str, values: Mapping[str, object]) -> list[Any]:
        """The first column of a named query."""
        cursor = await connection.execute(self._queries[query], values)
        return [row[0] for row in await cursor.fetchall()]


async def _configure(connection: Connection) -> None:
    connection.prepare_threshold = 2
