"""Payments in the books: money in the processor's balance, on its way out of it, and back."""

from __future__ import annotations

from voldaan.ledger.chart import (
    BANK,
    DEBIT_IN_TRANSIT,
    DEFERRED_REVENUE,
    DISPUTES,
    FEES,
    PAYOUTS_IN_TRANSIT,
    PROCESSOR_AVAILABLE,
    PROCESSOR_PENDING,
    RECEIVABLE,
    RECOVERABLES,
    REFUNDS,
    REFUNDS_PAYABLE,
    REVENUE,
)
from voldaan.ledger.journal import Leg, postings
from voldaan.rules.balance import Moved
from voldaan.rules.decision import Posting


def moved(m: Moved) -> list[Posting]:
    """The postings of one movement of money. Its object and what happened to it name the fact: it is posted once."""
    return postings(m.source, m.what, m.currency, m.at, _legs(m), customer=m.customer, invoice=m.invoice)


def _legs(m: Moved) -> list[Leg]:
    cash = PROCESSOR_PENDING if m.transaction and m.transaction.status == "pending" else PROCESSOR_AVAILABLE
    fee = m.transaction.fee if m.transaction else 0
    beside = m.amount - m.noted                      # all but what a credit note has promised
    earned = beside if m.recognised is None else m.recognised
    match m.what:
        case "payment":                              # without an invoice it is earned at once
            return [(cash, RECEIVABLE if m.invoice else REVENUE, m.amount), (FEES, cash, fee)]
        case "debit_accepted":
            return [(DEBIT_IN_TRANSIT, RECEIVABLE, m.amount)]
        case "debit_confirmed":
            return [(cash, DEBIT_IN_TRANSIT, m.amount), (FEES, cash, fee)]
        case "debit_failed":
            return [(RECEIVABLE, DEBIT_IN_TRANSIT, m.amount)]
        case "refund":
            return [
                (REFUNDS, cash, earned), (DEFERRED_REVENUE, cash, beside - earned), (REFUNDS_PAYABLE, cash, m.noted),
                (FEES, cash, fee),
            ]  # fmt: skip
        case "refund_failed":                        # what a note has promised is owed again
            return [
                (cash, REFUNDS, earned), (cash, DEFERRED_REVENUE, beside - earned), (cash, REFUNDS_PAYABLE, m.noted),
                (FEES, cash, fee),
            ]  # fmt: skip
        case "dispute_withdrawn":
            return [(DISPUTES, cash, earned), (DEFERRED_REVENUE, cash, beside - earned), (FEES, cash, fee)]
        case "dispute_reinstated":                   # won: a gain, since the revenue was given up when it opened
            return [(cash, RECOVERABLES, m.amount), (FEES, cash, fee)]
        case "payout":
            return [(PAYOUTS_IN_TRANSIT, PROCESSOR_AVAILABLE, m.amount)]
        case "payout_arrived":
            return [(BANK, PAYOUTS_IN_TRANSIT, m.amount)]
        case "payout_failed" | "payout_canceled":
            return [(PROCESSOR_AVAILABLE, PAYOUTS_IN_TRANSIT, m.amount)]
        case "payout_returned":
            return [(PROCESSOR_AVAILABLE, BANK, m.amount)]


def became_available(source: str, fact: str, currency: str, net: int, at: int) -> list[Posting]:
    """What was pending can be used now: `net` of charges, refunds and fees, in minor units."""
    return postings(source, fact, currency, at, [(PROCESSOR_AVAILABLE, PROCESSOR_PENDING, net)])
