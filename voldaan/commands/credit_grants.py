"""Billing credits granted to customers: made, changed, ended and taken back, always under the customer's lock."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.commands import clocks, customers, posting
from voldaan.resources.credit_balance import CreditBalanceTransaction
from voldaan.resources.credit_grants import (
    CreditGrant,
    CreditGrantCreate,
    CreditGrantExpire,
    CreditGrantUpdate,
    CreditGrantVoid,
    CreditScope,
)
from voldaan.resources.customers import Customer
from voldaan.resources.prices import Price
from voldaan.rules import credit_grants as rules
from voldaan.rules.credits_used import shown
from voldaan.rules.decision import Decision
from voldaan.rules.owing import CollectionFacts, Parties
from voldaan.rules.refusals import missing, refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: CreditGrantCreate) -> CreditGrant:
    """Grants credits. Who pays for paid ones, and how, is for the business to see to."""
    if params.customer is None:
        raise missing("customer")
    customer = await customers.living(tx, params.customer, lock=True, param="customer")
    await clocks.now_for(tx, customer.test_clock)
    grant = rules.make(params, customer, id=new_id("credgr"), now=tx.now)
    await need_counted(tx, grant.applicability_config.scope, "applicability_config[scope]")
    [unused] = await tx.one(query("credit_grants", "unused"), customer=customer.id, now=tx.now)
    if unused >= rules.UNUSED_MAX:
        raise refused(f"Customers can have up to {rules.UNUSED_MAX} unused credit grants at a time.", "customer")
    await _write(tx, rules.granted(grant, new_id))
    return grant


async def update(tx: Transaction, params: CreditGrantUpdate, id: str) -> CreditGrant:
    """The grant with other metadata, or another end."""
    was = await _locked(tx, id)
    grant = rules.update(was, params, tx.now)
    if grant != was:
        await _write(tx, rules.updated(grant, was))
    return grant


async def expire(tx: Transaction, params: CreditGrantExpire, id: str) -> CreditGrant:
    """Ends the grant now."""
    await _write(tx, rules.expire(await _locked(tx, id), tx.now, new_id))
    return await tx.need(CreditGrant, id)


async def void(tx: Transaction, params: CreditGrantVoid, id: str) -> CreditGrant:
    """Takes the grant back, as long as none of it was used."""
    await _write(tx, rules.void(await _locked(tx, id), tx.now, new_id))
    return await tx.need(CreditGrant, id)


async def expire_due(tx: Transaction, ids: list[str]) -> None:
    """Handler of credit_grant.expire: what is left of these is gone."""
    owners = [row[0] for row in await tx.all(query("credit_grants", "customers_of"), ids=ids)]
    await tx.get(Customer, owners, lock=True)
    decision = Decision()
    for grant in (await tx.get(CreditGrant, ids)).values():
        decision.add(rules.run_out(grant, tx.now, new_id))
    await _write(tx, decision)


async def know(tx: Transaction, parties: Parties) -> None:
    """Adds the grants that these customers, who are locked, have something left of. Each is asked about once."""
    wanted = [id for id in parties.customers if id not in parties.grants]
    if not wanted:
        return
    parties.grants |= {id: {} for id in wanted}
    for grant in await tx.select(CreditGrant, "t.customer_id = any(%(ids)s) and t.balance > 0", ids=wanted):
        parties.grants[grant.customer][grant.id] = grant


async def know_applied(tx: Transaction, known: Iterable[CollectionFacts]) -> None:
    """Adds what credits have paid of invoices that may become void, and the grants that would get it back."""
    facts = {each.invoice.id: each for each in known if shown(each.invoice.total_pretax_credit_amounts)}
    if not facts:
        return
    where = "t.invoice_id = any(%(ids)s) and t.movement = 'credits_applied'"
    applied = await tx.select(CreditBalanceTransaction, where, ids=list(facts))
    for taken in applied:
        facts[taken.invoice or ""].applied.append(taken)
    grants = await tx.get(CreditGrant, [taken.credit_grant for taken in applied])
    for each in facts.values():
        own = each.parties.grants.setdefault(each.invoice.customer, {})
        for taken in each.applied:
            own.setdefault(taken.credit_grant, grants[taken.credit_grant])


async def need_counted(tx: Transaction, scope: CreditScope, param: str) -> None:
    """Refuses a scope with a price that is not there, or that no meter counts for."""
    named = scope.prices if isinstance(scope.prices, list) else []
    found = await tx.get(Price, [price.id for price in named])
    for number, price in enumerate(named):
        here = f"{param}[prices][{number}][id]"
        if price.id not in found or found[price.id].deleted_at is not None:
            raise Missing("price", price.id or "", here)
        if not rules.is_counted(found[price.id]):
            raise refused(f"The price {price.id} is not a metered price with a billing meter.", here)


async def _locked(tx: Transaction, id: str) -> CreditGrant:
    """The grant as it is once its customer is locked."""
    found = await tx.need(CreditGrant, id)
    customer = await tx.need(Customer, found.customer, lock=True)
    await clocks.now_for(tx, customer.test_clock)
    return await tx.need(CreditGrant, id)


async def _write(tx: Transaction, decision: Decision) -> None:
    await write(tx, [posting.post(decision, tx.now)])
