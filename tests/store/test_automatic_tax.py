"""Automatic tax on a real database: a batch is loaded in a fixed number of queries, and what cannot be is found out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.store.billing_world import BillingWorld
from tests.store.blocking import waits_for
from tests.store.payments_world import DAY
from voldaan.commands import (
    customers,
    subscriptions,
    tax_calculations,
    tax_registrations,
    tax_rules,
    tax_settings,
    tax_transactions,
)
from voldaan.resources.customers import Customer, CustomerUpdate
from voldaan.resources.subscriptions import SubscriptionCreate
from voldaan.resources.tax_calculations import TaxCalculationCreate
from voldaan.resources.tax_rates import TaxRate
from voldaan.resources.tax_registrations import TaxRegistrationCreate
from voldaan.resources.tax_rules import TaxRuleCreate
from voldaan.resources.tax_settings import TaxSettingsUpdate
from voldaan.resources.tax_transactions import TaxTransaction, TaxTransactionCreate, TaxTransactionReverse
from voldaan.store import rows
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction, transaction

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tampered(tampered: BillingWorld) -> BillingWorld:
    """A Dutch business in the one-stop shop, with a rate of its own for digital books in Germany."""
    settings = {"head_office": {"address": {"country": "NL"}}, "defaults": {"tax_behavior": "exclusive"}}
    await tampered.do(tax_settings.update, TaxSettingsUpdate.model_validate(settings))
    for options in ({"type": "standard"}, {"type": "oss_union"}):
        registration = {"country": "NL", "active_from": "now", "country_options": {"nl": options}}
        await tampered.do(tax_registrations.create, TaxRegistrationCreate.model_validate(registration))
    rule = {"country": "DE", "percentage": "7", "tax_code": "txcd_10302000", "taxability_reason": "reduced_rated"}
    await tampered.do(tax_rules.create, TaxRuleCreate.model_validate(rule))
    return tampered


async def subscribed(world: BillingWorld, price: Any, country: str = "DE") -> Any:
    customer = await world.customer(address={"country": country})
    return await world.subscribe(customer, price, automatic_tax={"enabled": True})


async def test_a_batch_takes_as_many_queries_as_one(world: BillingWorld, asked: list[str]) -> None:
    price = await world.price(1000)
    first = await subscribed(world, price)
    others = [await subscribed(world, price, country) for country in ("NL", "FR", "AT", "DE", "PL")]

    async def renew(*subscriptions: Any) -> int:
        asked.clear()
        await world.run("subscription.renew", [s.id for s in subscriptions], world.now)
        return len(asked)

    world.now += 31 * DAY
    tallies = [await renew(first), await renew(*others)]
    assert tallies[0] == tallies[1], tallies


async def test_a_rate_is_one_row_however_often_it_is_used(world: BillingWorld) -> None:
    price = await world.price(1000)
    for _ in range(3):
        await subscribed(world, price)
    books = await world.price(1000, name="Books")
    async with world.pool.connection() as connection:
        await connection.execute(
            "update products set doc = doc || '{\"tax_code\": \"txcd_10302000\"}' where id = %s", (books.product,)
        )
    await subscribed(world, books)
    rates = await world.rows(TaxRate)
    assert sorted((r.country, str(r.percentage), r.active, r.taxability_reason) for r in rates) == [
        ("DE", "19", False, "standard_rated"),
        ("DE", "7", False, "reduced_rated"),
    ]
    taxes = [(i.total, [(t.amount, t.taxability_reason) for t in i.total_taxes or []]) for i in await world.invoices()]
    assert taxes == [(1190, [(190, "standard_rated")])] * 3 + [(1070, [(70, "reduced_rated")])]


DAMAGE = {
    "T1": "delete from tax_rates where account_id = %(account)s",
    "T2": "update invoices set doc = jsonb_set(doc, '{automatic_tax,status}', '\"failed\"') where account_id = %(account)s",
}


@pytest.mark.parametrize("invariant", DAMAGE)
async def test_what_cannot_be_is_found(tampered: BillingWorld, invariant: str) -> None:
    await subscribed(tampered, await tampered.price(1000))
    await tampered.check_invariants()
    await tampered.change(DAMAGE[invariant])
    assert invariant in await tampered.breaches()


async def test_a_renewal_without_a_place_waits_and_the_others_go_on(world: BillingWorld) -> None:
    price = await world.price(1000)
    lost, found = await subscribed(world, price), await subscribed(world, price)
    customer = await world.whole(Customer(id=lost.customer, created=0, invoice_prefix="", livemode=False))
    await world.do(customers.update, CustomerUpdate.model_validate({"address": ""}), customer.id)
    world.now += 31 * DAY
    await world.run("subscription.renew", [lost.id, found.id], world.now)
    world.now += 3600
    drafts = [i.id for i in await world.invoices() if i.status == "draft"]
    await world.run("invoice.finalize", drafts, world.now)
    after = {i.subscription: i for i in await world.invoices() if i.id in drafts}
    assert after[found.id].status == "paid"
    stays = after[lost.id]
    assert (stays.status, stays.automatic_tax.status) == ("draft", "requires_location_inputs")
    assert stays.last_finalization_error is not None
    assert stays.last_finalization_error["code"] == "customer_tax_location_invalid"
    assert (await world.events()).count("invoice.finalization_failed") == 1


class Gone(Exception):
    """The first transaction does not commit."""


@pytest.mark.parametrize("commits", [True, False])
async def test_two_at_once_make_a_rate_for_the_first_time(world: BillingWorld, commits: bool) -> None:
    price = await world.price(1000)
    anna, ben = [await world.customer(address={"country": "AT"}) for _ in range(2)]

    async def create(tx: Transaction, customer: Customer) -> None:
        terms = {"items": [{"price": price.id}], "automatic_tax": {"enabled": True}, "payment_behavior": "default_incomplete"}
        await subscriptions.create(tx, SubscriptionCreate(customer=customer.id, **terms))

    async def second() -> None:
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await create(tx, ben)

    with suppress(Gone):
        async with transaction(world.pool, world.account, world.now, world.now) as tx:
            await create(tx, anna)
            other = asyncio.create_task(second())
            await waits_for(world.pool, tx)
            assert not other.done()
            if not commits:
                raise Gone
    await other
    assert [(rate.country, str(rate.percentage)) for rate in await world.rows(TaxRate)] == [("AT", "20")]
    assert [invoice.total for invoice in await world.invoices()] == [1200] * (1 + commits)


async def test_a_reversal_by_hand_and_one_by_a_refund_do_not_wait_for_each_other(world: BillingWorld) -> None:
    """Both take the account's tax lock before the transaction that they take back of."""
    buyer = {"address": {"country": "DE"}, "address_source": "billing"}
    asked = {"currency": "eur", "customer_details": buyer, "line_items": [{"amount": 1000}]}
    calculation = await world.do(tax_calculations.create, TaxCalculationCreate.model_validate(asked))
    sale = await world.do(tax_transactions.create, TaxTransactionCreate(calculation=calculation.id, reference="sale"))
    by_hand = TaxTransactionReverse(mode="full", original_transaction=sale.id, reference="by hand")
    async with transaction(world.pool, world.account, world.now, world.now) as tx:
        await tx.run(query("taxes", "lock"))
        other = asyncio.create_task(world.do(tax_transactions.reverse, by_hand))
        await waits_for(world.pool, tx)
        assert sale.id in await tx.get(TaxTransaction, [sale.id], lock=True)
    assert (await other).original == sale.id
    await world.check_invariants()


async def test_rates_are_made_in_the_order_of_their_ids(world: BillingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that make the same rates in different orders would wait for each other without end."""
    price = await world.price(1000)
    found = []
    for country in ("DE", "FR", "AT", "PL", "IT", "SE"):
        found.append(await subscribed(world, price, "NL"))
        moved = CustomerUpdate.model_validate({"address": {"country": country}})
        await world.do(customers.update, moved, found[-1].customer)
    kept: list[list[str]] = []
    real = rows.insert_rows

    def noting(resources: Any) -> Any:
        if resources and isinstance(resources[0], TaxRate):
            kept.append([each.id for each in resources])
        return real(resources)

    monkeypatch.setattr(rows, "insert_rows", noting)
    world.now += 31 * DAY
    await world.run("subscription.renew", [s.id for s in found], world.now)
    assert len(kept) == 1
    assert len(kept[0]) == 6
    assert kept[0] == sorted(kept[0])
