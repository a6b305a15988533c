"""Payment intents: what a request may ask of one. The refusals are worded as Stripe words them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from voldaan.resources.payment_intents import (
    AmountDetails,
    AmountDetailsParams,
    AmountShipping,
    AmountTax,
    BancontactOptions,
    CardOptions,
    CardOptionsParams,
    CustomerBalanceOptions,
    MethodOptions,
    MethodOptionsParams,
    PaymentDetails,
    PaymentIntent,
    PaymentIntentCapture,
    PaymentIntentConfirm,
    PaymentIntentCreate,
    PaymentIntentUpdate,
    PaymentMethodOptions,
    PaymentMethodOptionsParams,
)
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.rules import tax_associations
from voldaan.rules.decision import Refusal, Refused
from voldaan.rules.metadata import merged
from voldaan.rules.money import exponent, is_supported, maximum_amount, minimum_charge, step
from voldaan.rules.payments import REDIRECTS, method_types
from voldaan.rules.refusals import refused

Given = PaymentIntentCreate | PaymentIntentUpdate | PaymentIntentConfirm | PaymentIntentCapture

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "aud": "A$", "cad": "CA$", "nzd": "NZ$", "inr": "₹"}
MAY_CONFIRM = ("requires_payment_method", "requires_confirmation", "requires_action")
MAY_CHANGE = ("requires_payment_method", "requires_confirmation")
PLAIN = (
    "description", "receipt_email", "setup_future_usage", "statement_descriptor", "statement_descriptor_suffix",
    "transfer_group",
)  # fmt: skip
# Once money is on its way these stay as they are.
FIXED = (
    "allowed_payment_method_types", "amount", "capture_method", "currency", "customer", "excluded_payment_method_types",
    "payment_method", "payment_method_data", "payment_method_options", "setup_future_usage",
)  # fmt: skip
NO_LONGER_SUPPORTED = (
    "The `payment_method_types` parameter is no longer supported. Payment methods are chosen automatically; to narrow the "
    "choice, use `allowed_payment_method_types` or `excluded_payment_method_types`."
)
ONLY_WITH_CONFIRM = ("error_on_requires_action", "mandate", "mandate_data", "off_session", "return_url", "use_stripe_sdk")
# Debits from accounts outside the EEA need the payer's address.
OUTSIDE_EEA = frozenset({"AD", "CH", "GB", "GG", "GI", "IM", "JE", "MC", "PM", "SM", "VA"})


# ── amounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_amount(amount: int, currency: str) -> None:
    """Refuses an amount that no network takes."""
    if not is_supported(currency):
        raise refused(f"Invalid currency: {currency}.", "currency")
    if amount < 1:
        raise refused("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount < (least := minimum_charge(currency)):
        raise refused(f"Amount must be at least {shown(least, currency)}", "amount", "amount_too_small")
    if amount > (most := maximum_amount(currency)):
        raise refused(f"Amount must be no more than {shown(most, currency)}", "amount", "amount_too_large")
    if amount % step(currency):
        raise refused(f"Invalid amount: {currency} amounts must be a multiple of {step(currency)}.", "amount")


def shown(amount: int, currency: str) -> str:
    """An amount in a refusal: "€0.50 eur"."""
    places = exponent(currency)
    whole, rest = divmod(amount, 10**places)
    number = f"{whole:,}.{rest:0{places}d}" if places else f"{whole:,}"
    return f"{SYMBOLS.get(currency, '')}{number} {currency}"


# ── what a request says ─────────────────────────────────────────────────────────────────────────────────────────────


def check_create(params: PaymentIntentCreate) -> None:
    """Refuses what cannot stand together."""
    given = params.model_fields_set
    if "payment_method_types" in given:
        raise refused(NO_LONGER_SUPPORTED, "payment_method_types", "payment_method_types_no_longer_supported")
    check_amount(params.amount, params.currency)
    if not params.confirm:
        for name in ONLY_WITH_CONFIRM:
            if getattr(params, name):
                raise refused(f"The parameter `{name}` can only be used with `confirm=true`.", name)
    if params.off_session and params.setup_future_usage:
        raise refused("`off_session` and `setup_future_usage` cannot be used together.", "off_session")


def check_update(intent: PaymentIntent, params: PaymentIntentUpdate) -> None:
    """Refuses a change that comes too late, or that only the invoice may make."""
    for name in FIXED:
        if name not in params.model_fields_set:
            continue
        if intent.status not in MAY_CHANGE and not (name == "payment_method_options" and intent.status == "requires_action"):
            raise refused(
                f"This PaymentIntent's {name} could not be updated because it has a status of {intent.status}. You may only "
                f"update the {name} of a PaymentIntent with one of the following statuses: {', '.join(MAY_CHANGE)}.",
                name,
                "payment_intent_unexpected_state",
            )
        if intent.invoice and name in ("amount", "currency", "customer", "capture_method"):
            raise refused(f"The {name} of a PaymentIntent that belongs to an invoice cannot be changed.", name)
    if params.amount is not None or params.currency is not None:
        check_amount(params.amount if params.amount is not None else intent.amount, params.currency or intent.currency)


def described(intent: PaymentIntent, params: Given) -> PaymentIntent:
    """The intent with what a request says of it: everything but amount, currency, customer and payment method."""
    said: Any = params                            # which verb's parameters these are shows in `given`
    given = params.model_fields_set
    values: dict[str, Any] = {name: getattr(said, name) or None for name in PLAIN if name in given}
    if "metadata" in given:
        values["metadata"] = merged(intent.metadata, said.metadata or {})
        if said.metadata == "":
            values["metadata"] = {}
    if "shipping" in given:
        shipping = said.shipping
        values["shipping"] = shipping.shipping() if shipping else None
    if said.amount_details is not None:
        values["amount_details"] = amount_details(said.amount_details or None)
    if said.payment_details is not None:
        details = said.payment_details
        values["payment_details"] = (
            PaymentDetails(
                customer_reference=details.customer_reference or None, order_reference=details.order_reference or None
            )
            if details
            else UNSET
        )
    if (calculation := tax_associations.named(said.hooks)) is not None:
        values |= tax_associations.hooked(intent, calculation)
    if "capture_method" in given and said.capture_method:
        values["capture_method"] = said.capture_method
    if "allowed_payment_method_types" in given:
        values["allowed_payment_method_types"] = said.allowed_payment_method_types or None
    if "excluded_payment_method_types" in given:
        values["excluded_payment_method_types"] = said.excluded_payment_method_types or None
    return with_types(replace(intent, **values), getattr(said, "payment_method_options", None))


def amount_details(given: AmountDetailsParams | None) -> Any:
    if given is None:
        return UNSET
    shipping, tax = given.shipping or None, given.tax or None
    return AmountDetails(
        discount_amount=given.discount_amount if isinstance(given.discount_amount, int) else UNSET,
        shipping=AmountShipping(
            amount=shipping.amount if isinstance(shipping.amount, int) else None,
            from_postal_code=shipping.from_postal_code or None,
            to_postal_code=shipping.to_postal_code or None,
        )
        if shipping
        else UNSET,
        tax=AmountTax(total_tax_amount=tax.total_tax_amount) if tax else UNSET,
    )


# ── payment methods ─────────────────────────────────────────────────────────────────────────────────────────────────


def with_types(intent: PaymentIntent, given: PaymentMethodOptionsParams | None) -> PaymentIntent:
    """The intent with the computed list of payment method types, and their options."""
    if intent.invoice:
        return replace(intent, payment_method_options=options(intent.payment_method_types, intent.payment_method_options, given))
    redirects = not (intent.automatic_payment_methods and intent.automatic_payment_methods.allow_redirects == "never")
    types = [
        type
        for type in method_types(
            intent.currency,
            reusable=intent.setup_future_usage is not None,
            redirects=redirects,
            manual_capture=intent.capture_method == "manual",
        )
        if type not in (intent.excluded_payment_method_types or [])
        and (not intent.allowed_payment_method_types or type in intent.allowed_payment_method_types)
    ]
    if not types:
        raise refused(
            "No payment method types are left for this PaymentIntent: check the currency and the allowed and excluded types.",
            "allowed_payment_method_types",
        )
    return replace(
        intent, payment_method_types=types, payment_method_options=options(types, intent.payment_method_options, given)
    )


DEFAULTS: dict[str, Any] = {
    "bancontact": BancontactOptions(), "card": CardOptions(), "customer_balance": CustomerBalanceOptions(),
}  # fmt: skip


def options(
    types: list[str], was: PaymentMethodOptions | None, given: PaymentMethodOptionsParams | None
) -> PaymentMethodOptions | None:
    """What is stored per type: what was said, or the defaults."""
    if given is None and was is None and types == ["card"]:
        return PaymentMethodOptions(card=DEFAULTS["card"])
    values: dict[str, Any] = {}
    for type in types:
        before = getattr(was, type) if was else UNSET
        values[type] = before if before is not UNSET else DEFAULTS.get(type, MethodOptions())
        said = getattr(given, type) if given else None
        if said:
            values[type] = _said(values[type], said)
    return PaymentMethodOptions(**values)


def _said(was: Any, given: CardOptionsParams | MethodOptionsParams) -> Any:
    """One type's options with what is given; "" takes a value back."""
    known = set(type(was).__struct_fields__)
    values: dict[str, Any] = {}
    for name, value in given.given().items():
        if name not in known:
            continue
        if name == "mandate_options":
            value = value.given()
        absent = UNSET if getattr(type(was)(), name) is UNSET else getattr(type(was)(), name)
        values[name] = absent if value == "" else value
    return replace(was, **values)


