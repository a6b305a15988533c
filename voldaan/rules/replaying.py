"""A period computed again: every line from what it was made of, every invoice summed from its lines.

What an invoice of the replay charges is what later credits in the replay give back. Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.replays import ReplayCustomer, ReplayDifference, ReplaySum
from voldaan.rules import itemizing
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.explaining import Explained, summed, summed_as_stated
from voldaan.rules.recomputing import Charged, Recomputed, again, with_discounts
from voldaan.rules.tax import Rounding

Sums = dict[str, tuple[int, int]]  # by currency: before and after


@dataclass(slots=True)
class Replayed:
    """What a replay has found so far."""

    invoices: int = 0
    lines: int = 0
    same_lines: int = 0
    sums: Sums = field(default_factory=dict)
    customers: list[ReplayCustomer] = field(default_factory=list)
    differences: list[ReplayDifference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a period is computed again. `prices`: what stands in the place of a price."""

    catalogue: Catalogue
    prices: Mapping[str, str]
    rounding: Rounding


def replay(invoices: Sequence[Invoice], terms: Terms, debited: Mapping[str, Charged]) -> Replayed:
    """These invoices, whole and each customer's in the order in which they were made. `debited`: what invoices before them
    have charged (recomputing.again)."""
    found = Replayed()
    by_customer: dict[str, list[Invoice]] = {}
    for invoice in sorted(invoices, key=lambda i: i.id):
        by_customer.setdefault(invoice.customer, []).append(invoice)
    for customer, own in sorted(by_customer.items()):
        sums = _of_customer(found, own, terms, dict(debited))
        found.customers.append(ReplayCustomer(customer=customer, invoices=len(own), sums=shown(sums)))
    return found


def shown(sums: Sums) -> list[ReplaySum]:
    return [ReplaySum(currency=c, before=b, after=a, difference=a - b) for c, (b, a) in sorted(sums.items())]


def _of_customer(found: Replayed, invoices: Sequence[Invoice], terms: Terms, charged: dict[str, Charged]) -> Sums:
    """One customer's invoices, and what they came to. What each of them charges, those after it know."""
    sums: Sums = {}
    for invoice in invoices:
        twin = _invoice(invoice, terms, charged)
        _compare(found, invoice, twin)
        for line in twin.lines.data:
            for name in (line.id, line.invoice_item):
                if name is not None:
                    charged[name] = Charged(line.amount - line.discount, line.discount_amounts or ())
        for each in (sums, found.sums):
            before, after = each.get(invoice.currency, (0, 0))
            each[invoice.currency] = (before + invoice.total, after + twin.total)
    found.invoices += len(invoices)
    return sums


def _invoice(invoice: Invoice, terms: Terms, charged: Mapping[str, Charged]) -> Invoice:
    """A copy of the invoice as it would have come out."""
    own = list(invoice.lines.data)
    _, then = summed_as_stated(Explained(invoice, terms.catalogue, charged, terms.rounding), own)
    computed: dict[str, Recomputed] = {}
    here = dict(charged)
    for line in sorted(own, key=lambda line: line.invoice_item or ""):  # what gives back comes after what it gives back of
        found = computed[line.id] = again(line, terms.catalogue, here, terms.prices.get(line.price or ""))
        if line.proration and line.invoice_item is not None:
            off = found.taken or []  # None: its discounts are in its amount
            here[line.invoice_item] = Charged(found.amount - itemizing.total(off), off)
    anew: list[LineItem] = []
    for line in own:
        twin = with_discounts(line, computed[line.id])
        twin.amount = computed[line.id].amount
        anew.append(twin)
    return summed(invoice, anew, terms.catalogue, then)


def _compare(found: Replayed, invoice: Invoice, twin: Invoice) -> None:
    """Counts the lines, and keeps what differs: lines by their amount, the invoice by its total."""

    def differs(line: str | None, price: str | None, before: int, after: int) -> None:
        found.differences.append(
            ReplayDifference(
                customer=invoice.customer, invoice=invoice.id, line=line, price=price, before=before, after=after
            )
        )

    for line, after in zip(invoice.lines.data, twin.lines.data, strict=True):
        found.lines += 1
        if (line.amount, line.discount, line.tax, line.net) == (after.amount, after.discount, after.tax, after.net):
            found.same_lines += 1
        else:
            differs(line.id, line.price, line.amount, after.amount)
    if invoice.total != twin.total:
        differs(None, None, invoice.total, twin.total)
