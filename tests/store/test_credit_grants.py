"""Billing credits on a real database: a batch takes as many queries as one, whatever it holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store import test_metered
from tests.store.payments_world import DAY
from tests.store.test_metered import MeteredWorld
from voldaan.commands import credit_grants
from voldaan.resources.credit_grants import CreditGrant, CreditGrantCreate
from voldaan.store.transaction import Transaction

pytestmark = pytest.mark.anyio
network, world = test_metered.network, test_metered.world  # fixtures


async def grant(world: MeteredWorld, customer: Any, value: int, **more: Any) -> CreditGrant:
    given = {
        "customer": customer.id, "amount": {"type": "monetary", "monetary": {"currency": "eur", "value": value}},
        "applicability_config": {"scope": {"price_type": "metered"}}, **more,
    }  # fmt: skip
    made: CreditGrant = await world.do(credit_grants.create, CreditGrantCreate.model_validate(given))
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that commands send."""
    heard: list[str] = []
    for name in ("all", "one", "run"):
        real = getattr(Transaction, name)

        async def counting(self: Transaction, sql: str, real: Any = real, **params: object) -> object:
            heard.append(sql)
            return await real(self, sql, **params)

        monkeypatch.setattr(Transaction, name, counting)
    return heard


async def test_a_batch_with_credits_takes_as_many_queries_as_one(world: MeteredWorld, asked: list[str]) -> None:
    calls = await world.metered()
    tallies = []
    for many in (1, 4):
        subscriptions, grants = [], []
        for _ in range(many):
            anna = await world.customer()
            subscriptions.append(await world.subscribe(anna, calls))
            await world.used(anna, 50)
            for value in (100, 200, 900):
                grants.append(await grant(world, anna, value, category="promotional", expires_at=world.now + 40 * DAY))
        due = subscriptions[0].items.data[0].current_period_end
        counted = []
        ends = grants[0].expires_at or 0
        for kind, at in (("subscription.renew", due), ("invoice.finalize", due + 3600), ("credit_grant.expire", ends)):
            world.now = at
            subjects = {
                "subscription.renew": [s.id for s in subscriptions],
                "invoice.finalize": [i.id for s in subscriptions for i in await world.invoices(s) if i.status == "draft"],
                "credit_grant.expire": [g.id for g in grants],
            }[kind]
            asked.clear()
            await world.run(kind, subjects, at)
            counted.append(len(asked))
        tallies.append(counted)
        for each in subscriptions:
            [invoice] = [i for i in await world.invoices(each) if i.subtotal]
            assert (invoice.subtotal, invoice.total) == (500, 0)
            assert [c.amount for c in invoice.total_pretax_credit_amounts] == [100, 200, 200]
        left = await world.rows(CreditGrant, "t.id = any(%(ids)s)", ids=[g.id for g in grants])
        assert [g.balance for g in left] == [0] * len(left)
    assert tallies[0] == tallies[1]
