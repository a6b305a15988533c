"""How to call every operation that is served: with real objects, and with as many parameters as it sensibly takes.

    CALLS["POST /v1/invoices/{}/pay"](world)  ->  Call("/v1/invoices/in_1/pay", {...})

Placeholders are written {} since their names differ between the SDK and our route table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.api.wire import JSON
from tests.api.world import World

ADDRESS = {"city": "Delft", "country": "NL", "line1": "Markt 87", "line2": "2nd floor", "postal_code": "2611 GW", "state": "ZH"}
SHIPPING = {"address": ADDRESS, "name": "Anna", "phone": "+31 15 2602200"}
METADATA = {"shop": "Delft", "0": "zero"}


@dataclass
class Call:
    path: str
    params: JSON = field(default_factory=dict)


def key(method: str, path: str) -> str:
    """How an operation is filed in CALLS."""
    return f"{method} {re.sub(r'{[^}]*}', '{}', path)}"


CALLS: dict[str, Callable[[World], Call]] = {}

# Operations that we serve only to say, in the API's words, that they cannot be done here.
ALWAYS_REFUSED = {
    "DELETE /v1/customers/{}/discount",
    "POST /v1/refunds/{}/cancel",
    "POST /v1/payment_intents/{}/apply_customer_balance",
    "POST /v1/payment_intents/{}/increment_authorization",
    "POST /v1/payment_intents/{}/verify_microdeposits",
    "POST /v1/setup_intents/{}/verify_microdeposits",
    "POST /v1/payouts/{}/cancel",
    "POST /v1/payouts/{}/reverse",
    "POST /v1/test_helpers/refunds/{}/expire",
}


def call(operation: str, **params: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Files an operation. The function makes the objects and returns the ids for its placeholders, and more parameters."""

    def file(make: Callable[[World], Any]) -> Callable[[World], Any]:
        _, path = operation.split(" ")

        def build(world: World) -> Call:
            made = make(world)
            ids, more = made if isinstance(made, tuple) and made and isinstance(made[-1], dict) else (made, {})
            ids = [ids] if isinstance(ids, str) else list(ids or [])
            filled = path
            for id in ids:
                filled = filled.replace("{}", id, 1)
            assert "{}" not in filled, operation
            return Call(filled, {**params, **more})

        assert operation not in CALLS, operation
        CALLS[operation] = build
        return make

    return file


def plain(operation: str, **params: Any) -> None:
    """Files an operation that needs no object."""
    call(operation, **params)(lambda world: ())
