"""Carrying out a call: idempotency, the command in a transaction, what must happen outside, the answer.

Calls that only read one object, or only make rows of their own, share a transaction with those that arrive at the same
time: they are loaded together, decided one by one and written together, with one commit. Each still gets its own answer after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import psycopg

from voldaan.api import expand, idempotency
from voldaan.api.call import Call, Outcome, error_of
from voldaan.api.errors import ApiError, from_refusal
from voldaan.api.idempotency import Answered, Recover, Replay
from voldaan.commands import tax_asking
from voldaan.commands.answers import Answer, Failure, look
from voldaan.commands.attempts import card_error_of, carry_out, resolve, unsettled
from voldaan.documents import pdf
from voldaan.documents.sheets import Paper
from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.resources.base import Resource, spec
from voldaan.resources.numbers import encode_json
from voldaan.resources.registry import BY_OBJECT
from voldaan.resources.render import encode
from voldaan.rules.decision import Refused
from voldaan.rules.tax_provider import Recorded
from voldaan.store import children
from voldaan.store.gather import Gather
from voldaan.store.pages import Page, SearchPage
from voldaan.store.transaction import Missing, Transaction, transaction
from voldaan.store.writer import Conflict, write_group

GROUP_MAX = 128          # calls in one transaction, unless the command says otherwise
GROUPS_AT_ONCE = 2       # one is written while the next one gathers
POISON = (psycopg.Error, Conflict, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
GATHERS_MAX = 2_000      # kept; the oldest are dropped, what waits in them is still answered

Sealed = Callable[[str, ApiError], bytes]  # request id, error -> body


class Performer:
    """Runs calls. `seal` makes the body of an error."""

    def __init__(self, engine: Engine, seal: Sealed) -> None:
        self.engine = engine
        self.seal = seal
        self._gathers: dict[tuple[str, int], Gather[Call, Outcome | ApiError]] = {}

    async def perform(self, call: Call) -> Outcome:
        """The answer. Raises ApiError."""
        if not shares(call):
            return await self.alone(call)
        try:
            outcome = await self.gather(call).ask(call)
        except POISON:
            return await self.alone(call)  # one of the group broke it: each tries by itself, and hears of its own fault only
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    # several calls in one transaction -------------------------------------------------------------------------------

    def gather(self, call: Call) -> Gather[Call, Outcome | ApiError]:
        """Where calls of this account and route wait for each other."""
        place = (call.account.id, id(call.route))
        if place not in self._gathers:
            if len(self._gathers) >= GATHERS_MAX:
                self._gathers.pop(next(iter(self._gathers)))
            limit = getattr(call.route.command, "together_max", GROUP_MAX)
            weight = getattr(call.route.command, "weight", lambda params: 1)
            self._gathers[place] = Gather(
                self.together, limit=limit, writers=GROUPS_AT_ONCE, weigh=lambda asked: weight(asked.params)
            )
        return self._gathers[place]

    async def together(self, calls: Sequence[Call]) -> list[Outcome | ApiError]:
        """One transaction for all; a call that is refused writes nothing and does not stop the others."""
        outcomes: dict[int, Outcome | ApiError] = {}
        results: dict[int, Any] = {}
        answers: list[Answered] = []
        async with self.transaction(calls[0].account) as tx:
            for place, known in (await self.known(tx, calls)).items():
                outcomes[place] = replayed(known) if isinstance(known, Replay) else known
            waiting = [(place, call) for place, call in enumerate(calls) if place not in outcomes]
            run = self.as_batch if hasattr(calls[0].route.command, "together") else self.one_by_one
            for (place, call), result in zip(waiting, await run(tx, [call for _, call in waiting]), strict=True):
                error = error_of(result) if isinstance(result, Exception) else None
                if error is None:
                    results[place] = result
                    continue
                outcomes[place] = error
                if call.key and isinstance(result, Refused):
                    body = self.seal(call.request_id, error)
                    answers.append(Answered(call.key, call.request_id, error.http_status, body))
            await children.attach(tx, [result for result in results.values() if isinstance(result, Resource)])
            for place, result in results.items():
                body, key = shown(result), calls[place].key
                outcomes[place] = (200, body, {})
                if key:
                    answers.append(Answered(key, calls[place].request_id, 200, body))
            if answers:
                await idempotency.keep(tx, answers)
        if tx.wakes:
            self.engine.wake.set()
        return [outcomes[place] for place in range(len(calls))]

    async def one_by_one(self, tx: Transaction, calls: Sequence[Call]) -> list[Any]:
        """The result of each call, or the exception that stopped it: loaded and written together, decided one by one."""
        loads = getattr(calls[0].route.command, "loads", None) if calls else None
        if loads:
            await tx.preload(loads, [call.path["id"] for call in calls])
        results: list[Any] = []
        parts: list[Transaction] = []
        for call in calls:
            part = tx.on_behalf(call.request_id, call.key_value)
            try:
                results.append(await call.route.command(part, call.params, **call.path))
                parts.append(part)
            except (Missing, Refused, ApiError) as stopped:
                results.append(stopped)
        await write_group(tx, parts)
        return results

    async def as_batch(self, tx: Transaction, calls: Sequence[Call]) -> list[Any]:
        """The same by a command that takes many at once."""
        return list(await calls[0].route.command.together(tx, [call.params for call in calls])) if calls else []

    async def known(self, tx: Transaction, calls: Sequence[Call]) -> dict[int, Replay | ApiError]:
        """The places of calls whose key settles them already."""
        keyed = [(place, call.key) for place, call in enumerate(calls) if call.key]
        if not keyed:
            return {}
        states = await idempotency.look(tx, [key for _, key in keyed])
        return {place: s for (place, _), s in zip(keyed, states, strict=True) if isinstance(s, Replay | ApiError)}

    # one call ---------------------------------------------------------------------------------------------------------

    async def alone(self, call: Call) -> Outcome:
        """A transaction of its own; then, if the command asks for it, the outside, and a second one for the answer."""
        return await tax_asking.with_answers(self.engine, call.account, partial(self.decided, call))

    async def decided(self, call: Call, recorded: Recorded) -> Outcome:
        """The same with what is known of taxes. Raises Unanswered, with nothing done, if that is not enough."""
        try:
            async with self.transaction(call.account, call, recorded) as tx:
                known = (await idempotency.look(tx, [call.key]))[0] if call.key else None
                if isinstance(known, Replay):
                    return replayed(known)
                if isinstance(known, ApiError):
                    raise known
                if isinstance(known, Recover):
                    result: Any = answer_of(known.subject)
                else:
                    result = await call.route.command(tx, call.params, **call.path)
                if isinstance(result, Answer):
                    if call.key and known is None:
                        await idempotency.begin(tx, call.key, subject_of(result))
                else:
                    if isinstance(result, Failure):
                        error = from_refusal(result.refusal)
                        status, body = error.http_status, self.seal(call.request_id, error)
                    else:
                        status, body = 200, await self.render(tx, call, result)
                    if call.key:
                        await idempotency.keep(tx, [Answered(call.key, call.request_id, status, body)])
        except psycopg.errors.UniqueViolation as twin:
            if call.key and twin.diag.constraint_name == "idempotency_keys_pkey":
                return await self.alone(call)  # the twin was first: its answer is replayed
            raise error_of(twin) or twin from twin
        except Exception as stopped:
            error = error_of(stopped)
            if error is None:
                raise
            if call.key and isinstance(stopped, Refused):
                await self.keep_refusal(call, error)
            raise error from stopped
        if tx.wakes:
            self.engine.wake.set()
        if isinstance(result, Paper):
            return 200, await pdf.print_out(result.sheet, result.at), pdf.headers(result.name, inline=False)
        if not isinstance(result, Answer):
            return status, body, {}
        if isinstance(known, Recover):
            await self.take_up(call, result)
        await carry_out(self.engine, call.account, tx.attempts)
        return await self.settled(call, result)

    async def take_up(self, call: Call, answer: Answer) -> None:
        """The process that ran this request has died: what it had dispatched is asked for, and not tried again."""
        async with self.transaction(call.account, call) as tx:
            _, payer = await look(tx, answer)
            waiting = await unsettled(tx, payer)
        await resolve(self.engine, call.account, waiting)

    async def settled(self, call: Call, answer: Answer) -> Outcome:
        """The object after its attempts, or the card error that they ended in."""
        async with self.transaction(call.account, call) as tx:
            resource, payer = await look(tx, answer)
            declined = await card_error_of(tx, payer) if answer.decline_is_error else None
            if declined is None:
                status, body = 200, await self.render(tx, call, resource)
            else:
                error = from_refusal(declined)
                status, body = error.http_status, self.seal(call.request_id, error)
            if call.key:
                await idempotency.finish(tx, call.key, status, body)
        return status, body, {}

    async def keep_refusal(self, call: Call, error: ApiError) -> None:
        """Execution had begun: the refusal is the answer to every repeat."""
        assert call.key is not None
        answer = Answered(call.key, call.request_id, error.http_status, self.seal(call.request_id, error))
        with contextlib.suppress(psycopg.errors.UniqueViolation):  # a twin has answered already
            async with self.transaction(call.account, call) as tx:
                await idempotency.keep(tx, [answer])

    def transaction(
        self, account: Account, call: Call | None = None, recorded: Recorded | None = None
    ) -> contextlib.AbstractAsyncContextManager[Transaction]:
        wall = self.engine.wall()
        return transaction(
            self.engine.pool, account, wall, wall,
            request_id=call.request_id if call else None, idempotency_key=call.key_value if call else None, recorded=recorded,
        )  # fmt: skip

    async def render(self, tx: Transaction, call: Call, result: Any) -> bytes:
        if isinstance(result, Paper):  # is printed when the transaction is over
            return b""
        if isinstance(result, Resource):
            if call.wanted:
                return msgspec.json.encode((await expand.render(tx, [result], call.wanted))[0])
            await children.attach(tx, [result])
            return shown(result)
        if isinstance(result, Page | SearchPage):
            data = await expand.render(tx, result.items, call.wanted.get("data", {}))
            return msgspec.json.encode({**result.envelope(), "url": call.url, "data": data})
        return encode_json(result)


def shares(call: Call) -> bool:
    """May this call share a transaction? Its command says so: `loads` for a retrieve, `gathers` for a create, `together`
    for one that takes many at once."""
    if call.wanted:
        return False
    command = call.route.command
    gathers = getattr(command, "gathers", None)
    return hasattr(command, "loads") or hasattr(command, "together") or (gathers is not None and gathers(call.params))


def shown(resource: Any) -> bytes:
    """The object, or what is left to show of a deleted one; plain values as they are."""
    if not isinstance(resource, Resource):
        return encode_json(resource)
    if getattr(resource, "deleted_at", None):
        return msgspec.json.encode(expand.deleted(resource))
    return encode(resource)


def replayed(known: Replay) -> Outcome:
    return known.status, known.body, {"idempotent-replayed": "true", "original-request": known.request_id}


def subject_of(answer: Answer) -> str:
    """How an answer is remembered for recovery."""
    return f"{spec(answer.cls).object} {answer.id} {int(answer.decline_is_error)} {answer.within or ''}".rstrip()


def answer_of(subject: str) -> Answer:
    """The answer that `subject_of` remembered."""
    name, id, decline_is_error, *within = subject.split(" ")
    return Answer(id, BY_OBJECT[name], decline_is_error == "1", within[0] if within else None)
