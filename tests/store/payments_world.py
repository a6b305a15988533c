"""A small world for tests of payments: an account, an engine whose time is moved by hand, and the sandbox network outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from tests.api.contract.checker import check
from voldaan.commands import attempts, charges, payment_intents, payouts
from voldaan.commands.answers import Answer
from voldaan.engine import Engine, Leased
from voldaan.events.snapshots import unpack_object
from voldaan.ledger.chart import PROCESSOR_AVAILABLE, PROCESSOR_PENDING
from voldaan.processors.protocol import Processor, Record
from voldaan.processors.sandbox import Faults, SandboxNetwork
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import Attempt
from voldaan.resources.balance_transactions import BalanceTransaction
from voldaan.resources.base import spec
from voldaan.resources.charges import Charge
from voldaan.resources.disputes import Dispute
from voldaan.resources.mandates import Mandate
from voldaan.resources.payment_intents import PaymentIntent, PaymentIntentCreate
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.payouts import Payout
from voldaan.resources.refunds import Refund
from voldaan.resources.render import to_dict
from voldaan.resources.setup_intents import SetupIntent
from voldaan.store.pool import Pool
from voldaan.store.transaction import transaction

NOW = 1_790_000_000      # Monday 21 September 2026
HOUR = 3_600
DAY = 86_400
SHAPES = {
    BalanceTransaction: "stripe.BalanceTransaction",
    Charge: "stripe.Charge",
    Dispute: "stripe.Dispute",
    Mandate: "stripe.Mandate",
    PaymentIntent: "stripe.PaymentIntent",
    PaymentMethod: "stripe.PaymentMethod",
    Payout: "stripe.Payout",
    Refund: "stripe.Refund",
    SetupIntent: "stripe.SetupIntent",
}
NAMES = {spec(cls).object: name for cls, name in SHAPES.items()} | {"balance": "stripe.Balance"}
INSIDE = {
    "attempt.look_after": attempts.look_after,
    "balance.available": payouts.make_available,
    "payout.create": payouts.create_due,
    "charge.expire_authorization": charges.expire_authorizations,
}
OUTSIDE = {"attempt.resolve": attempts.resolve_due, "attempt.follow_up": attempts.follow_up_due}


class World:
    """What the doors do, without them."""

    def __init__(self, pool: Pool, account: Account, network: SandboxNetwork) -> None:
        self.pool, self.account, self.network = pool, account, network
        self.now = NOW
        self.running = ""  # the kind of due work that is done now
        self.engine = Engine(pool, self.processor, lambda: self.now, lambda: 0.0)

    def processor(self, name: str) -> Processor:
        return self.network

    def faults(self, **faults: Any) -> None:
        """What goes wrong on the way to the network from now on; nothing else does."""
        wanted = Faults(**faults)
        for field in fields(Faults):
            setattr(self.network.faults, field.name, getattr(wanted, field.name))

    async def do(self, command: Callable[..., Any], params: Any, *args: Any, carry_out: bool = True) -> Any:
        """A request: the command, the outside, the object after it."""
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            result = await command(tx, params, *args)
        if carry_out:
            await attempts.carry_out(self.engine, self.account, tx.attempts)
        return await self.see(result.cls, result.id) if isinstance(result, Answer) else result

    async def pay(self, method: str, amount: int = 2000, *, carry_out: bool = True, **more: Any) -> PaymentIntent:
        """A payment intent, made and confirmed in one request."""
        params = PaymentIntentCreate(amount=amount, currency="eur", payment_method=method, confirm=True, **more)
        intent: PaymentIntent = await self.do(payment_intents.create, params, carry_out=carry_out)
        return intent

    async def see(self, cls: Any, id: str | None) -> Any:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return await tx.need(cls, id or "")

    async def rows(self, cls: Any, where: str = "true", **values: Any) -> list[Any]:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return await tx.select(cls, where, **values)

    async def all(self, sql: str) -> list[Any]:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            return await tx.all(sql)

    async def change(self, sql: str, **values: Any) -> None:
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            await tx.run(sql, **values)

    async def attempt(self, intent: PaymentIntent) -> Attempt:
        found: Attempt = await self.see(Attempt, intent.attempt)
        return found

    async def events(self) -> list[str]:
        """Types of all events so far, in order."""
        return [row[0] for row in await self.all("select type from each_event where account_id = %(account)s order by id")]

    async def charged(self) -> list[Record]:
        """What the network took, by its own books."""
        return [
            r for r in await self.network.records(self.account.id, self.now)
            if r.flow == "authorize" and r.status in ("succeeded", "processing")
        ]  # fmt: skip

    async def pass_time(self, seconds: int) -> None:
        """The worker's part: what is due until then, in order, each at its time."""
        until = self.now + seconds
        for _ in range(200):
            due = await self.all(
                "select kind, subject, due_at from due where account_id = %(account)s and clock_id is null "
                f"and kind = any(array{[*INSIDE, *OUTSIDE]}) and due_at <= to_timestamp({until}) order by due_at, kind limit 1"
            )
            if not due:
                break
            kind, subject, at = due[0]
            self.now = max(self.now, at)
            await self.run(kind, [subject], at)
        self.now = until

    async def run(self, kind: str, subjects: Sequence[str], at: int) -> None:
        """Due work of one kind, ended as the worker ends it."""
        self.running = kind
        end = (
            "delete from due where account_id = %(account)s and kind = %(kind)s and subject = any(%(subjects)s) "
            "and due_at = to_timestamp(%(at)s)"
        )
        if kind in OUTSIDE:
            async with transaction(self.pool, self.account, self.now, self.now) as tx:
                await tx.run(end, kind=kind, subjects=list(subjects), at=at)
            again = await OUTSIDE[kind](self.engine, self.account, [Leased(s, 1) for s in subjects], self.now)
            assert again == []
            return
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            await INSIDE[kind](tx, list(subjects))
            await tx.run(end, kind=kind, subjects=list(subjects), at=at)
        await attempts.carry_out(self.engine, self.account, tx.attempts)

    async def check_books(self) -> None:
        """The ledger holds at the processor exactly what the balance transactions say, pending and available."""
        for account, status in ((PROCESSOR_PENDING, "pending"), (PROCESSOR_AVAILABLE, "available")):
            posted = await self.all(
                f"select coalesce(sum(case '{account}' when debit then amount when credit then -amount end), 0)::bigint "
                "from postings where account_id = %(account)s"
            )
            held = await self.all(
                "select coalesce(sum(net), 0)::bigint from balance_transactions "
                f"where account_id = %(account)s and status = '{status}'"
            )
            assert posted == held, (account, posted, held)

    async def check_shapes(self) -> None:
        """Every object, now and in every event so far, has exactly the shape that the SDK declares."""
        wrong: dict[str, Any] = {}
        for cls, name in SHAPES.items():
            for resource in await self.rows(cls):
                wrong |= {str(problem): resource.id for problem in check(to_dict(resource), name)}
        told = "select type, data, place from each_event where account_id = %(account)s"
        for type, frame, place in await self.all(told):
            shown = unpack_object(frame, place)["object"]
            name = NAMES.get(shown["object"])
            wrong |= {f"{type}: {problem}": shown.get("id") for problem in (check(shown, name) if name else [])}
        assert not wrong, wrong
