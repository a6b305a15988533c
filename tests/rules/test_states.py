"""State machines: what may happen to what. Cases in states.txt."""

from typing import get_args, get_type_hints

import pytest

from tests.rules.table import Row, rows
from voldaan.resources.alerts import AlertStatus
from voldaan.resources.attempts import LIVE, AttemptState
from voldaan.resources.disputes import DisputeStatus
from voldaan.resources.invoices import InvoiceStatus
from voldaan.resources.mandates import Mandate
from voldaan.resources.payment_intents import IntentStatus
from voldaan.resources.payouts import PayoutStatus
from voldaan.resources.refunds import RefundStatus
from voldaan.resources.setup_intents import SetupIntentStatus
from voldaan.resources.subscriptions import SubscriptionStatus
from voldaan.resources.test_clocks import TestClock
from voldaan.rules import states
from voldaan.rules.states import Machine

MACHINES: dict[str, tuple[Machine, object]] = {
    "invoice": (states.INVOICE, InvoiceStatus),
    "subscription": (states.SUBSCRIPTION, SubscriptionStatus),
    "payment intent": (states.PAYMENT_INTENT, IntentStatus),
    "setup intent": (states.SETUP_INTENT, SetupIntentStatus),
    "refund": (states.REFUND, RefundStatus),
    "payout": (states.PAYOUT, PayoutStatus),
    "dispute": (states.DISPUTE, DisputeStatus),
    "attempt": (states.ATTEMPT, AttemptState),
    "test clock": (states.TEST_CLOCK, get_type_hints(TestClock)["status"]),
    "mandate": (states.MANDATE, get_type_hints(Mandate)["status"]),
    "alert": (states.ALERT, AlertStatus),
}
# Where each begins its life.
FIRST = {
    "invoice": {"draft"},
    "subscription": {"incomplete", "trialing", "active", "past_due"},
    "payment intent": {"requires_payment_method", "requires_confirmation"},
    "setup intent": {"requires_payment_method", "requires_confirmation"},
    "refund": {"pending"},
    "payout": {"pending"},
    "dispute": {"warning_needs_response", "needs_response"},
    "attempt": {"dispatched"},
    "test clock": {"ready"},
    "mandate": {"pending", "active"},
    "alert": {"active"},
}
SETS = {
    "INVOICE_FINALIZED": "invoice",
    "INVOICE_OWED": "invoice",
    "SUBSCRIPTION_ENDED": "subscription",
    "SUBSCRIPTION_RENEWS": "subscription",
    "SUBSCRIPTION_COLLECTS": "subscription",
    "SUBSCRIPTION_HAS_ACCESS": "subscription",
    "PAYMENT_INTENT_CONFIRMABLE": "payment intent",
    "PAYMENT_INTENT_FINAL": "payment intent",
    "REFUND_OUT": "refund",
    "DISPUTE_ANSWERABLE": "dispute",
    "DISPUTE_HOLDS_FUNDS": "dispute",
    "ATTEMPT_LIVE": "attempt",
}


@pytest.mark.parametrize("row", rows("states.txt"), ids=str)
def test_states(row: Row) -> None:
    machine, _ = MACHINES[row.rule]
    assert states.advance(machine, row["was"], row["trigger"]) == row.get("becomes")
    assert (row["trigger"] in states.triggers(machine, row["was"])) == (row.get("becomes") is not None)


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_knows_the_states_that_its_object_declares(name: str) -> None:
    machine, declared = MACHINES[name]
    assert states.states(machine) == set(get_args(declared))


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_can_be_reached(name: str) -> None:
    machine, _ = MACHINES[name]
    reached = set(FIRST[name])
    for _ in machine:
        reached |= {becomes for (was, _), becomes in machine.items() if was in reached}
    assert reached == states.states(machine)


def test_final_states() -> None:
    assert {state for state in states.states(states.SUBSCRIPTION) if states.is_final(states.SUBSCRIPTION, state)} == (
        states.SUBSCRIPTION_ENDED
    )
    intents = states.states(states.PAYMENT_INTENT)
    assert {state for state in intents if states.is_final(states.PAYMENT_INTENT, state)} == states.PAYMENT_INTENT_FINAL


@pytest.mark.parametrize("name", SETS)
def test_named_sets_name_states(name: str) -> None:
    assert getattr(states, name) <= states.states(MACHINES[SETS[name]][0])


def test_an_attempt_that_may_still_succeed_blocks_all_others() -> None:
    """What the database's index holds and what the machine says is the same set."""
    assert set(LIVE) == states.ATTEMPT_LIVE


def test_unknown_is_never_left_by_another_try() -> None:
    ways_out = states.triggers(states.ATTEMPT, "unknown")
    assert "dispatch" not in ways_out
    assert states.advance(states.ATTEMPT, "unknown", "stop_asking") in states.ATTEMPT_LIVE
