"""Tax providers that are asked over a network: between two transactions, never in one (commands/tax_asking.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from voldaan.rules.tax_provider import TaxAnswer, TaxQuery, TaxUnknown, fingerprint

AT_ONCE = 8
SECONDS = 20  # for all questions together: a batch does not wait longer for many answers than for one


class RemoteTaxProvider(Protocol):
    """Somebody else's calculation. The answer is rates and reasons; the amounts are computed here, as for any tax."""

    async def ask(self, query: TaxQuery) -> TaxAnswer:
        """The taxes of every line, in their order. May raise whatever a network raises."""


async def ask(
    provider: RemoteTaxProvider, questions: Iterable[TaxQuery], seconds: float = SECONDS
) -> dict[str, TaxAnswer]:
    """The answers by fingerprint, each question asked once. A provider that fails leaves the tax unknown, never zero."""
    limit = asyncio.Semaphore(AT_ONCE)
    until = asyncio.get_running_loop().time() + seconds

    async def one(query: TaxQuery) -> TaxAnswer:
        try:
            async with asyncio.timeout_at(until), limit:
                return await provider.ask(query)
        except Exception as error:  # whatever a network raises: the invoice says that its tax is not known
            return failed(f"The tax provider did not answer ({type(error).__name__}).")

    wanted = {fingerprint(query): query for query in questions}
    found = await asyncio.gather(*(one(query) for query in wanted.values()))
    return dict(zip(wanted, found, strict=True))


def failed(message: str) -> TaxUnknown:
    """Not known now, and perhaps known later."""
    return TaxUnknown("failed", "taxes_calculation_failed", message, passing=True)
