"""How a book bills by itself, to be read and changed; and what a customer has of it that differs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from voldaan.resources.base import Hidden, Resource, Table
from voldaan.resources.params import Params, Unset, refuse

DAY = 86_400
RETRIES_MAX = 15


class BillingSettingsShown(Resource, kw_only=True):
    """The settings of resources/accounts.BillingSettings, as the API shows them. Durations are in seconds."""

    TABLE: ClassVar[Table] = Table("accounts", prefix="")
    object: Literal["voldaan.billing_settings"] = "voldaan.billing_settings"
    id: Annotated[str, Hidden()]
    draft_seconds: int
    incomplete_seconds: int
    retry_offsets: list[int] | None
    retry_final_action: Literal["cancel", "unpaid", "past_due"]
    retry_final_invoice: Literal["open", "uncollectible"]
    numbering: Literal["customer", "account"]
    tax_rounding: Literal["per_rate", "per_line"]
    payout_interval: Literal["daily", "manual"]
    proration: Literal["second", "day"]
    tax_provider: str
    timezone: str
    upcoming_days: int
    will_be_due_days: int


class CustomerBillingSettings(Resource, kw_only=True):
    """What is billed differently for this customer; null: as the account says."""

    TABLE: ClassVar[Table] = Table("customers", prefix="")
    object: Literal["voldaan.customer_billing_settings"] = "voldaan.customer_billing_settings"
    id: Annotated[str, Hidden()]
    customer: str
    timezone: str | None


def _zone(name: str) -> str:
    if name in available_timezones():
        return name
    raise refuse("", "Invalid time zone: {name}; must be a name of the IANA database, such as Europe/Amsterdam.", name=name)


Zone = Annotated[str, AfterValidator(_zone)]
Retry = Annotated[int, Field(ge=3600, le=90 * DAY)]
Days = Annotated[int, Field(ge=0, le=60)]


class BillingSettingsUpdate(Params):
    draft_seconds: Annotated[int, Field(ge=0, le=3 * DAY)] | None = None
    incomplete_seconds: Annotated[int, Field(ge=3600, le=30 * DAY)] | None = None
    retry_offsets: Annotated[list[Retry], Field(max_length=RETRIES_MAX)] | Unset | None = None
    retry_final_action: Literal["cancel", "unpaid", "past_due"] | None = None
    retry_final_invoice: Literal["open", "uncollectible"] | None = None
    numbering: Literal["customer", "account"] | None = None
    tax_rounding: Literal["per_rate", "per_line"] | None = None
    payout_interval: Literal["daily", "manual"] | None = None
    proration: Literal["second", "day"] | None = None
    tax_provider: Annotated[str, Field(max_length=40)] | None = None
    timezone: Zone | None = None
    upcoming_days: Days | None = None
    will_be_due_days: Days | None = None


class CustomerBillingSettingsUpdate(Params):
    timezone: Zone | Unset | None = None
