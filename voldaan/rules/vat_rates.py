"""Standard rates of value added tax by country and instant, from a table that stands in voldaan/taxes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class Period(NamedTuple):
    """A rate in percent, and since when it holds; `start` 0 is since before the table begins."""

    start: int
    standard: Decimal


Rates = Mapping[str, Sequence[Period]]

BEGINS = 1_577_836_800  # 1 January 2020: the table does not say what held before


def read(countries: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, list[Period]]:
    """The table as it is computed with. Raises ValueError if a country's periods are not in order."""
    found: dict[str, list[Period]] = {}
    for country, periods in countries.items():
        rates = [Period(_instant(each.get("from")), Decimal(each["standard"])) for each in periods]
        if not rates or rates[0].start or rates != sorted(rates, key=lambda each: each.start):
            raise ValueError(f"the rates of {country} are not in the order of time")
        found[country] = rates
    return found


def standard(rates: Rates, country: str, at: int) -> Decimal | None:
    """The percentage in force there and then; None where the table knows nothing."""
    periods = rates.get(country)
    if not periods or at < BEGINS:
        return None
    return periods[bisect_right(periods, at, key=lambda each: each.start) - 1].standard


def _instant(text: str | None) -> int:
    return 0 if text is None else int(datetime.fromisoformat(text).timestamp())
