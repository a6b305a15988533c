"""How much of an invoice's lines is credited, part by part. What is left of a line shrinks with every note; the last takes all.

A line's amount is made of its net, what came off before tax, its inclusive taxes and, for an exempt customer, the tax left out;
exclusive taxes stand beside it. Whatever is credited takes every part in the proportion of what is left of it, by largest
remainder: no part is ever credited beyond what it was, and together they come to the cent. Amounts are minor units, of
either sign as the line's. Sources: docs/behaviour-billing.md, "Credit notes".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Literal

from voldaan.resources.billing import PretaxCreditAmount
from voldaan.resources.credit_notes import CreditedLine
from voldaan.resources.line_items import LineItem
from voldaan.rules.money import apportion, divide
from voldaan.rules.tax import Rounding

By = Literal["amount", "quantity"]


@dataclass(slots=True)
class Parts:
    """What a part of a line is made of. `off` is what came off before tax, by discount or by the movement of a billing credit;
    `taxes` are by rate."""

    net: int = 0
    off: dict[str, int] = field(default_factory=dict)
    taxes: dict[str, int] = field(default_factory=dict)
    left_out: int = 0

    @property
    def tax(self) -> int:
        return sum(self.taxes.values())

    @property
    def total(self) -> int:
        return self.net + self.tax

    def add(self, other: Parts, sign: int = 1) -> None:
        self.net += sign * other.net
        self.left_out += sign * other.left_out
        for mine, theirs in ((self.off, other.off), (self.taxes, other.taxes)):
            for id, amount in theirs.items():
                mine[id] = mine.get(id, 0) + sign * amount


@dataclass(slots=True)
class Left:
    """A line of an invoice, and what of it was not credited yet. `quantity` counts whole units."""

    line: LineItem
    parts: Parts
    quantity: int
    by: By | None = None                             # how earlier notes have named it
    now: Parts = field(default_factory=Parts)        # taken by the note that is being made
    units: int = 0
    named: By | None = None

    @property
    def inclusive(self) -> list[str]:
        """The rates whose tax is inside the amount."""
        return [id for id in self.parts.taxes if self.behavior(id) == "inclusive"]

    @property
    def exclusive(self) -> list[str]:
        return [id for id in self.parts.taxes if self.behavior(id) == "exclusive"]

    @property
    def amount(self) -> int:
        """What is left of the line's `amount`: before discounts, without exclusive tax."""
        return amount_of(self, self.parts)

    def behavior(self, rate: str) -> str:
        return next((t.tax_behavior for t in self.line.taxes or [] if t.rate == rate), "exclusive")

    def take(self, parts: Parts, units: int = 0) -> None:
        """Credits these parts: they are left no more."""
        self.parts.add(parts, -1)
        self.now.add(parts)
        self.quantity -= units
        self.units += units


def amount_of(left: Left, parts: Parts) -> int:
    """The `amount` that parts of a line come to."""
    inside = sum(parts.taxes.get(id, 0) for id in left.inclusive)
    return parts.net + sum(parts.off.values()) + inside + parts.left_out


def left_of(lines: Iterable[LineItem], credited: Iterable[CreditedLine]) -> list[Left]:
    """What is left of an invoice's lines after what was credited by notes that are not void."""
    found = {line.id: _whole(line) for line in lines}
    for share in credited:
        left = found[share.invoice_line]
        left.parts.add(Parts(share.net, share.off, share.taxes, share.left_out), -1)
        left.quantity -= share.quantity
        left.by = share.by or left.by
    return list(found.values())


def _whole(line: LineItem) -> Left:
    parts = Parts(
        net=line.net,
        off={off_by(p): p.amount for p in line.pretax_credit_amounts or []},
        taxes={t.rate: t.amount for t in line.taxes or []},
    )
    left = Left(line, parts, line.quantity or 0)
    parts.left_out = line.amount - left.amount
    return left


def off_by(amount: PretaxCreditAmount) -> str:
    """What took it off: a discount, or the movement of a billing credit."""
    return amount.discount or amount.credit_balance_transaction or ""


def rates_of(line: LineItem) -> list[str]:
    """The ids of the rates that a line was taxed with."""
    return [tax.rate for tax in line.taxes or [] if tax.rate]


# What is credited ------------------------------------------------------------------------------------------------------


def of_quantity(left: Left, units: int) -> int:
    """The amount of so many units of a line: their share of what is left; all that is left for the last ones."""
    return _share(left.amount, units, left.quantity)


