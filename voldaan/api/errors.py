"""What the API answers when it refuses: Stripe's error object, and each common refusal by its name, in Stripe's words.

The SDKs choose their exception by the HTTP status: 400 and 404 invalid request (or idempotency), 401 authentication,
402 card, 403 permission, 429 rate limit, anything else a general error. `type` has four values only; there is no
`rate_limit_error` and no `authentication_error` on the wire. Sources: docs/behaviour-api.md, "Errors".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from voldaan.rules.decision import Refusal

ErrorType = Literal["api_error", "card_error", "idempotency_error", "invalid_request_error"]

DOC_URL = "https://stripe.com/docs/error-codes/"
QUOTED_MAX = 200  # characters of a caller's value that an answer repeats

# How "No such …" calls an object whose name it does not use as it is.
NOUNS = {
    "balance_transaction": "balance transaction",
    "invoiceitem": "Invoice Item",
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
    "promotion_code": "promotion code",
    "tax_rate": "tax rate",
    "webhook_endpoint": "webhook endpoint",
}

# What an answer blames when the object that the path names is missing; for the others it is "id". Recorded.
PATH_PARAMS = {
    "dispute": "dispute",
    "payment_intent": "intent",
    "payment_method": "payment_method",
    "payout": "payout",
    "price": "price",
    "refund": "refund",
    "setup_intent": "intent",
}

# Codes that mean the payment itself failed: 402 and card_error.
CARD_CODES = frozenset({
    "authentication_required", "card_declined", "expired_card", "incorrect_address", "incorrect_cvc",
    "incorrect_number", "incorrect_zip", "insufficient_funds", "invalid_cvc", "invalid_expiry_month",
    "invalid_expiry_year", "invalid_number", "payment_intent_authentication_failure",
    "payment_intent_payment_attempt_failed", "processing_error", "setup_intent_authentication_failure",
})  # fmt: skip


# What an error carries besides words: whole objects, and the id of a charge.
ERROR_OBJECTS = ("charge", "payment_intent", "payment_method", "setup_intent")


class ApiError(Exception):
    """A request that is refused or has failed; the door turns it into a response.

    `payment_intent`, `setup_intent` and `payment_method` are whole objects (anything the JSON encoder takes); `charge`
    is an id. `extra` holds the rarer fields: advice_code, network_decline_code, payment_method_type, source.
    """

    def __init__(
        self,
        http_status: int,
        type: ErrorType,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        doc_url: str | None = None,
        charge: str | None = None,
        payment_intent: Any = None,
        setup_intent: Any = None,
        payment_method: Any = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.type = type
        self.message = message
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.doc_url = doc_url or (DOC_URL + code.replace("_", "-") if code else None)
        self.charge = charge
        self.payment_intent = payment_intent
        self.setup_intent = setup_intent
        self.payment_method = payment_method
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def to_body(self, request_log_url: str | None = None) -> dict[str, dict[str, Any]]:
        """`{"error": {…}}` with its keys in alphabetical order; what is null is left out, as Stripe leaves it out."""
        fields = {
            **self.extra,
            "charge": self.charge,
            "code": self.code,
            "decline_code": self.decline_code,
            "doc_url": self.doc_url,
            "message": self.message,
            "param": self.param,
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "request_log_url": request_log_url,
            "setup_intent": self.setup_intent,
            "type": self.type,
        }
        return {"error": {name: fields[name] for name in sorted(fields) if fields[name] is not None}}

    def __repr__(self) -> str:
        return f"ApiError({self.http_status}, {self.code or self.type}, {self.message!r}, param={self.param!r})"


def invalid_request(
    message: str, *, code: str | None = None, param: str | None = None, status: int = 400, **more: Any
) -> ApiError:
    """A request that cannot be carried out as it stands."""
    return ApiError(status, "invalid_request_error", message, code=code, param=param, **more)


def from_refusal(refusal: Refusal) -> ApiError:
    """A rule's or command's refusal as the API says it."""
    if refusal.code == "lock_timeout":
        return lock_timeout()
    declined = refusal.code in CARD_CODES or refusal.type == "card_error"
    own = {name: value for name, value in refusal.extra.items() if name in ERROR_OBJECTS}
    return ApiError(
        402 if declined else refusal.status,
        "card_error" if declined else cast(ErrorType, refusal.type),
        refusal.message,
        code=refusal.code or None,
        param=refusal.param,
        decline_code=refusal.decline_code,
        extra={name: value for name, value in refusal.extra.items() if name not in ERROR_OBJECTS},
        **own,
    )


# Parameters ---------------------------------------------------------------------------------------------------------


def parameter_unknown(*params: str) -> ApiError:
    """All unknown parameters are named, the first is `param`."""
    noun = "parameter" if len(params) == 1 else "parameters"
    names = ", ".join(quoted(param) for param in params)
    return invalid_request(f"Received unknown {noun}: {names}", code="parameter_unknown", param=quoted(params[0]))


def parameter_missing(param: str) -> ApiError:
    return invalid_request(f"Missing required param: {param}.", code="parameter_missing", param=param)


def parameter_invalid_integer(param: str, value: str) -> ApiError:
    return invalid_request(f"Invalid integer: {quoted(value)}", code="parameter_invalid_integer", param=param)


def parameter_invalid_empty(param: str) -> ApiError:
    message = (
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{param}' cannot be unset. You should remove '{param}' from your request or supply a non-empty value."
    )
    return invalid_request(message, code="parameter_invalid_empty", param=param)


def invalid_choice(param: str, choices: Sequence[str]) -> ApiError:
    return invalid_request(f"Invalid {param}: must be one of {listed(choices)}", param=param)


def invalid_string(param: str, value: str) -> ApiError:
    return invalid_request(f"Invalid string: {quoted(value)}", param=param)


def invalid_object(param: str) -> ApiError:
    return invalid_request("Invalid object", param=param)


def invalid_array(param: str) -> ApiError:
    return invalid_request("Invalid array", param=param)


def string_too_long(param: str, value: str, limit: int) -> ApiError:
    shown = value if len(value) <= 8 else f"{value[:4]}...{value[-4:]}"
    return invalid_request(f"Invalid string: {shown}; must be at most {limit} characters", param=param)


def string_too_short(param: str, value: str, limit: int) -> ApiError:
    return invalid_request(f"Invalid string: {quoted(value)}; must be at least {limit} characters", param=param)


def array_too_long(param: str, limit: int) -> ApiError:
    return invalid_request(f"Array {param} exceeded maximum {limit} allowed elements.", param=param)


def array_too_short(param: str, limit: int) -> ApiError:
    return invalid_request(f"Array {param} needs at least {limit} elements.", param=param)


def too_small(param: str, least: int) -> ApiError:
    message = f"This value must be greater than or equal to {least}."
    return invalid_request(message, code="parameter_invalid_integer", param=param)


def too_large(param: str, most: int, value: object) -> ApiError:
    message = f"This value must be less than or equal to {most} (it currently is '{quoted(str(value))}')."
    return invalid_request(message, code="parameter_invalid_integer", param=param)


def resource_missing(
    object: str, id: str, *, param: str = "id", in_path: bool = False, other_mode: Literal["live", "test"] | None = None
) -> ApiError:
    """An object that does not exist for this account: 404 when the path names it, 400 when a parameter does.

    `other_mode` is where an object with this id was found instead.
    """
    message = f"No such {NOUNS.get(object, object)}: '{quoted(id)}'"
    if other_mode:
        used = "test" if other_mode == "live" else "live"
        message += (
            f"; a similar object exists in {other_mode} mode, but a {used} mode key was used to make this request."
        )
    return invalid_request(message, code="resource_missing", param=param, status=404 if in_path else 400)


# Keys and addresses -------------------------------------------------------------------------------------------------


def api_key_missing() -> ApiError:
    message = (
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
        "details."
    )
    headers = {"www-authenticate": 'Bearer realm="Voldaan"'}
    return invalid_request(message, status=401, headers=headers)


def api_key_invalid(key: str) -> ApiError:
    return invalid_request(f"Invalid API Key provided: {redacted(key)}", status=401)


def api_key_expired(key: str) -> ApiError:
    return invalid_request(f"Expired API Key provided: {redacted(key)}", code="api_key_expired", status=401)


def secret_key_required() -> ApiError:
    """A publishable key was used where only a secret key may be."""
    message = "This API call cannot be made with a publishable API key. Please use a secret API key."
    return invalid_request(message, code="secret_key_required", status=403)


def permission_denied(key: str, account: str, permission: str) -> ApiError:
    """A restricted key without the permission; Stripe's permission names look like `rak_customer_write`."""
    message = (
        f"The provided key '{redacted(key)}' does not have the required permissions for this endpoint on account "
        f"'{account}'. Having the '{permission}' permission would allow this request to continue."
    )
    return invalid_request(message, status=403)


