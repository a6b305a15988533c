"""Every refusal reaches the SDK as the exception that its users catch, with Stripe's words in it."""

import json

import pytest
import stripe

from voldaan.api import errors
from voldaan.api.errors import ApiError
from voldaan.rules.decision import Refusal


class Answering(stripe.HTTPClient):
    """An SDK transport that answers every request with one error."""

    name = "answering"

    def __init__(self, error: ApiError) -> None:
        super().__init__()
        self.error = error

    def request(self, method, url, headers, post_data=None):
        body = json.dumps(self.error.to_body("https://voldaan.test/logs/req_1"))
        return body, self.error.http_status, {"request-id": "req_1", **self.error.headers}

    def close(self):
        pass


# name, how it is made, the SDK's exception, status, code, param, message
CASES = [
    (errors.parameter_unknown("foo"), stripe.InvalidRequestError, 400, "parameter_unknown", "foo",
     "Received unknown parameter: foo"),
    (errors.parameter_unknown("amount", "items[0][foo]"), stripe.InvalidRequestError, 400, "parameter_unknown", "amount",
     "Received unknown parameters: amount, items[0][foo]"),
    (errors.parameter_missing("currency"), stripe.InvalidRequestError, 400, "parameter_missing", "currency",
     "Missing required param: currency."),
    (errors.parameter_invalid_integer("limit", "abc"), stripe.InvalidRequestError, 400, "parameter_invalid_integer",
     "limit", "Invalid integer: abc"),
    (errors.parameter_invalid_empty("name"), stripe.InvalidRequestError, 400, "parameter_invalid_empty", "name",
     "You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; however 'name' "
     "cannot be unset. You should remove 'name' from your request or supply a non-empty value."),
    (errors.invalid_choice("tax_exempt", ["none", "reverse", "exempt"]), stripe.InvalidRequestError, 400, None,
     "tax_exempt", "Invalid tax_exempt: must be one of none, reverse, or exempt"),
    (errors.invalid_choice("type", ["one_time", "recurring"]), stripe.InvalidRequestError, 400, None, "type",
     "Invalid type: must be one of one_time or recurring"),
    (errors.resource_missing("customer", "cus_x", in_path=True), stripe.InvalidRequestError, 404, "resource_missing",
     "id", "No such customer: 'cus_x'"),
    (errors.resource_missing("payment_method", "pm_x", param="payment_method"), stripe.InvalidRequestError, 400,
     "resource_missing", "payment_method", "No such PaymentMethod: 'pm_x'"),
    (errors.resource_missing("price", "price_x", param="items[0][price]", other_mode="live"), stripe.InvalidRequestError,
     400, "resource_missing", "items[0][price]",
     "No such price: 'price_x'; a similar object exists in live mode, but a test mode key was used to make this request."),
    (errors.api_key_missing(), stripe.AuthenticationError, 401, None, None,
     "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
     "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details."),
    (errors.api_key_invalid("sk_test_51HxJabcdefghij1234"), stripe.AuthenticationError, 401, None, None,
     "Invalid API Key provided: sk_test_****1234"),
    (errors.api_key_expired("rk_live_51HxJabcdefghij1234"), stripe.AuthenticationError, 401, "api_key_expired", None,
     "Expired API Key provided: rk_live_****1234"),
    (errors.secret_key_required(), stripe.PermissionError, 403, "secret_key_required", None,
     "This API call cannot be made with a publishable API key. Please use a secret API key."),
    (errors.permission_denied("rk_test_51HxJabcdefghij1234", "acct_1", "rak_customer_write"), stripe.PermissionError, 403,
     None, None,
     "The provided key 'rk_test_****1234' does not have the required permissions for this endpoint on account 'acct_1'. "
     "Having the 'rak_customer_write' permission would allow this request to continue."),
    (errors.unrecognized_url("GET", "/v1/foo"), stripe.InvalidRequestError, 404, None, None,
     "Unrecognized request URL (GET: /v1/foo). If you are trying to list objects, remove the trailing slash. If you are "
     "trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see "
     "https://stripe.com/docs."),
    (errors.rate_limited(), stripe.RateLimitError, 429, "rate_limit", None,
     "Request rate limit exceeded. You can learn more about rate limits here https://stripe.com/docs/rate-limits."),
    (errors.lock_timeout(), stripe.RateLimitError, 429, "lock_timeout", None,
     "This object cannot be accessed right now because another API request or Stripe process is currently accessing it. "
     "If you see this error intermittently, retry the request. If you see this error frequently and are making multiple "
     "concurrent requests to a single object, make your requests serially or at a lower rate."),
    (errors.idempotency_mismatch("k1"), stripe.IdempotencyError, 400, None, None,
     "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key "
     "other than 'k1' if you meant to execute a different request."),
    (errors.idempotency_key_in_use("k1"), stripe.APIError, 409, "idempotency_key_in_use", None,
     "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, "
     "and the other request is still going through): k1. Please try again later."),
    (errors.card_error("Your card was declined.", "card_declined", decline_code="insufficient_funds", charge="ch_1"),
     stripe.CardError, 402, "card_declined", None, "Your card was declined."),
    (errors.from_refusal(Refusal("expired_card", "Your card has expired.", "exp_month")), stripe.CardError, 402,
     "expired_card", "exp_month", "Your card has expired."),
    (errors.from_refusal(Refusal("invoice_not_editable", "No.", None)), stripe.InvalidRequestError, 400,
     "invoice_not_editable", None, "No."),
    (errors.internal_error(), stripe.APIError, 500, None, None, "An unknown error occurred"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "exception", "status", "code", "param", "message"), CASES, ids=[case[0].message[:40] for case in CASES]
)
def test_the_sdk_raises_what_its_users_catch(error, exception, status, code, param, message):
    client = stripe.StripeClient("sk_test_123", http_client=Answering(error), max_network_retries=0)
    with pytest.raises(stripe.StripeError) as raised:
        client.v1.customers.retrieve("cus_x")
    caught = raised.value
    assert type(caught) is exception
    assert caught.http_status == status
    assert caught.user_message == message
    assert (caught.error.code, caught.error.param) == (code, param)
    assert caught.error.doc_url == (f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}" if code else None)
    assert caught.error.request_log_url == "https://voldaan.test/logs/req_1"


