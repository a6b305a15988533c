"""Taxes that only a provider over a network knows: decide, ask, decide again.

A transaction decides with the answers that are known. If it lacks some, nothing of it is kept; with no transaction open the
provider is asked, its answers are kept as facts, and the same decision is made anew with them. If the process dies in
between, only answers are left. What cannot be had is unknown in the last try: a request is refused, a draft waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.rules.tax_provider import Recorded, TaxAnswer, Taxes, TaxQuery, TaxUnknown, fingerprint
from voldaan.store.queries import query
from voldaan.store.transaction import Unanswered, transaction
from voldaan.taxes import wire
from voldaan.taxes.remote import ask, failed
from voldaan.work.failpoints import fp

ROUNDS = 3  # an answer may show lines that were not asked about: a bill that grows, a day that ends

NOTHING: Mapping[str, Taxes] = MappingProxyType({})

T = TypeVar("T")


async def with_answers(engine: Engine, account: Account, decided: Callable[[Recorded], Awaitable[T]]) -> T:
    """What `decided` comes to. It opens its transactions itself, the first one with what it is given."""
    recorded = Recorded({})
    for _ in range(ROUNDS):
        try:
            return await decided(recorded)
        except Unanswered:
            await _find(engine, account, recorded)
    recorded.closed = True
    return await decided(recorded)


async def _find(engine: Engine, account: Account, recorded: Recorded) -> None:
    """Answers what is open: with what was answered before, else by asking."""
    wanted = {fingerprint(each): each for each in recorded.unanswered}
    recorded.unanswered.clear()
    name = account.settings_billing.tax_provider
    known = await _known(engine, account, name, wanted)
    recorded.answers |= known
    asked = {key: each for key, each in wanted.items() if key not in known}
    provider = engine.tax_providers().get(name)
    if provider is None:
        recorded.answers |= dict.fromkeys(asked, failed(f"The tax provider {name} is not registered with this server."))
    elif asked:
        fp("tax.before_call")
        found = await ask(provider, asked.values())
        fp("tax.after_call")
        recorded.answers |= found | await _keep(engine, account, name, asked, found)
        fp("tax.kept")


async def _known(
    engine: Engine, account: Account, name: str, questions: Mapping[str, TaxQuery], new: Mapping[str, Taxes] = NOTHING
) -> dict[str, TaxAnswer]:
    """What is kept of exactly these questions, after the new answers are."""
    wall = engine.wall()
    async with transaction(engine.pool, account, wall, wall) as tx:
        if new:
            await tx.run(
                query("taxes", "keep_answers"),
                provider=name,
                wall=wall,
                fingerprints=list(new),
                questions=[msgspec.json.encode(wire.question(questions[key])).decode() for key in new],
                answers=[msgspec.json.encode(wire.kept(taxes)).decode() for taxes in new.values()],
            )
        rows = await tx.all(query("taxes", "answers"), provider=name, fingerprints=list(questions))
    return {
        key: wire.answer(msgspec.convert({"lines": said}, wire.Said), questions[key])
        for key, question, said in rows
        if question == wire.question(questions[key])
    }


async def _keep(
    engine: Engine, account: Account, name: str, asked: Mapping[str, TaxQuery], found: Mapping[str, TaxAnswer]
) -> dict[str, TaxAnswer]:
    """Keeps what was answered, and returns it; if somebody else asked at the same time, what he was answered. That something
    is not known is no fact: it is asked again."""
    facts = {key: taxes for key, taxes in found.items() if not isinstance(taxes, TaxUnknown)}
    return await _known(engine, account, name, {key: asked[key] for key in facts}, facts) if facts else {}
