"""A small load generator: as many connections as clients, each with one request under way, as an SDK's process has."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from voldaan.work import clock


@dataclass(slots=True)
class Figures:
    """What came back: one duration (seconds) for each answer, and how many were not 200."""

    seconds: float = 0
    durations: list[float] = field(default_factory=list)
    refused: int = 0

    def percentile_ms(self, percent: int) -> int:
        """In whole milliseconds, rounded up."""
        ordered = sorted(self.durations)
        return -(-int(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1_000_000) // 1000) if ordered else 0

    @property
    def per_second(self) -> int:
        return int(len(self.durations) / self.seconds) if self.seconds else 0


def request(method: str, path: str, key: str, body: bytes = b"", headers: str = "") -> bytes:
    """The bytes of one request, as the SDK sends it."""
    token = base64.b64encode(f"{key}:".encode()).decode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: voldaan\r\nAuthorization: Basic {token}\r\n{headers}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run(host: str, port: int, clients: int, seconds: float, make: Callable[[int], bytes]) -> Figures:
    """Sends `make(n)` for n = 0, 1, … from all clients until the time is over."""
    figures = Figures()
    number = 0
    start = clock.elapsed()
    end = start + seconds

    async def client() -> None:
        nonlocal number
        reader, writer = await asyncio.open_connection(host, port)
        try:
            while (begun := clock.elapsed()) < end:
                number += 1
                writer.write(make(number))
                status = await answer(reader)
                figures.durations.append(clock.elapsed() - begun)
                figures.refused += status != 200
        finally:
            writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    figures.seconds = clock.elapsed() - start
    return figures


async def answer(reader: asyncio.StreamReader) -> int:
    """Reads one answer whole; returns its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    length = int(lower[at : lower.index(b"\r\n", at)])
    await reader.readexactly(length)
    return int(head[9:12])
