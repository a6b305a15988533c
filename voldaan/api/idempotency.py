"""Idempotency as Stripe documents it: one effect for one key, and the first answer replayed to every repeat.

The answer is written in the transaction of the effect, so the primary key decides, not a lock: of two twins that both ran,
the second fails on it, is rolled back whole, and replays the first. The advisory lock only makes a twin that comes
while the first runs hear so at once (409), instead of waiting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voldaan.api import errors
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

KEY_MAX = 255
RECOVER_AFTER = 60  # seconds after which a request that went outside is held to have died


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a request, with a hash of what is asked under it."""

    value: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Replay:
    """An earlier answer to the same request."""

    status: int
    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Recover:
    """The request went outside and its process died: answer from the object that it had made."""

    subject: str


def key_of(value: str, method: str, path: str, body: bytes) -> Key:
    """Refuses a key that is too long."""
    if len(value) > KEY_MAX:
        raise errors.idempotency_key_too_long(KEY_MAX)
    return Key(value, hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest())


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to be stored under its key."""

    key: Key
    request_id: str
    status: int
    body: bytes


Known = Replay | Recover | errors.ApiError | None


async def look(tx: Transaction, keys: Sequence[Key]) -> list[Known]:
    """What is to be done with each key: replay, recover, refuse (a mismatch, a concurrent twin), or (None) run."""
    rows = await tx.all(query("idempotency", "look"), keys=[key.value for key in keys])
    seen: set[str] = set()
    states: list[Known] = []
    for key, row in zip(keys, rows, strict=True):
        states.append(errors.idempotency_key_in_use(key.value) if key.value in seen else _state(tx, key, row))
        seen.add(key.value)
    return states


def _state(tx: Transaction, key: Key, row: tuple[Any, ...]) -> Known:
    known_hash, state, request_id, status, body, subject, created, free = row
    if known_hash is None:
        return None if free else errors.idempotency_key_in_use(key.value)
    if bytes(known_hash) != key.hash:
        return errors.idempotency_mismatch(key.value)
    if state == "done":
        return Replay(status, bytes(body), request_id)
    if tx.wall - created < RECOVER_AFTER:
        return errors.idempotency_key_in_use(key.value)
    return Recover(subject)


async def keep(tx: Transaction, answers: Sequence[Answered]) -> None:
    """Stores answers with their effects. Fails on the primary key if a twin was first."""
    await tx.run(
        query("idempotency", "keep"),
        wall=tx.wall,
        keys=[a.key.value for a in answers],
        hashes=[a.key.hash for a in answers],
        requests=[a.request_id for a in answers],
        statuses=[a.status for a in answers],
        bodies=[a.body for a in answers],
    )


async def begin(tx: Transaction, key: Key, subject: str) -> None:
    """Takes the key before the request goes outside."""
    await tx.run(
        query("idempotency", "begin"), key=key.value, hash=key.hash, request=tx.request_id, wall=tx.wall, subject=subject
    )


async def finish(tx: Transaction, key: Key, status: int, body: bytes) -> None:
    """Stores the answer of a request that went outside."""
    await tx.run(query("idempotency", "finish"), key=key.value, status=status, body=body)
