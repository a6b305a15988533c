"""A card network and a bank that stand outside Voldaan: own storage, own commits, own idea of what was charged.

Requests that arrive together are written together (one statement, one commit, up to 256). What was filed under a key or a
reference answers every repeat, so a resend never charges twice; and whatever the network has done stays visible in
`records`, so that a double charge by anybody cannot hide.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
import psycopg
from psycopg_pool import PoolTimeout

from voldaan.processors.declines import decline
from voldaan.processors.gather import Gather
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
from voldaan.processors.sandbox import decide, disputes, tokens, webhooks
from voldaan.processors.sandbox.banks import REDIRECTS
from voldaan.processors.sandbox.books import Answer, Family, Fees, Operation, Terms
from voldaan.processors.sandbox.decide import Change, Fresh
from voldaan.processors.sandbox.faults import Faults
from voldaan.processors.sandbox.standing import news, outcome, standing, state_at
from voldaan.processors.storage import Connection, Storage

HOME = Path(__file__).parent
POISON = (psycopg.DataError, psycopg.IntegrityError)
TRIES = 3
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
        self._fresh: Gather[Fresh, Outcome] = Gather(self._file, poison=POISON)
        self._changes: Gather[Change, Outcome] = Gather(self._change, poison=POISON)

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
            family = await self._family(connection, found[0])
        return outcome(found[0], family, r.at, self.terms)

    async def news(self, processor_id: str, at: int) -> list[ProcessorEvent]:
        async with self._storage.connection() as connection:
            found = await self._storage.rows(connection, Operation, "by_id", processor_id=processor_id)
            if found and found[0].flow == "capture":
                found = await self._storage.rows(connection, Operation, "by_id", processor_id=found[0].original)
            if not found:
                return []
            return news(await self._family(connection, found[0]), at, self.terms)

    async def records(self, account_id: str, at: int | None = None) -> list[Record]:
        """Everything charged, refunded and paid out, as it stands at `at`; without it, as it stood when it was asked for
        last. A declined request is a record too."""
        async with self._storage.connection() as connection:
            operations = await self._storage.rows(connection, Operation, "account", account_id=account_id)
            families = await self._families(connection, [o for o in operations if o.flow in ("authorize", "setup")])
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
            if not found:
                return None
            family = await self._family(connection, found[0])
        waits = family and standing(family, found[0].at, self.terms).state == "requires_action"
        return found[0] if waits else None

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
            if self.faults.duplicates():
                answer = await desk.ask(r)
        except PoolTimeout:
            return NotSent("the sandbox network cannot be reached")
        except POISON as error:
            return Declined(decline("payment_method_unusable", f"The network cannot read this request: {error}"))
        except psycopg.Error as error:
            return Unknown(f"the sandbox network broke off: {error}")
        if self.faults.loses_reply():
            return Unknown("the request was sent and no reply came")
        return answer

    # ---- the desk for new things -------------------------------------------------------------------------------------

    async def _file(self, requests: Sequence[Fresh]) -> list[Outcome]:
        async with self._storage.connection() as connection:
            set_up, revoked = await self._tokens(connection, requests)
            operations = [self._fresh_operation(r, set_up, revoked) for r in requests]
            filed = await self._write(connection, operations)
            return [
                outcome(mine, None, r.at, self.terms) if mine.processor_id in filed else
                await self._repeat(connection, r)
                for r, mine in zip(requests, operations, strict=True)
            ]

    def _fresh_operation(self, r: Fresh, set_up: set[str], revoked: set[str]) -> Operation:
        if isinstance(r, Request):
            verdict = decide.authorize(r, set_up, revoked, self.terms)
        else:
            verdict = decide.setup(r) if isinstance(r, SetupRequest) else decide.payout(r)
        return decide.operation(r, verdict, self.terms, self.faults.copy_number())

    async def _tokens(self, connection: Connection, requests: Sequence[Fresh]) -> tuple[set[str], set[str]]:
        """Which tokens were authenticated for later use, and which may not be debited any more. Most need no look-up."""
        off_session, debits = [], []
        for r in requests:
            if not isinstance(r, Request) or not (known := tokens.instrument(r.payment_method.token)):
                continue
            if known.effect.authentication == "unless_set_up":
                off_session.append({"account_id": r.account_id, "instrument": r.payment_method.token})
            elif known.type.endswith(("_debit", "_account")):
                debits.append(f"{r.account_id}/{r.payment_method.token}")
        set_up: set[str] = set()
        if off_session:
            setups = await self._storage.rows(
                connection, Operation, "setups", asked=msgspec.json.encode(off_session).decode())
            families = await self._families(connection, setups)
            set_up = {
                f.payment.instrument or "" for f in families.values()
                if standing(f, decide.FOR_EVER, self.terms).state == "succeeded"
            }
        answers = await self._storage.rows(connection, Answer, "answers", subjects=debits) if debits else []
        return set_up, {a.subject.partition("/")[2] for a in answers}

    # ---- the desk for changes to a payment ---------------------------------------------------------------------------

    async def _change(self, requests: Sequence[Change]) -> list[Outcome]:
        for tries_left in reversed(range(TRIES)):
            try:
                return await self._change_once(requests)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    async def _change_once(self, requests: Sequence[Change]) -> list[Outcome]:
        """One transaction with the payments locked: each request sees what those before it did to its payment."""
        answers: list[Outcome] = []
        async with self._storage.transaction() as connection:
            ids = sorted({r.processor_id for r in requests})
            payments = await self._storage.rows(connection, Operation, "lock_payments", ids=ids)
            families = await self._families(connection, payments)
            by_capture = {c.processor_id: f for f in families.values() for c in f.children if c.flow == "capture"}
            known = {} if self.faults.ignore_idempotency_keys else await self._filed(connection, requests)
            new: list[Operation] = []
            for r in requests:
                if before := known.get((r.account_id, r.attempt_id)) or known.get((r.account_id, r.idempotency_key)):
                    answers.append(self._repeated(r, before, None))
                    continue
                family = families.get(r.processor_id) or by_capture.get(r.processor_id)
                mine = decide.operation(
                    r, decide.change(r, family, self.terms), self.terms, self.faults.copy_number(),
                    family.payment if family else None)
                if family:
                    family.children.append(mine)
                known.update({(r.account_id, r.attempt_id): mine, (r.account_id, r.idempotency_key): mine})
                if self.faults.ignore_idempotency_keys:
                    known.clear()
                new.append(mine)
                answers.append(outcome(mine, None, r.at, self.terms))
            await self._write(connection, new)
        return answers

    # ---- the books ---------------------------------------------------------------------------------------------------

    async def _write(self, connection: Connection, operations: list[Operation]) -> set[str]:
        """Files operations in one statement; returns the ids of those that were new."""
        if not operations:
            return set()
        return set(await self._storage.column(
            connection, "file", {"operations": msgspec.json.encode(operations).decode()}))

    async def _filed(self, connection: Connection, requests: Sequence[Fresh | Change]) -> dict[tuple[str, str], Operation]:
        """Operations filed before, by account and reference, and by account and key."""
        asked = [
            {"account_id": r.account_id, "reference": r.attempt_id, "idempotency_key": r.idempotency_key}
            for r in requests
        ]
        filed = await self._storage.rows(connection, Operation, "filed", asked=msgspec.json.encode(asked).decode())
        found = {(o.account_id, o.idempotency_key): o for o in reversed(filed)}
        return found | {(o.account_id, o.reference): o for o in reversed(filed)}

    async def _repeat(self, connection: Connection, r: Fresh) -> Outcome:
        known = await self._filed(connection, [r])
        before = known.get((r.account_id, r.attempt_id)) or known[(r.account_id, r.idempotency_key)]
        return self._repeated(r, before, await self._family(connection, before))

    def _repeated(self, r: Fresh | Change, before: Operation, family: Family | None) -> Outcome:
        """The answer given before, as it stands now. A key that served another reference is refused; nothing is charged."""
        if before.reference != r.attempt_id or before.flow != decide.FLOWS[type(r)]:
            return Declined(decline("idempotency_key_in_use"))
        return outcome(before, family, r.at, self.terms)

    async def _family(self, connection: Connection, operation: Operation) -> Family:
        return (await self._families(connection, [operation]))[operation.processor_id]

    async def _families(self, connection: Connection, payments: Sequence[Operation]) -> dict[str, Family]:
        families = {p.processor_id: Family(p, [], []) for p in payments}
        if not families:
            return {}
        for child in await self._storage.rows(connection, Operation, "children", ids=list(families)):
            families[child.original or ""].children.append(child)
        subjects: list[str] = []
        for payment in payments:
            known = tokens.instrument(payment.instrument or "")
            subjects += [payment.processor_id, *disputes.subjects(
                payment.processor_id, known.effect.disputes if known else ())]
        for answer in await self._storage.rows(connection, Answer, "answers", subjects=subjects):
            families[answer.subject.partition(":")[0]].answers.append(answer)
        return families


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

