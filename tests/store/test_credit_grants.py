"""Billing credits on a real database: a batch takes as many queries as one, whatever it holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.payments_world import DAY, HOUR
from voldaan.commands import credit_grants, invoices
from voldaan.resources.credit_grants import CreditGrant, CreditGrantCreate
from voldaan.resources.invoice_params import InvoiceVoid
from voldaan.store.queries import shelf

pytestmark = pytest.mark.anyio


async def grant(world: BillingWorld, customer: Any, value: int, **more: Any) -> CreditGrant:
    given = {
        "customer": customer.id, "amount": {"type": "monetary", "monetary": {"currency": "eur", "value": value}},
        "applicability_config": {"scope": {"price_type": "metered"}}, **more,
    }  # fmt: skip
    made: CreditGrant = await world.do(credit_grants.create, CreditGrantCreate.model_validate(given))
    return made


async def test_a_batch_with_credits_takes_as_many_queries_as_one(world: BillingWorld, asked: list[str]) -> None:
    calls = await world.metered()
    tallies = []
    for many in (1, 4):
        subscriptions, grants = [], []
        for _ in range(many):
            anna = await world.customer()
            subscriptions.append(await world.subscribe(anna, calls))
            await world.used(anna, 50)
            for value in (100, 200, 900):
                grants.append(await grant(world, anna, value, category="promotional", expires_at=world.now + 40 * DAY))
        due = subscriptions[0].items.data[0].current_period_end
        counted = []
        ends = grants[0].expires_at or 0
        for kind, at in (("subscription.renew", due), ("invoice.finalize", due + 3600), ("credit_grant.expire", ends)):
            world.now = at
            subjects = {
                "subscription.renew": [s.id for s in subscriptions],
                "invoice.finalize": [i.id for s in subscriptions for i in await world.invoices(s) if i.status == "draft"],
                "credit_grant.expire": [g.id for g in grants],
            }[kind]
            asked.clear()
            await world.run(kind, subjects, at)
            counted.append(len(asked))
        tallies.append(counted)
        for each in subscriptions:
            [invoice] = [i for i in await world.invoices(each) if i.subtotal]
            assert (invoice.subtotal, invoice.total) == (500, 0)
            assert [c.amount for c in invoice.total_pretax_credit_amounts] == [100, 200, 200]
        left = await world.rows(CreditGrant, "t.id = any(%(ids)s)", ids=[g.id for g in grants])
        assert [g.balance for g in left] == [0] * len(left)
    assert tallies[0] == tallies[1]


# What an invoice shows and what was taken for it: broken by hand, and seen ------------------------------------------------

IS = "where account_id = %(only)s and status ="
APPLIED = "account_id = %(only)s and movement = 'credits_applied'"
SHOWN = "'{total_pretax_credit_amounts,0,amount}'"
BREAKS = {
    "less was taken": f"update credit_balance_transactions set value = value - 1 where {APPLIED}",
    "more is shown": f"update invoices set doc = jsonb_set(doc, {SHOWN}, '301') where account_id = %(only)s and status = 'open'",
    "shown, and never taken": f"delete from credit_balance_transactions where {APPLIED}",
    "taken, and not shown": "update invoices set doc = doc - 'total_pretax_credit_amounts' where account_id = %(only)s",
    "void, and kept": f"update invoices set status = 'void', voided_at = now() {IS} 'open'",
    "given back, and not void": f"update invoices set status = 'open', voided_at = null {IS} 'void'",
}


async def test_credits_that_an_invoice_did_not_take_are_seen(tampered: BillingWorld) -> None:
    calls = await tampered.metered()
    for verb in ("stands", "is void"):
        anna = await tampered.customer()
        subscription = await tampered.subscribe(anna, calls, collection_method="send_invoice", days_until_due=14)
        await tampered.used(anna, 50)
        await grant(tampered, anna, 300)
        await tampered.pass_time(31 * DAY + 2 * HOUR)
        [invoice] = [i for i in await tampered.invoices(subscription) if i.subtotal]
        assert (invoice.status, invoice.total) == ("open", 200)
        if verb == "is void":
            await tampered.do(invoices.void, InvoiceVoid(), invoice.id)
    values = {"only": tampered.account.id}
    look = shelf("verify")["C3_invoices_took_what_credits_gave"]
    async with tampered.pool.connection() as connection:
        assert await (await connection.execute(look, values)).fetchall() == []
        for how, breach in BREAKS.items():
            async with connection.transaction(force_rollback=True):
                assert (await connection.execute(breach, values)).rowcount
                assert await (await connection.execute(look, values)).fetchall(), how
