"""The route table, third part: what Voldaan offers beyond Stripe's API, under /voldaan and in the same style."""

from __future__ import annotations

from voldaan.api.router import RouteLine

ROUTES: list[RouteLine] = [
]  # fmt: skip
