"""Brings a database to the present schema: numbered SQL files, forward only, each once and as a whole.

    migrations/0001_spine.sql, migrations/0002_….sql, …

Each file is one transaction, with its own record in it, so a failure leaves the database as it was before that file.
It never waits long for a lock, because everybody else would wait behind it: it gives way and tries again. Programs of
the version before go on while the database is ahead of them, so a file only ever adds (expand) or removes what no
running version uses any more (contract).
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import DuplicateObject, DuplicateTable, LockNotAvailable, UndefinedTable, UniqueViolation

FOLDER = Path(__file__).parent / "migrations"
FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
LOCK_TIMEOUT = "2s"
TRIES = 20  # for a lock, with a pause between; then somebody has to look who holds it
PAUSE = 0.5  # seconds

RECORD = """
create table if not exists schema_migrations (
  version    integer primary key,
  name       text not null,
  sha256     text not null,
  applied_at timestamptz not null default now()
)
"""

# What a book's share of a table is. Statistics know the books of yesterday: of a new one PostgreSQL would expect no row at all,
# find any index that begins with the account as good as the right one, and read the whole book for each query, or take one batch
# of work as often as there is work. So every book is said to own everything, also before there are statistics; no statistics are
# made of whose rows they are (it would look up which book asks, also in a plan that is kept for others); and queries are planned
# without looking at which book asks (store/transaction.py).
SHARES = """
do $$
declare t text;
begin
  for t in select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'
            where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
              and (not coalesce(a.attoptions @> '{n_distinct=1}', false) or a.attstattarget is distinct from 0)
  loop
    execute format('alter table %I alter column account_id set (n_distinct = 1), alter column account_id set statistics 0', t);
    if current_setting('server_version_num')::int >= 180000 then
      perform pg_clear_attribute_stats(current_schema()::text, t, 'account_id', false);
      perform pg_restore_attribute_stats(
        'schemaname', current_schema()::text, 'relname', t, 'attname', 'account_id', 'inherited', false,
        'null_frac', 0::real, 'avg_width', 31, 'n_distinct', 1::real);
    end if;
  end loop;
end $$
"""

Connection = psycopg.AsyncConnection[Any]


class MigrationError(RuntimeError):
    """The database cannot be brought to the present schema. The message says why."""


@dataclass(frozen=True)
class Migration:
    """One file."""

    version: int
    name: str  # of the file, without its ending: 0001_spine
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True)
class Applied:
    """What the database remembers of one file."""

    name: str
    sha256: str


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files in order. Raises MigrationError for a name without a number and for a number used twice."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        if not (match := FILE.fullmatch(path.name)):
            raise MigrationError(f"{path.name} is not named like 0001_what_it_does.sql.")
        version = int(match[1])
        if version in found:
            raise MigrationError(f"{found[version].name} and {path.stem} have the same number.")
        found[version] = Migration(version, path.stem, path.read_text(encoding="utf-8"))
    return list(found.values())


def missing(files: Sequence[Migration], applied: Mapping[int, Applied]) -> list[Migration]:
    """The files that are still to be applied. Raises MigrationError where files and database tell another history.

    A database that is ahead of the files is none: it belongs to a newer version of the program.
    """
    known = {file.version: file for file in files}
    newest_file = max(known, default=0)
    for version, was in applied.items():
        file = known.get(version)
        if file is None and version < newest_file:
            raise MigrationError(f"{was.name} was applied to this database, but its file is gone.")
        if file and file.sha256 != was.sha256:
            raise MigrationError(
                f"{file.name}.sql was changed after it was applied to this database as {was.name}. "
                f"Put the file back as it was, and write the change as a new one."
            )
    left = [file for file in files if file.version not in applied]
    newest_applied = max(applied, default=0)
    if left and left[0].version < newest_applied:
        raise MigrationError(
            f"{left[0].name}.sql comes before {applied[newest_applied].name}, which this database already has. "
            f"Give it the next free number."
        )
    return left


async def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Applies what is missing and returns the names. Any number of processes may do so at once.

    Raises MigrationError; what was applied before stays.
    """
    files = migrations(folder)
    done: list[str] = []
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await _make_record(connection)
        while name := await _apply_next(connection, files):
            done.append(name)
        await connection.execute(SHARES)
    return done


async def pending(dsn: str, folder: Path = FOLDER) -> list[str]:
    """The names that `migrate` would apply. Raises MigrationError as it would."""
    files = migrations(folder)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        try:
            applied = await _applied(connection)
        except UndefinedTable:
            applied = {}
    return [file.name for file in missing(files, applied)]


async def _make_record(connection: Connection) -> None:
    # `if not exists` does not see that another process is making it at this instant
    with contextlib.suppress(UniqueViolation, DuplicateTable, DuplicateObject):
        await connection.execute(RECORD)


async def _apply_next(connection: Connection, files: Sequence[Migration]) -> str | None:
    """Applies the first missing file, trying again while others hold what it needs."""
    for left in reversed(range(TRIES)):
        try:
            return await _try_next(connection, files)
        except LockNotAvailable as error:
            if not left:
                raise MigrationError(f"A lock was not to be had in {TRIES} tries: {error}") from error
            await asyncio.sleep(PAUSE)
    raise AssertionError("unreachable")


async def _try_next(connection: Connection, files: Sequence[Migration]) -> str | None:
    async with connection.transaction():
        await connection.execute("lock table schema_migrations in share row exclusive mode")  # one process at a time
        left = missing(files, await _applied(connection))
        if not left:
            return None
        file = left[0]
        await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        try:
            await connection.execute(file.sql.encode())
        except LockNotAvailable:
            raise
        except psycopg.Error as error:
            raise MigrationError(f"{file.name}.sql{_line(file, error)}: {error}") from error
        await connection.execute(
            "insert into schema_migrations (version, name, sha256) values (%s, %s, %s)",
            (file.version, file.name, file.sha256),
        )
        return file.name


async def _applied(connection: Connection) -> dict[int, Applied]:
    rows = await connection.execute("select version, name, sha256 from schema_migrations order by version")
    return {version: Applied(name, sha256) async for version, name, sha256 in rows}


def _line(file: Migration, error: psycopg.Error) -> str:
    """The line of the file that PostgreSQL points to, as `:12`, if it does."""
    if not (position := error.diag.statement_position):
        return ""
    return f":{file.sql.count(chr(10), 0, int(position) - 1) + 1}"
