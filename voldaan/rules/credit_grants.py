"""Billing credits: what may be granted, which grants pay for which lines, and how their balances move.

They are used at finalization, after discounts and before tax, for usage that a meter counted. Every movement leaves a
transaction behind; a grant's balance is the sum of its own. The caller holds the customer's lock. Amounts are minor
units. Sources: docs/behaviour-billing.md, "Billing credits".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from voldaan.resources.base import UNSET, UnsetType
from voldaan.resources.billing import PretaxCreditAmount
from voldaan.resources.credit_balance import CREDITS, CreditBalanceTransaction, Movement
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
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.prices import Price
from voldaan.rules.decision import Decision, Due, Event, Update
from voldaan.rules.ids import NewId
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import exclusive, missing, refused

UNUSED_MAX = 100  # grants of one customer at a time
FOR_EVER = 2**62
CREDIT = "credit_balance_transaction"  # as a line calls what a credit has paid


# What may be asked for -------------------------------------------------------------------------------------------------


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


def payable_price(line: LineItem) -> str | None:
    """The price of a line of a subscription item, which credits may pay for if a meter counts for it. None: they never may."""
    return line.price if line.subscription_item and not line.proration else None


def may_pay(line: LineItem, prices: Mapping[str, Price]) -> bool:
    """Whether credits may pay for the line; also where its price is not known yet."""
    id = payable_price(line)
    return id is not None and (id not in prices or is_counted(prices[id]))


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
    decision = Decision(inserts=[grant], events=[Event("billing.credit_grant.created", grant)])
    _record(decision, grant, "credits_granted", grant.value, grant.created, new_id, effective_at=grant.effective_at)
    if grant.expires_at is not None:
        decision.due.append(expiry(grant, grant.expires_at))
    return decision


def updated(grant: CreditGrant, was: CreditGrant) -> Decision:
    """What writes an update, and moves the work of its end."""
    decision = Decision(updates=[Update(grant, was)], events=[Event("billing.credit_grant.updated", grant, was)])
    if grant.expires_at != was.expires_at:
        if was.expires_at is not None:
            decision.due_cancelled.append(("credit_grant.expire", grant.id))
        if grant.expires_at is not None:
            decision.due.append(expiry(grant, grant.expires_at))
    return decision


def expire(grant: CreditGrant, now: int, new_id: NewId) -> Decision:
    """Somebody ends the grant now. What is left of it is gone."""
    _need_running(grant, now, "expired")
    ended = replace(grant, expires_at=now, updated=now)
    decision = Decision(events=[Event("billing.credit_grant.updated", ended, grant)])
    if grant.expires_at is not None:
        decision.due_cancelled.append(("credit_grant.expire", grant.id))
    return _emptied(decision, ended, grant, "credits_expired", now, new_id)


def run_out(grant: CreditGrant, now: int, new_id: NewId) -> Decision:
    """The grant's time has come: what is left of it is gone."""
    if grant.expires_at is None or grant.expires_at > now or not grant.balance:
        return Decision()
    return _emptied(Decision(), grant, grant, "credits_expired", grant.expires_at, new_id)


def void(grant: CreditGrant, now: int, new_id: NewId) -> Decision:
    """The grant is taken back. Refused once any of it has paid for something."""
    _need_running(grant, now, "voided")
    if grant.balance != grant.value:
        raise refused("You can't void a credit grant that has been applied to an invoice. You can expire what is left of it.")
    voided = replace(grant, voided_at=now, updated=now)
    decision = Decision(events=[Event("billing.credit_grant.updated", voided, grant)])
    if grant.expires_at is not None:
        decision.due_cancelled.append(("credit_grant.expire", grant.id))
    return _emptied(decision, voided, grant, "credits_voided", now, new_id)


def is_unused(grant: CreditGrant, now: int) -> bool:
    """Whether it counts among the hundred that a customer may have."""
    return grant.voided_at is None and grant.balance > 0 and (grant.expires_at is None or now < grant.expires_at)


def available(grant: CreditGrant, now: int) -> int:
    """What of it can be used now."""
    return grant.balance if is_unused(grant, now) and grant.effective_at <= now else 0


