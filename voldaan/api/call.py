"""A request on its way through the edge, and how what stops it becomes the API's error."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import psycopg

from voldaan.api import errors
from voldaan.api.errors import ApiError
from voldaan.api.expand import Tree
from voldaan.api.idempotency import Key
from voldaan.api.router import Route
from voldaan.resources.accounts import Account
from voldaan.resources.params import Params
from voldaan.rules.decision import Refused
from voldaan.store.transaction import Missing
from voldaan.store.writer import Conflict

Outcome = tuple[int, bytes, dict[str, str]]  # status, body, headers of its own
BUSY = (Conflict, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation)

log = logging.getLogger("voldaan.api")


@dataclass(frozen=True, slots=True)
class Call:
    """What runs: a route with its parameters, for an account."""

    request_id: str
    url: str                 # the path as it was asked for
    account: Account
    route: Route
    params: Params
    path: dict[str, str]     # values of the placeholders
    key: Key | None
    wanted: Tree             # what to expand

    @property
    def key_value(self) -> str | None:
        return self.key.value if self.key else None


def error_of(stopped: Exception) -> ApiError | None:
    """The API's error for what stopped a command, or None if it is no refusal but a fault."""
    if isinstance(stopped, ApiError):
        return stopped
    if isinstance(stopped, Refused):
        return errors.from_refusal(stopped.refusal)
    if isinstance(stopped, Missing):
        in_path = stopped.param is None
        param = stopped.param or errors.PATH_PARAMS.get(stopped.object_name, "id")
        return errors.resource_missing(stopped.object_name, stopped.id, param=param, in_path=in_path)
    if isinstance(stopped, BUSY):  # two requests for the same name or number: repeated, the second one is told what is taken
        log.warning("another change was first: %s", stopped)
        return errors.lock_timeout()
    return None
