"""Payments away from the ordinary: on a test clock, in live mode, by bank transfer, and when the worker dies at a bad moment."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.store.payments_world import DAY, World
from voldaan.api import idempotency
from voldaan.api.call import Call
from voldaan.api.perform import Performer
from voldaan.api.router import Router
from voldaan.api.routes import ROUTES
from voldaan.commands import (
    attempts,
    charges,
    customers,
    payment_intents,
    payment_methods,
    payouts,
    setup_intents,
    test_clocks,
)
from voldaan.processors.manual import BankAccount, ManualProcessor
from voldaan.processors.protocol import Processor
from voldaan.processors.sandbox import SandboxNetwork
from voldaan.resources.charges import Charge, ChargeCreate
from voldaan.resources.customers import Customer, CustomerCreate
from voldaan.resources.payment_intents import PaymentIntent, PaymentIntentCancel, PaymentIntentCreate
from voldaan.resources.payment_methods import PaymentMethodAttach, PaymentMethodCreate
from voldaan.resources.payouts import Payout, PayoutCreate
from voldaan.resources.setup_intents import SetupIntentCreate
from voldaan.resources.test_clocks import TestClock, TestClockAdvance, TestClockCreate
from voldaan.rules.decision import Refused
from voldaan.store import accounts
from voldaan.store.pool import Pool
from voldaan.store.transaction import transaction
from voldaan.work import failpoints
from voldaan.work.worker import Worker

pytestmark = pytest.mark.anyio
EARLY = 1_767_225_600    # 1 January 2026


async def test_money_on_a_test_clock_keeps_the_clocks_time(world: World) -> None:
    """The charge, its day in the balance, the payout and its arrival all happen as the clock moves, not before."""
    clock = await world.do(test_clocks.create, TestClockCreate(frozen_time=EARLY))
    anna: Customer = await world.do(customers.create, CustomerCreate(name="Anna", test_clock=clock.id))
    method = await world.do(payment_methods.attach, PaymentMethodAttach(customer=anna.id), "pm_card_visa")
    intent = await world.pay(method.id, 10_000, customer=anna.id)
    charge = await world.see(Charge, intent.latest_charge)
    assert (charge.created, charge.clock) == (EARLY, clock.id)
    await world.pass_time(30 * DAY)                      # real time passes: nothing happens on the clock
    assert await world.rows(Payout) == []

    await world.do(test_clocks.advance, TestClockAdvance(frozen_time=EARLY + 2 * DAY), clock.id)
    await Worker(world.engine).advance_clocks()
    payout = (await world.rows(Payout))[0]
    assert (payout.created, payout.status, payout.clock) == (EARLY + 2 * DAY, "in_transit", clock.id)
    await world.do(test_clocks.advance, TestClockAdvance(frozen_time=EARLY + 10 * DAY), clock.id)
    await Worker(world.engine).advance_clocks()
    assert (await world.see(Payout, payout.id)).status == "paid"
    assert (await world.see(TestClock, clock.id)).status == "ready"


async def test_a_debit_on_a_test_clock_becomes_final_as_it_moves(world: World) -> None:
    clock = await world.do(test_clocks.create, TestClockCreate(frozen_time=EARLY))
    anna: Customer = await world.do(customers.create, CustomerCreate(name="Anna", test_clock=clock.id))
    method = await world.do(payment_methods.attach, PaymentMethodAttach(customer=anna.id), "pm_sepaDebit_success_nl")
    accepted = {"customer_acceptance": {"type": "offline"}}
    intent = await world.pay(method.id, 10_000, customer=anna.id, mandate_data=accepted)
    assert intent.status == "processing"
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        assert await attempts.live_on_clock(tx, clock.id) == []        # it is only late in some days
    await world.do(test_clocks.advance, TestClockAdvance(frozen_time=EARLY + 8 * DAY), clock.id)
    await Worker(world.engine).advance_clocks()
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"


async def test_a_lost_reply_on_a_test_clock_is_asked_for_before_time_moves_on(world: World) -> None:
    clock = await world.do(test_clocks.create, TestClockCreate(frozen_time=EARLY))
    anna: Customer = await world.do(customers.create, CustomerCreate(name="Anna", test_clock=clock.id))
    world.faults(lost_reply=1.0)
    intent = await world.pay("pm_card_visa", 10_000, customer=anna.id)
    assert intent.status == "processing"
    world.faults()
    await world.do(test_clocks.advance, TestClockAdvance(frozen_time=EARLY + 60), clock.id)
    await Worker(world.engine).advance_clocks()
    paid = await world.see(PaymentIntent, intent.id)
    assert paid.status == "succeeded"
    assert (await world.see(Charge, paid.latest_charge)).created == EARLY
    assert len(await world.charged()) == 1


@pytest.mark.parametrize("kind", ["card", "token", "magic", "sepa", "charge", "setup"])
async def test_live_mode_takes_no_number_and_no_test_card(pool: Pool, network: SandboxNetwork, kind: str) -> None:
    account = (await accounts.create(pool, EARLY, livemode=True, business_name="Bakery")).account
    world = World(pool, account, network)
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040}
    debit = {"iban": "NL39RABO0300065264"}
    billing = {"name": "A", "email": "a@example.com"}
    calls = {
        "card": (payment_methods.create, PaymentMethodCreate(type="card", card=card)),
        "token": (payment_methods.create, PaymentMethodCreate(type="card", card={"token": "tok_visa"})),
        "magic": (payment_intents.create, PaymentIntentCreate(amount=2000, currency="eur", payment_method="pm_card_visa")),
        "sepa": (payment_methods.create, PaymentMethodCreate(type="sepa_debit", sepa_debit=debit, billing_details=billing)),
        "charge": (charges.create, ChargeCreate(amount=2000, currency="eur", source="tok_visa")),
        "setup": (setup_intents.create, SetupIntentCreate(payment_method="pm_card_visa")),
    }
    with pytest.raises(Refused):
        await world.do(*calls[kind])
    with pytest.raises(Refused) as refused:
        await world.do(payouts.create, PayoutCreate(amount=100, currency="eur"))
    assert refused.value.refusal.code == "balance_insufficient"


@pytest.fixture
async def by_transfer(dsn: str, world: World) -> AsyncIterator[ManualProcessor]:
    manual = ManualProcessor(dsn, BankAccount("Bakery", "NL39RABO0300065264", "RABONL2U"))
    await manual.open()

    def processor(name: str) -> Processor:
        return manual if name == "manual" else world.network

    world.processor = processor  # type: ignore[method-assign]
    world.engine = type(world.engine)(world.pool, processor, lambda: world.now, lambda: 0.0)
    yield manual
    await manual.close()


async def test_a_bank_transfer_is_waited_for_without_end(world: World, by_transfer: ManualProcessor) -> None:
    method = await world.do(payment_methods.create, PaymentMethodCreate(type="customer_balance"))
    intent = await world.pay(method.id)
    assert (intent.status, intent.next_action.type) == ("requires_action", "display_bank_transfer_instructions")
    await world.pass_time(40 * DAY)
    attempt = await world.attempt(intent)
    assert attempt.state == "requires_action"
    await by_transfer.confirm(attempt.processor_id or "", world.now)
    await world.pass_time(DAY)
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"


async def test_a_bank_transfer_that_is_no_longer_wanted(world: World, by_transfer: ManualProcessor) -> None:
    method = await world.do(payment_methods.create, PaymentMethodCreate(type="customer_balance"))
    intent = await world.pay(method.id)
    gone = await world.do(payment_intents.cancel, PaymentIntentCancel(), intent.id)
    assert gone.status == "canceled"


@pytest.mark.parametrize("point", ["after_dispatch_commit", "before_call", "after_call", "before_settle"])
async def test_wherever_the_request_dies_the_worker_ends_it_once(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(failpoints, "POINTS", failpoints.armed(f"{point}:1:raise"))
    with pytest.raises(failpoints.Failed):
        await world.pay("pm_card_visa")
    monkeypatch.undo()
    intent = (await world.rows(PaymentIntent))[0]
    assert intent.status == "processing"
    await world.pass_time(61)
    assert (await world.see(PaymentIntent, intent.id)).status == "succeeded"
    assert len(await world.charged()) == len(await world.rows(Charge)) == 1


def test_failpoints_say_what_they_do_not_understand() -> None:
    assert failpoints.armed("") == {}
    assert failpoints.armed("a:3:kill,b:*:sleep=2")["b"].at is None
    with pytest.raises(ValueError, match="explode"):
        failpoints.armed("a:1:explode")


async def test_a_repeat_of_a_request_whose_process_died_is_told_how_it_went(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same key again: what had been dispatched is asked for, and the answer is not "processing" for ever."""
    performer = Performer(world.engine, lambda request_id, error: b"{}")
    found = Router(ROUTES).find("POST", "/v1/payment_intents")
    assert found is not None
    params = PaymentIntentCreate(amount=2000, currency="eur", payment_method="pm_card_visa", confirm=True)
    key = idempotency.key_of("order-17", "POST", "/v1/payment_intents", b"the same form")

    def call(request_id: str) -> Call:
        return Call(request_id, "/v1/payment_intents", world.account, found[0], params, {}, key, {})

    monkeypatch.setattr(failpoints, "POINTS", failpoints.armed("after_call:1:raise"))
    with pytest.raises(failpoints.Failed):
        await performer.perform(call("req_1"))
    monkeypatch.undo()
    world.now += idempotency.RECOVER_AFTER
    status, body, _ = await performer.perform(call("req_2"))
    assert (status, msgspec.json.decode(body)["status"]) == (200, "succeeded")
    assert (await performer.perform(call("req_3")))[1] == body
    assert len(await world.charged()) == 1
