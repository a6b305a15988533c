"""How a process that works in large batches treats its memory: the collector looks seldom, and large pages hold it.

A batch passes over fifty megabytes again and again. On pages of 4 kB the processor has to look up thousands of them, dearly
in a virtual machine; on pages of 2 MB a few dozen (docs/performance.md, "A worker's memory").
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
from collections.abc import Iterator
from pathlib import Path

MB = 1 << 20
YOUNG = 400_000  # objects until the collector looks: more than a batch has at once, and nearly all of them die with it
GROWN = 16 * MB  # by so much memory has to grow until it is moved again
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
    """Until it is cancelled: moves the memory of this process onto large pages, and again when it has grown."""
    moved = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if (held := sum(used for _, _, used in _areas())) > moved + GROWN:
            moved = held
            await asyncio.to_thread(move_to_large_pages)


def move_to_large_pages() -> int:
    """Moves what this process holds onto large pages, as far as the system has any. Returns the bytes that lie on them now.

    An area that is hardly used is left alone, a thread's stack say: it would be filled up.
    """
    if not PAGE_SIZE.exists() or not AREAS.exists():
        return 0
    size, moved = int(PAGE_SIZE.read_text()), 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end, used in _areas():
        if used < (end - start) * 3 // 4:
            continue
        for at in range(-(-start // size) * size, end - size + 1, size):
            moved += size * (madvise(at, size, COLLAPSE) == 0)
    log.debug("%d MB of memory lie on large pages", moved // MB)
    return moved


def _areas() -> Iterator[tuple[int, int, int]]:
    """Writable memory of this process that is no file's: where it starts and ends, and how many bytes of it are in use."""
    if not AREAS.exists():
        return
    start = end = 0
    for line in AREAS.read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            own = words[1] == "rw-p" and words[5:] in ([], ["[heap]"])
            start, end = (int(at, 16) for at in words[0].split("-")) if own else (0, 0)
        elif words[0] == "Rss:" and end:
            yield start, end, int(words[1]) * 1024
