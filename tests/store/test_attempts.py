"""Attempts against the sandbox network: whatever is lost, doubled or raced, nobody is charged twice and no money is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from voldaan.commands import attempts, payment_intents
from voldaan.commands.answers import Answer
from voldaan.engine import Engine
from voldaan.processors.protocol import Processor
from voldaan.processors.sandbox import Faults, SandboxNetwork
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.payment_intents import PaymentIntent, PaymentIntentConfirm, PaymentIntentCreate
from voldaan.store.pool import Pool
from voldaan.store.transaction import transaction

pytestmark = pytest.mark.anyio
NOW = 1_790_000_000


class World:
    """An engine whose time stands still until it is moved, and the network outside."""

    def __init__(self, pool: Pool, account: Account, network: SandboxNetwork) -> None:
        self.pool, self.account, self.network = pool, account, network
        self.now = NOW
        self.engine = Engine(pool, self.processor, lambda: self.now, lambda: 0.0)

    def processor(self, name: str) -> Processor:
        return self.network

    async def do(self, command: Callable[..., Any], params: Any, *args: Any, carry_out: bool = True) -> Any:
        """What the API does with a request: the command, the outside, the object after it."""
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            result = await command(tx, params, *args)
        if carry_out:
            await attempts.carry_out(self.engine, self.account, tx.attempts)
        if not isinstance(result, Answer):
            return result
        return await self.see(result.cls, result.id)

    async def see(self, cls: Any, id: str) -> Any:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return await tx.need(cls, id)

    async def pay(self, method: str, amount: int = 2000, *, carry_out: bool = True, **more: Any) -> PaymentIntent:
        params = PaymentIntentCreate(amount=amount, currency="eur", payment_method=method, confirm=True, **more)
        return await self.do(payment_intents.create, params, carry_out=carry_out)

    async def rows(self, cls: Any, where: str = "true") -> list[Any]:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return await tx.select(cls, where)

    async def value(self, sql: str) -> Any:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return (await tx.one(sql))[0]


@pytest.fixture(scope="session")
async def network(dsn: str, anyio_backend: str) -> AsyncIterator[SandboxNetwork]:
    network = SandboxNetwork(dsn, Faults())
    await network.open()
    yield network
    await network.close()


@pytest.fixture
async def world(pool: Pool, account: Account, network: SandboxNetwork) -> AsyncIterator[World]:
    network.faults = Faults()
    yield World(pool, account, network)
    network.faults = Faults()


async def test_a_payment(world: World) -> None:
    intent = await world.pay("pm_card_visa")
    assert (intent.status, intent.amount_received) == ("succeeded", 2000)
    charge = await world.see(Charge, intent.latest_charge or "")
    assert (charge.status, charge.captured, charge.amount_captured) == ("succeeded", True, 2000)
