"""What Voldaan asks of whoever moves the money, and what it may hear back.

A processor is a bank, a card network or a person with a bank statement. It stands outside: it has its own storage and
its own commits, and it is called only between two transactions of ours. Every call ends in one of six outcomes; three
of them look like failure and are told apart on purpose:

    Declined   the processor answered, and no money moved
    NotSent    it is proven that the request never got there: the same attempt may be sent again
    Unknown    it was sent and nothing certain came back: only `sync` or the same key resolves it, never a new attempt

Money is an int of minor units, an instant an int of epoch seconds. A processor in test mode knows no other clock than
the request's `at`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from voldaan.rules.dunning import Category, Retry


class Flow(StrEnum):
    AUTHORIZE = "authorize"        # with capture="automatic" this is the whole purchase
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"
    SETUP = "setup"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a processor can do, said out loud: a missing flow is never discovered by trying."""

    flows: frozenset[Flow]
    payment_method_types: frozenset[str]                # Stripe's names: "card", "sepa_debit", "customer_balance", ...
    currencies: frozenset[str] | None                   # lower case ISO codes; None: any
    capture_methods: frozenset[str]                     # "automatic", "manual"
    partial_capture: bool
    partial_refund: bool
    idempotency: Literal["key", "reference", "none"]    # what makes a resend harmless
    lookup: Literal["by_reference", "by_processor_id", "none"]
    settlement: Literal["sync", "async_hours", "async_days"]
    notification: frozenset[Literal["webhook", "poll", "file"]]
    idempotency_window: int | None = None               # seconds a key is remembered; None: for ever
    refund_window: int | None = None                    # seconds after the payment; None: no limit
    authorization_validity: int | None = None           # seconds a hold lasts


# ---- requests --------------------------------------------------------------------------------------------------------

Initiator = Literal["customer", "merchant"]
CaptureMethod = Literal["automatic", "manual"]


@dataclass(frozen=True, slots=True)
class PaymentMethodRef:
    """A payment method as a processor knows it: a token or a mandate's account, never a card number."""

    type: str                                           # "card", "sepa_debit", "customer_balance", "custom", ...
    token: str                                          # the processor's name for it
    brand: str | None = None                            # "visa", ...; None when it is not a card
    last4: str | None = None
    country: str | None = None                          # two letters
    fingerprint: str | None = None                      # equal for the same number or IBAN


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """Why a stored card may be used without its owner: the first payment's network transaction id, and the use."""

    network_transaction_id: str | None = None
    usage: Literal["recurring", "unscheduled", "installment"] = "recurring"


@dataclass(frozen=True, slots=True)
class Request:
    """Authorize, and capture at once when capture is "automatic"."""

    attempt_id: str                                     # ours, unique: the reference the processor files it under
    idempotency_key: str                                # the same for a resend, new for a new intention
    amount: int
    currency: str                                       # lower case
    payment_method: PaymentMethodRef
    account_id: str
    livemode: bool
    at: int
    initiator: Initiator = "customer"
    off_session: bool = False
    capture: CaptureMethod = "automatic"
    stored_credential: StoredCredential | None = None
    mandate: str | None = None
    request_three_d_secure: Literal["automatic", "any", "challenge"] = "automatic"
    return_url: str | None = None
    statement_descriptor: str | None = None
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """Verify a payment method for later use. No money moves; the bank may still want to see its customer."""

    attempt_id: str
    idempotency_key: str
    payment_method: PaymentMethodRef
    account_id: str
    livemode: bool
    at: int
    currency: str | None = None
    off_session: bool = False                           # the customer is not there to act now
    usage: Literal["off_session", "on_session"] = "off_session"
    mandate: str | None = None
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """Take (part of) what was authorized; one capture releases the rest of the hold."""

    attempt_id: str                                     # this capture's own
    idempotency_key: str
    processor_id: str                                   # of the authorization
    amount: int
    currency: str
    account_id: str
    livemode: bool
    at: int


