"""What a customer's billing credits come to."""

from __future__ import annotations

from voldaan.commands import clocks, customers
from voldaan.commands.credit_grants import need_counted
from voldaan.resources.credit_balance import Balances, CreditBalanceSummary, CreditBalanceSummaryRetrieve
from voldaan.resources.credit_grants import CreditAmount, CreditGrant, Monetary
from voldaan.rules import credit_grants as rules
from voldaan.rules.refusals import missing
from voldaan.store.transaction import Missing, Transaction


async def summary(tx: Transaction, params: CreditBalanceSummaryRetrieve) -> CreditBalanceSummary:
    """GET /v1/billing/credit_balance_summary: by currency, of one grant or of all that can pay for certain prices."""
    if params.customer is None:
        raise missing("customer")
    customer = await customers.living(tx, params.customer, param="customer")
    await clocks.now_for(tx, customer.test_clock)
    grants = await _meant(tx, params, customer.id)
    currencies = sorted({grant.currency for grant in grants})
    return CreditBalanceSummary(
        balances=[_balances([g for g in grants if g.currency == currency], currency, tx.now) for currency in currencies],
        customer=customer.id,
        livemode=tx.account.livemode,
    )


async def _meant(tx: Transaction, params: CreditBalanceSummaryRetrieve, customer: str) -> list[CreditGrant]:
    """The grants that the filter asks for."""
    asked = params.filter
    if asked.type == "credit_grant":
        if asked.credit_grant is None:
            raise missing("filter[credit_grant]")
        grant = await tx.need(CreditGrant, asked.credit_grant, param="filter[credit_grant]")
        if grant.customer != customer:
            raise Missing("billing.credit_grant", grant.id, "filter[credit_grant]")
        return [grant]
    if asked.applicability_scope is None:
        raise missing("filter[applicability_scope]")
    scope = rules.scope(asked.applicability_scope, "filter[applicability_scope]")
    await need_counted(tx, scope, "filter[applicability_scope]")
    every = await tx.select(CreditGrant, "t.customer_id = %(customer)s", customer=customer)
    return [grant for grant in every if rules.covers(grant, scope)]


def _balances(grants: list[CreditGrant], currency: str, now: int) -> Balances:
    return Balances(
        available_balance=_amount(sum(rules.available(grant, now) for grant in grants), currency),
        ledger_balance=_amount(sum(grant.balance for grant in grants), currency),
    )


def _amount(value: int, currency: str) -> CreditAmount:
    return CreditAmount(monetary=Monetary(currency=currency, value=value))
