"""Tax providers that are asked over a network: between two transactions, never in one.

    facts.provider = Recorded(known)         # first transaction: decide; what nobody has answered is in `unanswered`
    known |= await ask(provider, questions)  # no transaction is open
    facts.provider = Recorded(known)         # second transaction: the same decision, with the answers as facts
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from voldaan.rules.tax_provider import TaxAnswer, TaxQuery, TaxUnknown, fingerprint

AT_ONCE = 8
SECONDS = 20


class RemoteTaxProvider(Protocol):
    """Somebody else's calculation. The answer is rates and reasons; the amounts are computed here, as for any tax."""

    async def ask(self, query: TaxQuery) -> TaxAnswer:
        """The taxes of every line, in their order. May raise whatever a network raises."""


async def ask(provider: RemoteTaxProvider, questions: Iterable[TaxQuery]) -> dict[str, TaxAnswer]:
    """The answers by fingerprint, each question asked once. A provider that fails leaves the tax unknown, never zero."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(query: TaxQuery) -> TaxAnswer:
        async with limit:
            try:
                return await asyncio.wait_for(provider.ask(query), SECONDS)
            except Exception as error:  # whatever a network raises: the invoice says that its tax is not known
                said = f"The tax provider did not answer ({type(error).__name__})."
                return TaxUnknown("failed", "taxes_calculation_failed", said)

    wanted = {fingerprint(query): query for query in questions}
    found = await asyncio.gather(*(one(query) for query in wanted.values()))
    return dict(zip(wanted, found, strict=True))