def unrecognized_url(method: str, path: str) -> ApiError:
    """No such path, or not with this method: Stripe says the same to both."""
    message = (
        f"Unrecognized request URL ({method}: {quoted(path)}). If you are trying to list objects, remove the trailing "
        "slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your "
        "code. Please see https://stripe.com/docs."
    )
    return invalid_request(message, status=404)


# Rates, locks, idempotency ------------------------------------------------------------------------------------------


def rate_limited() -> ApiError:
    message = "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."
    return invalid_request(message, code="rate_limit", status=429, headers={"stripe-should-retry": "false"})


def lock_timeout() -> ApiError:
    message = (
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
        "it. If you see this error intermittently, retry the request. If you see this error frequently and are making "
        "multiple concurrent requests to a single object, make your requests serially or at a lower rate."
    )
    return invalid_request(message, code="lock_timeout", status=429, headers={"stripe-should-retry": "true"})


def idempotency_mismatch(key: str) -> ApiError:
    """The key was used before with other parameters, or for another path."""
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{quoted(key)}' if you meant to execute a different request."
    )
    return ApiError(400, "idempotency_error", message)


def idempotency_key_in_use(key: str) -> ApiError:
    """A twin of this request is being carried out."""
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {quoted(key)}. Please try again later."
    )
    return invalid_request(message, code="idempotency_key_in_use", status=409, headers={"stripe-should-retry": "true"})


