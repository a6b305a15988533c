"""Ids: Stripe's prefix, then time-ordered base62 with 101 bits of chance."""

from __future__ import annotations

import os

from voldaan.work import clock

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
CHANCE_DIGITS = 17  # 62**17 > 2**101
CHANCE_BYTES = 13

_last_tick = 0


def new_id(prefix: str) -> str:
    """`prefix_` + 9 digits of microseconds + 17 random digits. Ids of one process sort in the order they were made."""
    global _last_tick
    _last_tick = max(clock.wall_microseconds(), _last_tick + 1)
    return f"{prefix}_{_base62(_last_tick, 9)}{_base62(int.from_bytes(os.urandom(CHANCE_BYTES)), CHANCE_DIGITS)}"


def earliest(prefix: str, instant: int) -> str:
    """A text that every id made at `instant` (epoch seconds of the wall clock) or later is greater than."""
    return f"{prefix}_{_base62(instant * 1_000_000, 9)}"


def made_at(id: str) -> int:
    """When an id was made, in epoch seconds. Raises ValueError for what is no id of ours."""
    number = 0
    for digit in id.partition("_")[2][:9]:
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
