"""Migrations: applied once, in order, as a whole, whoever else does it too; and equal to the readable schema."""

import asyncio
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.store.catalog import catalog
from voldaan.store import embedded, migrate
from voldaan.store.migrate import Applied, Migration, MigrationError

STORE = Path(migrate.__file__).parent
numbers = count()


@pytest.fixture
def new_database(scratch_server: embedded.Server) -> Callable[[], str]:
    """Makes an empty database and returns its address."""

    def make() -> str:
        name = f"migrations_{next(numbers)}"
        with psycopg.connect(scratch_server.dsn, autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
        return make_conninfo(scratch_server.dsn, dbname=name)

    return make


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "0001_customers.sql").write_text("create table customers (id text primary key);\n")
    (tmp_path / "0002_names.sql").write_text(
        "alter table customers add name text;\ninsert into customers values ('cus_1', '100 % Anna');\n"
    )
    return tmp_path


def run(dsn: str, folder: Path) -> list[str]:
    return asyncio.run(migrate.migrate(dsn, folder))


def ask(dsn: str, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_applies_each_file_once(new_database: Callable[[], str], files: Path) -> None:
    dsn = new_database()
    assert asyncio.run(migrate.pending(dsn, files)) == ["0001_customers", "0002_names"]
    assert run(dsn, files) == ["0001_customers", "0002_names"]
    assert run(dsn, files) == []
    assert asyncio.run(migrate.pending(dsn, files)) == []
    assert ask(dsn, "select * from customers") == [("cus_1", "100 % Anna")]

    (files / "0003_mail.sql").write_text("alter table customers add email text;")
    assert run(dsn, files) == ["0003_mail"]
    assert ask(dsn, "select version, name, length(sha256) from schema_migrations order by 1") == [
        (1, "0001_customers", 64),
        (2, "0002_names", 64),
        (3, "0003_mail", 64),
    ]


def test_a_file_that_fails_leaves_nothing_and_says_where(new_database: Callable[[], str], files: Path) -> None:
    dsn = new_database()
    (files / "0003_mail.sql").write_text("create table mails (id text);\n\nalter table mials add subject text;\n")
    with pytest.raises(MigrationError, match='relation "mials" does not exist'):
        run(dsn, files)
    (files / "0003_mail.sql").write_text("create table mails (id text);\n\nalter tabel mails add subject text;\n")
    with pytest.raises(MigrationError, match=r'0003_mail\.sql:3: syntax error at or near "tabel"'):
        run(dsn, files)
    assert ask(dsn, "select to_regclass('mails'), count(*) from schema_migrations") == [(None, 2)]


def test_history_cannot_be_changed(new_database: Callable[[], str], files: Path) -> None:
    dsn = new_database()
    run(dsn, files)
    (files / "0001_customers.sql").write_text("create table customers (id uuid primary key);\n")
    with pytest.raises(MigrationError, match=r"0001_customers\.sql was changed after it was applied"):
        run(dsn, files)
    with pytest.raises(MigrationError, match="was changed"):
        asyncio.run(migrate.pending(dsn, files))


ONE, TWO, THREE = (Migration(n, f"000{n}_x", f"select {n}") for n in (1, 2, 3))
DONE = {m.version: Applied(m.name, m.sha256) for m in (ONE, TWO, THREE)}


@pytest.mark.parametrize(
    ("files", "applied", "left"),
    [
        ([], [], []),
        ([ONE, TWO], [], [ONE, TWO]),
        ([ONE, TWO], [1], [TWO]),
        ([ONE, TWO], [1, 2], []),
        ([ONE, TWO], [1, 2, 3], []),  # a newer version of the program was here: this one still runs
        ([ONE, TWO, THREE], [1, 3], "comes before 0003_x"),
        ([ONE, THREE], [1, 2], "file is gone"),
    ],
)
def test_what_is_missing(files: list[Migration], applied: list[int], left: list[Migration] | str) -> None:
    known = {version: DONE[version] for version in applied}
    if isinstance(left, str):
        with pytest.raises(MigrationError, match=left):
            migrate.missing(files, known)
    else:
        assert migrate.missing(files, known) == left


@pytest.mark.parametrize(("name", "complaint"), [("0002_again.sql", "same number"), ("names.sql", "not named like")])
def test_files_need_a_number_of_their_own(files: Path, name: str, complaint: str) -> None:
    (files / name).write_text("select 1")
    with pytest.raises(MigrationError, match=complaint):
        migrate.migrations(files)


def test_many_at_once(new_database: Callable[[], str], files: Path) -> None:
    async def together(dsn: str) -> list[list[str]]:
        return await asyncio.gather(*(migrate.migrate(dsn, files) for _ in range(6)))

    (files / "0003_slow.sql").write_text("select pg_sleep(0.1); create table slow (id int);")
    dsn = new_database()
    for _ in range(5):  # the first instant, in which the record itself is made, can go wrong in several ways
        done = asyncio.run(together(dsn))
        assert sorted(name for names in done for name in names) == ["0001_customers", "0002_names", "0003_slow"]
        with psycopg.connect(dsn) as connection:
            connection.execute("drop table customers, slow, schema_migrations")


def test_gives_way_to_who_holds_a_lock(
    new_database: Callable[[], str], files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migrate, "PAUSE", 0.05)
    dsn = new_database()
    run(dsn, files)
    (files / "0003_mail.sql").write_text("alter table customers add email text;")

    async def while_somebody_reads() -> list[str]:
        async with await psycopg.AsyncConnection.connect(dsn) as reader:
            await reader.execute("select * from customers")
            waiting = asyncio.create_task(migrate.migrate(dsn, files))
            await asyncio.sleep(0.2)
            async with await psycopg.AsyncConnection.connect(dsn) as other:  # nobody is stuck behind the migration
                await asyncio.wait_for(other.execute("select * from customers"), 10)
            assert not waiting.done()
            await reader.rollback()
            return await waiting

    assert asyncio.run(while_somebody_reads()) == ["0003_mail"]

    monkeypatch.setattr(migrate, "TRIES", 2)
    (files / "0004_phone.sql").write_text("alter table customers add phone text;")
    with psycopg.connect(dsn) as reader:
        reader.execute("select * from customers")
        with pytest.raises(MigrationError, match="A lock was not to be had in 2 tries"):
            run(dsn, files)


def schema() -> str:
    """The present truth."""
    return (STORE / "schema.sql").read_text(encoding="utf-8")


def test_the_migrations_lead_to_the_schema(new_database: Callable[[], str]) -> None:
    migrated, made = new_database(), new_database()
    assert run(migrated, migrate.FOLDER), "there is at least one migration"
    with psycopg.connect(made) as connection:
        connection.execute(schema().encode())
    is_now, shall_be = catalog(migrated), catalog(made)
    assert len(shall_be["relations"]) > 10
    for part, wanted in shall_be.items():
        assert is_now[part] == wanted, f"the {part} differ: write a migration, or mend schema.sql"


def test_the_comparison_sees_differences(new_database: Callable[[], str]) -> None:
    """A comparison that cannot fail proves nothing."""
    begin = "create table t (a int, b int); create view v as select a from t;"
    dsn = new_database()
    with psycopg.connect(dsn) as connection:
        connection.execute(begin.encode())
    before = catalog(dsn)
    for change, part in {
        "alter table t add c int": "columns",
        "alter table t alter a set default 1": "columns",
        "alter table t add constraint positive check (a > 0)": "constraints",
        "create index on t (a) where b > 0": "indexes",
        "create or replace view v as select a + 0 as a from t": "views",
        "create function f() returns int language sql as 'select 1'": "functions",
        "create type mood as enum ('glad')": "types",
        "alter table t enable row level security": "relations",
        "create policy p on t using (a = 1)": "policies",
        "grant select on t to public": "relations",
        "create sequence s": "sequences",
        "create schema reporting": "schemas",
    }.items():
        with psycopg.connect(dsn) as connection:
            connection.execute(change.encode())
        now = catalog(dsn)
        assert now[part] != before[part], change
        before = now


def test_events_that_are_there_get_their_digests(new_database: Callable[[], str], tmp_path: Path) -> None:
    """And the version of the program before, which does not know of digests, cannot store an event twice either."""
    files = sorted(migrate.FOLDER.glob("*.sql"))
    [at] = [number for number, file in enumerate(files) if file.stem == "0033_events_by_their_digest"]
    dsn = new_database()
    insert = (
        "insert into meter_events (account_id, identifier, place, series_id, at, received_at, value) "
        "select 'acct_' || n % 2, 'e' || n / 2, place, null, now(), now(), 1 "
        "from generate_series(0, 19) n, generate_series(0, 1) place"
    )
    for file in files[:at]:
        shutil.copy(file, tmp_path)
    run(dsn, tmp_path)
    with psycopg.connect(dsn) as connection:
        connection.execute(insert)
    shutil.copy(files[at], tmp_path)
    assert run(dsn, tmp_path) == ["0033_events_by_their_digest"]
    right = "digest = event_digest(account_id, identifier, place)"
    assert ask(dsn, f"select count(distinct digest) filter (where {right}), count(*) from meter_events") == [(40, 40)]
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(f"{insert} where n = 7 and place = 1")
