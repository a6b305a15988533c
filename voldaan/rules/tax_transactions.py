"""Tax transactions: made of a calculation, and taken back in whole or in part, never more than there was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.tax_calculations import TaxCalculation, TaxCalculationLineItem, TaxShippingCost
from voldaan.resources.tax_transactions import (
    LineReversal,
    TaxTransaction,
    TaxTransactionCreate,
    TaxTransactionLineItem,
    TaxTransactionReverse,
    TransactionReversal,
)
from voldaan.rules.ids import NewId
from voldaan.rules.money import split
from voldaan.rules.refusals import missing, refused
from voldaan.rules.tax import credited

Part = TaxTransactionLineItem | TaxShippingCost


@dataclass(slots=True)
class Original:
    """A transaction with its lines, and every reversal of it with theirs."""

    transaction: TaxTransaction
    lines: list[TaxTransactionLineItem]
    reversals: list[TaxTransaction] = field(default_factory=list)
    reversed: list[TaxTransactionLineItem] = field(default_factory=list)


def of_calculation(
    calculation: TaxCalculation, lines: Sequence[TaxCalculationLineItem], params: TaxTransactionCreate, now: int, new_id: NewId
) -> TaxTransaction:
    """What was calculated has become due."""
    id = new_id("tax")
    return TaxTransaction(
        id=id,
        calculation=calculation.id,
        created=now,
        currency=calculation.currency,
        customer=calculation.customer,
        customer_details=calculation.customer_details,
        line_items=_page(id, [
            TaxTransactionLineItem(
                id=new_id("tax_li"), amount=line.amount, amount_tax=line.amount_tax, livemode=line.livemode,
                metadata=line.metadata, product=line.product, quantity=line.quantity, reference=line.reference,
                tax_behavior=line.tax_behavior, tax_code=line.tax_code, transaction=id,
            )
            for line in lines
        ]),
        livemode=calculation.livemode,
        metadata=params.metadata or {},
        posted_at=now if params.posted_at is None else params.posted_at,
        reference=params.reference,
        ship_from_details=calculation.ship_from_details,
        shipping_cost=_without_breakdown(calculation.shipping_cost),
        tax_date=calculation.tax_date,
    )  # fmt: skip


def reverse(original: Original, params: TaxTransactionReverse, now: int, new_id: NewId) -> TaxTransaction:
    """What is taken back: all that is left, a sum shared over the lines, or what each line says."""
    was = original.transaction
    if was.type == "reversal":
        raise refused("A reversal cannot be reversed.", "original_transaction")
    id = new_id("tax")
    if params.mode == "full":
        lines, shipping = _all(original, id, params, new_id)
    elif params.flat_amount is not None:
        if params.line_items or params.shipping_cost is not None:
            raise refused("You may only specify one of these parameters: flat_amount, line_items.", "flat_amount")
        lines, shipping = _flat(original, params.flat_amount, id, params, new_id)
    else:
        lines, shipping = _said(original, id, params, new_id)
    return TaxTransaction(
        id=id,
        created=now,
        currency=was.currency,
        customer=was.customer,
        customer_details=was.customer_details,
        line_items=_page(id, lines),
        livemode=was.livemode,
        metadata=params.metadata or {},
        original=was.id,
        posted_at=now,
        reference=params.reference,
        reversal=TransactionReversal(original_transaction=was.id),
        ship_from_details=was.ship_from_details,
        shipping_cost=shipping,
        tax_date=was.tax_date,
        type="reversal",
    )


def left(original: Original) -> int:
    """What can still be taken back, tax included."""
    lefts, shipping = _lefts(original)
    return sum(each.gross for each in [*lefts, *shipping])


@dataclass(slots=True)
class _Left:
    """What of a line, or of the shipping, is not taken back yet. Positive."""

    amount: int
    tax: int
    is_exclusive: bool
    whole: int       # with exclusive tax, before anything was taken back
    whole_tax: int

    @property
    def gross(self) -> int:
        return self.amount + (self.tax if self.is_exclusive else 0)


def _all(
    original: Original, id: str, params: TaxTransactionReverse, new_id: NewId
) -> tuple[list[TaxTransactionLineItem], TaxShippingCost | None]:
    if params.line_items or params.flat_amount is not None or params.shipping_cost is not None:
        raise refused("A full reversal takes all there is: say no amounts.", "mode")
    lefts, shipping = _lefts(original)
    if not any(left.amount or left.tax for left in [*lefts, *shipping]):
        raise refused("This transaction has been reversed already.", "original_transaction")
    lines = [
        _reversed(line, id, -left.amount, -left.tax, line.quantity, line.reference, {}, new_id)
        for line, left in zip(original.lines, lefts, strict=True)
    ]
    return lines, _shipped(original, (-shipping[0].amount, -shipping[0].tax) if shipping else None)


def _flat(
    original: Original, flat: int, id: str, params: TaxTransactionReverse, new_id: NewId
) -> tuple[list[TaxTransactionLineItem], TaxShippingCost | None]:
    """The sum, tax included, in proportion to what is left of each; every share has its part of the tax."""
    lefts, shipping = _lefts(original)
    parts = [*lefts, *shipping]
    weights = [left.gross for left in parts]
    if any(weight < 0 for weight in weights) or -flat > sum(weights) or not flat:
        raise refused("This is more than what is left to be reversed.", "flat_amount")
    taken = []
    for left, gross in zip(parts, split(-flat, weights), strict=True):
        tax = min(left.tax, credited(left.whole_tax, left.whole, left.whole - left.gross, gross)) if left.whole else 0
        taken.append((gross - tax if left.is_exclusive else gross, tax))
    lines = [
        _reversed(line, id, -amount, -tax, line.quantity, line.reference, {}, new_id)
        for line, (amount, tax) in zip(original.lines, taken, strict=False)
    ]
    return lines, _shipped(original, (-taken[-1][0], -taken[-1][1]) if shipping else None)


def _said(
    original: Original, id: str, params: TaxTransactionReverse, new_id: NewId
) -> tuple[list[TaxTransactionLineItem], TaxShippingCost | None]:
    if not params.line_items and params.shipping_cost is None:
        raise missing("line_items")
    lefts, kept = _lefts(original)
    own = {line.id: (line, left) for line, left in zip(original.lines, lefts, strict=True)}
    lines = []
    for place, said in enumerate(params.line_items):
        here = f"line_items[{place}]"
        if said.original_line_item not in own:
            raise refused(
                f"No such line item: '{said.original_line_item}'", f"{here}[original_line_item]", "resource_missing"
            )
        line, left = own[said.original_line_item]
        if -said.amount > left.amount or -said.amount_tax > left.tax:
            raise refused("This is more than what is left of the line.", f"{here}[amount]")
        left.amount += said.amount
        left.tax += said.amount_tax
        quantity = line.quantity if said.quantity is None else said.quantity
        lines.append(
            _reversed(line, id, said.amount, said.amount_tax, quantity, said.reference, said.metadata or {}, new_id)
        )
    shipping = None
    if (cost := params.shipping_cost) is not None:
        if not kept or -cost.amount > kept[0].amount or -cost.amount_tax > kept[0].tax:
            raise refused("This is more than what is left of the shipping cost.", "shipping_cost[amount]")
        shipping = _shipped(original, (cost.amount, cost.amount_tax))
    return lines, shipping


def _lefts(original: Original) -> tuple[list[_Left], list[_Left]]:
    """Per line of the transaction, and of its shipping if it has any."""
    back: dict[str | None, list[TaxTransactionLineItem]] = {}
    for line in original.reversed:
        back.setdefault(line.original, []).append(line)
    cost = original.transaction.shipping_cost
    sent_back = [each.shipping_cost for each in original.reversals if each.shipping_cost is not None]
    return [_left(line, back.get(line.id, [])) for line in original.lines], [_left(cost, sent_back)] if cost else []


def _left(whole: Part, back: Sequence[Part]) -> _Left:
    """What is left of it after what was taken back, which is negative."""
    is_exclusive = whole.tax_behavior == "exclusive"
    return _Left(
        amount=whole.amount + sum(each.amount for each in back),
        tax=whole.amount_tax + sum(each.amount_tax for each in back),
        is_exclusive=is_exclusive,
        whole=whole.amount + (whole.amount_tax if is_exclusive else 0),
        whole_tax=whole.amount_tax,
    )


def _reversed(
    line: TaxTransactionLineItem, transaction: str, amount: int, tax: int, quantity: int, reference: str,
    metadata: dict[str, str], new_id: NewId,
) -> TaxTransactionLineItem:  # fmt: skip
    return replace(
        line, id=new_id("tax_li"), amount=amount, amount_tax=tax, metadata=metadata, original=line.id, quantity=quantity,
        reference=reference, reversal=LineReversal(original_line_item=line.id), transaction=transaction, type="reversal",
    )  # fmt: skip


def _shipped(original: Original, taken: tuple[int, int] | None) -> TaxShippingCost | None:
    cost = original.transaction.shipping_cost
    return None if cost is None or taken is None else replace(cost, amount=taken[0], amount_tax=taken[1])


def _without_breakdown(cost: TaxShippingCost | None) -> TaxShippingCost | None:
    return replace(cost, tax_breakdown=UNSET) if cost else None


def _page(id: str, lines: list[TaxTransactionLineItem]) -> ListObject[TaxTransactionLineItem]:
    return ListObject(data=lines, url=f"/v1/tax/transactions/{id}/line_items")
