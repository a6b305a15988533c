"""The doctor: one line for every illness, and one patient in the flesh."""

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from voldaan.store import doctor, embedded, migrate
from voldaan.store.doctor import GB, Facts

HEALTHY = Facts(
    version=180099, data_checksums="on", checksum_failures=0, fsync="on", full_page_writes="on", synchronous_commit="on",
    autovacuum="on", encoding="UTF8", timezone="UTC", is_standby=False, is_superuser=False, max_connections=200, connections=3,
    data_directory="/data", is_local=True, clock=0, clock_difference=0, disk_free=300 * GB, disk_total=500 * GB,
)  # fmt: skip


def test_the_healthy_have_no_findings() -> None:
    assert list(doctor.judge(HEALTHY)) == []


@pytest.mark.parametrize(
    ("fact", "value", "code", "severity"),
    [
        ("version", 140023, "postgres_too_old", "error"),
        ("version", 150000, "postgres_minor_old", "warning"),
        ("version", 180006, "postgres_minor_old", "warning"),
        ("data_checksums", "off", "checksums_off", "warning"),
        ("checksum_failures", 1, "pages_damaged", "error"),
        ("fsync", "off", "fsync_off", "error"),
        ("full_page_writes", "off", "full_page_writes_off", "error"),
        ("synchronous_commit", "off", "synchronous_commit_off", "error"),
        ("autovacuum", "off", "autovacuum_off", "warning"),
        ("is_standby", True, "is_standby", "error"),
        ("is_superuser", True, "role_too_powerful", "warning"),
        ("encoding", "SQL_ASCII", "encoding_not_utf8", "error"),
        ("timezone", "Europe/Amsterdam", "timezone_not_utc", "warning"),
        ("pending", ("0002_more",), "migrations_pending", "warning"),
        ("migration_error", "0001 was changed", "migrations_disagree", "error"),
        ("disk_free", 49 * GB, "disk_filling", "warning"),
        ("disk_free", GB, "disk_almost_full", "error"),
        ("max_connections", 20, "connections_few", "warning"),
        ("connections", 161, "connections_used_up", "warning"),
        ("clock_difference", 2_500_000, "clock_differs", "warning"),
        ("clock_difference", -2_500_000, "clock_differs", "warning"),
    ],
)
def test_each_illness(fact: str, value: object, code: str, severity: str) -> None:
    (finding,) = doctor.judge(replace(HEALTHY, **{fact: value}))  # type: ignore[arg-type]
    assert (finding.code, finding.severity) == (code, severity)
    assert finding.fix


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("version", 180007),
        ("version", 190000),  # newer than this table
        ("synchronous_commit", "remote_apply"),
        ("disk_free", None),
        ("clock_difference", 1_900_000),
        ("connections", 160),
    ],
)
def test_no_false_alarm(fact: str, value: object) -> None:
    assert list(doctor.judge(replace(HEALTHY, **{fact: value}))) == []  # type: ignore[arg-type]


def test_a_real_patient(scratch_server: embedded.Server, tmp_path: Path) -> None:
    (tmp_path / "0001_begin.sql").write_text("create table t (id int)")

    facts = asyncio.run(doctor.gather(scratch_server.dsn, tmp_path))
    assert facts.data_directory == str(scratch_server.cluster.data)
    assert facts.disk_free
    assert facts.disk_total
    assert facts.disk_free < facts.disk_total
    assert abs(facts.clock_difference) < 1_000_000, "it is the same clock"
    found = {finding.code for finding in asyncio.run(doctor.examine(scratch_server.dsn, tmp_path))}
    assert "migrations_pending" in found
    assert not found & {"checksums_off", "fsync_off", "timezone_not_utc", "role_too_powerful", "clock_differs"}

    asyncio.run(migrate.migrate(scratch_server.dsn, tmp_path))
    with psycopg.connect(scratch_server.admin_dsn, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter role voldaan set timezone = 'Europe/Amsterdam'")
        connection.execute("select pg_reload_conf(), pg_sleep(0.2)")
    findings = asyncio.run(doctor.examine(scratch_server.dsn, tmp_path))
    codes = [finding.code for finding in findings]
    assert "migrations_pending" not in codes
    assert "timezone_not_utc" in codes
    assert codes[0] == "fsync_off", "errors come first"

    assert "role_too_powerful" in {finding.code for finding in asyncio.run(doctor.examine(scratch_server.admin_dsn, tmp_path))}


def test_nobody_there(tmp_path: Path) -> None:
    (finding,) = asyncio.run(doctor.examine(f"host={tmp_path} dbname=voldaan"))
    assert (finding.code, finding.severity) == ("unreachable", "error")
