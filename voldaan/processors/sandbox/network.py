"""A card network and a bank that stand outside Voldaan: own storage, own commits, own idea of what was charged.

Requests that arrive together are written together (one statement, one commit, up to 256). What was filed under a key or a
reference answers every repeat, so a resend never charges twice; and whatever the network has done stays visible in
`records`, so that a double charge by anybody cannot hide.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from voldaan.processors.declines import decline
from voldaan.processors.protocol import (
    Capabilities,
    CaptureRequest,
    Declined,
    Flow,
    NotSent,
    Outcome,
    PayoutRequest,
    ProcessorEvent,
    Record,
    RefundRequest,
    Request,
    SetupRequest,
    SyncRequest,
    Unknown,
    VoidRequest,
)
from voldaan.processors.sandbox import disputes, webhooks
from voldaan.processors.sandbox.banks import REDIRECTS
from voldaan.processors.sandbox.books import Family, Fees, Operation, Terms
from voldaan.processors.sandbox.decide import Change, Fresh
from voldaan.processors.sandbox.desk import Desk
from voldaan.processors.sandbox.faults import Faults
from voldaan.processors.sandbox.standing import news, outcome, standing, state_at
from voldaan.processors.storage import Storage
from voldaan.store.gather import Gather

HOME = Path(__file__).parent
POISON = (psycopg.DataError, psycopg.IntegrityError)
Asked = TypeVar("Asked")


class SandboxNetwork:
    """The processor of every account in test mode."""

    name = "sandbox"

    def __init__(
        self, dsn: str, faults: Faults | None = None, fees: Fees | None = None, *,
        terms: Terms | None = None, connections: int = 4,
    ) -> None:
        self.faults = faults or Faults()
        self.terms = terms or Terms(fees=fees or Fees())
        self._storage = Storage(dsn, HOME, "sandbox_network", connections)
        self._desk = Desk(self._storage, self.faults, self.terms)
        self._fresh: Gather[Fresh, Outcome] = Gather(self._desk.file, poison=POISON)
        self._changes: Gather[Change, Outcome] = Gather(self._desk.change, poison=POISON)

    async def open(self) -> None:
        await self._storage.open()

    async def close(self) -> None:
        await self._fresh.close()
        await self._changes.close()
        await self._storage.close()

    def capabilities(self) -> Capabilities:
        return Capabilities(
            flows=frozenset(Flow),
            payment_method_types=frozenset({"card", "sepa_debit", "us_bank_account", *REDIRECTS}),
            currencies=None,
            capture_methods=frozenset({"automatic", "manual"}),
            partial_capture=True, partial_refund=True,
            idempotency="key", lookup="by_reference", settlement="sync",
            notification=frozenset({"poll", "webhook"}),
            authorization_validity=self.terms.hold,
        )

    # ---- money -------------------------------------------------------------------------------------------------------

    async def authorize(self, r: Request) -> Outcome:
        return await self._deliver(r, self._fresh)

    async def setup(self, r: SetupRequest) -> Outcome:
        return await self._deliver(r, self._fresh)

    async def payout(self, r: PayoutRequest) -> Outcome:
        return await self._deliver(r, self._fresh)

    async def capture(self, r: CaptureRequest) -> Outcome:
        return await self._deliver(r, self._changes)

    async def void(self, r: VoidRequest) -> Outcome:
        return await self._deliver(r, self._changes)

    async def refund(self, r: RefundRequest) -> Outcome:
        return await self._deliver(r, self._changes)

    async def sync(self, r: SyncRequest) -> Outcome:
        """How a request stands at `r.at`. A network that forgets its references can only be asked by its own id."""
        await self.faults.wait()
        if self.faults.loses_request() or self.faults.loses_reply():
            return Unknown("the sandbox network did not answer")
        async with self._storage.connection() as connection:
            if r.processor_id:
                found = await self._storage.rows(connection, Operation, "by_id", processor_id=r.processor_id)
            elif self.faults.ignore_idempotency_keys:
                found = []
            else:
                found = await self._storage.rows(
                    connection, Operation, "by_reference",
                    account_id=r.account_id, reference=r.attempt_id, flow=str(r.flow))
            if not found or found[0].account_id != r.account_id:
                return NotSent("the sandbox network has nothing under this reference")
            families = await self._desk.families(connection, found)
        return outcome(found[0], families[found[0].processor_id], r.at, self.terms)

    async def news(self, processor_id: str, at: int) -> list[ProcessorEvent]:
        async with self._storage.connection() as connection:
            found = await self._storage.rows(connection, Operation, "by_id", processor_id=processor_id)
            if found and found[0].flow == "capture":
                found = await self._storage.rows(connection, Operation, "by_id", processor_id=found[0].original)
            if not found:
                return []
            families = await self._desk.families(connection, found)
        return news(families[found[0].processor_id], at, self.terms)

    async def records(self, account_id: str, at: int | None = None) -> list[Record]:
        """Everything that was asked for, as it stands at `at`; without it, as it stood at the last request."""
        async with self._storage.connection() as connection:
            operations = await self._storage.rows(connection, Operation, "account", account_id=account_id)
            families = await self._desk.families(connection, [o for o in operations if o.flow in ("authorize", "setup")])
        latest = max((o.at for o in operations), default=0) if at is None else at
        return [_record(o, families.get(o.processor_id), latest, self.terms) for o in operations]

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at: int
    ) -> list[ProcessorEvent]:
        return webhooks.parse(headers, body, secrets, at)

    # ---- the people around it ----------------------------------------------------------------------------------------

    async def challenge(self, processor_id: str) -> Operation | None:
        """The payment that waits for its customer, for the page that asks them; None if it does not wait (any more)."""
        async with self._storage.connection() as connection:
            found = await self._storage.rows(connection, Operation, "by_id", processor_id=processor_id)
            families = await self._desk.families(connection, found)
        waiting = [
            family.payment for family in families.values()
            if standing(family, family.payment.at, self.terms).state == "requires_action"
        ]
        return waiting[0] if waiting else None

    async def authenticate(self, processor_id: str, succeed: bool, at: int | None = None) -> None:
        """The customer proves who they are, or fails to; the first answer stands. `at` is when: by default at once.

        Raises LookupError for a payment that never asked for it.
        """
        async with self._storage.connection() as connection:
            found = await self._storage.rows(connection, Operation, "by_id", processor_id=processor_id)
            if not found or found[0].state != "requires_action":
                raise LookupError(processor_id)
            await self._storage.run(
                connection, "answer_once", subject=processor_id, kind="authentication",
                answer="succeeded" if succeed else "failed", at=found[0].at if at is None else at)

    async def submit_evidence(self, dispute_id: str, evidence: str, at: int) -> ProcessorEvent:
        return await self._answer_dispute(dispute_id, "evidence", evidence, at)

    async def close_dispute(self, dispute_id: str, at: int) -> ProcessorEvent:
        return await self._answer_dispute(dispute_id, "close", "", at)

    async def revoke_mandate(self, account_id: str, token: str, at: int) -> None:
        async with self._storage.connection() as connection:
            await self._storage.run(
                connection, "answer_once", subject=f"{account_id}/{token}", kind="revocation", answer="", at=at)

    async def _answer_dispute(self, dispute_id: str, kind: str, answer: str, at: int) -> ProcessorEvent:
        payment_id = disputes.payment_of(dispute_id)
        known = [e for e in await self.news(payment_id, at) if e.object_id == dispute_id]
        if not known:
            raise LookupError(dispute_id)
        if known[-1].type != "dispute.closed":
            async with self._storage.connection() as connection:
                await self._storage.run(connection, "answer", subject=dispute_id, kind=kind, answer=answer, at=at)
        return [e for e in await self.news(payment_id, at) if e.object_id == dispute_id][-1]

    # ---- delivery ----------------------------------------------------------------------------------------------------

    async def _deliver(self, r: Asked, desk: Gather[Asked, Outcome]) -> Outcome:
        """Takes a request to the network and its answer back, through whatever goes wrong on the way."""
        await self.faults.wait()
        if self.faults.loses_request():
            return Unknown("the request was sent and no reply came")
        try:
            answer = await desk.ask(r)
        except PoolTimeout:
            return NotSent("the sandbox network cannot be reached")
        except POISON as error:
            return Declined(decline("payment_method_unusable", f"The network cannot read this request: {error}"))
        except psycopg.Error as error:
            return Unknown(f"the sandbox network broke off: {error}")
        if self.faults.duplicates():
            with suppress(psycopg.Error):
                await desk.ask(r)
        return Unknown("the request was sent and no reply came") if self.faults.loses_reply() else answer


def _record(operation: Operation, family: Family | None, at: int, terms: Terms) -> Record:
    if family:
        now = standing(family, at, terms)
        state, amount = now.state, now.amount
    else:
        state, amount = state_at(operation, at)[0], operation.amount
    return Record(
        operation.reference, operation.processor_id, Flow(operation.flow), amount, operation.currency,
        state,  # type: ignore[arg-type]
    )

