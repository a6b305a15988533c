"""Accounts: one book each. A business in live mode is one, each of its sandboxes is another."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import field

from voldaan.resources.base import Column, Hidden, Instant, Part, Resource, Table


class BillingSettings(Part, kw_only=True):
    """How this book bills by itself. Durations in seconds."""

    draft_seconds: int = 3600                        # how long a renewal invoice stays editable
    incomplete_seconds: int = 23 * 3600              # how long a first payment may take
    retry_offsets: list[int] | None = None           # None: the recommended schedule of rules/dunning
    retry_final_action: Literal["cancel", "unpaid", "past_due"] = "cancel"
    retry_final_invoice: Literal["open", "uncollectible"] = "open"  # what becomes of the invoice then
    numbering: Literal["customer", "account"] = "customer"
    tax_rounding: Literal["per_rate", "per_line"] = "per_rate"
    payout_interval: Literal["daily", "manual"] = "daily"
    proration: Literal["second", "day"] = "second"   # by which the time of a period is shared
    tax_provider: str = "eu"                         # who says which taxes are due: ours, or a registered one over a network
    timezone: str = "UTC"                            # of the billing days of new subscriptions; a customer may have another
    upcoming_days: int = 0                           # how long before a renewal invoice.upcoming tells of it; 0: never
    will_be_due_days: int = 0                        # how long before its due date invoice.will_be_due does; 0: never


class Account(Resource, kw_only=True):
    """The book itself, with what every transaction on it must know."""

    TABLE: ClassVar[Table] = Table("accounts", prefix="acct")
    object: Literal["account"] = "account"
    livemode: Annotated[bool, Column(), Hidden()] = False
    business_name: Annotated[str | None, Column(), Hidden()] = None
    country: Annotated[str, Column()] = "NL"
    default_currency: Annotated[str, Column()] = "eur"
    email: str | None = None
    charges_enabled: bool = True
    details_submitted: bool = True
    payouts_enabled: bool = True
    type: Literal["standard"] = "standard"
    created: Annotated[Instant, Column("created_at")]
    settings_billing: Annotated[BillingSettings, Hidden()] = field(default_factory=BillingSettings)
    card_processor: Annotated[str, Hidden()] = "sandbox"
    details: Annotated[dict[str, Any], Hidden()] = {}