def expiry(grant: CreditGrant, at: int) -> Due:
    return Due("credit_grant.expire", grant.id, at, grant.test_clock)


# Using them ------------------------------------------------------------------------------------------------------------


class Payable(NamedTuple):
    """What credits could pay of a line: its amount after discounts, and its metered price; None: nothing."""

    amount: int
    price: str | None


class Use(NamedTuple):
    """A part of a grant that pays for a part of a line."""

    grant: str
    amount: int
    transaction: str | None = None


Paying = Callable[[Sequence[Payable]], list[list[Use]]]
"""What is paid of each line."""


def usable(grants: Mapping[str, CreditGrant], invoice: Invoice, now: int) -> list[CreditGrant]:
    """Those of the customer's grants that may pay for this invoice, in the order in which they are used up.

    Priority, then the sooner end, promotional before paid, the sooner start, the older. What counts is where the
    invoice's period ends; and what has ended by now is gone.
    """
    if not grants or invoice.subscription is None:
        return []
    found = [
        grant
        for grant in grants.values()
        if grant.currency == invoice.currency
        and grant.effective_at <= invoice.period_end
        and (grant.expires_at is None or grant.expires_at > invoice.period_end)
        and is_unused(grant, now)
    ]
    return sorted(found, key=_turn)


def matter(grants: Mapping[str, CreditGrant], draft: Invoice, now: int) -> bool:
    """Whether credits may change what the draft comes to: there are some, or it shows some."""
    return bool(shown(draft.total_pretax_credit_amounts) or usable(grants, draft, now))


def _turn(grant: CreditGrant) -> tuple[int, int, bool, int, int, str]:
    end = FOR_EVER if grant.expires_at is None else grant.expires_at
    return grant.priority, end, grant.category == "paid", grant.effective_at, grant.created, grant.id


def apply(lines: Sequence[Payable], grants: Sequence[CreditGrant]) -> list[list[Use]]:
    """Per line what each grant pays of it. Grants in their order, lines as they stand; no more than there is of either."""
    uses: list[list[Use]] = [[] for _ in lines]
    left = [max(0, line.amount) if line.price is not None else 0 for line in lines]
    for grant in grants:
        balance = grant.balance
        prices = _prices(grant)
        for index, line in enumerate(lines):
            paid = min(balance, left[index])
            if not paid or (prices is not None and line.price not in prices):
                continue
            uses[index].append(Use(grant.id, paid))
            left[index] -= paid
            balance -= paid
    return uses


def paying(grants: Sequence[CreditGrant], new_id: NewId | None) -> Paying | None:
    """What these grants pay, each use with the id of a transaction where there is a `new_id`."""
    if not grants:
        return None

    def pay(lines: Sequence[Payable]) -> list[list[Use]]:
        uses = apply(lines, grants)
        return uses if new_id is None else [[u._replace(transaction=new_id("cbtxn")) for u in each] for each in uses]

    return pay


def paid_before(lines: Sequence[LineItem]) -> Paying | None:
    """What credits have paid of these lines by what they say, as far as there still is something to pay."""
    stated = [[c.amount for c in line.pretax_credit_amounts or [] if c.type == CREDIT] for line in lines]
    if not any(stated):
        return None

    def pay(payable: Sequence[Payable]) -> list[list[Use]]:
        uses = []
        for amounts, line in zip(stated, payable, strict=True):
            left = max(0, line.amount)
            uses.append([Use("", paid) for paid in _within(amounts, left)])
        return uses

    return pay


def _within(amounts: Sequence[int], left: int) -> list[int]:
    """The amounts in their order, as far as they go."""
    found = []
    for amount in amounts:
        paid = min(amount, left)
        left -= paid
        found.append(paid)
    return found


def of_line(line: LineItem) -> int:
    """What credits pay of a line, by what it says."""
    return shown(line.pretax_credit_amounts)


def shown(amounts: Iterable[PretaxCreditAmount] | None) -> int:
    """What of these amounts before tax are billing credits; the others are discounts."""
    return sum(each.amount for each in amounts or [] if each.type == CREDIT)


def total(uses: Sequence[Use]) -> int:
    """What the grants pay of one line together."""
    return sum(use.amount for use in uses)


