"""Attempts against the sandbox network: whatever is lost, doubled or raced, nobody is charged twice and no money is forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from tests.store.payments_world import DAY, World
from voldaan.commands import attempts, payment_intents, refunds
from voldaan.commands.settling import settle
from voldaan.processors.declines import decline
from voldaan.processors.protocol import Declined, NotSent, Outcome, Succeeded, SyncRequest
from voldaan.processors.sandbox import SandboxNetwork
from voldaan.resources.attempts import Attempt
from voldaan.resources.charges import Charge
from voldaan.resources.payment_intents import PaymentIntent, PaymentIntentCancel, PaymentIntentConfirm
from voldaan.resources.refunds import Refund, RefundCreate
from voldaan.rules.attempts import safety_net
from voldaan.rules.decision import Decision, Refused, Update
from voldaan.rules.requests import request_of
from voldaan.store.queries import query
from voldaan.store.transaction import transaction
from voldaan.store.writer import write

pytestmark = pytest.mark.anyio


async def test_a_payment_and_its_records(world: World) -> None:
    intent = await world.pay("pm_card_visa")
    assert (intent.status, intent.amount_received, intent.last_payment_error) == ("succeeded", 2000, None)
    charge = await world.see(Charge, intent.latest_charge)
    assert (charge.status, charge.captured, charge.amount_captured) == ("succeeded", True, 2000)
    assert await world.events() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert (await world.attempt(intent)).state == "succeeded"
    assert await world.all("select 1 from due where account_id = %(account)s and kind = 'attempt.resolve'") == []


async def test_settled_twice_is_settled_once(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    attempt = await world.attempt(intent)
    answer = await world.network.authorize(request_of(attempt, world.account))
    for _ in range(2):
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await settle(tx, [(attempt.id, answer)])
    assert len(await world.rows(Charge)) == 1
    assert (await world.events()).count("payment_intent.succeeded") == 1


async def test_one_answer_given_twice_in_a_batch_counts_once(world: World) -> None:
    attempt = await world.attempt(await world.pay("pm_card_visa", carry_out=False))
    answer = await world.network.authorize(request_of(attempt, world.account))
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(attempt.id, answer), (attempt.id, answer)])
    assert len(await world.rows(Charge)) == 1


async def test_a_crash_before_the_call_is_made_good_by_the_worker(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    assert intent.status == "processing"
    assert await world.charged() == []
    await world.pass_time(61)
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"
    assert len(await world.charged()) == 1


async def test_a_crash_after_the_call_charges_no_second_time(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    await world.network.authorize(request_of(await world.attempt(intent), world.account))
    await world.pass_time(61)
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"
    assert len(await world.charged()) == len(await world.rows(Charge)) == 1


async def test_attempts_dispatched_together_share_a_net_that_asks_about_those_who_were_not_heard_of(world: World) -> None:
    intents = [await world.pay("pm_card_visa", carry_out=False) for _ in range(3)]
    told, *silent = [await world.attempt(intent) for intent in intents]
    await world.change("delete from due where account_id = %(account)s and kind = 'attempt.look_after'")
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await write(tx, [Decision(due=[safety_net(attempt) for attempt in (told, *silent)])])
    nets = await world.all("select subject, subjects from due where account_id = %(account)s and kind = 'attempt.look_after'")
    assert nets == [(told.id, [told.id, *(attempt.id for attempt in silent)])]
    await attempts.carry_out(world.engine, world.account, [told.id])
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await attempts.look_after(tx, nets[0][1])
        assert tx.wakes
    asked = await world.all("select subject from due where account_id = %(account)s and kind = 'attempt.resolve' order by 1")
    assert asked == [(attempt.id,) for attempt in silent]


async def test_a_net_under_whom_everybody_was_heard_asks_nobody(world: World) -> None:
    await world.pay("pm_card_visa")
    [(net,)] = await world.all("select subjects from due where account_id = %(account)s and kind = 'attempt.look_after'")
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await attempts.look_after(tx, net)
        assert not tx.wakes
    assert await world.all("select 1 from due where account_id = %(account)s and kind = 'attempt.resolve'") == []


async def test_a_forgotten_attempt_is_found_by_verify(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    forgotten = await world.attempt(intent)
    assert await unknown_and_forgotten(world) == []
    await world.change("update due set subjects = array['att_another'] where account_id = %(account)s")
    assert await unknown_and_forgotten(world) == [forgotten.id]
    await world.change("update due set subjects = array[subject] where account_id = %(account)s")


async def unknown_and_forgotten(world: World) -> list[str]:
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        found = await tx.all(query("verify", "P4_no_unknown_is_forgotten"), only=world.account.id)
    return [id for _, id, _ in found]


async def test_two_workers_resolve_the_same_attempt(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    attempt = await world.attempt(intent)
    await asyncio.gather(*(attempts.resolve(world.engine, world.account, [attempt.id]) for _ in range(4)))
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"
    assert len(await world.charged()) == len(await world.rows(Charge)) == 1
    assert (await world.events()).count("charge.succeeded") == 1


@pytest.mark.parametrize("fault", ["lost_reply", "lost_request"])
async def test_an_unknown_outcome_blocks_until_it_is_known(world: World, fault: str) -> None:
    world.faults(**{fault: 1.0})
    intent = await world.pay("pm_card_visa")
    assert (intent.status, (await world.attempt(intent)).state) == ("processing", "unknown")
    with pytest.raises(Refused) as refused:
        await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_mastercard"), intent.id)
    assert refused.value.refusal.code == "payment_intent_unexpected_state"
    with pytest.raises(Refused):
        await world.do(payment_intents.cancel, PaymentIntentCancel(), intent.id)

    await world.pass_time(300)
    assert (await world.attempt(intent)).state == "unknown"
    world.faults()
    await world.pass_time(3600)
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"
    assert len(await world.charged()) == len(await world.rows(Charge)) == 1


async def test_a_second_live_attempt_is_impossible(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    attempt = await world.attempt(intent)
    with pytest.raises(Exception, match="attempts_one_live_per_payment_intent"):
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await write(tx, [Decision(inserts=[replace(attempt, id="att_second")])])


async def test_what_stays_unknown_ends_with_a_person_and_never_fails_by_itself(world: World) -> None:
    world.faults(lost_request=1.0)
    intent = await world.pay("pm_card_visa")
    await world.pass_time(9 * DAY)
    attempt = await world.attempt(intent)
    assert attempt.state == "needs_reconciliation"
    assert (await world.see(PaymentIntent, intent.id)).status == "processing"
    assert await world.all("select kind from due where account_id = %(account)s and kind like 'attempt%%'") == []


async def test_what_is_proven_not_to_have_arrived_fails_in_the_end(world: World) -> None:
    """The network is down: the same attempt is sent again and again, and given up without harm."""

    class Down(SandboxNetwork):
        async def authorize(self, r: Any) -> Outcome:
            return NotSent("connection refused")

        async def sync(self, r: SyncRequest) -> Outcome:
            return NotSent("nothing here")

    down = Down("")
    world.network, network = down, world.network
    intent = await world.pay("pm_card_visa")
    assert intent.status == "processing"
    await world.pass_time(3 * 3600)
    world.network = network
    after = await world.see(PaymentIntent, intent.id)
    assert (after.status, after.last_payment_error.code) == ("requires_payment_method", "processing_error")
    assert (await world.attempt(intent)).state == "not_sent"


async def test_an_acknowledged_debit_is_never_taken_as_not_sent(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    attempt = await world.attempt(intent)
    known = replace(attempt, state="processing", processor_id="sbpay_x", tries=9)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await write(tx, [Decision(updates=[Update(known, attempt)])])
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(attempt.id, NotSent("never heard of it"))])
    assert (await world.attempt(intent)).state in ("unknown", "needs_reconciliation")


async def test_another_amount_than_asked_for_is_never_taken_as_paid(world: World) -> None:
    intent = await world.pay("pm_card_visa", carry_out=False)
    attempt = await world.attempt(intent)
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(attempt.id, Succeeded("x", 1999, "eur", world.now))])
    assert (await world.attempt(intent)).state == "needs_reconciliation"
    assert await world.rows(Charge) == []


async def test_money_that_comes_after_a_decline_is_kept(world: World) -> None:
    """The processor said no, and was wrong: the money wins."""
    intent = await world.pay("pm_card_visa", carry_out=False)
    attempt = await world.attempt(intent)
    for answer in (Declined(decline("insufficient_funds"), "sbpay_1"), Succeeded("sbpay_1", 2000, "eur", world.now)):
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await settle(tx, [(attempt.id, answer)])
    after = await world.see(PaymentIntent, intent.id)
    assert (after.status, after.amount_received) == ("succeeded", 2000)
    assert sorted(c.status for c in await world.rows(Charge)) == ["failed", "succeeded"]


async def test_money_that_comes_a_second_time_goes_back_by_itself(world: World) -> None:
    """An attempt was given up, another one paid, and then the first one's money came after all."""
    intent = await world.pay("pm_card_visa", carry_out=False)
    first = await world.attempt(intent)
    late = await world.network.authorize(request_of(first, world.account))
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(first.id, Declined(decline("generic_decline"), None))])
    paid = await world.do(payment_intents.confirm, PaymentIntentConfirm(payment_method="pm_card_mastercard"), intent.id)
    assert paid.status == "succeeded"
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(first.id, late)])
    await attempts.carry_out(world.engine, world.account, tx.attempts)
    refund = (await world.rows(Refund))[0]
    assert (refund.status, refund.amount, refund.reason) == ("succeeded", 2000, "duplicate")
    assert (await world.see(PaymentIntent, intent.id)).latest_charge == paid.latest_charge


