"""Tax calculations that payment intents name: looked up when they are named, committed and taken back as money moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from voldaan.commands import tax_calculations, tax_transactions
from voldaan.resources.payment_intents import PaymentIntent
from voldaan.resources.refunds import Refund
from voldaan.resources.tax_associations import TaxAssociation, TaxAssociationFind
from voldaan.resources.tax_calculations import TaxCalculation, TaxCalculationLineItem
from voldaan.resources.tax_hooks import HooksParams
from voldaan.resources.tax_transactions import TaxTransaction
from voldaan.rules import tax_associations as rules
from voldaan.rules.decision import Decision, Update
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

Made = tuple[PaymentIntent, TaxTransaction | None]
R = TypeVar("R", PaymentIntent, Refund)


async def find(tx: Transaction, params: TaxAssociationFind) -> TaxAssociation:
    """GET /v1/tax/associations/find"""
    intent = await tx.need(PaymentIntent, params.payment_intent, param="payment_intent")
    if intent.tax is None:
        raise Missing("tax.association", intent.id, "payment_intent")
    return rules.shown(intent)


async def check(tx: Transaction, hooks: HooksParams | None) -> None:
    """Makes sure that the calculation which a request names can still be had. Raises Missing."""
    if calculation := rules.named(hooks):
        await tax_calculations.living(tx, calculation, rules.PARAM)


async def follow(tx: Transaction, decided: Decision) -> None:
    """Makes tax due, and takes it back, by what was just written of payments and refunds.

    Asks nothing where no payment with a calculation succeeded and no refund moved money.
    """
    paid = [new for new, was in _changed(PaymentIntent, decided) if new.tax and new.status == "succeeded" != was.status]
    gone = [new for new, was in _changed(Refund, decided) if new.balance_transaction and not was.balance_transaction]
    back = [
        new for new, was in _changed(Refund, decided) if new.failure_balance_transaction and not was.failure_balance_transaction
    ]
    if paid:
        await _commit(tx, sorted({intent.id for intent in paid}))
    if gone or back:
        await _give_back(tx, gone, back)


def _changed(cls: type[R], decided: Decision) -> Iterable[tuple[R, R]]:
    for update in decided.updates:
        if isinstance(update.new, cls) and isinstance(update.was, cls):
            yield update.new, update.was


async def _commit(tx: Transaction, ids: Sequence[str]) -> None:
    """Of several payments with one calculation, the first one commits it: whoever holds the account's tax lock."""
    await tx.run(query("taxes", "lock"))
    intents = await tx.get(PaymentIntent, ids, lock=True)
    named = {intent.tax.calculation for intent in intents.values() if intent.tax}
    calculations = await tx.get(TaxCalculation, named)
    lines = await tx.select(TaxCalculationLineItem, "t.calculation_id = any(%(ids)s)", ids=sorted(named))
    committed = {row[0] for row in await tx.all(query("taxes", "committed"), calculations=sorted(named))}
    references = await tax_transactions.references(tx, ids)
    found: list[tuple[PaymentIntent, Made]] = []
    for intent in intents.values():
        assert intent.tax is not None
        calculation = calculations[intent.tax.calculation]
        own = [line for line in lines if line.calculation == calculation.id]
        made = rules.commit(intent, calculation, own, calculation.id in committed, references, tx.now, new_id)
        if made[1]:
            committed.add(calculation.id)
        found.append((intent, made))
    await _write(tx, found)


async def _give_back(tx: Transaction, gone: Sequence[Refund], back: Sequence[Refund]) -> None:
    moved = [each for each in (*gone, *back) if each.payment_intent]
    intents = await tx.get(PaymentIntent, [each.payment_intent for each in moved], lock=True)
    intents = {id: intent for id, intent in intents.items() if intent.tax and intent.tax.attempts}
    if not intents:
        return
    await tx.run(query("taxes", "lock"))
    sales = await tx.get(TaxTransaction, [rules.sale_of(intent) for intent in intents.values()], lock=True)
    originals = await tax_transactions.originals(tx, sales)
    references = await tax_transactions.references(tx, [each.id for each in moved])
    found: list[tuple[PaymentIntent, Made]] = []
    for refund in moved:
        intent = intents.get(refund.payment_intent or "")
        if intent is None:
            continue
        original = originals.get(rules.sale_of(intent) or "")
        made = (
            rules.restore(intent, original, refund, tx.now, new_id)
            if refund.failure_balance_transaction
            else rules.take_back(intent, original, refund, references, tx.now, new_id)
        )
        found.append((intent, made))
        intents[intent.id] = made[0]
        if made[1] and original:
            original.reversals.append(made[1])
            original.reversed += tax_transactions.lines_of(made[1])
    await _write(tx, found)


async def _write(tx: Transaction, found: Sequence[tuple[PaymentIntent, Made]]) -> None:
    decisions = []
    for was, (intent, made) in found:
        inserts = [made, *tax_transactions.lines_of(made)] if made else []
        decisions.append(Decision(inserts=inserts, updates=[Update(intent, was)] if intent != was else []))
    await write(tx, decisions)
