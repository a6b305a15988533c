"""Billing credits: what may be granted, how a grant is changed and ends, and the transactions that this leaves behind.

A grant's balance is the sum of its transactions. The caller holds the customer's lock. Amounts are minor units. What
credits pay for: rules/credits_used.py. Sources: docs/behaviour-billing.md, "Billing credits".
"""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.base import UnsetType
from voldaan.resources.credit_balance import CreditBalanceTransaction, Movement
from voldaan.resources.credit_grants import (
    ApplicabilityConfig,
    CreditGrant,
    CreditGrantCreate,
    CreditGrantUpdate,
    CreditScope,
    ScopeParams,
    ScopePrice,
)
from voldaan.resources.customers import Customer
from voldaan.resources.prices import Price
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import exclusive, missing, refused

UNUSED_MAX = 100  # grants of one customer at a time


def make(params: CreditGrantCreate, customer: Customer, *, id: str, now: int) -> CreditGrant:
    """The grant that these parameters describe, its whole value still to be used. Its prices are looked up elsewhere."""
    if params.amount.monetary is None:
        raise missing("amount[monetary]")
    effective = now if params.effective_at is None else params.effective_at
    if effective < now:
        raise refused("`effective_at` must not be in the past.", "effective_at")
    if params.expires_at is not None and params.expires_at <= effective:
        raise refused("`expires_at` must be in the future, and after `effective_at`.", "expires_at")
    money = params.amount.monetary
    return CreditGrant(
        id=id,
        applicability_config=ApplicabilityConfig(scope=scope(params.applicability_config.scope, "applicability_config[scope]")),
        balance=money.value,
        category=params.category,
        created=now,
        currency=money.currency,
        customer=customer.id,
        effective_at=effective,
        expires_at=params.expires_at,
        livemode=customer.livemode,
        metadata=merged({}, params.metadata),
        name=params.name,
        priority=params.priority,
        test_clock=customer.test_clock,
        updated=now,
        value=money.value,
    )


def scope(given: ScopeParams, param: str) -> CreditScope:
    """All metered prices, or those that are named; exactly one of the two."""
    if given.price_type is not None and given.prices:
        raise exclusive(f"{param}[price_type]", f"{param}[prices]")
    if given.prices:
        return CreditScope(prices=[ScopePrice(id=price.id) for price in given.prices])
    if given.price_type is None:
        raise missing(f"{param}[price_type]")
    return CreditScope(price_type=given.price_type)


def is_counted(price: Price) -> bool:
    """Whether the price bills what a meter counts: nothing else can be paid with credits."""
    return price.recurring_usage_type == "metered" and price.recurring_meter is not None


def update(grant: CreditGrant, params: CreditGrantUpdate, now: int) -> CreditGrant:
    """The grant with other metadata, or another end. One that has ended has ended."""
    changed = replace(grant, metadata=merged(grant.metadata, params.metadata))
    if "expires_at" in params.model_fields_set:
        expires_at = params.expires_at if isinstance(params.expires_at, int) else None
        if expires_at != grant.expires_at:
            _need_running(grant, now, "changed")
            if expires_at is not None and expires_at <= max(now, grant.effective_at):
                raise refused("`expires_at` must be in the future, and after `effective_at`.", "expires_at")
            changed = replace(changed, expires_at=expires_at)
    return changed if changed == grant else replace(changed, updated=now)


def granted(grant: CreditGrant, new_id: NewId) -> Decision:
    """What writes a new grant, its first transaction, and when it ends."""
    decision = Decision(inserts=[grant], events=[Event("billing.credit_grant.created", grant)], due=_expiry(grant))
    first = moved(grant, "credits_granted", grant.value, grant.created, new_id("cbtxn"), effective_at=grant.effective_at)
    return decision.add(first)


def updated(grant: CreditGrant, was: CreditGrant) -> Decision:
    """What writes an update, and moves the work of its end."""
    decision = Decision(updates=[Update(grant, was)], events=[Event("billing.credit_grant.updated", grant, was)])
    if grant.expires_at != was.expires_at:
        decision.due_cancelled, decision.due = _no_expiry(was), _expiry(grant)
    return decision


