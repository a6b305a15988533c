"""The PostgreSQL that Voldaan brings along, started when it is needed and shared by every process that needs it.

    server = start()              # in under a second, or at once if it runs already
    psycopg.connect(server.dsn)

Nobody owns the server: it goes on when the process that started it dies, and ends only by `Server.stop`. Whether it
runs is found out by talking to it. A process id proves nothing: after a crash it may belong to somebody else.
"""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from voldaan.store import paths
from voldaan.store.cluster import ENVIRONMENT, PORT, Cluster, ServerError

__all__ = ["Server", "ServerError", "database_dsn", "ensure_server", "start"]

log = logging.getLogger(__name__)

SILENCE = 60  # seconds that a living server may stay without any answer; replaying its log is not silence
ORPHANS = 5  # seconds that processes whose server was killed get to notice it
LOG_SIZE = 16 * 1024 * 1024  # bytes, after which a start begins a new log and keeps one old


@dataclass(frozen=True)
class Server:
    """A running server. `recovered`: this start found a database that had not been shut down, and repaired it."""

    cluster: Cluster
    recovered: bool = False

    @property
    def dsn(self) -> str:
        """For libpq: the database `voldaan` as its owner, who is no superuser."""
        return _dsn(self.cluster, user="voldaan", dbname="voldaan")

    @property
    def admin_dsn(self) -> str:
        """For libpq: the same database as superuser; for inspection and repair only."""
        return _dsn(self.cluster, user="postgres", dbname="voldaan")

    def stop(self) -> None:
        """Stops the server for everybody: open transactions are rolled back, everything is written to disk."""
        with self.cluster.locked():
            if _ping(self.cluster) is not Ping.NO_RESPONSE:
                self.cluster.run("pg_ctl", "stop", f"--pgdata={self.cluster.data}", "--mode=fast", "--timeout=3600")


def database_dsn() -> str:
    """The database to use, for libpq: DATABASE_URL, or else the embedded server, started if need be."""
    return os.environ.get("DATABASE_URL") or start().dsn


async def ensure_server(data_dir: Path | None = None) -> Server:
    """`start`, without holding up the event loop."""
    return await asyncio.to_thread(start, data_dir)


def start(data_dir: Path | None = None) -> Server:
    """Joins the server of this data folder; starts it first if it does not run; makes it first if there is none.

    Raises ServerError, which says what to do.
    """
    cluster = Cluster.at(data_dir or paths.data_dir())
    cluster.check_sockets()
    if _ping(cluster) is Ping.OK:
        return Server(cluster)
    with cluster.locked():
        return _bring_up(cluster)


def _bring_up(cluster: Cluster) -> Server:
    """Under the lock: nobody else starts or stops this server meanwhile."""
    if not cluster.data.exists():
        cluster.initialise()
    elif _answers(cluster):
        return Server(cluster)
    else:
        _clear_the_dead(cluster)

    recovered = cluster.was_left_running()
    cluster.configure()
    began = time.monotonic()
    if not _answers(cluster, started=_launch(cluster)):
        raise ServerError(f"PostgreSQL did not start. The end of {cluster.log}:\n{_last_words(cluster)}")
    if recovered:
        seconds = time.monotonic() - began
        log.warning("PostgreSQL had not been shut down. It restored every commit from its log in %.1f s.", seconds)
    return Server(cluster, recovered)


def _launch(cluster: Cluster) -> int:
    """Starts the server in a session of its own, so that no signal for us reaches it. Returns its process id.

    A shell stands in between and ends at once: the server is then no child of ours, and not a zombie when it dies.
    """
    if cluster.log.exists() and cluster.log.stat().st_size > LOG_SIZE:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    shell = 'umask 077; "$1" -D "$2" >>"$3" 2>&1 </dev/null & echo $!'
    done = subprocess.run(
        ["/bin/sh", "-c", shell, "sh", cluster.program("postgres"), cluster.data, cluster.log],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=True, start_new_session=True,
        env=ENVIRONMENT, cwd="/", **cluster.account.switch,
    )  # fmt: skip
    return int(done.stdout)


def _answers(cluster: Cluster, started: int | None = None) -> bool:
    """Waits until the server accepts connections. False when there is none: nothing works in its folder.

    `started` is the process that was just launched, which takes a moment to arrive there.
    """
    pause, patience, told = 0.005, time.monotonic() + SILENCE, False
    while (answer := _ping(cluster)) is not Ping.OK:
        if answer is Ping.REJECT:  # starting, replaying its log, or shutting down: each takes what it takes
            patience = time.monotonic() + SILENCE
        elif not (_runs(started) if started else _leader(cluster) in _at_work(cluster)):
            return False
        elif time.monotonic() > patience:
            raise ServerError(f"A PostgreSQL works in {cluster.data} and does not answer. See {cluster.log}.")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.25)
        if pause == 0.25 and not told:
            log.warning("Waiting for PostgreSQL, which is starting, repairing or ending its work.")
            told = True
    return True


def _clear_the_dead(cluster: Cluster) -> None:
    """Makes way after a server was killed: its other processes end, and the files that name it go.

    PostgreSQL removes such a file itself, unless its process id lives again as something else. Here that is seen
    through: every process of the server works in the data folder. Raises ServerError if one of them will not end.
    """
    if not _gone(cluster):
        for process in _at_work(cluster):  # as the server itself ends them when one of them has crashed
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGQUIT)
        if not _gone(cluster):
            raise ServerError(f"The PostgreSQL in {cluster.data} was killed, but {_at_work(cluster)} still run.")
    if _sees_processes():
        (cluster.data / "postmaster.pid").unlink(missing_ok=True)
        cluster.socket_lock.unlink(missing_ok=True)


def _gone(cluster: Cluster) -> bool:
    deadline = time.monotonic() + ORPHANS
    while _at_work(cluster):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _ping(cluster: Cluster) -> Ping:
    return Ping(PGconn.ping(make_conninfo(_dsn(cluster, user="voldaan", dbname="voldaan"), connect_timeout=5).encode()))


def _dsn(cluster: Cluster, user: str, dbname: str) -> str:
    return make_conninfo(host=str(cluster.sockets), port=PORT, user=user, dbname=dbname)


def _leader(cluster: Cluster) -> int | None:
    """The process id that the server left in its data folder."""
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    return None


def _at_work(cluster: Cluster) -> set[int]:
    """PostgreSQL's processes whose working folder is the data folder. Zombies have none."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program = Path(os.readlink(process / "exe")).name
            if program.startswith("postgres") and os.readlink(process / "cwd") == str(cluster.data):
                found.add(int(process.name))
    return found


def _runs(process: int) -> bool:
    if not _sees_processes():
        return _exists(process)
    with contextlib.suppress(OSError):
        return bool(os.readlink(f"/proc/{process}/exe"))
    return False


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _sees_processes() -> bool:
    return os.path.exists("/proc/self/cwd")


def _last_words(cluster: Cluster) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(cluster.log.read_text(errors="replace").splitlines()[-15:])
    return "(no log)"
