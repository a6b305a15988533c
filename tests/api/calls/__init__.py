"""How to call every operation that is served: with real objects, and with as many parameters as it sensibly takes."""

from tests.api.calls import (
    account,
    catalogue,
    clocks_and_webhooks,
    credit_notes,
    customers,
    entitlements,
    invoices,
    metered,
    methods,
    own,
    payments,
    reductions,
    schedules,
    subscriptions,
    taxes,
    usage,
)
from tests.api.calls.filing import ALWAYS_REFUSED, CALLS, Call, key

__all__ = [
    "ALWAYS_REFUSED",
    "CALLS",
    "Call",
    "account",
    "catalogue",
    "clocks_and_webhooks",
    "credit_notes",
    "customers",
    "entitlements",
    "invoices",
    "key",
    "metered",
    "methods",
    "own",
    "payments",
    "reductions",
    "schedules",
    "subscriptions",
    "taxes",
    "usage",
]
