"""Decimals that the API writes as JSON numbers: percentages and measures. Amounts and prices are never numbers with a point."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec


class Number(Decimal):
    """An exact decimal here, a plain JSON number in the API and in `doc`."""


def plain(value: Decimal) -> Decimal:
    """The same value without trailing zeros and without an exponent: 12.50 -> 12.5, 1E+2 -> 100."""
    digits = format(value, "f")
    return type(value)((digits.rstrip("0").rstrip(".") if "." in digits else digits) or "0")


def to_json(value: Any) -> Any:
    """The encoder's hook for what msgspec does not know."""
    if isinstance(value, Number):
        return msgspec.Raw(format(value, "f").encode())
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def to_builtin(value: Any) -> Any:
    """The same hook where plain values are wanted, such as what an event remembers of a change."""
    if isinstance(value, Number):
        return msgspec.json.decode(format(value, "f"))
    raise NotImplementedError(f"{type(value).__name__} is no plain value")


def from_json(kind: type, value: Any) -> Any:
    """The converter's hook for the same: JSON's decoder gives the shortest digits that mean the number."""
    if kind is Number:
        return Number(str(value))
    raise NotImplementedError(f"{kind.__name__} cannot be read from JSON")


_encoder = msgspec.json.Encoder(enc_hook=to_json)
encode_json = _encoder.encode
encode_lines = _encoder.encode_lines  # several objects, each a line
