"""Reads a form body or a query string with bracketed names into nested dicts and lists.

    items[0][price]=p1&items[0][quantity]=2&metadata[color]=red&expand[]=customer
    {"items": [{"price": "p1", "quantity": "2"}], "metadata": {"color": "red"}, "expand": ["customer"]}

Every leaf is a string; types are the business of the parameters' classes. Lists come as `a[]` (in order of appearance;
`a[][x]` starts a new element when `x` is already there) or as `a[0]` (in order of the indices, gaps closed: an
`Indexed`, which remembers them). A name that is not well-formed stays as it is and is refused later as unknown.

What is ambiguous is refused: the same name twice, a name that is both a value and a hash, invalid UTF-8 or percent
signs, NUL. The limits are checked before any work, so that a hostile megabyte costs a few milliseconds.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from voldaan.api.errors import ApiError, invalid_request, quoted
from voldaan.resources.params import Indexed

BODY_MAX = 1_000_000  # bytes
PARAMETERS_MAX = 1_000
DEPTH_MAX = 8  # items[0][price_data][recurring][interval] is 5
NAME_MAX = 1_000  # characters of a full name as sent; a metadata key of 40 characters can take 480 of them

_NESTED = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])+")


def parse(body: bytes) -> dict[str, Any]:
    """The parameters of a form or a query string. Raises ApiError for what is too large, ambiguous or not text."""
    if not body:
        return {}
    if len(body) > BODY_MAX:
        raise invalid_request(f"The request is too large: at most {BODY_MAX} bytes are accepted.", status=413)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise _not_text() from None
    if text.count("&") >= PARAMETERS_MAX:
        raise invalid_request(f"The request has too many parameters: at most {PARAMETERS_MAX} are accepted.")
    if "%00" in text or "\0" in text:
        raise invalid_request("The request contains a null character.", code="invalid_characters")

    form: dict[str, Any] = {}
    nested = False
    for pair in text.split("&"):
        if not pair:  # a=1&&b=2
            continue
        name, _, value = pair.partition("=")
        if "%" in value or "+" in value:
            value = _unquote(value)
        path = _path(name)
        if len(path) > 1:
            nested = True
            _put(form, path, value)
        elif path[0] not in form:
            form[path[0]] = value
        else:
            raise _conflict(form[path[0]], path)

    if nested:
        for name, value in form.items():
            if type(value) is not str:
                form[name] = _with_lists(value)
    return form


@lru_cache(maxsize=4096)
def _path(name: str) -> tuple[str, ...]:
    """`items[0][price]` → ("items", "0", "price"); `a[]` → ("a", ""). Names repeat from request to request."""
    if len(name) > NAME_MAX:
        raise invalid_request(f"The parameter name {quoted(name)} is too long.")
    if "%" in name or "+" in name:
        name = _unquote(name)
    if "[" not in name or not _NESTED.fullmatch(name):
        return (name,)
    path = tuple(name[:-1].replace("]", "").split("["))
    if len(path) > DEPTH_MAX:
        raise invalid_request(f"The parameter {quoted(name)} is nested too deeply: at most {DEPTH_MAX} levels.")
    return path


def _unquote(text: str) -> str:
    """Percent signs and pluses resolved at the speed of C: %41 is read as the escape \\x41."""
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    escaped = text.encode().replace(b"\\", b"\\\\").replace(b"%", b"\\x")
    try:
        return escaped.decode("unicode_escape").encode("latin-1").decode()
    except UnicodeError:
        raise _not_text() from None


def _put(form: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    """Stores the value under the path. While reading, a list is only what was written with `[]`."""
    node: Any = form
    for depth, name in enumerate(path[:-1]):
        kind: type[Any] = list if path[depth + 1] == "" else dict
        if type(node) is dict:
            child = node.get(name)
            if child is None:
                child = node[name] = kind()
            elif type(child) is not kind:
                raise _conflict(child, path[: depth + 1])
        elif node and kind is type(node[-1]) is dict and not _holds(node[-1], path[depth + 1 :]):
            child = node[-1]
        else:
            node.append(child := kind())
        node = child

    if type(node) is list:
        node.append(value)
    elif path[-1] not in node:
        node[path[-1]] = value
    else:
        raise _conflict(node[path[-1]], path)


def _holds(node: Any, path: tuple[str, ...]) -> bool:
    """Whether a value stands at the path, so that the next one must be another element's."""
    for name in path:
        if type(node) is list or name == "":
            return False
        if type(node) is not dict or name not in node:
            return False
        node = node[name]
    return True


def _with_lists(node: Any) -> Any:
    """The finished value: hashes whose names are all indices are lists."""
    if type(node) is list:
        return [value if type(value) is str else _with_lists(value) for value in node]
    for name, value in node.items():
        if type(value) is not str:
            node[name] = _with_lists(value)
    if not all(map(_is_index, node)):
        return node
    indices = sorted(node, key=int)
    return Indexed([node[index] for index in indices], tuple(indices))


def _is_index(name: str) -> bool:
    return len(name) <= 9 and name.isascii() and name.isdigit()


def _conflict(existing: Any, path: tuple[str, ...]) -> ApiError:
    name = quoted(path[0] + "".join(f"[{part}]" for part in path[1:]))
    if type(existing) is str:
        return invalid_request(f"The parameter {name} was given more than once.", param=name)
    return invalid_request(f"The parameter {name} was given both as a value and as a hash or an array.", param=name)


def _not_text() -> ApiError:
    message = "The request is not valid UTF-8, or has a percent sign that is not followed by two hexadecimal digits."
    return invalid_request(message, code="invalid_characters")
