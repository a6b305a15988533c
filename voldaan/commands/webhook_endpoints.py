"""Webhook endpoints: where events go to, and which."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec.structs import replace

from voldaan.events import guard
from voldaan.events.types import is_type
from voldaan.resources.webhook_endpoints import (
    WebhookEndpoint,
    WebhookEndpointCreate,
    WebhookEndpointDelete,
    WebhookEndpointUpdate,
)
from voldaan.rules.decision import Decision, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import refused
from voldaan.settings import private_webhooks
from voldaan.store.ids import new_id, secret
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

API_VERSION = "2026-10-28.endive"  # the only one that events are written in
ENDPOINTS_MAX = 16
PRIVATE_HINT = " To send events to this machine or your own network, start the server with VOLDAAN_WEBHOOKS_PRIVATE=1."


async def create(tx: Transaction, params: WebhookEndpointCreate) -> WebhookEndpoint:
    """An endpoint with its signing secret, which is shown this once."""
    if params.connect:
        raise refused("There are no connected accounts here: leave `connect` out.", "connect")
    if params.api_version not in (None, API_VERSION):
        raise refused(f"Events are sent in version {API_VERSION} only.", "api_version")
    if (await tx.one(query("webhook_endpoints", "count")))[0] >= ENDPOINTS_MAX:
        raise refused(f"You have reached the maximum of {ENDPOINTS_MAX} webhook endpoints.", "url")
    check_url(params.url, tx.account.livemode)
    endpoint = WebhookEndpoint(
        id=new_id("we"),
        api_version=params.api_version,
        created=tx.now,
        description=params.description or None,
        enabled_events=checked(params.enabled_events),
        livemode=tx.account.livemode,
        metadata=merged({}, params.metadata),
        signing_secret=secret("whsec"),
        url=params.url,
    )
    await write(tx, [Decision(inserts=[endpoint])])
    return replace(endpoint, secret=endpoint.signing_secret)


async def update(tx: Transaction, params: WebhookEndpointUpdate, id: str) -> WebhookEndpoint:
    """The changed endpoint. A disabled one gets nothing, not even later what it missed."""
    was = await tx.need(WebhookEndpoint, id, lock=True)
    endpoint = replace(was, metadata=merged(was.metadata, params.metadata))
    if "description" in params.model_fields_set:
        endpoint = replace(endpoint, description=params.description or None)
    if params.disabled is not None:
        endpoint = replace(endpoint, status="disabled" if params.disabled else "enabled")
    if params.enabled_events is not None:
        endpoint = replace(endpoint, enabled_events=checked(params.enabled_events))
    if params.url is not None:
        check_url(params.url, tx.account.livemode)
        endpoint = replace(endpoint, url=params.url)
    await write(tx, [Decision(updates=[Update(endpoint, was)])])
    return endpoint


async def delete(tx: Transaction, params: WebhookEndpointDelete, id: str) -> dict[str, object]:
    """The endpoint is gone; deliveries still due find nobody and end."""
    endpoint = await tx.need(WebhookEndpoint, id, lock=True)
    await write(tx, [Decision(deletes=[endpoint])])
    return {"id": id, "object": endpoint.object, "deleted": True}


def checked(types: Sequence[str]) -> list[str]:
    """The types without repetitions. Refuses what is no type of event."""
    if not types:
        raise refused("You must enable at least one event.", "enabled_events", "parameter_invalid_empty")
    for number, name in enumerate(types):
        if not is_type(name):
            raise refused(f"The event type `{name}` does not exist.", f"enabled_events[{number}]")
    return list(dict.fromkeys(types))


def check_url(url: str, livemode: bool) -> None:
    """Refuses what is no address, in live mode what is not encrypted, and what would never be called.

    Where a name leads is looked at when it is called.
    """
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https") or any(c.isspace() for c in url) or parts.username:
        raise refused("Not a valid URL", "url", "url_invalid")
    if livemode and parts.scheme != "https":
        raise refused("Invalid URL: An HTTPS URL is required in live mode.", "url", "url_invalid")
    try:
        guard.read(url, allow_private=private_webhooks())
    except guard.Blocked as blocked:
        hint = "" if private_webhooks() else PRIVATE_HINT
        raise refused(f"Invalid URL: URL must be publicly accessible ({blocked}).{hint}", "url", "url_invalid") from None
