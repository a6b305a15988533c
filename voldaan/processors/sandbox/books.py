"""What the network writes down, and the terms it works under."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

DAY = 86_400
END_OF_TIME = 10**11                                    # epoch seconds; no clock gets there
SATURDAY = 5


class Operation(msgspec.Struct, frozen=True):
    """One thing asked of the network and how it began: a row of sandbox_network.operations."""

    processor_id: str
    account_id: str
    reference: str
    idempotency_key: str
    copy: int
    flow: str
    original: str | None
    amount: int
    currency: str
    instrument: str | None
    capture: str | None
    state: str
    decline: str | None
    becomes: str | None
    becomes_decline: str | None
    becomes_at: int | None
    fee: int
    authentication: str | None
    return_url: str | None
    at: int
    recorded_at: object = None


class Answer(msgspec.Struct, frozen=True):
    """Something said about an operation, a dispute or a token later on."""

    subject: str
    seq: int
    kind: str
    answer: str
    at: int


class Family(msgspec.Struct):
    """A payment with all that was done to it and said about it, in order."""

    payment: Operation
    children: list[Operation]
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Fees:
    """What the network keeps: a share of each payment and a fixed amount, and an amount for each chargeback."""

    percent: Decimal = Decimal("1.5")
    fixed: int = 25                                     # minor units of the payment's currency
    dispute: int = 1500

    def of(self, amount: int) -> int:
        """The fee in minor units, the share rounded half up."""
        share, whole = (self.percent / 100).as_integer_ratio()
        return (amount * share * 2 + whole) // (whole * 2) + self.fixed


@dataclass(frozen=True, slots=True)
class Terms:
    """Fees and times. Every process of one network must be given the same."""

    fees: Fees = Fees()
    settlement_days: int = 2                            # from the payment to the money, at 00:00 UTC
    debit_days: int = 3                                 # bank days until a direct debit is final
    delayed_debit: int = 180                            # seconds, for the accounts that answer after minutes
    async_refund: int = 180                             # seconds
    hold: int = 7 * DAY                                 # how long an authorization can be captured
    dispute_after: int = 60                             # seconds from the payment to its first dispute
    respond_within: int = 20 * DAY
    inquiry_closes_after: int = 120 * DAY
    review: int = 60 * DAY                              # how long a bank looks at ordinary evidence

    def settles_at(self, at: int) -> int:
        return (at // DAY + self.settlement_days) * DAY


def bank_days_later(at: int, days: int) -> int:
    """00:00 UTC of the day that is `days` bank days after `at`; Saturdays and Sundays do not count."""
    day = at // DAY
    for _ in range(days):
        day += 1
        while (day + 3) % 7 >= SATURDAY:                # 1 January 1970 was a Thursday
            day += 1
    return day * DAY
