"""A processor without a machine: customers transfer money, people hand it over, and a person or a bank line says so.

It keeps the same protocol as a card network, and little else: an answer takes days, nothing can be charged, a refund is
a transfer that somebody makes. What comes in is never dropped: money without a known reference waits in `unapplied`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from voldaan.processors.declines import decline
from voldaan.processors.manual import books
from voldaan.processors.manual.books import OUT_OF_BAND, TRANSFERS, BankAccount, Line, Operation, Unapplied
from voldaan.processors.manual.references import number_of
from voldaan.processors.protocol import (
    BadSignature,
    Capabilities,
    CaptureRequest,
    Declined,
    EventType,
    Flow,
    NotSent,
    Outcome,
    PayoutRequest,
    ProcessorEvent,
    Record,
    RefundRequest,
    Request,
    SetupRequest,
    Succeeded,
    SyncRequest,
    VoidRequest,
)
from voldaan.processors.storage import Connection, Storage
from voldaan.store.ids import new_id

HOME = Path(__file__).parent


def no(code: str) -> Declined:
    return Declined(decline(code))


class ManualProcessor:
    """Takes bank transfers and whatever is paid out of band, in test mode and in live mode."""

    name = "manual"

    def __init__(self, dsn: str, bank: BankAccount | None = None, *, connections: int = 2) -> None:
        self.bank = bank
        self._storage = Storage(dsn, HOME, "processor_manual", connections)

    async def open(self) -> None:
        await self._storage.open()

    async def close(self) -> None:
        await self._storage.close()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            flows=frozenset({Flow.AUTHORIZE, Flow.VOID, Flow.REFUND, Flow.SETUP, Flow.PAYOUT}),
            payment_method_types=TRANSFERS | OUT_OF_BAND,
            currencies=None,
            capture_methods=frozenset({"automatic"}),
            partial_capture=False, partial_refund=True,
            idempotency="reference", lookup="by_reference", settlement="async_days",
            notification=frozenset({"poll"}),
        )

    # ---- what Voldaan asks -------------------------------------------------------------------------------------------

    async def authorize(self, r: Request) -> Outcome:
        """Waits for money: a transfer gives the payer instructions, anything else waits for a person to confirm it."""
        if r.payment_method.type not in TRANSFERS | OUT_OF_BAND:
            return no("payment_method_unusable")
        if r.capture == "manual":
            return no("flow_not_supported")
        if r.amount <= 0:
            return no("invalid_amount")
        async with self._storage.connection() as connection:
            await self._file(connection, r, Flow.AUTHORIZE, r.amount, r.currency, method=r.payment_method.type)
            return await self._stands(connection, r, Flow.AUTHORIZE)

    async def capture(self, r: CaptureRequest) -> Outcome:
        return no("flow_not_supported")

    async def setup(self, r: SetupRequest) -> Outcome:
        """There is nothing to verify."""
        if r.payment_method.type not in TRANSFERS | OUT_OF_BAND:
            return no("payment_method_unusable")
        async with self._storage.connection() as connection:
            await self._file(
                connection, r, Flow.SETUP, 0, r.currency or "", method=r.payment_method.type, decided="confirmed")
            return await self._stands(connection, r, Flow.SETUP)

    async def void(self, r: VoidRequest) -> Outcome:
        """Stops waiting. Money that comes in later is kept apart, for a person to send back."""
        async with self._storage.transaction() as connection:
            if not (payment := await self._lock(connection, r.processor_id, r.account_id)):
                return no("resource_missing")
            known = await self._by_reference(connection, r.account_id, r.attempt_id, Flow.VOID)
            lines = await self._lines(connection, payment)
            if not known and books.state(payment, lines, r.at) == "succeeded":
                return no("payment_not_voidable")
            await self._storage.run(
                connection, "decide", processor_id=payment.processor_id, decided="canceled", at=r.at, failure=None)
            await self._file(
                connection, r, Flow.VOID, payment.amount, payment.currency, original=payment, decided="confirmed")
            return await self._stands(connection, r, Flow.VOID)

    async def refund(self, r: RefundRequest) -> Outcome:
        """Something for a person to transfer; final when they confirm it."""
        async with self._storage.transaction() as connection:
            if not (payment := await self._lock(connection, r.processor_id, r.account_id)):
                return no("resource_missing")
            if not await self._by_reference(connection, r.account_id, r.attempt_id, Flow.REFUND):
                if refused := await self._unrefundable(connection, r, payment):
                    return no(refused)
                await self._file(connection, r, Flow.REFUND, r.amount, r.currency, original=payment)
            return await self._stands(connection, r, Flow.REFUND)

    async def payout(self, r: PayoutRequest) -> Outcome:
        if r.amount <= 0:
            return no("invalid_amount")
        async with self._storage.connection() as connection:
            await self._file(connection, r, Flow.PAYOUT, r.amount, r.currency, method=r.destination)
            return await self._stands(connection, r, Flow.PAYOUT)

    async def sync(self, r: SyncRequest) -> Outcome:
        async with self._storage.connection() as connection:
            if r.processor_id:
                found = await self._by_id(connection, r.processor_id)
            else:
                found = await self._by_reference(connection, r.account_id, r.attempt_id, r.flow)
            if not found or found.account_id != r.account_id:
                return NotSent("nothing is filed under this reference")
            return books.outcome(found, await self._lines(connection, found), r.at, self.bank)

    async def news(self, processor_id: str, at: int) -> list[ProcessorEvent]:
        async with self._storage.connection() as connection:
            if not (found := await self._by_id(connection, processor_id)):
                return []
            state = books.state(found, lines := await self._lines(connection, found), at)
        happened = EVENTS.get((found.flow, state))
        if not happened or (found.flow == "authorize" and found.decided == "canceled"):
            return []
        when = books.paid_at(found, lines) if found.flow == "authorize" else found.decided_at
        return [ProcessorEvent(
            f"{processor_id}:{happened}", happened, processor_id, when or at, found.amount, found.currency,
            reference=found.reference, status=state,
            decline=decline("could_not_process", found.failure) if state == "declined" else None,
        )]

    async def records(self, account_id: str, at: int | None = None) -> list[Record]:
        async with self._storage.connection() as connection:
            operations = await self._storage.rows(connection, Operation, "account", account_id=account_id)
            lines = await self._storage.rows(connection, Line, "received", ids=[o.processor_id for o in operations])
        latest = max([o.at for o in operations] + [o.decided_at or 0 for o in operations] + [x.at for x in lines] + [0])
        now = latest if at is None else at
        return [
            Record(o.reference, o.processor_id, Flow(o.flow), o.amount, o.currency,
                   books.state(o, [x for x in lines if x.operation == o.processor_id], now))  # type: ignore[arg-type]
            for o in operations
        ]

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at: int
    ) -> list[ProcessorEvent]:
        raise BadSignature("nobody sends webhooks for money that people move")

    # ---- what people say ---------------------------------------------------------------------------------------------

    async def receive(
        self, reference: str, amount: int, at: int, *, account_id: str, currency: str = "eur", line: str | None = None
    ) -> str | None:
        """Money came in for an account. Returns the processor id of the payment it is for; None: it is `unapplied`.

        `line` is the bank's own id of the line: telling of the same line again counts it once.
        """
        async with self._storage.transaction() as connection:
            payment = await self._payment(connection, account_id, reference, currency)
            owner = payment.processor_id if payment else None
            line_id = line or new_id("line")
            new = await self._storage.run(
                connection, "receive", account_id=account_id, line_id=line_id, written=reference, operation=owner,
                amount=amount, currency=currency, at=at)
            if new:
                return owner
            known = await self._storage.rows(connection, Line, "line", account_id=account_id, line_id=line_id)
            return known[0].operation

    async def assign(self, account_id: str, line: str, reference: str) -> bool:
        """A person says which payment a line without an owner is for. False when that cannot be."""
        async with self._storage.transaction() as connection:
            known = await self._storage.rows(connection, Line, "line", account_id=account_id, line_id=line)
            payment = await self._payment(connection, account_id, reference, known[0].currency) if known else None
            if not payment:
                return False
            assigned = await self._storage.run(
                connection, "assign", account_id=account_id, line_id=line, operation=payment.processor_id)
            return assigned == 1

    async def confirm(self, processor_id: str, at: int) -> bool:
        """A person has seen it happen: money handed over, a refund or a payout transferred.

        The first word stands: False when it was decided before, or when bank lines already tell of it.
        """
        return await self._decide(processor_id, "confirmed", at, None)

    async def fail(self, processor_id: str, reason: str, at: int) -> bool:
        """It did not happen, and will not."""
        return await self._decide(processor_id, "failed", at, reason)

    async def unapplied(self, account_id: str) -> list[Unapplied]:
        """Money that came in for an account and pays for nothing: placed nowhere, too much, or too late."""
        async with self._storage.connection() as connection:
            unowned = await self._storage.rows(connection, Line, "unowned", account_id=account_id)
            payments = await self._storage.rows(connection, Operation, "paid", account_id=account_id)
            lines = await self._storage.rows(connection, Line, "received", ids=[p.processor_id for p in payments])
        nobodys = [Unapplied(x.line_id, x.written, x.amount, x.currency, x.at, "unmatched") for x in unowned]
        return nobodys + [
            item for payment in payments
            for item in books.unapplied(payment, [x for x in lines if x.operation == payment.processor_id])
        ]

    # ---- the books ---------------------------------------------------------------------------------------------------

    async def _file(
        self, connection: Connection, r: Request | SetupRequest | VoidRequest | RefundRequest | PayoutRequest, flow: Flow,
        amount: int, currency: str, *, method: str | None = None, original: Operation | None = None,
        decided: str | None = None,
    ) -> None:
        await self._storage.run(
            connection, "file", processor_id=new_id("manual"), account_id=r.account_id, reference=r.attempt_id,
            idempotency_key=r.idempotency_key, flow=str(flow), original=original and original.processor_id,
            method=method, amount=amount, currency=currency, decided=decided, decided_at=r.at if decided else None,
            at=r.at)

    async def _stands(
        self, connection: Connection, r: Request | SetupRequest | VoidRequest | RefundRequest | PayoutRequest, flow: Flow
    ) -> Outcome:
        found = await self._by_reference(connection, r.account_id, r.attempt_id, flow)
        if not found:
            return no("resource_missing")
        if flow == Flow.SETUP:
            return Succeeded(found.processor_id, 0, found.currency, settles_at=found.at)
        return books.outcome(found, await self._lines(connection, found), r.at, self.bank)

    async def _unrefundable(self, connection: Connection, r: RefundRequest, payment: Operation) -> str | None:
        if books.state(payment, await self._lines(connection, payment), r.at) != "succeeded":
            return "charge_not_refundable"
        if r.amount <= 0:
            return "invalid_amount"
        if r.currency != payment.currency:
            return "currency_mismatch"
        refunds = await self._storage.rows(connection, Operation, "refunds", processor_id=payment.processor_id)
        left = payment.amount - sum(refund.amount for refund in refunds if refund.decided != "failed")
        return "charge_already_refunded" if left <= 0 else "amount_too_large" if r.amount > left else None

    async def _decide(self, processor_id: str, decided: str, at: int, failure: str | None) -> bool:
        async with self._storage.transaction() as connection:
            if not (found := await self._storage.rows(connection, Operation, "lock", processor_id=processor_id)):
                raise LookupError(processor_id)
            if await self._lines(connection, found[0]):
                return False
            new = await self._storage.run(
                connection, "decide", processor_id=processor_id, decided=decided, at=at, failure=failure)
            return new == 1

    async def _lock(self, connection: Connection, processor_id: str, account_id: str) -> Operation | None:
        found = await self._storage.rows(connection, Operation, "lock", processor_id=processor_id)
        return next((o for o in found if o.account_id == account_id and o.flow == "authorize"), None)

    async def _by_id(self, connection: Connection, processor_id: str) -> Operation | None:
        return next(iter(await self._storage.rows(connection, Operation, "by_id", processor_id=processor_id)), None)

    async def _by_reference(
        self, connection: Connection, account_id: str, reference: str, flow: Flow
    ) -> Operation | None:
        return next(iter(await self._storage.rows(
            connection, Operation, "by_reference", account_id=account_id, reference=reference, flow=str(flow))), None)

    async def _payment(
        self, connection: Connection, account_id: str, reference: str, currency: str
    ) -> Operation | None:
        """The account's payment that somebody means with a reference, in the currency that came in; locked."""
        if (number := number_of(reference)) is None:
            return None
        found = await self._storage.rows(connection, Operation, "by_number", account_id=account_id, number=number)
        if not found or found[0].currency != currency:
            return None
        return (await self._storage.rows(connection, Operation, "lock", processor_id=found[0].processor_id))[0]

    async def _lines(self, connection: Connection, operation: Operation) -> list[Line]:
        if operation.flow != "authorize":
            return []
        return await self._storage.rows(connection, Line, "received", ids=[operation.processor_id])


EVENTS: dict[tuple[str, str], EventType] = {
    ("authorize", "succeeded"): "payment.succeeded",
    ("authorize", "declined"): "payment.failed",
    ("authorize", "canceled"): "payment.canceled",
    ("refund", "succeeded"): "refund.succeeded",
    ("refund", "declined"): "refund.failed",
    ("payout", "succeeded"): "payout.paid",
    ("payout", "declined"): "payout.failed",
}
