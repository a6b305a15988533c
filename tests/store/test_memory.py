"""Memory on large pages: what is used is moved there, what is hardly used is left alone, and nothing is lost of it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from voldaan.work import memory

MOVED = """
import mmap
from pathlib import Path
from voldaan.work.memory import move_to_large_pages

def told(name):
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) // 1024

things = [str(number) * 40 for number in range(300_000)]  # some 90 MB
scarcely = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
scarcely[0] = 1
before = told("Rss")
moved = move_to_large_pages() >> 20
print(moved, told("AnonHugePages"), told("Rss") - before)
assert things == [str(number) * 40 for number in range(300_000)]
"""


def test_what_is_used_moves_and_what_is_hardly_used_stays() -> None:
    if not memory.PAGE_SIZE.exists():
        pytest.skip("this system has no large pages")
    told = subprocess.run([sys.executable, "-c", MOVED], capture_output=True, text=True, check=True, timeout=60)
    moved, on_large_pages, more = map(int, told.stdout.split())
    if not moved:
        pytest.skip("this kernel moves nothing (before 6.1), or has no large page left")
    assert moved <= on_large_pages
    assert more < 32, "64 MB that are hardly used were filled up"


@pytest.mark.parametrize("lacking", ["PAGE_SIZE", "AREAS"])
def test_a_system_without_large_pages_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: str) -> None:
    monkeypatch.setattr(memory, lacking, tmp_path / "none")
    assert memory.move_to_large_pages() == 0


def test_memory_is_moved_again_when_much_of_it_lies_on_small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([(20, 0), (120, 100), (130, 100), (130, 90), (130, 130)])  # MB in use, and on large pages
    seen: list[tuple[int, int]] = []
    moved_at: list[tuple[int, int]] = []

    def areas() -> Iterator[memory.Area]:
        look = next(looks, None)
        if look is None:
            raise asyncio.CancelledError
        seen.append(look)
        yield memory.Area(0, 200 * memory.MB, look[0] * memory.MB, look[1] * memory.MB)

    monkeypatch.setattr(memory, "LOOK_SECONDS", 0)
    monkeypatch.setattr(memory, "_areas", areas)
    monkeypatch.setattr(memory, "move_to_large_pages", lambda: moved_at.append(seen[-1]) or 1)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(memory.keep_on_large_pages())
    assert moved_at == [(130, 100), (130, 90)]


def test_where_nothing_can_be_moved_it_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    monkeypatch.setattr(memory, "LOOK_SECONDS", 0)
    monkeypatch.setattr(memory, "_areas", lambda: [memory.Area(0, 200 * memory.MB, 150 * memory.MB, 0)])
    monkeypatch.setattr(memory, "move_to_large_pages", lambda: tried.append(1) or 0)
    asyncio.run(asyncio.wait_for(memory.keep_on_large_pages(), 5))
    assert tried == [1]
