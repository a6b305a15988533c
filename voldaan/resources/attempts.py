"""Attempts: one try at a processor each. The row is committed before the call and decides what may happen after it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from voldaan.resources.base import Column, Hidden, Instant, Resource, Table

AttemptFlow = Literal["authorize", "capture", "void", "refund", "setup", "payout", "dispute"]
AttemptState = Literal[
    "dispatched", "requires_action", "processing", "authorized", "succeeded", "declined", "not_sent", "unknown",
    "voided", "needs_reconciliation",
]  # fmt: skip
LIVE = ("dispatched", "processing", "unknown", "needs_reconciliation")  # money may still move: nothing else may be tried
WAITING = (*LIVE, "requires_action")  # the processor may still answer: only these are settled


class Attempt(Resource, kw_only=True):
    """Ours alone, shown in the dashboard and by `verify`. Its id is the reference that the processor knows it by.

    Several tries at one payment stand in one row each; captures, voids and refunds have rows of their own, whose
    `request` names the payment's `processor_id`.
    """

    TABLE: ClassVar[Table] = Table("attempts", prefix="att", state="state")
    flow: Annotated[AttemptFlow, Column()]
    state: Annotated[AttemptState, Column()] = "dispatched"
    processor: Annotated[str, Column()]
    processor_id: Annotated[str | None, Column()] = None
    idempotency_key: Annotated[str, Column()]
    amount: Annotated[int, Column()]                 # minor units
    currency: Annotated[str, Column()]
    customer: Annotated[str | None, Column("customer_id")] = None
    invoice: Annotated[str | None, Column("invoice_id")] = None
    payment_intent: Annotated[str | None, Column("payment_intent_id")] = None
    setup_intent: Annotated[str | None, Column("setup_intent_id")] = None
    charge: Annotated[str | None, Column("charge_id")] = None
    refund: Annotated[str | None, Column("refund_id")] = None
    payout: Annotated[str | None, Column("payout_id")] = None
    payment_method: Annotated[str | None, Column("payment_method_id")] = None
    clock: Annotated[str | None, Column("clock_id")] = None
    at: Annotated[Instant, Column("at")]             # business time of the try
    dispatched: Annotated[Instant, Column("dispatched_at")]  # wall time
    resolved: Annotated[Instant | None, Column("resolved_at")] = None
    tries: Annotated[int, Column()] = 0              # how often its outcome was asked for
    decline_code: Annotated[str | None, Column()] = None
    off_session: bool = False
    initiator: Literal["customer", "merchant"] = "customer"
    request: Annotated[dict[str, Any], Hidden()] = {}   # what else the processor is told: token, mandate, descriptor
    outcome: Annotated[dict[str, Any], Hidden()] = {}   # what it answered
