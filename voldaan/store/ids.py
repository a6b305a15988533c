"""Ids: Stripe's prefix, then time-ordered base62 with 101 bits of chance."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import chain, repeat
from threading import Lock

from voldaan.work import clock

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
TIME_DIGITS = 9
CHANCE_DIGITS = 17  # 62**17 > 2**101

# An id costs less than a microsecond, since a bill has fifteen: the time's upper digits stay for seconds, and chance is
# taken from the system in pages. A byte is one digit; those that would make some digits likelier than others fall out.
LOWER = 62**4
DIGIT_OF = bytes(ord(ALPHABET[byte % 62]) for byte in range(256))
UNFAIR = bytes(range(4 * 62, 256))
PAGE = 8192
AHEAD = 128  # ids that a batch draws at once
LAST = "~"   # comes after every id: where a page begins that has no cursor. `is null or id < …` would not find the index

_lock = Lock()
_last_tick = 0
_upper, _upper_digits = -1, ""
_chance, _used = "", 0


def new_id(prefix: str) -> str:
    """`prefix_` + 9 digits of microseconds + 17 random digits. Ids of one process sort in the order they were made."""
    global _last_tick, _upper, _upper_digits, _chance, _used
    with _lock:
        tick = clock.wall_microseconds()
        if tick <= _last_tick:
            tick = _last_tick + 1
        _last_tick = tick
        upper, lower = divmod(tick, LOWER)
        if upper != _upper:
            _upper, _upper_digits = upper, _base62(upper, TIME_DIGITS - 4)
        if _used + CHANCE_DIGITS > len(_chance):
            _chance, _used = os.urandom(PAGE).translate(DIGIT_OF, UNFAIR).decode(), 0
        chance = _chance[_used : _used + CHANCE_DIGITS]
        _used += CHANCE_DIGITS
        return f"{prefix}_{_upper_digits}{PAIRS[lower // 3844]}{PAIRS[lower % 3844]}{chance}"


def new_ids(prefix: str, count: int) -> list[str]:
    """Many ids at once, at a third of what they cost one by one."""
    return [f"{prefix}_{digits}" for digits in _drawn(count)]


def drawer() -> Callable[[str], str]:
    """`new_id` for a batch, which draws beforehand. Its ids sort in the order in which they are made, as all do."""
    digits = chain.from_iterable(map(_drawn, repeat(AHEAD)))
    return lambda prefix: f"{prefix}_{next(digits)}"


def _drawn(count: int) -> list[str]:
    """The digits of `count` ids in a row."""
    first, chance = ticks(count), ""
    while len(chance) < count * CHANCE_DIGITS:
        chance += os.urandom(count * CHANCE_DIGITS).translate(DIGIT_OF, UNFAIR).decode()
    pieces = (chance[at : at + CHANCE_DIGITS] for at in range(0, len(chance), CHANCE_DIGITS))
    drawn: list[str] = []
    for upper in range(first // 3844, (first + count - 1) // 3844 + 1):
        digits = _base62(upper, TIME_DIGITS - 2)
        lower = PAIRS[max(0, first - upper * 3844) : first + count - upper * 3844]
        drawn += [f"{digits}{pair}{piece}" for pair, piece in zip(lower, pieces, strict=False)]
    return drawn


def ticks(count: int) -> int:
    """The first of `count` microseconds (since the epoch) in a row that nothing else in this process has or will have."""
    global _last_tick
    with _lock:
        first = max(clock.wall_microseconds(), _last_tick + 1)
        _last_tick = first + count - 1
        return first


def _begin_anew() -> None:
    """A forked process must not draw what its parent draws."""
    global _chance, _used, _lock
    _chance, _used, _lock = "", 0, Lock()


os.register_at_fork(after_in_child=_begin_anew)


def earliest(prefix: str, instant: int) -> str:
    """A text that every id made at `instant` (epoch seconds of the wall clock) or later is greater than."""
    return f"{prefix}_{_base62(instant * 1_000_000, TIME_DIGITS)}"


def made_at(id: str) -> int:
    """When an id was made, in epoch seconds. Raises ValueError for what is no id of ours."""
    number = 0
    for digit in id.partition("_")[2][:TIME_DIGITS]:
        number = number * 62 + ALPHABET.index(digit)
    return number // 1_000_000


def secret(prefix: str, digits: int = 32) -> str:
    """`prefix_` + random base62: for keys and client secrets (32 digits are 190 bits)."""
    return f"{prefix}_{_base62(int.from_bytes(os.urandom(digits)), digits)}"


def _base62(number: int, digits: int) -> str:
    out = []
    for _ in range((digits + 1) // 2):
        number, rest = divmod(number, 3844)
        out.append(PAIRS[rest])
    return "".join(reversed(out))[-digits:]
