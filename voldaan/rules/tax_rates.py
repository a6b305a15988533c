"""Tax rates: what may be asked for, and what an update changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.resources.numbers import Number, plain
from voldaan.resources.tax_rates import TaxRate, TaxRateUpdate
from voldaan.rules.countries import COUNTRIES
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused

DECIMALS_MAX = 4  # of a percentage: docs.stripe.com/billing/taxes/tax-rates

OPTIONAL = ("description", "jurisdiction", "state")  # text that is null when it is empty
REQUIRED = ("active", "display_name", "tax_type")  # stays as it is unless a value is given


def percentage(given: Decimal) -> Number:
    """Refuses what is no share of a hundred, or finer than four decimals."""
    if not 0 <= given <= 100:
        raise refused("Invalid percentage: must be between 0 and 100.", "percentage")
    value = plain(given)
    if -int(value.as_tuple().exponent) > DECIMALS_MAX:
        raise refused("Invalid percentage: up to 4 decimal places are supported.", "percentage")
    return Number(value)


def country(code: str | None) -> str | None:
    """The two letters in capitals. Refuses what is no country."""
    if not code:
        return None
    if code.upper() not in COUNTRIES:
        raise refused(f"Country '{code}' is unknown.", "country", "country_code_invalid")
    return code.upper()


def update(rate: TaxRate, params: TaxRateUpdate) -> TaxRate:
    """The rate with what the parameters say."""
    given = params.model_fields_set
    values: dict[str, Any] = {"metadata": merged(rate.metadata, params.metadata)}
    values |= {name: getattr(params, name) or None for name in OPTIONAL if name in given}
    values |= {name: value for name in REQUIRED if (value := getattr(params, name)) is not None}
    if "country" in given:
        values["country"] = country(params.country or None)
    return replace(rate, **values)
