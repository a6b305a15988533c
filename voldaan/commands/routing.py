"""Which processor takes a payment method or a payout; refuses where there is none."""

from __future__ import annotations

from voldaan.processors.registry import PAYOUTS, ROUTES
from voldaan.rules.refusals import refused


def processor_for(type: str, livemode: bool) -> str:
    """The name of the processor for new payments with this type of payment method."""
    test, live = ROUTES.get(type, (None, None))
    if found := live if livemode else test:
        return found
    mode = "live" if livemode else "test"
    raise refused(
        f"No processor is configured that takes '{type}' in {mode} mode. Configure one, or use another payment method.",
        "payment_method",
        "payment_method_not_available",
    )


def processor_for_payouts(livemode: bool) -> str:
    """The name of the processor that sends an account its own money."""
    test, live = PAYOUTS
    return live if livemode else test