@dataclass(frozen=True, slots=True)
class VoidRequest:
    """Release an authorization that was not captured, or withdraw a payment that still waits for its customer."""

    attempt_id: str
    idempotency_key: str
    processor_id: str                                   # of the authorization
    account_id: str
    livemode: bool
    at: int


@dataclass(frozen=True, slots=True)
class RefundRequest:
    attempt_id: str                                     # this refund's own
    idempotency_key: str
    processor_id: str                                   # of the payment
    amount: int
    currency: str
    account_id: str
    livemode: bool
    at: int
    reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """Send the account's own money to its own bank account."""

    attempt_id: str
    idempotency_key: str
    amount: int
    currency: str
    destination: str                                    # a bank account's token or number, as the processor knows it
    account_id: str
    livemode: bool
    at: int
    statement_descriptor: str | None = None


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What became of the request filed under attempt_id? Says NotSent only when the processor surely never saw it."""

    attempt_id: str
    flow: Flow
    account_id: str
    at: int
    processor_id: str | None = None
    livemode: bool = False


# ---- outcomes --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, slots=True)
class Decline:
    """Why the processor said no. The code is Stripe's decline_code, so that no second mapping exists."""

    code: str
    category: Category
    retry: Retry
    message: str                                        # for the payer, as Stripe words it
    error_code: str = "card_declined"                   # Stripe's error `code`: card_declined, expired_card, ...
    network_decline_code: str | None = None             # the network's own two characters, "51"
    advice_code: str | None = None                      # try_again_later | do_not_try_again | confirm_card_data
    not_before: int | None = None                       # epoch; the network asks not to be asked earlier
    raw_code: str | None = None
    raw_message: str | None = None
    param: str | None = None                            # the parameter Stripe would blame: number, cvc, exp_month


@dataclass(frozen=True, slots=True)
class Risk:
    level: Literal["normal", "elevated", "highest", "not_assessed"] = "normal"
    score: int | None = None                            # 0 to 100


@dataclass(frozen=True, slots=True)
class ThreeDSecure:
    """How the customer's bank knew its customer."""

    result: Literal["authenticated", "attempt_acknowledged", "exempted", "failed", "not_supported", "processing_error"]
    version: str | None = "2.2.0"
    authentication_flow: Literal["challenge", "frictionless"] | None = None
    result_reason: str | None = None                    # abandoned, bypassed, canceled, rejected, ...


@dataclass(frozen=True, slots=True)
class Succeeded:
    processor_id: str
    amount: int                                         # what moved or is held; check it against what was asked
    currency: str
    settles_at: int                                     # when the money is available to the account
    fee: int = 0
    fee_currency: str | None = None                     # None: the payment's
    captured: bool = True                               # False: only held, until capture_before
    capture_before: int | None = None
    network_transaction_id: str | None = None
    authorization_code: str | None = None
    risk: Risk = Risk()
    three_d_secure: ThreeDSecure | None = None
    checks: Mapping[str, str] = field(default_factory=dict)   # cvc_check, address_line1_check, ...
    mandate: str | None = None                          # the mandate a setup gave
    follow_up_at: int | None = None                     # something will still happen to it: ask news() then


@dataclass(frozen=True, slots=True)
class Processing:
    """Accepted; the final answer comes later, by sync, news or webhook."""

    processor_id: str
    amount: int
    currency: str
    expected_at: int                                    # when asking again is worth it
    follow_up_at: int | None = None
    mandate: str | None = None


ActionKind = Literal[
    "redirect_to_url", "use_stripe_sdk", "display_bank_transfer_instructions", "verify_with_microdeposits",
]


@dataclass(frozen=True, slots=True)
class RequiresAction:
    """The customer must do something first; sync tells whether they did."""

    processor_id: str
    kind: ActionKind
    url: str | None
    data: Mapping[str, object] = field(default_factory=dict)
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    decline: Decline
    processor_id: str | None = None                     # a decline that reached the network has one
    network_transaction_id: str | None = None
    risk: Risk = Risk()
    three_d_secure: ThreeDSecure | None = None
    checks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotSent:
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    reason: str


