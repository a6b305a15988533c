"""What a credit note does to the books: revenue, deferred revenue and tax are taken back, against what is owed or given."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.ledger.chart import (
    CREDIT_NOTES,
    CUSTOMER_BALANCE,
    DEFERRED_REVENUE,
    EXTERNAL_CASH,
    RECEIVABLE,
    REFUNDS,
    REFUNDS_PAYABLE,
    REVENUE,
    TAX_PAYABLE,
)
from voldaan.ledger.journal import Leg, postings
from voldaan.resources.credit_notes import CreditNote
from voldaan.rules.decision import Posting

Side = tuple[str, int]  # account, amount in minor units


def issued(note: CreditNote, at: int) -> list[Posting]:
    """What was earned goes to the contra account, what was not yet is deferred no more, and the tax is not owed.

    Before payment the customer owes as much less. After it the balance, money out of band, or a refund that is promised.
    """
    taken = [
        (CREDIT_NOTES, note.recognised),
        (DEFERRED_REVENUE, note.net - note.recognised),
        (TAX_PAYABLE, note.tax),
    ]
    given = [
        (RECEIVABLE, note.pre_payment_amount),
        (REFUNDS_PAYABLE, note.refund_amount),
        (CUSTOMER_BALANCE, note.credit_amount),
        (EXTERNAL_CASH, note.out_of_band_amount or 0),
    ]
    return _post(note, "issued", at, matched(taken, given))


def linked(note: CreditNote, refund: str, amount: int, deferred: int, at: int) -> list[Posting]:
    """A refund that had gone out keeps the note's promise: it took back no revenue of its own, so that is put back.

    `deferred` is how much of it had come out of deferred revenue.
    """
    legs: list[Leg] = [(REFUNDS_PAYABLE, REFUNDS, amount - deferred), (REFUNDS_PAYABLE, DEFERRED_REVENUE, deferred)]
    return _post(note, f"linked:{refund}", at, legs)


def voided(note: CreditNote, missed: int, at: int) -> list[Posting]:
    """As if it had not been: the receivable stands again, and what would have been earned since is earned now."""
    legs: list[Leg] = [
        (RECEIVABLE, CREDIT_NOTES, note.recognised),
        (RECEIVABLE, DEFERRED_REVENUE, note.net - note.recognised),
        (RECEIVABLE, TAX_PAYABLE, note.tax),
        (DEFERRED_REVENUE, REVENUE, missed),
    ]
    return _post(note, "voided", at, legs)


def matched(debits: Iterable[Side], credits: Iterable[Side]) -> list[Leg]:
    """Two sides of equal sums as legs, each side in its order. A negative amount stands on the other side."""
    left, right = list(debits), list(credits)
    owed = [side for side in left if side[1] > 0] + [(account, -amount) for account, amount in right if amount < 0]
    due = [side for side in right if side[1] > 0] + [(account, -amount) for account, amount in left if amount < 0]
    legs: list[Leg] = []
    while owed and due:
        (debit, most), (credit, least) = owed[0], due[0]
        amount = min(most, least)
        legs.append((debit, credit, amount))
        owed[:1] = [(debit, most - amount)] if most > amount else []
        due[:1] = [(credit, least - amount)] if least > amount else []
    return legs


def _post(note: CreditNote, fact: str, at: int, legs: list[Leg]) -> list[Posting]:
    return postings(note.id, fact, note.currency, at, legs, customer=note.customer, invoice=note.invoice)