async def test_refunds_that_race_give_back_no_more_than_was_taken(world: World) -> None:
    intent = await world.pay("pm_card_visa", 10_000)

    async def refund() -> str | None:
        try:
            await world.do(refunds.create, RefundCreate(payment_intent=intent.id, amount=900))
        except Refused as refused:
            return refused.refusal.message
        return None

    answers = await asyncio.gather(*(refund() for _ in range(32)))
    charge = await world.see(Charge, intent.latest_charge)
    assert answers.count(None) == 11
    assert charge.amount_refunded == 9900 == sum(r.amount for r in await world.rows(Refund))
    records = await world.network.records(world.account.id)
    assert sum(r.amount for r in records if r.flow == "refund" and r.status == "succeeded") == 9900


async def test_refunds_settled_together_see_each_other(world: World) -> None:
    """Two refunds of one charge fail in the same batch: both amounts can be refunded again."""
    intent = await world.pay("pm_card_visa", 10_000)
    for amount in (1000, 2500):
        await world.do(refunds.create, RefundCreate(payment_intent=intent.id, amount=amount), carry_out=False)
    assert (await world.see(Charge, intent.latest_charge)).amount_refunded == 3500
    waiting = await world.rows(Attempt, "t.flow = 'refund'")
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await settle(tx, [(a.id, Declined(decline("charge_not_refundable"))) for a in waiting])
    assert (await world.see(Charge, intent.latest_charge)).amount_refunded == 0
    assert {r.status for r in await world.rows(Refund)} == {"failed"}


