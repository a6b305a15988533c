"""What a tax provider is asked and what it answers. Pure data: amounts are minor units, instants epoch seconds.

A provider that knows by itself decides in the transaction (`TaxProvider`); `rules/eu_vat.py` is one. A provider that has to be
asked over a network is asked between two transactions (commands/tax_asking.py): what it answered is kept, and decides then
as a fact, through `Recorded`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from voldaan.resources.shared import Address
from voldaan.resources.tax_rates import TaxType

DAY = 86_400
Exempt = Literal["none", "exempt", "reverse"]
Reason = Literal[
    "customer_exempt", "not_available", "not_collecting", "not_subject_to_tax", "not_supported", "product_exempt",
    "proportionally_rated", "reduced_rated", "reverse_charge", "standard_rated", "zero_rated",
]  # fmt: skip


class TaxLine(NamedTuple):
    """What is sold: its tax code, the amount before discounts, and whether that holds the tax."""

    code: str
    amount: int
    inclusive: bool
    performed: Address | None = None     # where it takes place, of what is attended


class TaxQuery(NamedTuple):
    """One sale as a provider sees it. `tax_ids` are (type, value)."""

    seller: Address
    buyer: Address
    tax_ids: tuple[tuple[str, str], ...]
    exempt: Exempt
    currency: str
    at: int
    lines: tuple[TaxLine, ...]


class TaxFound(NamedTuple):
    """One tax on one line. `percentage` is of the net amount, with up to four decimals; `reason` says why it is what it is."""

    country: str
    percentage: Decimal
    reason: Reason
    state: str | None = None
    level: Literal["city", "country", "county", "district", "state"] = "country"
    tax_type: TaxType | None = "vat"
    name: str = "VAT"
    jurisdiction: str | None = None      # None: the country's, or the state's
    sourcing: Literal["origin", "destination", "performance"] = "destination"


class TaxUnknown(NamedTuple):
    """No answer, and why: tax is never taken to be zero because it is not known. `passing`: it may be known later by itself."""

    status: Literal["failed", "requires_location_inputs"]
    code: str
    message: str
    passing: bool = False


Taxes = list[tuple[TaxFound, ...]]  # of each line
TaxAnswer = Taxes | TaxUnknown


class TaxProvider(Protocol):
    """Decides from what it was made with and what it is asked; no I/O, no clock."""

    def decide(self, query: TaxQuery) -> TaxAnswer:
        """The taxes of every line, in their order."""


LOCAL = "eu"  # the provider that comes with the program

LOCATION = TaxUnknown(
    "requires_location_inputs",
    "customer_tax_location_invalid",
    "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.",
)
UNANSWERED = TaxUnknown("failed", "taxes_calculation_failed", "The tax provider has not answered yet.", passing=True)


class Recorded:
    """What a remote provider answered, by the fingerprint of what it was asked. What was not asked yet is not known.

    `closed`: nobody will ask, so a question is not noted either.
    """

    def __init__(self, answers: Mapping[str, TaxAnswer], *, closed: bool = False) -> None:
        self.answers = dict(answers)
        self.closed = closed
        self.unanswered: list[TaxQuery] = []

    def decide(self, query: TaxQuery) -> TaxAnswer:
        """What was answered to exactly this."""
        found = self.answers.get(fingerprint(query))
        if found is None:
            if not self.closed:
                self.unanswered.append(query)
            return UNANSWERED
        return found


def fingerprint(query: TaxQuery) -> str:
    """The same for the same question. The instant counts by its day: rates and registrations change at midnight."""
    asked: Sequence[Any] = query._replace(at=query.at // DAY)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:32]