def idempotency_key_too_long(limit: int = 255) -> ApiError:
    return invalid_request(f"Idempotency keys can be up to {limit} characters long.")


# Failures -----------------------------------------------------------------------------------------------------------


def card_error(
    message: str,
    code: str,
    *,
    decline_code: str | None = None,
    param: str | None = None,
    charge: str | None = None,
    payment_intent: Any = None,
    setup_intent: Any = None,
    payment_method: Any = None,
    **extra: Any,
) -> ApiError:
    """A payment that the bank or the network refused. `extra`: advice_code, network_decline_code and their like."""
    return ApiError(
        402,
        "card_error",
        message,
        code=code,
        decline_code=decline_code,
        param=param,
        charge=charge,
        payment_intent=payment_intent,
        setup_intent=setup_intent,
        payment_method=payment_method,
        extra=extra,
    )


def internal_error() -> ApiError:
    """Our fault. Says nothing about its cause; the log has it under the request's id."""
    return ApiError(500, "api_error", "An unknown error occurred")


# Wording ------------------------------------------------------------------------------------------------------------


def quoted(value: str) -> str:
    """A caller's own text in an answer, cut so that a megabyte is not sent back."""
    if len(value) <= QUOTED_MAX:
        return value
    return f"{value[: QUOTED_MAX // 2]}...(truncated)...{value[-QUOTED_MAX // 2 :]}"


def listed(choices: Iterable[str]) -> str:
    """"a", "a or b", "a, b, or c"."""
    *first, last = choices
    if not first:
        return last
    return f"{first[0]} or {last}" if len(first) == 1 else f"{', '.join(first)}, or {last}"


def redacted(key: str) -> str:
    """`sk_test_****abcd`: the kind of key and its end. A short key is hidden whole."""
    kind = next((key[:n] for n in (8, 3) if key[:n] in _KINDS), "")
    return f"{kind}****{key[-4:]}" if len(key) >= len(kind) + 12 else f"{kind}****"


_KINDS = frozenset({"sk_test_", "sk_live_", "pk_test_", "pk_live_", "rk_test_", "rk_live_", "sk_", "pk_", "rk_"})
