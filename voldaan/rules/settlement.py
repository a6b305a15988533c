"""Settling: what an answer of a processor does, once, to everything that the attempt was for."""

from __future__ import annotations

from voldaan.processors.protocol import Outcome
from voldaan.rules import direct_charges, holds, payments, payouts, refunds, setups
from voldaan.rules.attempts import Facts, Settled, may_settle
from voldaan.rules.ids import NewId


def settle(facts: Facts, outcome: Outcome, now: int, wall: int, new_id: NewId) -> Settled:
    """An attempt that is settled already stays as it is."""
    if not may_settle(facts.attempt, outcome):
        return Settled()
    match facts.attempt.flow:
        case "authorize" if facts.intent is None:
            return direct_charges.authorization(facts, outcome, now, wall, new_id)
        case "authorize":
            return payments.authorization(facts, outcome, now, wall, new_id)
        case "capture":
            return holds.captured(facts, outcome, now, wall, new_id)
        case "void":
            return holds.voided(facts, outcome, now, wall, new_id)
        case "setup":
            return setups.settle(facts, outcome, now, wall)
        case "refund":
            return refunds.settle(facts, outcome, now, wall, new_id)
        case "payout":
            return payouts.settle(facts, outcome, now, wall, new_id)
        case "dispute":
            raise ValueError("what a dispute's answer leads to is told by an event, not by an outcome")
