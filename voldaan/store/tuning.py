"""Settings of the embedded PostgreSQL, scaled to the machine it runs on.

Start values were measured on 24 GiB and two cores. A small `max_wal_size` means checkpoints in the middle of a
billing run; anything that would trade a committed payment for speed stays off.
"""

import os
import shutil
from pathlib import Path

MB = 1024 * 1024
GB = 1024 * MB

HEADER = """\
# Written anew by Voldaan at every start, scaled to this machine.
# To change a setting for good: ALTER SYSTEM SET ...; it is read after this file and wins.
"""


CONTROL_GROUPS = Path("/sys/fs/cgroup")
BESIDE_BUFFERS = 128 * MB  # what the server shares besides its buffers, at 200 connections, is half of it


def settings(memory: int, free_disk: int, free_shm: int, sockets: Path, large_pages: int = 0) -> dict[str, str]:
    """PostgreSQL settings by name; arguments in bytes, and the folder for the socket."""
    log_room = _between(1 * GB, free_disk // 8, 16 * GB)
    buffers = _between(128 * MB, memory // 6, 4 * GB)
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Durable, always.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # Memory.
        "shared_buffers": _size(buffers),
        "effective_cache_size": _size(_between(256 * MB, memory // 2, 64 * GB)),
        "maintenance_work_mem": _size(_between(64 * MB, memory // 24, 1 * GB)),
        "work_mem": _size(_between(4 * MB, memory // 256, 64 * MB)),
        # A tenth less of its processor time, where somebody has reserved them (docs/performance.md, "Memory").
        "huge_pages": "try" if large_pages >= buffers + BESIDE_BUFFERS else "off",
        "dynamic_shared_memory_type": "posix" if free_shm >= 1 * GB else "mmap",  # containers get 64 MB of /dev/shm
        # The log, and how often everything behind it is written out.
        "wal_compression": "off",  # pglz takes 90 µs for a page, and the packaged server has no lz4
        "max_wal_size": _size(log_room),
        "min_wal_size": _size(log_room // 2),  # files that are kept: each new one of 16 MB stops all who write for 50 ms
        "wal_writer_delay": "10ms",  # written out as it comes, a billing run's commit finds little left to wait for
        "checkpoint_timeout": "15min",
        # Short queries on a solid-state disk.
        "random_page_cost": "1.1",
        "jit": "off",
        # Plans are kept: what was planned for a small table is planned anew soon after it has grown. How many rows there are
        # the planner sees by itself: only how they are distributed has to be looked at, and not for each tenth of a large table.
        "autovacuum_naptime": "15s",
        "autovacuum_analyze_scale_factor": "0.5",
    }


def config_file(folder: Path, sockets: Path) -> str:
    """The settings for this machine, as the text of a configuration file. `folder` lies on the disk that is used."""
    chosen = settings(
        memory=memory(),
        free_disk=shutil.disk_usage(folder).free,
        free_shm=_free_shared_memory(),
        sockets=sockets,
        large_pages=large_pages(),
    )
    return HEADER + "".join(f"{name} = {quoted(value)}\n" for name, value in chosen.items())


def quoted(value: str) -> str:
    """A value as PostgreSQL's configuration files write it."""
    return "'" + value.replace("'", "''") + "'"


def memory() -> int:
    """Bytes of memory that this process may use: the machine's, or its container's if that is less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    return min([machine, *(int(text) for path in limits if (text := _read(path)).isdigit())])


def large_pages(meminfo: Path = Path("/proc/meminfo"), groups: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes of large pages that are reserved, free, and allowed: a server that takes more than its container may have ends
    in SIGBUS, in the middle of its work."""
    said = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in _read(meminfo).splitlines())}
    kilobytes = said.get("Hugepagesize", 0)
    free = said.get("HugePages_Free", 0) - said.get("HugePages_Rsvd", 0)
    name = f"{kilobytes // 1024}MB" if kilobytes < 1024 * 1024 else f"{kilobytes // 1024 // 1024}GB"
    return min([free * kilobytes * 1024, *_large_page_limits(name, _read(groups))])


def _large_page_limits(size: str, groups: str) -> list[int]:
    """The limits of this process's control groups and of those around them, as far as they are to be seen here."""
    found = []
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "hugetlb"):
            continue
        top, file = CONTROL_GROUPS / controllers, f"hugetlb.{size}." + ("limit_in_bytes" if controllers else "max")
        group = top / path.lstrip("/")
        while group.is_relative_to(top):
            if (text := _read(group / file)).isdigit():
                found.append(int(text))
            group = group.parent
    return found


def _free_shared_memory() -> int:
    """Bytes free for POSIX shared memory; without limit where it is no file system of its own."""
    return shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else GB


def _between(least: int, wished: int, most: int) -> int:
    return max(least, min(wished, most))


def _size(count: int) -> str:
    return f"{count // MB}MB"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
