"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def described() -> str:
    """Cores, memory, Python: enough to compare figures."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {pages // 2**30} GiB, {system}"


def peak_rss_mb(pid: int | None = None) -> int:
    """The most memory that a process has held, in MB; of this process if none is named."""
    status = Path(f"/proc/{pid or 'self'}/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
