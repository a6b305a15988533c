"""Gathering: what arrives while a write is under way waits, and is then written together. Each still gets its own answer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Gather(Generic[Asked, Answer]):
    """Calls `write` with requests that together weigh up to `limit`, or one, `writers` groups at once. `write` answers in the
    same order.

    A group that fails because of what is in it (`poison`) is written again one by one, so that one bad request fails
    alone; any other error goes to everybody who waits for that group.
    """

    def __init__(
        self, write: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], *,
        limit: int = 256, writers: int = 1, poison: tuple[type[Exception], ...] = (),
        weigh: Callable[[Asked], int] = lambda _: 1,
    ) -> None:
        self._write = write
        self._limit = limit
        self._weigh = weigh
        self._idle = writers
        self._poison = poison
        self._waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._idle:
            self._idle -= 1
            writer = asyncio.create_task(self._run())
            self._running.add(writer)
            writer.add_done_callback(self._running.discard)
        return await answer

    async def close(self) -> None:
        """Waits until everything asked is answered."""
        await asyncio.gather(*self._running)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._settle(self._next())
        finally:
            self._idle += 1

    def _next(self) -> list[tuple[Asked, asyncio.Future[Answer]]]:
        """The next group, in the order of arrival."""
        group = [self._waiting.popleft()]
        weight = self._weigh(group[0][0])
        while self._waiting and (weight := weight + self._weigh(self._waiting[0][0])) <= self._limit:
            group.append(self._waiting.popleft())
        return group

    async def _settle(self, group: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._write([asked for asked, _ in group])
        except Exception as error:  # whoever waits must hear of it; none is swallowed
            if isinstance(error, self._poison) and len(group) > 1:
                for one in group:
                    await self._settle([one])
                return
            for _, waiting in group:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), answer in zip(group, answers, strict=True):
            if not waiting.done():              # whoever asked may have given up
                waiting.set_result(answer)
