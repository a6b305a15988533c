"""What billing credits pay of an invoice's lines: which grants are used, in which order, and what a void gives back.

They are used at finalization, after discounts and before tax, for usage that a meter counted. The caller holds the
customer's lock. Amounts are minor units. Sources: docs/behaviour-billing.md, "Billing credits".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from voldaan.resources.billing import PretaxCreditAmount
from voldaan.resources.credit_balance import CreditBalanceTransaction, Movement
from voldaan.resources.credit_grants import CreditGrant
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.prices import Price
from voldaan.rules.credit_grants import is_counted, is_unused, moved, prices_of
from voldaan.rules.decision import Decision, Update
from voldaan.rules.ids import NewId

FOR_EVER = 2**62
CREDIT = "credit_balance_transaction"  # as a line calls what a credit has paid


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


def payable_price(line: LineItem) -> str | None:
    """The price of a line of a subscription item, which credits may pay for if a meter counts for it. None: they never may."""
    return line.price if line.subscription_item and not line.proration else None


def may_pay(line: LineItem, prices: Mapping[str, Price]) -> bool:
    """Whether credits may pay for the line; also where its price is not known yet."""
    id = payable_price(line)
    return id is not None and (id not in prices or is_counted(prices[id]))


def apply(lines: Sequence[Payable], grants: Sequence[CreditGrant]) -> list[list[Use]]:
    """Per line what each grant pays of it. Grants in their order, lines as they stand; no more than there is of either."""
    uses: list[list[Use]] = [[] for _ in lines]
    left = [max(0, line.amount) if line.price is not None else 0 for line in lines]
    for grant in grants:
        balance = grant.balance
        prices = prices_of(grant)
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


def used(grants: dict[str, CreditGrant], invoice: Invoice, uses: Iterable[tuple[LineItem, Use]], now: int) -> Decision:
    """What pays for the lines is taken from the grants, of which `grants` holds the balances so far."""
    decision = Decision()
    for line, use in uses:
        assert use.transaction is not None
        grant = _moved(grants, use.grant, -use.amount, decision)
        decision.add(moved(grant, "credits_applied", use.amount, now, use.transaction, invoice=invoice.id, line=line.id))
    return decision


def give_back(
    grants: dict[str, CreditGrant], applied: Iterable[CreditBalanceTransaction], now: int, new_id: NewId
) -> Decision:
    """The invoice is void: its credits are the grants' again, and of those that have ended they end at once."""
    decision = Decision()
    for taken in applied:
        grant = _moved(grants, taken.credit_grant, taken.value, decision)
        back: Movement = "credits_application_invoice_voided"
        decision.add(moved(grant, back, taken.value, now, new_id("cbtxn"), invoice=taken.invoice, line=taken.line))
        if grant.expires_at is not None and grant.expires_at <= now:
            ended = _moved(grants, grant.id, -taken.value, decision)
            decision.add(moved(ended, "credits_expired", taken.value, now, new_id("cbtxn")))
    return decision


def _moved(grants: dict[str, CreditGrant], id: str, by: int, decision: Decision) -> CreditGrant:
    """The grant with so much more, put back into `grants`."""
    was = grants[id]
    grant = grants[id] = replace(was, balance=was.balance + by)
    decision.updates.append(Update(grant, was))
    return grant
