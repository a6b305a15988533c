"""A tax provider over HTTP, and the words in which it is spoken to: JSON out, JSON back.

    POST <its address>                              Authorization: Bearer <its secret>
    {"seller": {…}, "buyer": {…}, "tax_ids": [{"type": "eu_vat", "value": "…"}], "exempt": "none", "currency": "eur",
     "on": "2026-11-28", "lines": [{"tax_code": "txcd_10103001", "amount": 1000, "tax_behavior": "exclusive", "performed": null}]}

    {"lines": [[{"country": "US", "state": "NY", "percentage": "4", "reason": "standard_rated", "level": "state",
                 "tax_type": "sales_tax", "name": "Sales Tax", "jurisdiction": "New York", "sourcing": "destination"}]]}
 or {"unknown": {"status": "requires_location_inputs", "message": "…"}}

Amounts are minor units before discounts; percentages are of the net amount, with at most four decimals.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import httpx
import msgspec

from voldaan.resources.tax_rates import TaxType
from voldaan.rules.tax_provider import Reason, TaxAnswer, Taxes, TaxFound, TaxQuery, TaxUnknown

SECONDS = 10.0
BODY_MAX = 1_048_576  # bytes that are read
ZERO_REASONS = frozenset({
    "customer_exempt", "not_available", "not_collecting", "not_subject_to_tax", "not_supported", "product_exempt",
    "reverse_charge", "zero_rated",
})  # fmt: skip
UNKNOWN_CODES = {
    "failed": "taxes_calculation_failed",
    "requires_location_inputs": "customer_tax_location_invalid",
}

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class SaidTax(msgspec.Struct, forbid_unknown_fields=True):
    """One tax on one line."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    percentage: Annotated[str, msgspec.Meta(pattern=r"^\d{1,3}(\.\d{1,4})?$")]
    reason: Reason
    state: Annotated[str, msgspec.Meta(max_length=10)] | None = None
    level: Literal["city", "country", "county", "district", "state"] = "country"
    tax_type: TaxType | None = "vat"
    name: Text = "VAT"
    jurisdiction: Text | None = None
    sourcing: Literal["origin", "destination", "performance"] = "destination"

    def found(self) -> TaxFound:
        """As it is computed with. Raises ValueError where it cannot be."""
        percentage = Decimal(self.percentage)
        if percentage > 100:
            raise ValueError(f"{self.percentage} % is no tax")
        if (percentage == 0) != (self.reason in ZERO_REASONS):
            raise ValueError(f"{self.percentage} % cannot be {self.reason}")
        plain = Decimal(format(percentage.normalize(), "f"))
        return TaxFound(
            self.country, plain, self.reason, self.state, self.level, self.tax_type, self.name, self.jurisdiction, self.sourcing
        )


class SaidUnknown(msgspec.Struct, forbid_unknown_fields=True):
    """Why there is no answer."""

    status: Literal["failed", "requires_location_inputs"]
    message: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """What came back."""

    lines: list[list[SaidTax]] | None = None
    unknown: SaidUnknown | None = None


def question(query: TaxQuery) -> dict[str, Any]:
    """What is asked. The day is that of UTC, and all that is said of the instant: see `fingerprint`."""
    return {
        "seller": msgspec.to_builtins(query.seller),
        "buyer": msgspec.to_builtins(query.buyer),
        "tax_ids": [{"type": type, "value": value} for type, value in query.tax_ids],
        "exempt": query.exempt,
        "currency": query.currency,
        "on": datetime.fromtimestamp(query.at, UTC).date().isoformat(),
        "lines": [
            {
                "tax_code": line.code,
                "amount": line.amount,
                "tax_behavior": "inclusive" if line.inclusive else "exclusive",
                "performed": msgspec.to_builtins(line.performed) if line.performed else None,
            }
            for line in query.lines
        ],
    }


def answer(said: Said, query: TaxQuery) -> TaxAnswer:
    """What it comes to. Raises ValueError if it is no answer to what was asked."""
    if said.unknown is not None:
        return TaxUnknown(said.unknown.status, UNKNOWN_CODES[said.unknown.status], said.unknown.message)
    if said.lines is None or len(said.lines) != len(query.lines) or not all(said.lines):
        raise ValueError("not the taxes of each line")
    return [tuple(tax.found() for tax in taxes) for taxes in said.lines]


def kept(taxes: Taxes) -> list[list[dict[str, Any]]]:
    """An answer as it is kept; `Said` reads it again."""
    return [[{**tax._asdict(), "percentage": format(tax.percentage, "f")} for tax in line] for line in taxes]


class HttpTaxProvider:
    """A provider at an address that the operator has named."""

    def __init__(self, url: str, secret: str = "", seconds: float = SECONDS) -> None:
        self.url, self.seconds = url, seconds
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    async def ask(self, query: TaxQuery) -> TaxAnswer:
        """Raises what the network raises, and ValueError for what is no answer. Redirects are not followed."""
        async with (
            asyncio.timeout(self.seconds),
            httpx.AsyncClient(timeout=self.seconds, trust_env=False) as client,
            client.stream("POST", self.url, json=question(query), headers=self.headers) as response,
        ):
            if response.status_code != 200:
                raise ValueError(f"answered {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > BODY_MAX:
                    raise ValueError("answered too much")
        return answer(msgspec.json.decode(body, type=Said), query)
