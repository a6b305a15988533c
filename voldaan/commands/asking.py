"""Asking processors: between transactions, many at once, and whatever goes wrong becomes an outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from voldaan.engine import Engine
from voldaan.processors.protocol import (
    Declined,
    DisputeProcessor,
    NotSent,
    Outcome,
    PayoutProcessor,
    Processor,
    ProcessorEvent,
    RequiresAction,
    Unknown,
)
from voldaan.resources.accounts import Account
from voldaan.resources.attempts import WAITING, Attempt
from voldaan.rules.declined import refused_here
from voldaan.rules.requests import request_of, sync_of
from voldaan.settings import site
from voldaan.work.failpoints import fp

AT_ONCE = 64             # calls to processors under way at the same time, per batch
PATIENCE = 60            # seconds until an answer is given up
MARGIN = 3600            # seconds before a processor forgets a key: from then on it is only asked, and nothing sent again

Answer = Outcome | ProcessorEvent
T = TypeVar("T")
log = logging.getLogger("voldaan.attempts")


async def send(engine: Engine, account: Account, attempts: Sequence[Attempt]) -> list[Answer]:
    """Carries out attempts that were never sent."""

    async def one(attempt: Attempt) -> Answer:
        try:
            processor = engine.processors(attempt.processor)
        except LookupError as closed:
            return NotSent(str(closed))
        return await _call(processor, attempt, account)

    return await together(attempts, one)


async def find_out(engine: Engine, account: Account, attempts: Sequence[Attempt], times: Sequence[int]) -> list[Answer]:
    """What became of attempts that may have been sent; `times` are the business instants to ask about.

    What surely never arrived is sent again with the same key, if the processor knows the key or the reference again.
    """
    at = dict(zip((a.id for a in attempts), times, strict=True))

    async def one(attempt: Attempt) -> Answer:
        try:
            processor = engine.processors(attempt.processor)
        except LookupError as closed:
            return Unknown(str(closed))
        if attempt.flow == "dispute":
            return await _call(processor, attempt, account)
        can = processor.capabilities()
        known = attempt.processor_id is not None
        age = engine.wall() - attempt.dispatched
        remembered = can.idempotency_window is None or age < can.idempotency_window - MARGIN
        resend = attempt.state in WAITING and not known and can.idempotency != "none" and remembered
        if can.lookup == "by_reference" or (can.lookup == "by_processor_id" and known):
            found = await _sync(processor, attempt, account, at[attempt.id])
            if not isinstance(found, NotSent):
                return found
            if not resend:
                return Unknown(f"not found, and not to be sent again: {found.reason}")
        elif not resend:
            return Unknown("this processor can neither be asked nor told again")
        return await _call(processor, attempt, account)

    return await together(attempts, one)


async def together(subjects: Sequence[Attempt], one: Callable[[Attempt], Awaitable[T]]) -> list[T]:
    """Runs `one` for all, a bounded number at once; the answers are in the order of the subjects."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def bounded(attempt: Attempt) -> T:
        async with limit:
            return await one(attempt)

    if len(subjects) == 1:
        return [await one(subjects[0])]
    return list(await asyncio.gather(*(bounded(a) for a in subjects)))


async def _call(processor: Processor, attempt: Attempt, account: Account) -> Answer:
    fp("before_call")
    if attempt.flow == "dispute":
        return await _safely(attempt, _answer_dispute(processor, attempt))
    if attempt.flow == "payout":
        if not isinstance(processor, PayoutProcessor):
            return Declined(refused_here("flow_not_supported", f"{processor.name} sends no payouts."))
        answer = await _safely(attempt, processor.payout(request_of(attempt, account)))  # type: ignore[arg-type]
    else:
        method: Callable[[Any], Awaitable[Outcome]] = getattr(processor, attempt.flow)
        answer = await _safely(attempt, method(request_of(attempt, account)))
    fp("after_call")
    return answer


async def _answer_dispute(processor: Processor, attempt: Attempt) -> Answer:
    if not isinstance(processor, DisputeProcessor):
        return Declined(refused_here("flow_not_supported", f"{processor.name} takes no answers to disputes."))
    said = attempt.request
    try:
        if said["what"] == "close":
            return await processor.close_dispute(said["processor_id"], attempt.at)
        return await processor.submit_evidence(said["processor_id"], said["text"], attempt.at)
    except LookupError:
        return Declined(refused_here("resource_missing", "The processor does not know this dispute."))


async def _sync(processor: Processor, attempt: Attempt, account: Account, at: int) -> Answer:
    fp("before_sync")
    return await _safely(attempt, processor.sync(sync_of(attempt, account, at)))


async def _safely(attempt: Attempt, answer: Awaitable[Answer]) -> Answer:
    """Once a request is on its way, nothing but an answer says what became of it."""
    try:
        async with asyncio.timeout(PATIENCE):
            return _absolute(await answer)
    except TimeoutError:
        return Unknown(f"no answer in {PATIENCE} seconds")
    except Exception as failure:
        log.exception("the processor %s failed on %s", attempt.processor, attempt.id)
        return Unknown(f"{type(failure).__name__}: {failure}"[:500])


def _absolute(answer: Answer) -> Answer:
    """The sandbox network's bank has its page on our own site, and names only its path."""
    if isinstance(answer, RequiresAction) and answer.url and answer.url.startswith("/"):
        return replace(answer, url=site() + answer.url)
    return answer
