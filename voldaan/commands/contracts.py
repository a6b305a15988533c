"""Contracts: made, changed and ended; and all that holds for a customer, as sales and support want to see it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.commands import billing, clocks, contract_facts
from voldaan.resources.base import UNSET
from voldaan.resources.contracts import (
    Contract,
    ContractCreate,
    ContractEnd,
    ContractTerms,
    ContractUpdate,
    Minimum,
    PriceOverride,
    PriceOverrideParams,
    RunningCommitment,
)
from voldaan.resources.customers import Customer
from voldaan.resources.params import Params
from voldaan.resources.prices import Price
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import commitments, states
from voldaan.rules import contracts as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Event, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused, renamed
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: ContractCreate) -> Contract:
    """A contract with a customer. It holds for what is billed from its start on; what was billed before stays."""
    named = [params.subscription] if params.subscription else []
    facts = await billing.load(tx, customers=[params.customer], subscriptions=named)
    customer = billing.living(facts, params.customer)
    await clocks.now_for(tx, customer.test_clock)
    subscription = _subscription(facts, params.subscription, customer)
    starts_at = _start(params, subscription, tx.now)
    if params.ends_at is not None and params.ends_at <= max(starts_at, tx.now):
        raise refused("A contract must end after it starts, in the future.", "ends_at")
    if params.minimum is not None and subscription is None:
        raise refused("A minimum needs the `subscription` that it is held against.", "subscription", "parameter_missing")
    _check_alone(facts, params, subscription)
    decision = Decision()
    contract = Contract(
        id=new_id("ctr"),
        created=tx.now,
        currency=subscription.currency if subscription else customer.currency or tx.account.default_currency,
        customer=customer.id,
        ends_at=params.ends_at,
        livemode=tx.account.livemode,
        metadata=merged({}, params.metadata),
        minimum=_minimum(params),
        name=params.name,
        price_overrides=await _overrides(tx, params.price_overrides, params.name, decision),
        settled_until=starts_at,
        starts_at=starts_at,
        subscription=params.subscription,
        terms=params.terms,
        test_clock=customer.test_clock,
    )
    rules.check_overlap(contract, facts.commitments.contracts.get(customer.id, []))
    decision.inserts.append(contract)
    await write(tx, [decision])
    return contract


async def update(tx: Transaction, params: ContractUpdate, id: str) -> Contract:
    """Changes words, end and prices. What is billed already stays as it was billed; the minimum stands as it was agreed."""
    facts, was = await _load(tx, id)
    if was.status == "ended" and params.given().keys() - {"metadata", "name", "terms"}:
        raise refused("A contract that has ended can only change its name, terms and metadata.")
    decision, values = Decision(), dict[str, Any]()
    if params.name is not None:
        values["name"] = params.name
    if params.terms is not None:
        values["terms"] = params.terms or None
    if params.ends_at is not None:
        values["ends_at"] = params.ends_at or None
        if values["ends_at"] is not None and values["ends_at"] <= tx.now:
            raise refused("A contract must end in the future; to end it now, POST to its `/end`.", "ends_at")
    if params.price_overrides is not None:
        given: Sequence[PriceOverrideParams] = params.price_overrides or []
        values["price_overrides"] = await _overrides(tx, given, was.name, decision)
    contract = replace(was, metadata=merged(was.metadata, params.metadata), **values)
    contract = rules.changed(contract, was, tx.now)
    rules.check_overlap(contract, facts.commitments.contracts[was.customer])
    if contract != was:
        decision.updates.append(Update(contract, was))
        await write(tx, [decision])
    return contract


async def end(tx: Transaction, params: ContractEnd, id: str) -> Contract:
    """The contract ends now. The interval of its minimum that is running is settled by the next invoice."""
    _, was = await _load(tx, id)
    if was.status == "ended" or (was.ends_at is not None and was.ends_at <= tx.now):
        raise refused("This contract has ended already.")
    contract = replace(was, ends_at=max(tx.now, was.starts_at))
    if contract.minimum is None or contract.ends_at == contract.starts_at:
        contract = replace(contract, status="ended")
    await write(tx, [Decision(updates=[Update(contract, was)])])
    return contract


async def terms(tx: Transaction, params: Params, id: str) -> ContractTerms:
    """All that holds for a customer now beside the price list, and how far each minimum is met."""
    customer = await tx.need(Customer, id)
    if customer.deleted_at is not None:
        raise Missing("customer", id)
    await clocks.now_for(tx, customer.test_clock)
    found = await tx.select(Contract, "t.customer_id = %(id)s and t.status = 'active'", id=id)
    held = await tx.get(Subscription, [contract.subscription for contract in found])
    billed = await contract_facts.billed(tx, found)
    running = []
    for contract in found:
        subscription = held.get(contract.subscription or "")
        if subscription is None or contract.minimum is None or contract.starts_at > tx.now:
            continue
        start, natural = commitments.interval_at(contract, subscription.timezone, tx.now)
        end = natural if contract.ends_at is None else min(natural, contract.ends_at)
        least = commitments.committed(contract, (start, natural), end)
        came_to = commitments.spent(billed.get(subscription.id, ()), start, end)
        running.append(
            RunningCommitment(
                contract=contract.id, currency=contract.currency, period_start=start, period_end=end,
                committed=least, spent=came_to, remaining=max(0, least - came_to),
            )
        )  # fmt: skip
    return ContractTerms(
        id=id,
        customer=id,
        contracts=sorted(found, key=lambda contract: contract.id),
        price_overrides=[o for contract in found if rules.is_in_force(contract, tx.now) for o in contract.price_overrides],
        commitments=running,
        timezone=customer.timezone or tx.account.settings_billing.timezone,
    )


async def _load(tx: Transaction, id: str) -> tuple[BillingFacts, Contract]:
    """A contract as it stands under its customer's lock, and that customer's others."""
    found = await tx.need(Contract, id)
    facts = await billing.load(tx, customers=[found.customer], pending=False)
    await clocks.now_for(tx, found.test_clock)
    return facts, next(c for c in facts.commitments.contracts[found.customer] if c.id == id)


def _start(params: ContractCreate, subscription: Subscription | None, now: int) -> int:
    """When it begins: as asked, or now; with a minimum, together with the period that the subscription is in."""
    if params.starts_at is not None:
        return params.starts_at
    if subscription is None or params.minimum is None:
        return now
    return subscription.current_period_start


def _subscription(facts: BillingFacts, id: str | None, customer: Customer) -> Subscription | None:
    if id is None:
        return None
    subscription = facts.parties.subscriptions.get(id)
    if subscription is None or subscription.customer != customer.id:
        raise Missing("subscription", id, "subscription")
    if subscription.status in states.SUBSCRIPTION_ENDED:
        raise refused("The subscription has ended.", "subscription")
    return subscription


def _check_alone(facts: BillingFacts, params: ContractCreate, subscription: Subscription | None) -> None:
    """A subscription is held to one minimum at a time."""
    if subscription is None or params.minimum is None:
        return
    for other in facts.commitments.contracts.get(subscription.customer, []):
        if other.subscription == subscription.id and other.minimum is not None and other.status == "active":
            raise refused(f"The subscription is held to the minimum of {other.id} already.", "subscription")


def _minimum(params: ContractCreate) -> Minimum | None:
    given = params.minimum
    if given is None:
        return None
    return Minimum(
        amount=given.amount, interval=given.interval, interval_count=given.interval_count, early_end=given.early_end
    )


async def _overrides(
    tx: Transaction, wanted: Sequence[PriceOverrideParams], name: str, decision: Decision
) -> list[PriceOverride]:
    """What is charged for what; a price that is only described is made, and is not for others."""
    known = await tx.get(Price, [id for each in wanted for id in (each.price, each.override)])
    found: list[PriceOverride] = []
    for number, each in enumerate(wanted):
        here = f"price_overrides[{number}]"
        for param, id in (("price", each.price), ("override", each.override)):
            if id is not None and (id not in known or known[id].deleted_at is not None):
                raise Missing("price", id, f"{here}[{param}]")
        listed = known[each.price]
        if each.override_data is not None:
            override = _made(tx, listed, each.override_data.unit_amount, name)
            decision.inserts.append(override)
            decision.events.append(Event("price.created", override))
        else:
            override = known[each.override or ""]
        try:
            rules.check_override(listed, override, [o.price for o in found])
        except Refused as no:
            raise renamed(no, f"{here}[{no.refusal.param}]") from no
        found.append(PriceOverride(price=listed.id, override=override.id))
    return found


def _made(tx: Transaction, listed: Price, unit_amount: int, name: str) -> Price:
    return replace(
        listed,
        id=new_id("price"),
        active=False,
        billing_scheme="per_unit",
        created=tx.now,
        currency_options=UNSET,
        lookup_key=None,
        metadata={},
        nickname=name,
        sort_key=new_id("at"),
        tiers=UNSET,
        tiers_mode=None,
        transform_quantity=None,
        unit_amount=unit_amount,
        unit_amount_decimal=Decimal(unit_amount),
    )