def check_method(intent: PaymentIntent, method: PaymentMethod) -> None:
    """Refuses a payment method that this intent does not take."""
    if method.type not in intent.payment_method_types and method.type != "customer_balance":
        raise refused(
            f"The PaymentMethod provided ({method.type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod "
            f"of one of the following types: {', '.join(intent.payment_method_types)}.",
            "payment_method",
            "payment_intent_incompatible_payment_method",
        )


def check_confirm(intent: PaymentIntent, method: PaymentMethod | None, return_url: str | None, *, off_session: bool) -> None:
    """Refuses to try what cannot be tried. Raises the refusal."""
    check_may_confirm(intent)
    if method is None:
        way = (
            f"To confirm the PaymentIntent with {intent.customer}, specify a payment method attached to this customer along "
            "with the customer ID."
            if intent.customer
            else "You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again "
            "directly with a payment method or ConfirmationToken."
        )
        raise _unexpected(f"You cannot confirm this PaymentIntent because it's missing a payment method. {way}")
    check_method(intent, method)
    if method.type in REDIRECTS and not return_url:
        raise refused(
            f"A return_url must be specified because this PaymentIntent is confirmed with {method.type}, which sends the "
            "customer to another page.",
            "return_url",
            "parameter_missing",
        )
    if off_session and method.customer is None and intent.customer:
        raise refused(
            "You cannot confirm with `off_session=true` when the payment method is not attached to the customer.", "off_session"
        )
    debit, address = method.sepa_debit or None, method.billing_details.address
    if debit and debit.country in OUTSIDE_EEA and not (address and address.line1):
        raise refused(
            f"A billing address is required for SEPA Direct Debit from {debit.country}.",
            "billing_details[address]",
            "parameter_missing",
        )


