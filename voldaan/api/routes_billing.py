"""The route table, second part: usage, contracts, reductions, tax. Same columns as routes.py, which it is a part of."""

from __future__ import annotations

from voldaan.api.router import RouteLine

ROUTES: list[RouteLine] = [
]  # fmt: skip
