"""Which processor takes a payment method or a payout; refuses where there is none."""

from __future__ import annotations

from voldaan.processors import registry
from voldaan.processors.protocol import Declined
from voldaan.rules.refusals import refused


def processor_for(type: str, livemode: bool) -> str:
    """The name of the processor for new payments with this type of payment method."""
    test, live = registry.ROUTES.get(type, (None, None))
    if not livemode and test:
        return test
    if livemode and live:
        return live
    found = registry.route(type, livemode)
    if isinstance(found, Declined):
        raise refused(found.decline.message, "payment_method", "payment_method_not_available")
    return found.name


def processor_for_payouts(livemode: bool) -> str:
    """The name of the processor that sends an account its own money."""
    test, live = registry.PAYOUTS
    return live if livemode else test
