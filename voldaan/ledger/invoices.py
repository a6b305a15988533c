"""What an invoice does to the books. Amounts are minor units; every function is one business fact.

Finalization defers all revenue; ledger/revenue.py earns it by the second. Cash from a processor is in
ledger/payments.py, which settles the receivable for the whole amount received.
"""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.ledger import revenue
from voldaan.ledger.chart import (
    BAD_DEBT,
    CUSTOMER_BALANCE,
    DEFERRED_REVENUE,
    EXTERNAL_CASH,
    RECEIVABLE,
    RECOVERABLES,
    REVENUE,
    TAX_PAYABLE,
    VOIDS,
)
from voldaan.ledger.journal import Leg, postings
from voldaan.resources.invoices import Invoice
from voldaan.rules.decision import Posting
from voldaan.rules.money import divide


def finalized(invoice: Invoice, schedules: Sequence[revenue.Schedule], at: int) -> list[Posting]:
    """The customer owes the total, less what the balance paid; what is for no time, and usage, is earned at once.

    `schedules` are what its lines earn. A negative total turns the legs round: the customer is owed, and the balance holds it.
    """
    net = sum(line.net for line in schedules)
    at_once = revenue.at_once(schedules)
    legs: list[Leg] = [
        (RECEIVABLE, DEFERRED_REVENUE, net),
        (RECEIVABLE, TAX_PAYABLE, invoice.total - net),
        (CUSTOMER_BALANCE, RECEIVABLE, invoice.applied_balance),
    ]
    posted = _post(invoice, "finalized", at, legs)
    if at_once:
        posted += _post(invoice, "recognised:at_once", at, [(DEFERRED_REVENUE, REVENUE, at_once)])
    return posted


def paid_out_of_band(invoice: Invoice, amount: int, at: int) -> list[Posting]:
    """The customer paid in another way."""
    return _post(invoice, "paid_out_of_band", at, [(EXTERNAL_CASH, RECEIVABLE, amount)])


def applied(invoice: Invoice, payment: str, amount: int, at: int) -> list[Posting]:
    """A payment that stood by itself pays an invoice after all: it was revenue when it came, and settles what is owed."""
    legs: list[Leg] = [(REVENUE, RECEIVABLE, amount)]
    return postings(payment, "applied", invoice.currency, at, legs, customer=invoice.customer, invoice=invoice.id)


def overpaid(invoice: Invoice, payment: str, excess: int, at: int) -> list[Posting]:
    """What a payment brought beyond the invoice becomes the customer's credit. `payment` is the payment intent's id."""
    legs: list[Leg] = [(RECEIVABLE, CUSTOMER_BALANCE, excess)]
    return postings(payment, "overpaid", invoice.currency, at, legs, customer=invoice.customer, invoice=invoice.id)


def voided(invoice: Invoice, recognised: int, at: int) -> list[Posting]:
    """Nothing is owed any more: from the contra account as far as it was earned, else from what was deferred.

    The balance gets back what it had paid. Of an invoice that was written off no receivable is left: its loss is taken
    back instead. `recognised` is what was posted as revenue so far.
    """
    net, tax = _net_and_tax(invoice)
    owed = _unpaid(invoice, recognised)
    recognised -= invoice.credited_revenue
    legs: list[Leg] = [(TAX_PAYABLE, RECEIVABLE, owed.tax), (VOIDS, RECEIVABLE, owed.recognised)]
    if invoice.marked_uncollectible_at is None:
        legs += [(DEFERRED_REVENUE, RECEIVABLE, owed.deferred), (CUSTOMER_BALANCE, RECEIVABLE, owed.debt)]
    else:
        legs = [(TAX_PAYABLE, BAD_DEBT, owed.tax), (VOIDS, BAD_DEBT, owed.recognised), (CUSTOMER_BALANCE, BAD_DEBT, owed.debt)]
    legs += [
        (VOIDS, CUSTOMER_BALANCE, recognised - owed.recognised),
        (DEFERRED_REVENUE, CUSTOMER_BALANCE, net - recognised - owed.deferred),
        (TAX_PAYABLE, CUSTOMER_BALANCE, tax - owed.tax),
    ]
    return _post(invoice, "voided", at, legs)


def written_off(invoice: Invoice, recognised: int, at: int) -> list[Posting]:
    """Nobody expects the rest any more. Its tax stays owed to the state, so it is a loss like what was earned, and so is what
    the customer had owed before."""
    part = _unpaid(invoice, recognised)
    return _post(
        invoice,
        "uncollectible",
        at,
        [
            (BAD_DEBT, RECEIVABLE, part.loss),
            (DEFERRED_REVENUE, RECEIVABLE, part.deferred),
        ],
    )


def recovered(invoice: Invoice, payment: str, amount: int, recognised: int, at: int) -> list[Posting]:
    """Money for an invoice that was written off: the loss is taken back, and the rest is a gain.

    Comes with the cash, which settles a receivable that no longer stood.
    """
    part = _unpaid(invoice, recognised)
    loss = divide(part.loss * amount, part.total) if part.total else 0
    legs: list[Leg] = [(RECEIVABLE, BAD_DEBT, loss), (RECEIVABLE, RECOVERABLES, amount - loss)]
    return postings(payment, "recovered", invoice.currency, at, legs, customer=invoice.customer, invoice=invoice.id)


class _Part:
    """What of an invoice was not paid, by what it is."""

    __slots__ = ("debt", "deferred", "loss", "recognised", "tax", "total")

    def __init__(self, recognised: int, deferred: int, tax: int, debt: int) -> None:
        self.recognised, self.deferred, self.tax, self.debt = recognised, deferred, tax, debt
        self.loss = recognised + tax + debt
        self.total = self.loss + deferred


def _unpaid(invoice: Invoice, recognised: int) -> _Part:
    """The unpaid part: tax, earned and deferred revenue in the proportions of all that was not credited, and in the same
    proportion what the customer had owed before, which the invoice asks for too."""
    net, tax = _net_and_tax(invoice)
    unpaid = invoice.amount_due - invoice.amount_paid
    debt = max(0, -invoice.applied_balance)
    whole = net + tax + debt
    unpaid_net = divide(net * unpaid, whole) if whole else 0
    unpaid_debt = divide(debt * unpaid, whole) if debt else 0
    earned = divide(unpaid_net * (recognised - invoice.credited_revenue), net) if net else 0
    return _Part(earned, unpaid_net - earned, unpaid - unpaid_net - unpaid_debt, unpaid_debt)


def _net_and_tax(invoice: Invoice) -> tuple[int, int]:
    """Of the whole invoice, less what credit notes took back."""
    credited = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount
    tax = invoice.tax - invoice.credited_tax
    return invoice.total - credited - tax, tax


def _post(invoice: Invoice, fact: str, at: int, legs: list[Leg]) -> list[Posting]:
    return postings(invoice.id, fact, invoice.currency, at, legs, customer=invoice.customer, invoice=invoice.id)
