"""Webhook endpoints: where events are sent to."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Hidden, Instant, Resource, Table, UnsetType
from voldaan.resources.params import Metadata, PageParams, Params, Unset


class WebhookEndpoint(Resource, kw_only=True):
    """`enabled_events` holds types of events, or "*" for all. `secret` is shown once, when the endpoint is made."""

    TABLE: ClassVar[Table] = Table("webhook_endpoints", prefix="we", state="status")
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    api_version: str | None = None
    application: str | None = None
    created: Annotated[Instant, Column("created_at")]
    description: str | None = None
    enabled_events: Annotated[list[str], Column()]
    livemode: bool
    metadata: dict[str, str] = {}
    secret: str | UnsetType = UNSET
    status: Annotated[Literal["enabled", "disabled"], Column()] = "enabled"
    url: Annotated[str, Column()]
    signing_secret: Annotated[str, Hidden()]


class WebhookEndpointCreate(Params):
    api_version: str | None = None
    connect: bool | None = None
    description: str | Unset | None = None
    enabled_events: list[str]
    metadata: Metadata | Unset = {}
    url: str


class WebhookEndpointUpdate(Params):
    description: str | Unset | None = None
    disabled: bool | None = None
    enabled_events: list[str] | None = None
    metadata: Metadata | Unset = {}
    url: str | None = None


class WebhookEndpointDelete(Params):
    pass


class WebhookEndpointList(PageParams):
    pass
