"""Setup intents: what a request may ask of one."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.setup_intents import (
    SetupCardOptions,
    SetupIntent,
    SetupIntentConfirm,
    SetupIntentCreate,
    SetupIntentOptions,
    SetupIntentOptionsParams,
    SetupIntentUpdate,
    SetupMethodOptions,
)
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.metadata import merged
from voldaan.rules.payment_intents import NO_LONGER_SUPPORTED
from voldaan.rules.refusals import refused

Given = SetupIntentCreate | SetupIntentUpdate | SetupIntentConfirm
TYPES = ("card", "sepa_debit", "us_bank_account")    # what can be charged later
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def check_create(params: SetupIntentCreate) -> None:
    """Refuses what cannot stand together."""
    if "payment_method_types" in params.model_fields_set:
        raise refused(NO_LONGER_SUPPORTED, "payment_method_types", "payment_method_types_no_longer_supported")
    if not params.confirm:
        for name in ("mandate_data", "return_url", "use_stripe_sdk"):
            if getattr(params, name):
                raise refused(f"The parameter `{name}` can only be used with `confirm=true`.", name)


def described(intent: SetupIntent, params: Given) -> SetupIntent:
    """The intent with what a request says of it: everything but customer and payment method."""
    said: Any = params                            # which verb's parameters these are shows in `given`
    given = params.model_fields_set
    values: dict[str, Any] = {}
    if "description" in given:
        values["description"] = said.description or None
    if "metadata" in given:
        values["metadata"] = merged(intent.metadata or {}, said.metadata or {})
        if said.metadata == "":
            values["metadata"] = {}
    if "usage" in given and said.usage:
        values["usage"] = said.usage
    for name in ("allowed_payment_method_types", "excluded_payment_method_types"):
        if name in given:
            values[name] = getattr(said, name) or None
    return with_types(replace(intent, **values), said.payment_method_options)


def with_types(intent: SetupIntent, given: SetupIntentOptionsParams | None) -> SetupIntent:
    """The intent with the computed list of payment method types, and their options."""
    types = [
        type
        for type in TYPES
        if type not in (intent.excluded_payment_method_types or [])
        and (not intent.allowed_payment_method_types or type in intent.allowed_payment_method_types)
    ]
    if not types:
        raise refused("No payment method types are left for this SetupIntent.", "allowed_payment_method_types")
    was = intent.payment_method_options
    values: dict[str, Any] = {}
    for type in types:
        before = getattr(was, type) if was else UNSET
        values[type] = before or (SetupCardOptions() if type == "card" else SetupMethodOptions())
        said = getattr(given, type) if given else None
        if said and type == "card":
            known = {name: value for name, value in said.given().items() if name in ("network", "request_three_d_secure")}
            values[type] = replace(values[type], **known)
        elif said and said.mandate_options:
            values[type] = SetupMethodOptions(mandate_options=said.mandate_options.given())
    return replace(intent, payment_method_types=types, payment_method_options=SetupIntentOptions(**values))


def check_open(intent: SetupIntent, verb: str) -> None:
    """Refuses to confirm, cancel or change what is over or under way."""
    if intent.status in OPEN:
        return
    done = {"confirm": "confirmed", "cancel": "canceled", "update": "updated"}[verb]
    if verb == "confirm" and intent.status == "succeeded":
        raise unexpected("You cannot confirm this SetupIntent because it has already succeeded.")
    if verb == "cancel" and intent.status == "canceled":
        raise unexpected("You cannot cancel this SetupIntent because it is already canceled.")
    raise unexpected(
        f"You cannot {verb} this SetupIntent because it has a status of {intent.status}. Only a SetupIntent with one of the "
        f"following statuses may be {done}: {', '.join(f'`{status}`' for status in OPEN[:-1])}, or `{OPEN[-1]}`."
    )


def check_method(intent: SetupIntent, method: PaymentMethod | None) -> PaymentMethod:
    """The method to set up. Refuses none, and one of a type that this intent does not take."""
    if method is None:
        raise unexpected(
            "You cannot confirm this SetupIntent because it's missing a payment method. You can either update the SetupIntent "
            "with a payment method and then confirm it again, or confirm it again directly with a payment method or "
            "ConfirmationToken."
        )
    if method.type not in intent.payment_method_types:
        raise refused(
            f"The PaymentMethod provided ({method.type}) is not allowed for this SetupIntent. Please attach a PaymentMethod of "
            f"one of the following types: {', '.join(intent.payment_method_types)}.",
            "payment_method",
        )
    return method


def unexpected(message: str) -> Refused:
    return Refused(Refusal("setup_intent_unexpected_state", message))
