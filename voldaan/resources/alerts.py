"""Billing alerts: somebody is told when a customer's usage of a meter reaches a threshold."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from voldaan.resources.base import Column, Expandable, Hidden, Instant, Part, Resource, Table
from voldaan.resources.params import Hash, PageParams, Params

AlertType = Literal["usage_threshold"]
AlertStatus = Literal["active", "archived", "inactive"]


class AlertFilter(Part, kw_only=True):
    customer: Annotated[str | None, Expandable("customer")] = None
    type: Literal["customer"] = "customer"


class UsageThreshold(Part, kw_only=True):
    filters: list[AlertFilter] | None = None
    gte: int
    meter: Annotated[str, Expandable("billing.meter")]
    recurrence: Literal["one_time"] = "one_time"


class Alert(Resource, kw_only=True):
    """Once for each customer, or for one. Usage before it was made does not count."""

    TABLE: ClassVar[Table] = Table("billing_alerts", prefix="alrt", state="status")
    object: Literal["billing.alert"] = "billing.alert"
    alert_type: Annotated[AlertType, Column()] = "usage_threshold"
    livemode: bool
    status: Annotated[AlertStatus | None, Column()] = "active"
    title: str
    usage_threshold: UsageThreshold | None = None
    created: Annotated[Instant, Column("created_at"), Hidden()]
    meter: Annotated[str, Column("meter_id"), Hidden()]
    customer: Annotated[str | None, Column("customer_id"), Hidden()] = None


class AlertTriggered(Resource, kw_only=True):
    """What billing.alert.triggered tells. Its id is the alert and the customer, so there is only one."""

    TABLE: ClassVar[Table] = Table("billing_alert_triggers", prefix="")
    object: Literal["billing.alert_triggered"] = "billing.alert_triggered"
    id: Annotated[str, Hidden()]
    alert: dict[str, Any]
    created: Annotated[Instant, Column("created_at")]
    customer: Annotated[str, Column("customer_id")]
    livemode: bool
    value: int
    alert_id: Annotated[str, Column("alert_id"), Hidden()]
    quantity: Annotated[Decimal, Hidden()]  # `value` in full


class AlertFilterParams(Hash):
    customer: str
    type: Literal["customer"]


class UsageThresholdParams(Hash):
    filters: Annotated[list[AlertFilterParams], Field(max_length=1)] = []
    gte: Annotated[int, Field(ge=1)]
    meter: str
    recurrence: Literal["one_time"]


class AlertCreate(Params):
    alert_type: AlertType
    title: Annotated[str, Field(max_length=256)]
    usage_threshold: UsageThresholdParams


class AlertChange(Params):
    """Activate, deactivate, archive."""


class AlertList(PageParams):
    alert_type: AlertType | None = None
    meter: str | None = None
