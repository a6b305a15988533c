"""How a business fact becomes postings. One function per fact stands in the file of its noun: invoices, payments, payouts."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.rules.decision import Posting

Leg = tuple[str, str, int]  # debit account, credit account, amount in minor units


def postings(
    source: str,
    fact: str,
    currency: str,
    at: int,
    legs: Iterable[Leg],
    *,
    customer: str | None = None,
    invoice: str | None = None,
) -> list[Posting]:
    """The legs of one fact. A leg of zero is left out; a negative one is turned round, so that every amount is positive."""
    return [
        Posting(source, fact, number, debit, credit, amount, currency, at, customer, invoice)
        if amount > 0
        else Posting(source, fact, number, credit, debit, -amount, currency, at, customer, invoice)
        for number, (debit, credit, amount) in enumerate(legs, start=1)
        if amount
    ]
