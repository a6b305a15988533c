"""Taxes that only a provider over a network knows: decide, ask, decide again.

A transaction decides with the answers that are known. If it lacks some, nothing of it is kept; with no transaction open the
provider is asked, its answers are kept as facts, and the same decision is made anew with them. If the process dies in
between, only answers are left. What cannot be had is unknown in the last try: a request is refused, a draft waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from voldaan.commands import tax_answers
from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.rules.tax_provider import Recorded, TaxAnswer, TaxQuery, TaxUnknown, fingerprint
from voldaan.store.transaction import Unanswered, transaction
from voldaan.taxes.remote import ask, failed
from voldaan.work.failpoints import fp

ROUNDS = 3  # an answer may show lines that were not asked about: a bill that grows, a day that ends

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
    name, wall = account.settings_billing.tax_provider, engine.wall()
    async with transaction(engine.pool, account, wall, wall) as tx:
        known = await tax_answers.known(tx, name, wanted)
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


async def _keep(
    engine: Engine, account: Account, name: str, asked: Mapping[str, TaxQuery], found: Mapping[str, TaxAnswer]
) -> dict[str, TaxAnswer]:
    """Keeps what was answered, and returns it; if somebody else asked at the same time, what he was answered. That something
    is not known is no fact: it is asked again."""
    facts = {key: (asked[key], taxes) for key, taxes in found.items() if not isinstance(taxes, TaxUnknown)}
    if not facts:
        return {}
    wall = engine.wall()
    async with transaction(engine.pool, account, wall, wall) as tx:
        await tax_answers.keep(tx, name, facts)
        return await tax_answers.known(tx, name, {key: asked[key] for key in facts})
