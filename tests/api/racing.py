"""The same thing asked for by many at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.api.wire import Answer

AT_ONCE = 10


def together(ask: Callable[[int], Answer], number: int = AT_ONCE) -> list[Answer]:
    """All their answers; none may be our own fault."""
    with ThreadPoolExecutor(number) as threads:
        answers = list(threads.map(ask, range(number)))
    assert all(a.status < 500 for a in answers), [str(a) for a in answers if a.status >= 500]
    return answers


def done(answers: list[Answer]) -> list[Answer]:
    """Those that were let through."""
    return [a for a in answers if a.status == 200]
