"""What tax providers over a network have answered: kept with the question, used for exactly that, and taken away in the end.

A question is of one day (rules/tax_provider.fingerprint), so an answer may be used until that day ends. An invoice that was
finalized with it rests on it for ever. All others go after a day more; whoever asks for a day long past asks the provider anew.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from voldaan.rules.automatic_tax import TaxFacts
from voldaan.rules.decision import Decision, Due
from voldaan.rules.tax_provider import DAY, TaxAnswer, Taxes, TaxQuery
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write
from voldaan.taxes import wire


async def keep(tx: Transaction, provider: str, answered: Mapping[str, tuple[TaxQuery, Taxes]]) -> None:
    """Keeps what was answered, by fingerprint. Whoever asked the same at the same time was first: his answer stays the one."""
    await tx.run(query("taxes", "keep_answers"), provider=provider, wall=tx.wall, **_columns(answered))
    at = (tx.wall // DAY + 2) * DAY  # the day has ended, and a day more: one row for all that are kept today
    await write(tx, [Decision(due=[Due("tax_answers.prune", "all", at)])])


async def known(tx: Transaction, provider: str, questions: Mapping[str, TaxQuery]) -> dict[str, TaxAnswer]:
    """What is kept of exactly these questions."""
    rows = await tx.all(query("taxes", "answers"), provider=provider, fingerprints=list(questions))
    return {
        key: wire.answer(msgspec.convert({"lines": said}, wire.Said), questions[key])
        for key, question, said in rows
        if question == wire.question(questions[key])
    }


async def need(tx: Transaction, taxes: TaxFacts | None) -> None:
    """What the finalized invoices of this batch rest on stays. Where it is gone already, it is kept as it was decided with."""
    if taxes is None or not taxes.needed:
        return
    needed = {key: taxes.answered[key] for key in sorted(taxes.needed) if key in taxes.answered}
    await tx.run(query("taxes", "need_answers"), provider=taxes.provider_name, wall=tx.wall, **_columns(needed))
    taxes.needed.clear()


async def prune(tx: Transaction, subjects: list[str]) -> None:
    """Due work tax_answers.prune: what was answered the day before yesterday or earlier, and no finalized invoice needs."""
    await tx.run(query("taxes", "prune_answers"), before=(tx.wall // DAY - 1) * DAY)


def _columns(answered: Mapping[str, tuple[TaxQuery, Taxes]]) -> dict[str, list[str]]:
    return {
        "fingerprints": list(answered),
        "questions": [msgspec.json.encode(wire.question(asked)).decode() for asked, _ in answered.values()],
        "answers": [msgspec.json.encode(wire.kept(taxes)).decode() for _, taxes in answered.values()],
    }
