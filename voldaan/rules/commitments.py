"""Minimum commitments: when an interval of a contract is over and less was billed than was agreed, the rest is billed too.

An interval is settled by the renewal, or the last invoice, that first comes after it. What was billed for it is what lines
came to, before discounts and tax, whose own time begins in it. Usage that arrives later counts as well: then the
difference is billed less. Sources: docs/behaviour-billing.md, "Contracts". Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from voldaan.resources.basis import Basis
from voldaan.resources.contracts import CommitmentPeriod, Contract
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import lines, periods
from voldaan.rules.catalogue import shown
from voldaan.rules.decision import Decision, Update
from voldaan.rules.ids import NewId
from voldaan.rules.money import divide
from voldaan.rules.usage import LATE


class Billed(NamedTuple):
    """A line of an earlier invoice that still stands: when its time begins, and what it came to before discounts and tax."""

    start: int
    amount: int


@dataclass(slots=True)
class Commitments:
    """What a batch must know: the contracts of its customers, intervals that may still change, and what was billed."""

    contracts: dict[str, list[Contract]] = field(default_factory=dict)        # by customer
    open: dict[str, list[CommitmentPeriod]] = field(default_factory=dict)     # by subscription
    of_invoice: dict[str, list[CommitmentPeriod]] = field(default_factory=dict)
    billed: dict[str, list[Billed]] = field(default_factory=dict)             # by subscription, since it was looked at


def settle(
    known: Commitments,
    subscription: Subscription,
    drawn: Sequence[LineItem],
    until: int,
    invoice: str,
    now: int,
    new_id: NewId,
    *,
    ends: bool = False,
) -> tuple[list[LineItem], Decision]:
    """The lines that intervals until then still need on this invoice, whose other lines are `drawn`.

    `ends`: the subscription ends then, and with it the interval that is running.
    """
    decision = Decision()
    still_open = known.open.get(subscription.id, ())
    more = [_charge(subscription, period, drawn, invoice, now, new_id, decision) for period in still_open]
    for contract in known.contracts.get(subscription.customer, ()):
        if contract.subscription != subscription.id or contract.minimum is None or contract.status != "active":
            continue
        more += _new(known, contract, subscription, drawn, until, ends, invoice, now, new_id, decision)
    return [line for line in more if line is not None], decision


def again(known: Commitments, draft: Invoice, after: list[LineItem], new_id: NewId) -> Decision:
    """A draft whose lines were counted anew and are now `after`: the lines for commitments follow, in there too."""
    decision = Decision()
    was = {line.id: line.amount for line in draft.lines.data}
    for period in known.of_invoice.get(draft.id, ()):
        own = next((line for line in after if line.commitment == period.id), None)
        changed = sum(
            line.amount - was.get(line.id, 0) for line in after if _counts(line, period.period_start, period.period_end)
        )
        if not changed:
            continue
        spent = period.spent + changed
        lacking = _lacking(period.committed, spent)
        moved = replace(period, spent=spent, charged=lacking)
        decision.updates.append(Update(moved, period))
        if own is not None:
            amount = own.amount + lacking - period.charged
            at = after.index(own)
            after[at] = replace(own, amount=amount, subtotal=amount, description=_said(moved))
        elif lacking != period.charged:
            line = _line(moved, lacking - period.charged, draft.id, draft.livemode, draft.subscription_metadata or {}, new_id)
            after.append(line)
            decision.inserts.append(line)
    return decision


def holds(known: Commitments, subscription: Subscription) -> bool:
    """Whether the subscription is held to a minimum: then all that is left of it is billed when it ends."""
    return any(
        c.subscription == subscription.id and c.minimum is not None and c.status == "active"
        for c in known.contracts.get(subscription.customer, ())
    )


def interval_at(contract: Contract, zone: str, at: int) -> tuple[int, int]:
    """The interval of the minimum that holds the instant."""
    assert contract.minimum is not None
    minimum = contract.minimum
    found = periods.period_at(contract.starts_at, minimum.interval, minimum.interval_count, at, zone)
    return found.start, found.end


def committed(contract: Contract, whole: tuple[int, int], end: int) -> int:
    """The minimum of an interval, or of its part until `end`."""
    assert contract.minimum is not None
    start, natural = whole
    if end >= natural or contract.minimum.early_end == "full":
        return contract.minimum.amount
    return divide(contract.minimum.amount * (end - start), natural - start)


def spent(billed: Iterable[Billed], start: int, end: int) -> int:
    """What was billed for [start, end)."""
    return sum(each.amount for each in billed if start <= each.start < end)


def _new(
    known: Commitments,
    contract: Contract,
    subscription: Subscription,
    drawn: Sequence[LineItem],
    until: int,
    ends: bool,
    invoice: str,
    now: int,
    new_id: NewId,
    decision: Decision,
) -> list[LineItem | None]:
    """The intervals that have ended since the contract was looked at last; all of them, if it is over."""
    more: list[LineItem | None] = []
    start, over = contract.settled_until, contract.ends_at
    while True:
        whole = interval_at(contract, subscription.timezone, start)
        end = whole[1] if over is None else min(whole[1], over)
        if ends:
            end = min(end, until)
        if end > until or start >= end:
            break
        came_to = spent(known.billed.get(subscription.id, ()), start, end)
        period = CommitmentPeriod(
            id=f"{contract.id}/{start}",
            contract=contract.id,
            subscription=subscription.id,
            invoice=invoice,
            currency=contract.currency,
            period_start=start,
            period_end=end,
            committed=committed(contract, whole, end),
            spent=came_to,
            charged=0,
        )
        decision.inserts.append(period)
        more.append(_charge(subscription, period, drawn, invoice, now, new_id, decision))
        start = end
    is_over = ends or (over is not None and start >= over)
    if start != contract.settled_until or is_over:
        moved = replace(contract, settled_until=start, status="ended" if is_over else "active")
        decision.updates.append(Update(moved, contract))
    return more


def _charge(
    subscription: Subscription,
    was: CommitmentPeriod,
    drawn: Sequence[LineItem],
    invoice: str,
    now: int,
    new_id: NewId,
    decision: Decision,
) -> LineItem | None:
    """The line for what an interval lacks, or lacks no more, with the lines of this invoice in it. Counts them."""
    came_to = was.spent + sum(line.amount for line in drawn if _counts(line, was.period_start, was.period_end))
    lacking = _lacking(was.committed, came_to)
    period = replace(was, spent=came_to, charged=lacking, open=now < was.period_end + LATE)
    if period != was:
        decision.updates.append(Update(period, was))
    if lacking == was.charged:
        return None
    return _line(period, lacking - was.charged, invoice, subscription.livemode, subscription.metadata, new_id)


def _line(
    period: CommitmentPeriod, amount: int, invoice: str, livemode: bool, metadata: dict[str, str], new_id: NewId
) -> LineItem:
    return LineItem(
        id=new_id("il"),
        amount=amount,
        basis=Basis(kind="given"),
        commitment=period.id,
        currency=period.currency,
        description=_said(period),
        discountable=False,
        invoice=invoice,
        livemode=livemode,
        metadata=metadata,
        subscription=period.subscription,
        subtotal=amount,
        period_start=period.period_start,
        period_end=period.period_end,
    )


def _counts(line: LineItem, start: int, end: int) -> bool:
    return line.commitment is None and start <= line.period_start < end


def _lacking(minimum: int, came_to: int) -> int:
    return max(0, minimum - came_to)


def _said(period: CommitmentPeriod) -> str:
    """ "Minimum of €1,000.00 from 01 Jan 2027 until 01 Feb 2027, less €800.00 billed"."""
    least, came_to = shown(period.committed, period.currency), shown(period.spent, period.currency)
    when = f"from {lines.day(period.period_start)} until {lines.day(period.period_end)}"
    return f"Minimum of {least} {when}, less {came_to} billed"
