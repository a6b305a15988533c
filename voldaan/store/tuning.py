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


def settings(memory: int, free_disk: int, free_shm: int, sockets: Path) -> dict[str, str]:
    """PostgreSQL settings by name; arguments in bytes, and the folder for the socket."""
    log_room = _between(1 * GB, free_disk // 8, 16 * GB)
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
        "shared_buffers": _size(_between(128 * MB, memory // 6, 4 * GB)),
        "effective_cache_size": _size(_between(256 * MB, memory // 2, 64 * GB)),
        "maintenance_work_mem": _size(_between(64 * MB, memory // 24, 1 * GB)),
        "work_mem": _size(_between(4 * MB, memory // 256, 64 * MB)),
        "huge_pages": "off",  # "try" can end in SIGBUS where a container limits them
        "dynamic_shared_memory_type": "posix" if free_shm >= 1 * GB else "mmap",  # containers get 64 MB of /dev/shm
        # The log, and how often everything behind it is written out.
        "wal_compression": "off",  # pglz takes 90 µs for a page, and the packaged server has no lz4
        "max_wal_size": _size(log_room),
        "min_wal_size": _size(log_room // 8),
        "checkpoint_timeout": "15min",
        # Short queries on a solid-state disk.
        "random_page_cost": "1.1",
        "jit": "off",
        # Plans are kept: what was planned for a small table is planned anew soon after it has grown.
        "autovacuum_naptime": "15s",
    }


def config_file(folder: Path, sockets: Path) -> str:
    """The settings for this machine, as the text of a configuration file. `folder` lies on the disk that is used."""
    chosen = settings(
        memory=memory(), free_disk=shutil.disk_usage(folder).free, free_shm=_free_shared_memory(), sockets=sockets
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