Outcome = Succeeded | Processing | RequiresAction | Declined | NotSent | Unknown


# ---- what a processor tells by itself --------------------------------------------------------------------------------

EventType = Literal[
    "payment.succeeded", "payment.failed", "payment.canceled",
    "refund.succeeded", "refund.failed",
    "dispute.created", "dispute.updated", "dispute.closed",
    "fraud_warning.created", "review.opened",
    "payout.paid", "payout.failed",
]


@dataclass(frozen=True, slots=True)
class ProcessorEvent:
    """A hint that something changed. Deduplicated by (processor, event_id); may come late, twice and out of order."""

    event_id: str
    type: EventType
    processor_id: str                                   # the payment, refund or payout it is about
    at: int                                             # when it happened
    amount: int
    currency: str
    reference: str | None = None                        # our attempt id, where the processor still knows it
    object_id: str | None = None                        # the processor's id of the dispute, warning, ...
    status: str | None = None                           # Stripe's word: needs_response, warning_closed, won, lost, ...
    reason: str | None = None                           # Stripe's word: fraudulent, product_not_received, ...
    network_reason_code: str | None = None              # the card network's own, "10.4"
    fee: int = 0                                        # what the event itself costs, like a dispute's fee
    funds_withdrawn: bool = False                       # True: `amount` has left the balance with this event
    funds_reinstated: bool = False                      # True: `amount` came back with this event
    due_by: int | None = None                           # evidence is due by then
    follow_up_at: int | None = None                     # ask news() again then
    decline: Decline | None = None                      # why, for payment.failed, refund.failed and payout.failed


class BadSignature(ValueError):
    """A webhook that is not from the processor, or is too old."""


class Processor(Protocol):
    """The least that every processor does. Each method is safe to call again with the same idempotency key."""

    name: str

    def capabilities(self) -> Capabilities: ...

    async def authorize(self, r: Request) -> Outcome: ...

    async def capture(self, r: CaptureRequest) -> Outcome: ...

    async def void(self, r: VoidRequest) -> Outcome: ...

    async def refund(self, r: RefundRequest) -> Outcome: ...

    async def setup(self, r: SetupRequest) -> Outcome: ...

    async def sync(self, r: SyncRequest) -> Outcome: ...

    async def news(self, processor_id: str, at: int) -> list[ProcessorEvent]:
        """All that has happened to a payment by itself until `at`, inclusive; oldest first, the same at every call."""
        ...

    def parse_webhook(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], at: int
    ) -> list[ProcessorEvent]:
        """Verify first, then read. Raises BadSignature."""
        ...


# ---- abilities only some have; found with isinstance -----------------------------------------------------------------

@runtime_checkable
class PayoutProcessor(Protocol):
    async def payout(self, r: PayoutRequest) -> Outcome: ...


@runtime_checkable
class DisputeProcessor(Protocol):
    async def submit_evidence(self, dispute_id: str, evidence: str, at: int) -> ProcessorEvent:
        """Answer a dispute. Returns how it stands then; raises LookupError for an unknown dispute."""
        ...

    async def close_dispute(self, dispute_id: str, at: int) -> ProcessorEvent:
        """Accept the loss of a dispute."""
        ...


@runtime_checkable
class MandateProcessor(Protocol):
    async def revoke_mandate(self, account_id: str, token: str, at: int) -> None:
        """No debit of this payment method is accepted any more."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One thing the processor has in its own books.

    Money taken stands on the record of the payment (flow authorize, status succeeded, the amount captured). A capture
    has a record of its own beside it, and so has every declined request.
    """

    reference: str                                      # our attempt id
    processor_id: str
    flow: Flow
    amount: int
    currency: str
    status: Literal["succeeded", "authorized", "processing", "requires_action", "declined", "canceled"]


@runtime_checkable
class Reporting(Protocol):
    async def records(self, account_id: str, at: int | None = None) -> list[Record]:
        """Everything this processor knows of an account at `at`: the far side of every reconciliation."""
        ...