def of_lines(chosen: Sequence[tuple[Left, int]], rounding: Rounding) -> list[Parts]:
    """The parts that go with crediting these amounts of these lines, each not beyond what is left and not zero.

    Exclusive tax is rounded once per rate and shared over the lines, or line by line, as the book's invoices do.
    """
    found = [_inside(left, amount) for left, amount in chosen]
    rates = dict.fromkeys(id for left, _ in chosen for id in left.exclusive)
    for rate in rates:
        uses = [(place, left, amount) for place, (left, amount) in enumerate(chosen) if rate in left.exclusive]
        for (place, _, _), tax in zip(uses, _taxes(rate, uses, rounding), strict=True):
            found[place].taxes[rate] = tax
    return found


def _inside(left: Left, amount: int) -> Parts:
    """The net, what came off, and the inclusive taxes of a part of a line's amount."""
    off, inclusive = list(left.parts.off), left.inclusive
    whole = [left.parts.net, left.parts.left_out, *left.parts.off.values(), *(left.parts.taxes[id] for id in inclusive)]
    net, left_out, *rest = _in_proportion(whole, amount, left.amount)
    return Parts(
        net=net,
        left_out=left_out,
        off=dict(zip(off, rest, strict=False)),
        taxes=dict(zip(inclusive, rest[len(off) :], strict=True)),
    )


def _taxes(rate: str, uses: Sequence[tuple[int, Left, int]], rounding: Rounding) -> list[int]:
    if rounding == "per_line":
        return [_share(left.parts.taxes[rate], amount, left.amount) for _, left, amount in uses]
    common = lcm(*[left.amount for _, left, _ in uses])
    return apportion([left.parts.taxes[rate] * amount * (common // left.amount) for _, left, amount in uses], common)


def spread(lefts: Sequence[Left], total: int) -> list[Parts]:
    """A sum over all that is left of an invoice, tax included, in proportion; `total` is not beyond it."""
    whole = [part for left in lefts for part in (left.parts.net, *left.parts.taxes.values())]
    of_all = sum(whole)
    shares = iter(_in_proportion(whole, total, of_all))
    return [
        Parts(
            net=next(shares),
            taxes={id: next(shares) for id in left.parts.taxes},
            off={id: _share(off, total, of_all) for id, off in left.parts.off.items()},
            left_out=_share(left.parts.left_out, total, of_all),
        )
        for left in lefts
    ]


def of_its_own(lefts: Sequence[Left], net: int, taxes: dict[str, int]) -> list[Parts]:
    """Something that no line of the invoice names: its net and each tax come off whatever of that is left, in proportion."""
    found = [Parts(net=part) for part in _in_proportion([left.parts.net for left in lefts], net, net_left(lefts))]
    for rate, tax in taxes.items():
        whole = [left.parts.taxes.get(rate, 0) for left in lefts]
        for left, parts, part in zip(lefts, found, _in_proportion(whole, tax, sum(whole)), strict=True):
            if rate in left.parts.taxes:
                parts.taxes[rate] = part
    return found


def net_left(lefts: Sequence[Left]) -> int:
    return sum(left.parts.net for left in lefts)


def tax_left(lefts: Sequence[Left], rate: str) -> int:
    return sum(left.parts.taxes.get(rate, 0) for left in lefts)


def total_left(lefts: Sequence[Left]) -> int:
    """What may still be credited of an invoice, tax included."""
    return sum(left.parts.total for left in lefts)


def shares(note: str, lefts: Iterable[Left]) -> list[CreditedLine]:
    """What the note that was made has taken of each line."""
    return [
        CreditedLine(
            id=f"{note}:{left.line.id}",
            credit_note=note,
            invoice_line=left.line.id,
            amount=amount_of(left, left.now),
            net=left.now.net,
            tax=left.now.tax,
            quantity=left.units,
            off=left.now.off,
            taxes=left.now.taxes,
            left_out=left.now.left_out,
            by=left.named,
        )
        for left in lefts
        if left.named or left.now.net or left.now.tax or amount_of(left, left.now)
    ]


def _in_proportion(whole: Sequence[int], part: int, of: int) -> list[int]:
    """`part` ÷ `of` of each, by largest remainder."""
    if not of:
        return [0] * len(whole)
    sign = 1 if of > 0 else -1
    return apportion([each * part * sign for each in whole], of * sign)


def _share(whole: int, part: int, of: int) -> int:
    if not of:
        return 0
    return divide(whole * part, of) if of > 0 else divide(-whole * part, -of)
