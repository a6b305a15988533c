"""The tax calculation of a payment intent: due when the payment succeeds, taken back as it is refunded.

Nothing here stands in the way of a payment: what cannot be is written down as an attempt that errored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.refunds import Refund
from voldaan.resources.tax_associations import TaxAssociation
from voldaan.resources.tax_calculations import TaxCalculation, TaxCalculationLineItem
from voldaan.resources.tax_hooks import CommittedTax, ErroredTax, HooksParams, TaxHook, TaxTransactionAttempt
from voldaan.resources.tax_transactions import (
    LineReversal,
    TaxTransaction,
    TaxTransactionCreate,
    TaxTransactionReverse,
    TransactionReversal,
)
from voldaan.rules import tax_transactions
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.ids import NewId
from voldaan.rules.refusals import refused
from voldaan.rules.tax_transactions import Original

PARAM = "hooks[inputs][tax][calculation]"


def named(hooks: HooksParams | None) -> str | None:
    """The calculation that a request names; "" takes it away, None says nothing."""
    tax = hooks.inputs.tax if hooks and hooks.inputs else None
    return None if tax is None else tax.calculation


def hooked(intent: PaymentIntent, calculation: str) -> dict[str, Any]:
    """The fields of an intent that name a calculation, or none. Refuses what comes too late, or where an invoice has its own."""
    if intent.status in ("succeeded", "canceled"):
        raise Refused(
            Refusal(
                "payment_intent_unexpected_state",
                f"A tax calculation cannot be linked to a PaymentIntent that has a status of {intent.status}.",
                PARAM,
            )
        )
    if intent.invoice:
        raise refused("The tax of a PaymentIntent that belongs to an invoice is the invoice's.", PARAM)
    if not calculation:
        return {"hooks": UNSET, "tax": None}
    return {
        "hooks": {"inputs": {"tax": {"calculation": calculation}}},
        "tax": TaxHook(id=f"taxa_{intent.id.removeprefix('pi_')}", calculation=calculation),
    }


def shown(intent: PaymentIntent) -> TaxAssociation:
    """The association of an intent that has one."""
    assert intent.tax is not None
    return TaxAssociation(
        id=intent.tax.id,
        calculation=intent.tax.calculation,
        payment_intent=intent.id,
        tax_transaction_attempts=intent.tax.attempts or None,
    )


def commit(
    intent: PaymentIntent,
    calculation: TaxCalculation,
    lines: Sequence[TaxCalculationLineItem],
    committed: bool,
    references: set[str],
    now: int,
    new_id: NewId,
) -> tuple[PaymentIntent, TaxTransaction | None]:
    """The payment has succeeded: what was calculated is due, if nothing speaks against it. `committed`: it is already."""
    why = None
    if calculation.expires_at is not None and calculation.expires_at <= now:
        why = "calculation_expired"
    elif calculation.currency != intent.currency:
        why = "currency_mismatch"
    elif committed:
        why = "another_payment_associated_with_calculation"
    elif intent.id in references:
        why = "unique_reference_violation"
    if why:
        return _errored(intent, intent.id, why), None
    asked = TaxTransactionCreate(calculation=calculation.id, reference=intent.id)
    made = tax_transactions.of_calculation(calculation, lines, asked, now, new_id)
    return _committed(intent, intent.id, made), made


def take_back(
    intent: PaymentIntent, original: Original | None, refund: Refund, references: set[str], now: int, new_id: NewId
) -> tuple[PaymentIntent, TaxTransaction | None]:
    """Money goes back: its part of the tax is no longer due, at most all that is left."""
    if original is None:
        return _errored(intent, refund.id, _why(intent)), None
    if refund.id in references:
        return _errored(intent, refund.id, "unique_reference_violation"), None
    left = tax_transactions.left(original)
    if left <= 0:
        return _errored(intent, refund.id, "original_transaction_voided"), None
    terms: dict[str, Any] = {"mode": "full"} if refund.amount >= left else {"mode": "partial", "flat_amount": -refund.amount}
    asked = TaxTransactionReverse(original_transaction=original.transaction.id, reference=refund.id, **terms)
    try:
        made = tax_transactions.reverse(original, asked, now, new_id)
    except Refused:  # a sum cannot be shared over lines of which some are negative: it is for somebody to say by hand
        return _errored(intent, refund.id, "not_attributable_to_lines"), None
    return _committed(intent, refund.id, made), made


def restore(
    intent: PaymentIntent, original: Original | None, refund: Refund, now: int, new_id: NewId
) -> tuple[PaymentIntent, TaxTransaction | None]:
    """The refund failed, the money is here again: what was taken back for it is due again, a reversal of the reversal."""
    back = _transaction_of(intent, refund.id)
    was = next((each for each in original.reversals if each.id == back), None) if original else None
    if original is None or was is None:
        return intent, None
    id = new_id("tax")
    lines = [
        replace(
            line, id=new_id("tax_li"), amount=-line.amount, amount_tax=-line.amount_tax, transaction=id,
            reversal=LineReversal(original_line_item=line.id),
        )
        for line in original.reversed
        if line.transaction == was.id
    ]  # fmt: skip
    cost = was.shipping_cost
    made = replace(
        was,
        id=id,
        created=now,
        line_items=ListObject(data=lines, url=f"/v1/tax/transactions/{id}/line_items"),
        posted_at=now,
        reference=f"{refund.id}_failed",
        reversal=TransactionReversal(original_transaction=was.id),
        shipping_cost=replace(cost, amount=-cost.amount, amount_tax=-cost.amount_tax) if cost else None,
    )
    return _committed(intent, refund.id, made), made


def sale_of(intent: PaymentIntent) -> str | None:
    """The tax transaction that the payment made due."""
    return _transaction_of(intent, intent.id)


def _transaction_of(intent: PaymentIntent, source: str) -> str | None:
    """The first one that this payment or refund made."""
    attempts = intent.tax.attempts if intent.tax else []
    return next((each.committed.transaction for each in attempts if each.source == source and each.committed), None)


def _why(intent: PaymentIntent) -> str:
    """Why the payment's own tax was not committed."""
    attempts = intent.tax.attempts if intent.tax else []
    return next((each.errored.reason for each in attempts if each.errored), "original_transaction_voided")


def _committed(intent: PaymentIntent, source: str, made: TaxTransaction) -> PaymentIntent:
    return _with(intent, TaxTransactionAttempt(committed=CommittedTax(transaction=made.id), source=source, status="committed"))


def _errored(intent: PaymentIntent, source: str, why: str) -> PaymentIntent:
    return _with(intent, TaxTransactionAttempt(errored=ErroredTax(reason=why), source=source, status="errored"))


def _with(intent: PaymentIntent, attempt: TaxTransactionAttempt) -> PaymentIntent:
    assert intent.tax is not None
    return replace(intent, tax=replace(intent.tax, attempts=[*intent.tax.attempts, attempt]))
