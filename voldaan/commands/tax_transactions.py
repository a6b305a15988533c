"""Tax transactions: made of calculations, and reversed."""

from __future__ import annotations

from typing import Any

from voldaan.commands import tax_calculations
from voldaan.resources.tax_calculations import TaxCalculationLineItem
from voldaan.resources.tax_transactions import (
    TaxTransaction,
    TaxTransactionCreate,
    TaxTransactionLineItem,
    TaxTransactionReverse,
)
from voldaan.rules import tax_transactions as rules
from voldaan.rules.decision import Decision
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: TaxTransactionCreate) -> TaxTransaction:
    """POST /v1/tax/transactions/create_from_calculation"""
    calculation = await tax_calculations.living(tx, params.calculation, "calculation")
    lines = await tx.select(TaxCalculationLineItem, "t.calculation_id = %(id)s", id=calculation.id)
    return await _write(tx, rules.of_calculation(calculation, lines, params, tx.now, new_id))


async def reverse(tx: Transaction, params: TaxTransactionReverse) -> TaxTransaction:
    """POST /v1/tax/transactions/create_reversal, under the original's lock: never more than there was."""
    original = rules.Original(
        await tx.need(TaxTransaction, params.original_transaction, lock=True, param="original_transaction"),
        await tx.select(TaxTransactionLineItem, "t.transaction_id = %(id)s", id=params.original_transaction),
    )
    original.reversals = await tx.select(TaxTransaction, "t.original_id = %(id)s", id=params.original_transaction)
    ids = [each.id for each in original.reversals]
    original.reversed = await tx.select(TaxTransactionLineItem, "t.transaction_id = any(%(ids)s)", ids=ids)
    return await _write(tx, rules.reverse(original, params, tx.now, new_id))


async def _write(tx: Transaction, made: TaxTransaction) -> TaxTransaction:
    await tx.run(query("taxes", "lock"))
    if await tx.one(query("taxes", "by_reference"), reference=made.reference):
        raise refused(f"There is a transaction with the reference {made.reference} already.", "reference")
    lines: Any = made.line_items
    await write(tx, [Decision(inserts=[made, *lines.data])])
    return made
