"""Where the network writes: groups of requests come in, are judged, and are committed before anybody is answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import psycopg

from voldaan.processors.declines import decline
from voldaan.processors.protocol import Declined, Outcome, Request, SetupRequest
from voldaan.processors.sandbox import decide, disputes, tokens
from voldaan.processors.sandbox.books import END_OF_TIME, Answer, Family, Operation, Terms
from voldaan.processors.sandbox.decide import FLOWS, Change, Fresh
from voldaan.processors.sandbox.faults import Faults
from voldaan.processors.sandbox.standing import outcome, standing
from voldaan.processors.storage import Connection, Storage

TRIES = 3
COLLISIONS = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


@dataclass
class Filed:
    """What was filed before, under its reference and under its key."""

    by_reference: dict[tuple[str, str, str], Operation] = field(default_factory=dict)
    by_key: dict[tuple[str, str], Operation] = field(default_factory=dict)

    def add(self, operations: Iterable[Operation]) -> None:
        for o in operations:
            self.by_reference[o.account_id, o.reference, o.flow] = o
            self.by_key[o.account_id, o.idempotency_key] = o

    def before(self, r: Fresh | Change) -> Operation | None:
        """The operation that this request is a repeat of."""
        same = self.by_reference.get((r.account_id, r.attempt_id, FLOWS[type(r)]))
        return same or self.by_key.get((r.account_id, r.idempotency_key))


class Desk:
    def __init__(self, storage: Storage, faults: Faults, terms: Terms) -> None:
        self._storage = storage
        self._faults = faults
        self._terms = terms

    # ---- new things --------------------------------------------------------------------------------------------------

    async def file(self, requests: Sequence[Fresh]) -> list[Outcome]:
        """Authorizations, setups and payouts: one statement for all of them; repeats get the answer of the first."""
        async with self._storage.connection() as connection:
            set_up, revoked = await self._tokens(connection, requests)
            mine = [self._judged(r, set_up, revoked) for r in requests]
            new = await self._write(connection, mine)
            repeats = [r for r, o in zip(requests, mine, strict=True) if o.processor_id not in new]
            filed = await self._filed(connection, repeats)
            families = await self.families(connection, filed.by_key.values())
        return [
            outcome(o, None, r.at, self._terms) if o.processor_id in new else self._repeated(r, filed, families)
            for r, o in zip(requests, mine, strict=True)
        ]

    def _judged(self, r: Fresh, set_up: set[str], revoked: set[str]) -> Operation:
        if isinstance(r, Request):
            verdict = decide.authorize(r, set_up, revoked, self._terms)
        else:
            verdict = decide.setup(r) if isinstance(r, SetupRequest) else decide.payout(r)
        return decide.operation(r, verdict, self._terms, self._faults.copy_number())

    async def _tokens(self, connection: Connection, requests: Sequence[Fresh]) -> tuple[set[str], set[str]]:
        """Which tokens were authenticated for later use, and which may no longer be debited. Most need no look-up."""
        saved, debits = [], []
        for r in requests:
            if not isinstance(r, Request) or not (known := tokens.instrument(r.payment_method.token)):
                continue
            if known.effect.authentication == "unless_set_up":
                saved.append({"account_id": r.account_id, "instrument": r.payment_method.token})
            elif known.type in ("sepa_debit", "us_bank_account"):
                debits.append(f"{r.account_id}/{r.payment_method.token}")
        set_up: set[str] = set()
        if saved:
            setups = await self._storage.rows(connection, Operation, "setups", asked=_json(saved))
            families = await self.families(connection, setups)
            set_up = {
                family.payment.instrument or "" for family in families.values()
                if standing(family, END_OF_TIME, self._terms).state == "succeeded"
            }
        answers = await self._storage.rows(connection, Answer, "answers", subjects=debits) if debits else []
        return set_up, {answer.subject.partition("/")[2] for answer in answers}

    # ---- changes to a payment ----------------------------------------------------------------------------------------

    async def change(self, requests: Sequence[Change]) -> list[Outcome]:
        """Captures, voids and refunds, in one transaction; again from the start when it collides with another one."""
        for _ in range(TRIES - 1):
            try:
                return await self._change(requests)
            except COLLISIONS:
                continue
        return await self._change(requests)

    async def _change(self, requests: Sequence[Change]) -> list[Outcome]:
        """With the payments locked, each request sees what those before it did to its payment."""
        answers: list[Outcome] = []
        new: list[Operation] = []
        async with self._storage.transaction() as connection:
            payments = await self._storage.rows(
                connection, Operation, "lock_payments", ids=sorted({r.processor_id for r in requests}))
            families = await self.families(connection, payments)
            families |= {
                child.processor_id: family for family in list(families.values()) for child in family.children
                if child.flow == "capture"
            }
            filed = await self._filed(connection, requests)
            for r in requests:
                if filed.before(r):
                    answers.append(self._repeated(r, filed, families))
                    continue
                family = families.get(r.processor_id)
                verdict = decide.change(r, family, self._terms)
                payment = family.payment if family else None
                mine = decide.operation(r, verdict, self._terms, self._faults.copy_number(), payment)
                if family:
                    family.children.append(mine)
                if not self._faults.ignore_idempotency_keys:
                    filed.add([mine])
                new.append(mine)
                answers.append(outcome(mine, None, r.at, self._terms))
            await self._write(connection, new)
        return answers

    # ---- the books ---------------------------------------------------------------------------------------------------

    async def families(self, connection: Connection, payments: Iterable[Operation]) -> dict[str, Family]:
        """Each operation with what was done to it and said about it, by processor id."""
        families = {p.processor_id: Family(p, [], []) for p in payments}
        if not families:
            return {}
        for child in await self._storage.rows(connection, Operation, "children", ids=list(families)):
            families[child.original or ""].children.append(child)
        subjects: list[str] = []
        for family in families.values():
            known = tokens.instrument(family.payment.instrument or "")
            own = family.payment.processor_id
            subjects += [own, *disputes.subjects(own, known.effect.disputes if known else ())]
        for answer in await self._storage.rows(connection, Answer, "answers", subjects=subjects):
            families[answer.subject.partition(":")[0]].answers.append(answer)
        return families

    async def _write(self, connection: Connection, operations: Sequence[Operation]) -> set[str]:
        """Files operations in one statement; returns the ids of those that were new."""
        if not operations:
            return set()
        return set(await self._storage.column(connection, "file", {"operations": _json(operations)}))

    async def _filed(self, connection: Connection, requests: Sequence[Fresh | Change]) -> Filed:
        filed = Filed()
        if requests and not self._faults.ignore_idempotency_keys:
            asked = [
                {"account_id": r.account_id, "reference": r.attempt_id, "flow": FLOWS[type(r)],
                 "idempotency_key": r.idempotency_key} for r in requests
            ]
            filed.add(await self._storage.rows(connection, Operation, "filed", asked=_json(asked)))
        return filed

    def _repeated(self, r: Fresh | Change, filed: Filed, families: dict[str, Family]) -> Outcome:
        """The answer given before, as it stands now. A key that served another reference is refused, never charged."""
        before = filed.before(r)
        if before is None or before.reference != r.attempt_id or before.flow != FLOWS[type(r)]:
            return Declined(decline("idempotency_key_in_use"))
        return outcome(before, families.get(before.processor_id), r.at, self._terms)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
