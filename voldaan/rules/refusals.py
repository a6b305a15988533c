"""The refusals that many rules have in common, ready to be raised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voldaan.rules.decision import Refusal, Refused


def refused(message: str, param: str | None = None, code: str = "") -> Refused:
    """No, because of `param`."""
    return Refused(Refusal(code, message, param))


def missing(param: str) -> Refused:
    """A parameter that only this combination of parameters needs."""
    return refused(f"Missing required param: {param}.", param, "parameter_missing")


def exclusive(*params: str) -> Refused:
    """Parameters that say the same thing twice; the first is blamed."""
    return refused(f"You may only specify one of these parameters: {', '.join(params)}.", params[0])


def check_type(given: Any, here: str, *parts: str) -> None:
    """Refuses a hash whose `type` is one of these parts that it does not have, or that has one which is not its type."""
    for name in parts:
        said = getattr(given, name) is not None
        if given.type == name and not said:
            raise missing(f"{here}[{name}]")
        if given.type != name and said:
            raise refused(f"`{name}` is only valid with the type `{name}`.", f"{here}[{name}]")


def check_once(named: Iterable[tuple[str | None, str]]) -> None:
    """Refuses what a request names a second time: of what it says twice of one thing, only one can hold. Each id comes with
    its parameter; None is nothing."""
    seen: set[str] = set()
    for id, param in named:
        if id is None:
            continue
        if id in seen:
            raise refused(f"'{id}' is named twice.", param)
        seen.add(id)


def renamed(error: Refused, param: str | None) -> Refused:
    """The same refusal, blaming the parameter as it was called in the request."""
    said = error.refusal
    message = said.message.replace(said.param, param) if said.param and param else said.message
    return Refused(Refusal(said.code, message, param, said.status, said.type, said.decline_code, said.extra))