def expire(grant: CreditGrant, now: int, new_id: NewId) -> Decision:
    """Somebody ends the grant now. What is left of it is gone."""
    _need_running(grant, now, "expired")
    return _ended(replace(grant, expires_at=now, updated=now), grant, "credits_expired", now, new_id)


def void(grant: CreditGrant, now: int, new_id: NewId) -> Decision:
    """The grant is taken back. Refused once any of it has paid for something."""
    _need_running(grant, now, "voided")
    if grant.balance != grant.value:
        raise refused("You can't void a credit grant that has been applied to an invoice. You can expire what is left of it.")
    return _ended(replace(grant, voided_at=now, updated=now), grant, "credits_voided", now, new_id)


def run_out(grant: CreditGrant, now: int, new_id: NewId) -> Decision:
    """The grant's time has come: what is left of it is gone."""
    if grant.expires_at is None or grant.expires_at > now or not grant.balance:
        return Decision()
    return _emptied(grant, grant, "credits_expired", grant.expires_at, new_id)


def is_unused(grant: CreditGrant, now: int) -> bool:
    """Whether it counts among the hundred that a customer may have."""
    return grant.voided_at is None and grant.balance > 0 and (grant.expires_at is None or now < grant.expires_at)


def available(grant: CreditGrant, now: int) -> int:
    """What of it can be used now."""
    return grant.balance if is_unused(grant, now) and grant.effective_at <= now else 0


def covers(grant: CreditGrant, wanted: CreditScope) -> bool:
    """Whether the grant can pay for everything that this scope names."""
    prices = prices_of(grant)
    if prices is None:
        return True
    if isinstance(wanted.prices, UnsetType):
        return False
    return all(price.id in prices for price in wanted.prices)


def prices_of(grant: CreditGrant) -> frozenset[str | None] | None:
    """The prices that it is for; None: for all that are metered."""
    named = grant.applicability_config.scope.prices
    return None if isinstance(named, UnsetType) else frozenset(price.id for price in named)


# Pieces ---------------------------------------------------------------------------------------------------------------


def _need_running(grant: CreditGrant, now: int, what: str) -> None:
    if grant.voided_at is not None:
        raise refused(f"This credit grant has been voided and can't be {what}.")
    if grant.expires_at is not None and grant.expires_at <= now:
        raise refused(f"This credit grant has expired and can't be {what}.")


def moved(
    grant: CreditGrant,
    movement: Movement,
    value: int,
    at: int,
    id: str,
    *,
    effective_at: int | None = None,
    invoice: str | None = None,
    line: str | None = None,
) -> Decision:
    """The transaction of a movement of the grant's balance: `value` is above zero, the movement says which way it goes."""
    made = CreditBalanceTransaction(
        id=id,
        category=grant.category,
        created=at,
        credit_grant=grant.id,
        currency=grant.currency,
        customer=grant.customer,
        effective_at=at if effective_at is None else effective_at,
        invoice=invoice,
        line=line,
        livemode=grant.livemode,
        movement=movement,
        test_clock=grant.test_clock,
        value=value,
    )
    return Decision(inserts=[made], events=[Event("billing.credit_balance_transaction.created", made)])


def _ended(ended: CreditGrant, was: CreditGrant, movement: Movement, now: int, new_id: NewId) -> Decision:
    decision = Decision(events=[Event("billing.credit_grant.updated", ended, was)], due_cancelled=_no_expiry(was))
    return decision.add(_emptied(ended, was, movement, now, new_id))


def _emptied(ended: CreditGrant, was: CreditGrant, movement: Movement, at: int, new_id: NewId) -> Decision:
    decision = Decision(updates=[Update(replace(ended, balance=0), was)])
    return decision.add(moved(ended, movement, was.balance, at, new_id("cbtxn"))) if was.balance else decision


def _expiry(grant: CreditGrant) -> list[Due]:
    return [] if grant.expires_at is None else [Due("credit_grant.expire", grant.id, grant.expires_at, grant.test_clock)]


def _no_expiry(grant: CreditGrant) -> list[tuple[str, str]]:
    return [] if grant.expires_at is None else [("credit_grant.expire", grant.id)]
