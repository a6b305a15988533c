"""What a test payment method does when it is used: the whole of its behaviour, as data."""

from dataclasses import dataclass, field
from typing import Literal

Authentication = Literal[
    "unenrolled",              # the bank never challenges; asked for 3D Secure it answers attempt_acknowledged
    "not_supported",           # 3D Secure cannot be invoked
    "optional",                # challenges only when 3D Secure is asked for
    "optional_lookup_fails",   # asked for 3D Secure the lookup fails, and the payment goes on without
    "required_lookup_fails",   # needs 3D Secure, whose lookup fails: declined
    "frictionless",            # authenticated without a challenge
    "unless_set_up",           # challenges on session; off session only until the card was set up
    "always",                  # challenges every time: off session is declined
    "set_up",                  # challenges on session; off session as if it had been set up
    "redirect",                # not a card: the customer approves on a page of their bank
]
Dispute = Literal[
    "fraudulent", "product_not_received", "inquiry", "fraud_warning", "noncompliant", "debit_returned",
]


@dataclass(frozen=True, slots=True)
class Effect:
    decline: str | None = None                   # decline code of every use, attaching included
    charge_decline: str | None = None            # can be attached; every charge is declined
    authentication: Authentication = "unenrolled"
    after_authentication: str | None = None      # decline code although the customer proved who they are
    risk: Literal["normal", "elevated", "highest"] = "normal"
    disputes: tuple[Dispute, ...] = ()           # what the payer's bank raises after the money moved
    refund: Literal["at_once", "pending", "fails"] = "at_once"
    available_at_once: bool = False              # skips the pending balance
    failing_checks: frozenset[str] = frozenset()     # of "cvc", "line1", "postal_code"
    unavailable_checks: frozenset[str] = frozenset()
    takes: Literal["no_time", "days", "minutes", "for_ever"] = "no_time"     # until a debit is final
    fails_later: str | None = None               # decline code when that time is over


@dataclass(frozen=True, slots=True)
class Instrument:
    """A test card, bank account or wallet that the network knows by name."""

    name: str                                    # without the pm_card_ or tok_ before it
    type: str                                    # Stripe's payment method type
    number: str                                  # card number, IBAN or account number; "" for a redirect
    brand: str | None = None
    funding: str | None = None
    country: str = "US"
    effect: Effect = field(default_factory=Effect)
    currencies: frozenset[str] | None = None     # None: any