def used(
    grants: dict[str, CreditGrant],
    invoice: Invoice,
    uses: Iterable[tuple[LineItem, Use]],
    now: int,
) -> Decision:
    """What pays for the lines is taken from the grants, of which `grants` holds the balances so far."""
    decision = Decision()
    for line, use in uses:
        assert use.transaction is not None
        was = grants[use.grant]
        grant = grants[use.grant] = replace(was, balance=was.balance - use.amount)
        decision.updates.append(Update(grant, was))
        _add(decision, _transaction(grant, "credits_applied", use.amount, now, use.transaction, invoice.id, line.id))
    return decision


def give_back(
    grants: dict[str, CreditGrant], applied: Iterable[CreditBalanceTransaction], now: int, new_id: NewId
) -> Decision:
    """The invoice is void: its credits are the grants' again, and of those that have ended they end at once."""
    decision = Decision()
    for taken in applied:
        was = grants[taken.credit_grant]
        grant = grants[was.id] = replace(was, balance=was.balance + taken.value)
        decision.updates.append(Update(grant, was))
        movement: Movement = "credits_application_invoice_voided"
        _add(decision, _transaction(grant, movement, taken.value, now, new_id("cbtxn"), taken.invoice, taken.line))
        if grant.expires_at is not None and grant.expires_at <= now:
            ended = grants[was.id] = replace(grant, balance=grant.balance - taken.value)
            decision.updates.append(Update(ended, grant))
            _record(decision, ended, "credits_expired", taken.value, now, new_id)
    return decision


def balance_of(transactions: Iterable[CreditBalanceTransaction]) -> int:
    """What the transactions of a grant come to."""
    return sum(t.value if t.movement in CREDITS else -t.value for t in transactions)


# Pieces ----------------------------------------------------------------------------------------------------------------


def covers(grant: CreditGrant, wanted: CreditScope) -> bool:
    """Whether the grant can pay for everything that this scope names."""
    prices = _prices(grant)
    if prices is None:
        return True
    if isinstance(wanted.prices, UnsetType):
        return False
    return all(price.id in prices for price in wanted.prices)


def _prices(grant: CreditGrant) -> frozenset[str | None] | None:
    """The prices that it is for; None: for all that are metered."""
    named = grant.applicability_config.scope.prices
    return None if named is UNSET or isinstance(named, UnsetType) else frozenset(price.id for price in named)


def _need_running(grant: CreditGrant, now: int, what: str) -> None:
    if grant.voided_at is not None:
        raise refused(f"This credit grant has been voided and can't be {what}.")
    if grant.expires_at is not None and grant.expires_at <= now:
        raise refused(f"This credit grant has expired and can't be {what}.")


def _emptied(
    decision: Decision, ended: CreditGrant, was: CreditGrant, movement: Movement, at: int, new_id: NewId
) -> Decision:
    left = was.balance
    decision.updates.append(Update(replace(ended, balance=0), was))
    if left:
        _record(decision, ended, movement, left, at, new_id)
    return decision


def _record(
    decision: Decision,
    grant: CreditGrant,
    movement: Movement,
    value: int,
    at: int,
    new_id: NewId,
    effective_at: int | None = None,
) -> None:
    made = _transaction(grant, movement, value, at, new_id("cbtxn"))
    _add(decision, made if effective_at is None else replace(made, effective_at=effective_at))


def _add(decision: Decision, made: CreditBalanceTransaction) -> None:
    decision.inserts.append(made)
    decision.events.append(Event("billing.credit_balance_transaction.created", made))


def _transaction(
    grant: CreditGrant,
    movement: Movement,
    value: int,
    at: int,
    id: str,
    invoice: str | None = None,
    line: str | None = None,
) -> CreditBalanceTransaction:
    return CreditBalanceTransaction(
        id=id,
        category=grant.category,
        created=at,
        credit_grant=grant.id,
        currency=grant.currency,
        customer=grant.customer,
        effective_at=at,
        invoice=invoice,
        line=line,
        livemode=grant.livemode,
        movement=movement,
        test_clock=grant.test_clock,
        value=value,
    )
