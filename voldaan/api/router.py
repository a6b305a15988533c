"""From method and path to a route, in as many steps as the path has segments, however many routes there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from voldaan.resources.base import Resource
from voldaan.resources.params import Params

Command = Callable[..., Awaitable[Any]]
RouteLine = tuple[str, str, Command, type[Params], type[Resource] | None]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: what it is called with, what it runs, what it reads and what it answers."""

    method: str
    path: str                      # "/v1/invoices/{id}/void"
    command: Command
    params: type[Params]
    resource: type[Resource] | None


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    placeholder: tuple[str, _Node] | None = None
    routes: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)


class Router:
    """A tree of path segments. A literal segment wins over a placeholder: `/v1/charges/search` over `/v1/charges/{id}`."""

    def __init__(self, lines: Iterable[RouteLine]) -> None:
        self.routes = [Route(*line) for line in lines]
        self._root = _Node()
        for route in self.routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node, names = self._root, []
        for segment in route.path.strip("/").split("/"):
            if not segment.startswith("{"):
                node = node.children.setdefault(segment, _Node())
                continue
            names.append(segment[1:-1])
            if node.placeholder is None:
                node.placeholder = ("", _Node())
            node = node.placeholder[1]
        if route.method in node.routes:
            raise ValueError(f"{route.method} {route.path} is declared twice")
        node.routes[route.method] = (route, tuple(names))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route and the values of its placeholders, or None."""
        found = self._walk(self._root, path[1:].split("/"), 0, [])
        if found is None or method not in found[0].routes:
            return None
        route, names = found[0].routes[method]
        return route, dict(zip(names, found[1], strict=True))

    def _walk(self, node: _Node, segments: list[str], at: int, values: list[str]) -> tuple[_Node, list[str]] | None:
        if at == len(segments):
            return (node, values) if node.routes else None
        segment = segments[at]
        if segment in node.children:
            found = self._walk(node.children[segment], segments, at + 1, values)
            if found:
                return found
        if node.placeholder and segment:
            return self._walk(node.placeholder[1], segments, at + 1, [*values, segment])
        return None