async def test_a_batch_is_settled_in_a_fixed_number_of_queries(world: World, asked: list[str]) -> None:
    """Three attempts and sixty take the same number of statements."""
    counts = []
    for size in (3, 60):
        made = [await world.attempt(await world.pay("pm_card_visa", carry_out=False)) for _ in range(size)]
        answers = [(a.id, await world.network.authorize(request_of(a, world.account))) for a in made]
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            asked.clear()
            await settle(tx, answers)
            counts.append(len(asked))
    assert counts[0] >= counts[1]                # more rows may travel by COPY, which is no statement of ours
    assert len(await world.rows(Charge, "t.status = 'succeeded'")) == 63


async def test_one_attempt_that_cannot_be_settled_does_not_hold_up_the_others(world: World) -> None:
    intents = [await world.pay("pm_card_visa", carry_out=False) for _ in range(5)]
    broken = await world.attempt(intents[2])
    await world.change("delete from payment_methods where account_id = %(account)s and id = %(id)s", id=broken.payment_method)
    await attempts.resolve(world.engine, world.account, [i.attempt or "" for i in intents])
    states = [(await world.see(PaymentIntent, i.id)).status for i in intents]
    assert states == ["succeeded", "succeeded", "processing", "succeeded", "succeeded"]


async def test_a_storm(world: World) -> None:
    """Replies and requests get lost, some come twice; in the end everybody was charged exactly once."""
    world.faults(lost_reply=0.3, lost_request=0.2, duplicate=0.3, seed=7)
    intents = [await world.pay("pm_card_visa", 1000 + n) for n in range(40)]
    await world.pass_time(2 * DAY)
    world.faults()
    await world.pass_time(DAY)
    after = [await world.see(PaymentIntent, i.id) for i in intents]
    assert {i.status for i in after} == {"succeeded"}
    assert sorted(r.amount for r in await world.charged()) == [1000 + n for n in range(40)]


async def test_the_negative_control_is_charged_twice(world: World) -> None:
    """A network that forgets its keys and references does charge twice: so the tests above can fail."""
    world.faults(lost_reply=1.0, ignore_idempotency_keys=True)
    await world.pay("pm_card_visa")
    world.faults(ignore_idempotency_keys=True, seed=1)
    await world.pass_time(DAY)
    assert len(await world.charged()) == 2
