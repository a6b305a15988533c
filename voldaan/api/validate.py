"""From a parsed form to a verb's typed parameters, or to Stripe's error for the first thing that is wrong with it.

Stripe reports one problem at a time: unknown parameters first and all of them together, then the first bad parameter
in the order of declaration. `param` is written as it was sent: `items[0][quantity]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from voldaan.api import errors
from voldaan.api.errors import ApiError
from voldaan.resources.params import Hash, Indexed

P = TypeVar("P", bound=Hash)
UNKNOWN_MAX = 20  # unknown parameters that are named

_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")  # in pydantic's "'day', 'week' or 'month'"

# Of a union's complaints these say only that another branch was meant.
_ANOTHER_BRANCH = frozenset({"int_type", "string_type", "list_type", "dict_type", "model_type", "literal_error"})


def parse_params(cls: type[P], data: Mapping[str, Any]) -> P:
    """The typed parameters of a verb from a parsed form or a JSON body. Raises ApiError with the first problem."""
    try:
        return cls.model_validate(data)
    except ValidationError as invalid:
        raise _first(invalid.errors(include_url=False), data) from None


def _first(problems: Sequence[ErrorDetails], data: Mapping[str, Any]) -> ApiError:
    unknown = dict.fromkeys(_param(p, data) for p in problems if p["type"] == "extra_forbidden")
    if unknown:
        return errors.parameter_unknown(*list(unknown)[:UNKNOWN_MAX])
    first = problems[0]
    same_parameter = [p for p in problems if p["loc"][:1] == first["loc"][:1]]
    problem = next((p for p in same_parameter if p["type"] not in _ANOTHER_BRANCH), None)
    problem = problem or next((p for p in same_parameter if not _offers_only_unset(p)), first)
    return _worded(problem, _param(problem, data))


def _offers_only_unset(problem: ErrorDetails) -> bool:
    """The complaint of the `Unset` branch of `X | Unset`."""
    return problem["type"] == "literal_error" and problem["ctx"]["expected"] == "''"


def _param(problem: ErrorDetails, data: Any) -> str:
    """The path as it was sent. Steps that the data does not know are names of a union's branches."""
    path: list[str] = []
    node = data
    for step in problem["loc"]:
        if isinstance(node, Mapping) and step in node:
            path.append(str(step))
            node = node[step]
        elif isinstance(node, list) and type(step) is int and step < len(node):
            path.append(node.keys[step] if isinstance(node, Indexed) else str(step))
            node = node[step]
    if problem["type"] == "missing":
        path.append(str(problem["loc"][-1]))
    elif "param" in problem.get("ctx", {}):
        path.append(str(problem["ctx"]["param"]))
    return path[0] + "".join(f"[{name}]" for name in path[1:]) if path else ""


def _worded(problem: ErrorDetails, param: str) -> ApiError:
    kind, given = problem["type"], problem["input"]
    if kind == "missing":
        return errors.parameter_missing(param)
    if given == "":
        return errors.parameter_invalid_empty(param)
    if kind in _WORDS:
        return _WORDS[kind](param, _shown(given), problem.get("ctx", {}))
    message = problem["msg"].removeprefix("Value error, ").replace("{param}", param)
    code = None if kind in ("invalid", "value_error", "assertion_error") else kind
    return errors.invalid_request(message, code=code, param=param or None)


def _shown(given: Any) -> str:
    """A hash or an array as Stripe shows it where it wanted a string: {"0":"a","1":"b"}."""
    if isinstance(given, str):
        return given
    if isinstance(given, list):
        given = dict(zip(given.keys if isinstance(given, Indexed) else map(str, range(len(given))), given, strict=True))
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False, default=str)


def _choices(context: Mapping[str, Any]) -> list[str]:
    return [choice for choice in _QUOTED.findall(context["expected"]) if choice]


# What pydantic calls it → how Stripe says it, given the path, the value and pydantic's context.
_WORDS: dict[str, Callable[[str, str, Mapping[str, Any]], ApiError]] = {
    "int_type": lambda param, given, _: errors.parameter_invalid_integer(param, given),
    "string_type": lambda param, given, _: errors.invalid_string(param, given),
    "string_pattern_mismatch": lambda param, given, _: errors.invalid_string(param, given),
    "string_too_long": lambda param, given, limits: errors.string_too_long(param, given, limits["max_length"]),
    "string_too_short": lambda param, given, limits: errors.string_too_short(param, given, limits["min_length"]),
    "list_type": lambda param, *_: errors.invalid_array(param),
    "too_long": lambda param, _, limits: errors.array_too_long(param, limits["max_length"]),
    "too_short": lambda param, _, limits: errors.array_too_short(param, limits["min_length"]),
    "dict_type": lambda param, *_: errors.invalid_object(param),
    "model_type": lambda param, *_: errors.invalid_object(param),
    "literal_error": lambda param, _, offer: errors.invalid_choice(param, _choices(offer)),
    "greater_than_equal": lambda param, _, limits: errors.too_small(param, limits["ge"]),
    "less_than_equal": lambda param, given, limits: errors.too_large(param, limits["le"], given),
}
