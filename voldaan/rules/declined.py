"""Refusals that come from ourselves, in the form of a processor's decline."""

from __future__ import annotations

from voldaan.processors.protocol import Decline


def refused_here(code: str, message: str) -> Decline:
    """Asked wrongly: nothing reached a payer's bank, and asking again changes nothing."""
    return Decline(code=code, category="configuration", retry="never", message=message, error_code=code, raw_code=code)


# The request was proven not to have arrived, time and again.
NEVER_ARRIVED = Decline(
    code="processing_error", category="technical", retry="later", error_code="processing_error",
    message="An error occurred while processing your card. Try again in a little bit.",
)  # fmt: skip
