"""The table of rates that comes with the program: eu_vat_rates.json, made by setup/tax-rates.py."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from voldaan.rules import vat_rates

TABLE = Path(__file__).parent / "eu_vat_rates.json"


@cache
def european_union() -> vat_rates.Rates:
    """Standard rates of the member states, read once."""
    return vat_rates.read(msgspec.json.decode(TABLE.read_bytes())["countries"])