def check_may_confirm(intent: PaymentIntent) -> None:
    """Refuses when it is done, canceled or under way."""
    if intent.status == "succeeded":
        raise _unexpected(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
    if intent.status not in MAY_CONFIRM:
        raise _unexpected(
            f"You cannot confirm this PaymentIntent because it has a status of {intent.status}. Only a PaymentIntent with one "
            f"of the following statuses may be confirmed: {', '.join(MAY_CONFIRM)}."
        )


def _unexpected(message: str) -> Refused:
    return Refused(Refusal("payment_intent_unexpected_state", message))


def check_capture(intent: PaymentIntent, params: PaymentIntentCapture) -> int:
    """The amount to capture. Refuses more than is held, and captures in parts."""
    if intent.status != "requires_capture":
        raise _unexpected(
            f"This PaymentIntent could not be captured because it has a status of {intent.status}. Only a PaymentIntent with "
            "one of the following statuses may be captured: requires_capture."
        )
    if params.final_capture is False:
        raise refused("This payment does not support more than one capture.", "final_capture")
    amount = params.amount_to_capture if params.amount_to_capture is not None else intent.amount_capturable
    if amount > intent.amount_capturable:
        raise refused(
            f"The amount you specified ({amount}) is greater than the remaining amount capturable on this PaymentIntent "
            f"({intent.amount_capturable}).",
            "amount_to_capture",
            "amount_too_large",
        )
    return amount
