"""How a process that works in large batches treats its memory: the collector looks seldom, and large pages hold it.

A batch passes over fifty megabytes again and again. On pages of 4 kB the processor has to look up thousands of them, dearly
in a virtual machine; on pages of 2 MB a few dozen (docs/performance.md, "Memory").
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MB = 1 << 20
YOUNG = 400_000  # objects until the collector looks: more than a batch has at once, and nearly all of them die with it
SCATTERED = 24 * MB  # so much may lie on small pages: the edges of areas always do
LOOK_SECONDS = 10
COLLAPSE = 25    # what madvise(2) calls it, from Linux 6.1 on
PAGE_SIZE = Path("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
AREAS = Path("/proc/self/smaps")

log = logging.getLogger("voldaan.work")


def collect_seldom() -> None:
    """For processes that work in large batches: the default looks through the whole batch a hundred times."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)


async def keep_on_large_pages() -> None:
    """Moves the memory of this process onto large pages, and again as it grows or is given back: until it is cancelled, or
    the system turns out to have none."""
    moved = 1
    while moved:
        await asyncio.sleep(LOOK_SECONDS)
        if sum(area.used - area.large for area in _areas()) > SCATTERED:
            moved = await asyncio.to_thread(move_to_large_pages)


def move_to_large_pages() -> int:
    """Moves what this process holds onto large pages, as far as the system has any. Returns the bytes that lie on them now."""
    if not PAGE_SIZE.exists():
        return 0
    size, moved = int(PAGE_SIZE.read_text()), 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for area in _areas():
        for at in range(-(-area.start // size) * size, area.end - size + 1, size):
            moved += size * (madvise(at, size, COLLAPSE) == 0)
    log.debug("%d MB of memory lie on large pages", moved // MB)
    return moved


class Area(NamedTuple):
    """Memory of this process from `start` to `end`: the bytes of it that are in use, and those of them on large pages."""

    start: int
    end: int
    used: int
    large: int


def _areas() -> Iterator[Area]:
    """Writable memory that is no file's. What is hardly used is left out, a thread's stack say: moved, it would be filled up."""
    if not AREAS.exists():
        return
    start = end = used = 0
    for line in AREAS.read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            own = words[1] == "rw-p" and words[5:] in ([], ["[heap]"])
            start, end = (int(at, 16) for at in words[0].split("-")) if own else (0, 0)
        elif words[0] == "Rss:":
            used = int(words[1]) * 1024
        elif words[0] == "AnonHugePages:" and used > (end - start) * 3 // 4 and end:
            yield Area(start, end, used, int(words[1]) * 1024)
