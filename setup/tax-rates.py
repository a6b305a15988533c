"""Writes voldaan/taxes/eu_vat_rates.json anew, from a copy of the npm package sales-tax (MIT).

    npm pack sales-tax && tar xzf sales-tax-*.tgz
    python setup/tax-rates.py package

The set says until when an earlier rate held, in UTC and now and then an hour or a day off. A rate changes at midnight where it
applies, so each end is brought to that; what the set has wrong is corrected below, with the law that says so.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

TARGET = Path(__file__).parent.parent / "voldaan" / "taxes"

# Member states and where their clocks hang.
ZONES = {
    "AT": "Vienna", "BE": "Brussels", "BG": "Sofia", "CY": "Nicosia", "CZ": "Prague", "DE": "Berlin", "DK": "Copenhagen",
    "EE": "Tallinn", "ES": "Madrid", "FI": "Helsinki", "FR": "Paris", "GR": "Athens", "HR": "Zagreb", "HU": "Budapest",
    "IE": "Dublin", "IT": "Rome", "LT": "Vilnius", "LU": "Luxembourg", "LV": "Riga", "MT": "Malta", "NL": "Amsterdam",
    "PL": "Warsaw", "PT": "Lisbon", "RO": "Bucharest", "SE": "Stockholm", "SI": "Ljubljana", "SK": "Bratislava",
}  # fmt: skip

# (country, date in the set) -> the date in the law.
CORRECTIONS = {
    ("RO", "2025-08-02"): "2025-08-01",  # Law 141/2025: 21 % from 1 August 2025
}


def periods(country: str, said: dict[str, Any]) -> list[dict[str, str]]:
    """The standard rates of a country, the oldest first; the first has held since before the set begins."""
    ends = sorted(said.get("before", {}).items())
    rates = [percent(each["rate"]) for _, each in ends] + [percent(said["rate"])]
    starts = [begins(country, end) for end, _ in ends]
    found = [{"standard": rates[0]}]
    found += [{"from": start, "standard": rate} for start, rate in zip(starts, rates[1:], strict=True)]
    return found


def percent(rate: Any) -> str:
    return format((Decimal(str(rate)) * 100).normalize(), "f")


def begins(country: str, end: str) -> str:
    """Midnight of the day that the next rate holds from, with the offset of that place and day."""
    zone = ZoneInfo(f"Europe/{ZONES[country]}")
    near = datetime.fromisoformat(end.replace("Z", "+00:00")) + timedelta(hours=3)  # the set ends days up to 3 hours early
    day = near.astimezone(zone).date().isoformat()
    return datetime.fromisoformat(CORRECTIONS.get((country, day), day)).replace(tzinfo=zone).isoformat()


def written(data: dict[str, Any]) -> str:
    """JSON with one country a line."""
    head = "".join(f" {json.dumps(name)}: {json.dumps(data[name])},\n" for name in ("source", "license", "says"))
    lines = [f"  {json.dumps(country)}: {json.dumps(each)}" for country, each in data["countries"].items()]
    return f'{{\n{head} "countries": {{\n' + ",\n".join(lines) + "\n }\n}\n"


def main(package: Path) -> None:
    """Reads the unpacked package, writes the rates and the licence that they come under."""
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    rates = json.loads((package / "res" / "sales_tax_rates.json").read_text(encoding="utf-8"))
    data = {
        "source": f"npm package {about['name']} {about['version']}, res/sales_tax_rates.json",
        "license": "MIT, see eu_vat_rates.LICENSE.txt",
        "says": "percent; `from` is the instant from which the rate holds, none for the first",
        "countries": {country: periods(country, rates[country]) for country in sorted(ZONES)},
    }
    (TARGET / "eu_vat_rates.json").write_text(written(data), encoding="utf-8")
    license = (package / "LICENSE").read_text(encoding="utf-8")
    (TARGET / "eu_vat_rates.LICENSE.txt").write_text(license, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
