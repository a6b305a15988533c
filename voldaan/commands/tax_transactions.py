"""Tax transactions: made of calculations, and reversed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voldaan.commands import tax_calculations
from voldaan.resources.base import ListObject
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
    await tx.run(query("taxes", "lock"))
    calculation = await tax_calculations.living(tx, params.calculation, "calculation")
    lines = await tx.select(TaxCalculationLineItem, "t.calculation_id = %(id)s", id=calculation.id)
    return await _write(tx, rules.of_calculation(calculation, lines, params, tx.now, new_id))


async def reverse(tx: Transaction, params: TaxTransactionReverse) -> TaxTransaction:
    """POST /v1/tax/transactions/create_reversal, under the account's tax lock: never more than there was."""
    await tx.run(query("taxes", "lock"))
    sale = await tx.need(TaxTransaction, params.original_transaction, lock=True, param="original_transaction")
    original = (await originals(tx, {sale.id: sale}))[sale.id]
    return await _write(tx, rules.reverse(original, params, tx.now, new_id))


async def originals(tx: Transaction, sales: Mapping[str, TaxTransaction]) -> dict[str, rules.Original]:
    """These transactions with their lines, and with all that was taken back of them."""
    reversals = await tx.select(TaxTransaction, "t.original_id = any(%(ids)s)", ids=sorted(sales))
    ids = [*sales, *(each.id for each in reversals)]
    lines = await tx.select(TaxTransactionLineItem, "t.transaction_id = any(%(ids)s)", ids=ids)
    found = {id: rules.Original(sale, [line for line in lines if line.transaction == id]) for id, sale in sales.items()}
    sale_of = {each.id: each.original or "" for each in reversals}
    for each in reversals:
        found[sale_of[each.id]].reversals.append(each)
    for line in lines:
        if line.transaction in sale_of:
            found[sale_of[line.transaction]].reversed.append(line)
    return found


async def references(tx: Transaction, wanted: Sequence[str]) -> set[str]:
    """Those that tax transactions have already."""
    return {row[0] for row in await tx.all(query("taxes", "references"), references=list(wanted))}


def lines_of(made: TaxTransaction) -> list[TaxTransactionLineItem]:
    """The lines of a transaction that was just made."""
    assert isinstance(made.line_items, ListObject)
    return made.line_items.data


async def _write(tx: Transaction, made: TaxTransaction) -> TaxTransaction:
    if await references(tx, [made.reference]):
        raise refused(f"There is a transaction with the reference {made.reference} already.", "reference")
    await write(tx, [Decision(inserts=[made, *lines_of(made)])])
    return made
