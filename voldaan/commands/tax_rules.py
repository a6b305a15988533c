"""Tax rules of the seller's own."""

from __future__ import annotations

from voldaan.resources.tax_rules import TaxRule, TaxRuleCreate, TaxRuleUpdate
from voldaan.rules import tax_rules as rules
from voldaan.rules.decision import Decision, Update
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: TaxRuleCreate) -> TaxRule:
    """POST /voldaan/tax_rules"""
    rule = rules.make(params, id=new_id("taxrule"), now=tx.now, livemode=tx.account.livemode)
    await write(tx, [Decision(inserts=[rule])])
    return rule


async def update(tx: Transaction, params: TaxRuleUpdate, id: str) -> TaxRule:
    """POST /voldaan/tax_rules/{id}: the rule ends."""
    was = await tx.need(TaxRule, id, lock=True)
    rule = rules.ended(was, params, tx.now)
    await write(tx, [Decision(updates=[Update(rule, was)])])
    return rule