def test_an_error_has_four_types_only():
    assert {case[0].type for case in CASES} == {
        "invalid_request_error", "idempotency_error", "card_error", "api_error",
    }  # fmt: skip


def test_the_body_leaves_out_what_is_null_and_is_in_alphabetical_order():
    intent = {"id": "pi_1", "object": "payment_intent"}
    error = errors.card_error(
        "Your card was declined.",
        "card_declined",
        decline_code="do_not_honor",
        charge="ch_1",
        payment_intent=intent,
        advice_code="try_again_later",
    )
    assert list(error.to_body()["error"].items()) == [
        ("advice_code", "try_again_later"),
        ("charge", "ch_1"),
        ("code", "card_declined"),
        ("decline_code", "do_not_honor"),
        ("doc_url", "https://stripe.com/docs/error-codes/card-declined"),
        ("message", "Your card was declined."),
        ("payment_intent", intent),
        ("type", "card_error"),
    ]


def test_what_the_client_shall_repeat():
    """The SDK obeys this header before its own rules: a lock clears, a rate limit does not by hammering."""
    assert errors.lock_timeout().headers == {"stripe-should-retry": "true"}
    assert errors.idempotency_key_in_use("k").headers == {"stripe-should-retry": "true"}
    assert errors.rate_limited().headers == {"stripe-should-retry": "false"}
    assert errors.parameter_missing("a").headers == {}


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk_test_51HxJabcdefghij1234", "sk_test_****1234"),
        ("pk_live_51HxJabcdefghij1234", "pk_live_****1234"),
        ("sk_test_short", "sk_test_****"),
        ("short", "****"),
        ("", "****"),
        ("no key of ours but long", "****long"),
    ],
)
def test_a_key_is_never_repeated(key, shown):
    assert errors.redacted(key) == shown


def test_a_long_value_is_cut():
    assert len(errors.parameter_unknown("x" * 1_000_000).message) < 300
