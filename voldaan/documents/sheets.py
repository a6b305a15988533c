"""What a sheet says, in words and figures ready to be set: the one shape that every document has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from voldaan.resources.accounts import Account
from voldaan.resources.customers import Customer
from voldaan.resources.shared import Address
from voldaan.resources.tax_ids import TaxId
from voldaan.rules.catalogue import shown as exactly
from voldaan.web.amounts import country, day, money, tax_number
from voldaan.web.amounts import quantity as counted

PAPERS = {"letter": "us-letter"}


@dataclass(frozen=True, slots=True)
class Look:
    """How a sheet is set: `accent` is a color as #rrggbb, `zone` the time zone whose days it shows."""

    accent: str | None = None
    zone: str = "UTC"


PLAIN = Look()


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet to be set once the transaction that has read it is over, dated `at` (epoch seconds), under a file name."""

    sheet: dict[str, Any]
    at: int
    name: str


def sheet(
    *,
    kind: str,
    number: str | None,
    state: str | None,
    issuer: dict[str, Any],
    recipient: dict[str, Any],
    facts: Sequence[tuple[str, str]],
    lines: Sequence[dict[str, Any]],
    sums: Sequence[dict[str, Any]],
    heading: str | None = None,
    text: str | None = None,
    notes: Sequence[str] = (),
    footer: str | None = None,
    paper: str = "a4",
    look: Look = PLAIN,
) -> dict[str, Any]:
    """`notes` is what must be said below the sums."""
    return {
        "kind": kind,
        "number": number,
        "state": state,
        "title": f"{kind} {number}" if number else kind,
        "issuer": issuer,
        "recipient": recipient,
        "facts": [list(fact) for fact in facts],
        "heading": heading,
        "text": text,
        "lines": list(lines),
        "sums": list(sums),
        "notes": list(notes),
        "footer": footer,
        "accent": look.accent,
        "paper": PAPERS.get(paper, "a4"),
    }


def issuer(account: Account, office: Address | None, numbers: Iterable[TaxId] = (), name: str | None = None) -> dict[str, Any]:
    """The business, by another `name` if it had one then; its place is that of its head office, where that is known.

    Source of what must be said: Directive 2006/112/EC, article 226, points 3 and 5.
    """
    known = [tax_number(each.type, each.value) for each in numbers]
    lines = [*place(office), *known, *filter(None, [account.email])]
    return {"name": name or account.business_name or account.id, "lines": lines}


def recipient(customer: Customer, tax_ids: Iterable[TaxId]) -> dict[str, Any]:
    lines = [*place(customer.address), *(tax_number(each.type, each.value) for each in tax_ids)]
    if customer.name and customer.email:
        lines.append(customer.email)
    return {"name": customer.name or customer.email or customer.id, "lines": lines}


def unit_price(unit: Decimal | None, currency: str) -> str:
    """The price of one, in minor units, with as many digits as it has; nothing, if there is no such price."""
    if unit is None:
        return ""
    return money(int(unit), currency) if unit == unit.to_integral_value() else exactly(unit, currency)


def line(text: str, below: str | None, quantity: Decimal | int | None, unit: str, amount: int, currency: str) -> dict[str, Any]:
    return {"text": text, "below": below, "quantity": counted(quantity), "unit": unit, "amount": money(amount, currency)}


def sums(name: str | None, rows: Iterable[tuple[str, int, bool]], currency: str) -> dict[str, Any]:
    """`rows`: what it is, how much in minor units, and whether it is what counts."""
    said = [{"name": label, "amount": money(amount, currency), "strong": strong} for label, amount, strong in rows]
    return {"name": name, "rows": said}


def period(start: int, end: int, zone: str = "UTC") -> str | None:
    return f"{day(start, zone)} – {day(end, zone)}" if start < end else None


def place(address: Address | None) -> list[str]:
    """An address, line by line."""
    if address is None:
        return []
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    return [part for part in (address.line1, address.line2, town, address.state, country(address.country or "")) if part]
