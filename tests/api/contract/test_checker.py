"""The judge is judged: a right response passes, and every way we could think of to be wrong is named."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from .checker import check, check_error, check_operation

REMOVED = object()

PRICE = {
    "id": "price_1",
    "object": "price",
    "active": True,
    "billing_scheme": "tiered",
    "created": 1767225600,
    "currency": "eur",
    "currency_options": {
        "usd": {
            "custom_unit_amount": None,
            "tax_behavior": "exclusive",
            "unit_amount": 1000,
            "unit_amount_decimal": "1000",
        }
    },
    "custom_unit_amount": None,
    "livemode": False,
    "lookup_key": None,
    "metadata": {"plan": "pro"},
    "nickname": None,
    "product": "prod_1",
    "recurring": {
        "interval": "month",
        "interval_count": 1,
        "meter": "mtr_1",
        "trial_period_days": None,
        "usage_type": "metered",
    },
    "tax_behavior": "exclusive",
    "tiers": [
        {
            "flat_amount": None,
            "flat_amount_decimal": None,
            "unit_amount": 5,
            "unit_amount_decimal": "5",
            "up_to": 100,
        },
        {
            "flat_amount": 500,
            "flat_amount_decimal": "500",
            "unit_amount": None,
            "unit_amount_decimal": "0.125",
            "up_to": None,
        },
    ],
    "tiers_mode": "graduated",
    "transform_quantity": None,
    "type": "recurring",
    "unit_amount": None,
    "unit_amount_decimal": None,
}
PRODUCT = {
    "id": "prod_1",
    "object": "product",
    "active": True,
    "created": 1767225600,
    "description": None,
    "images": ["https://example.com/a.png"],
    "livemode": False,
    "marketing_features": [{"name": "support"}],
    "metadata": {},
    "name": "Pro",
    "package_dimensions": {"height": 1.5, "length": 2, "weight": 0.1, "width": 3},
    "shippable": None,
    "tax_details": None,
    "type": "service",
    "updated": 1767225600,
    "url": None,
}
DISCOUNT = {
    "id": "di_1",
    "object": "discount",
    "checkout_session": None,
    "customer": "cus_1",
    "customer_account": None,
    "end": None,
    "invoice": None,
    "invoice_item": None,
    "promotion_code": None,
    "source": {"coupon": "half", "type": "coupon"},
    "start": 1767225600,
    "subscription": "sub_1",
    "subscription_item": None,
}
EVENT = {
    "id": "evt_1",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1767225600,
    "data": {"object": PRICE, "previous_attributes": {"nickname": "old"}},
    "livemode": False,
    "pending_webhooks": 0,
    "request": {"id": "req_1", "idempotency_key": None},
    "type": "price.updated",
}
THIN_EVENT = {
    "id": "evt_2",
    "object": "v2.core.event",
    "created": "2026-01-01T00:00:00.000Z",
    "livemode": False,
    "type": "v1.invoice.paid",
    "reason": {"type": "request", "request": {"id": "req_1", "idempotency_key": "k"}},
}
DELETED = {"id": "prod_1", "object": "product", "deleted": True}
LIST = {"object": "list", "data": [PRICE], "has_more": False, "url": "/v1/prices"}
SEARCH = {"object": "search_result", "data": [PRICE], "has_more": False, "next_page": None, "url": "/v1/prices/search"}
THIN_LIST = {"data": [THIN_EVENT], "next_page_url": None, "previous_page_url": None}
ERROR = {"error": {"type": "invalid_request_error", "code": "parameter_unknown", "message": "No.", "param": "colour"}}


def _with(sample: Any, path: str, value: Any) -> Any:
    """The sample with one place replaced, added or removed; the path as in "data.object.tiers[1].up_to"."""
    changed = copy.deepcopy(sample)
    *way, last = [int(step) if step.isdigit() else step for step in path.replace("[", ".").replace("]", "").split(".")]
    place = changed
    for step in way:
        place = place[step]
    if value is REMOVED:
        del place[last]
    else:
        place[last] = copy.deepcopy(value)
    return changed


# ---------------------------------------------------------------------------------------------------- what is right


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        (PRICE, "stripe.Price"),
        (PRODUCT, "stripe.Product"),
        (DISCOUNT, "stripe.Discount"),
        (EVENT, "stripe.Event"),
        (THIN_EVENT, "stripe.v2.core.Event"),
        (DELETED, "stripe.Product"),
        ({k: v for k, v in DISCOUNT.items() if k != "end"} | {"deleted": True}, "stripe.Discount"),
        (_with(PRICE, "product", PRODUCT), "stripe.Price"),
        (_with(PRICE, "product", DELETED), "stripe.Price"),
        (_with(PRICE, "tiers", REMOVED), "stripe.Price"),
        (_with(PRODUCT, "default_price", None), "stripe.Product"),
        (_with(PRODUCT, "default_price", PRICE), "stripe.Product"),
        (_with(EVENT, "data.previous_attributes", REMOVED), "stripe.Event"),
        (_with(EVENT, "data.object", DISCOUNT), "stripe.Event"),
    ],
)
def test_a_right_object_passes(sample, name):
    assert check(sample, name) == []


@pytest.mark.parametrize(
    ("verb", "path", "response"),
    [
        ("GET", "/v1/prices/price_1", PRICE),
        ("POST", "/v1/prices", PRICE),
        ("GET", "/v1/prices", LIST),
        ("GET", "/v1/prices/search", SEARCH),
        ("GET", "/v1/prices/search", SEARCH | {"has_more": True, "next_page": "page_2", "total_count": 12}),
        ("GET", "/v1/products/prod_1", DELETED),
        ("DELETE", "/v1/products/prod_1", DELETED),
        ("GET", "/v2/core/events", THIN_LIST),
        ("POST", "/v2/billing/meter_event_stream", None),
        ("POST", "/v2/billing/meter_event_stream", {}),
    ],
)
def test_a_right_answer_of_an_operation_passes(verb, path, response):
    assert check_operation(verb, path, response) == []


@pytest.mark.parametrize("extra", [{}, {"decline_code": "lost_card", "charge": "ch_1"}])
def test_a_right_refusal_passes(extra):
    assert check_error({"error": ERROR["error"] | extra}) == []


# ---------------------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("sample", "name", "path", "value", "problem"),
    [
        # missing
        (PRICE, "stripe.Price", "id", REMOVED, "missing"),
        (PRICE, "stripe.Price", "object", REMOVED, "missing"),
        (PRICE, "stripe.Price", "nickname", REMOVED, "missing"),
        (PRICE, "stripe.Price", "recurring.meter", REMOVED, "missing"),
        (PRICE, "stripe.Price", "tiers[1].up_to", REMOVED, "missing"),
        (PRICE, "stripe.Price", "currency_options.usd.unit_amount", REMOVED, "missing"),
        (EVENT, "stripe.Event", "data.object.recurring.interval", REMOVED, "missing"),
        (EVENT, "stripe.Event", "data.object", REMOVED, "missing"),
        # unknown
        (PRICE, "stripe.Price", "colour", "red", "unknown"),
        (PRICE, "stripe.Price", "recurring.aggregate_usage", None, "unknown"),
        (PRICE, "stripe.Price", "tiers[0].colour", "red", "unknown"),
        (EVENT, "stripe.Event", "data.object.colour", "red", "unknown"),
        (THIN_EVENT, "stripe.v2.core.Event", "reason.colour", "red", "unknown"),
        # null
        (PRICE, "stripe.Price", "id", None, "null"),
        (PRICE, "stripe.Price", "metadata", None, "null"),
        (PRICE, "stripe.Price", "tiers", None, "null"),
        (PRICE, "stripe.Price", "tiers[0]", None, "null is not an object"),
        (PRICE, "stripe.Price", "metadata.plan", None, "null is not str"),
        (PRICE, "stripe.Price", "recurring.interval", None, "null"),
        (PRICE, "stripe.Price", "product", None, "null"),
        (THIN_EVENT, "stripe.v2.core.Event", "snapshot_event", None, "null"),
        # types
        (PRICE, "stripe.Price", "active", 1, "1 is not bool"),
        (PRICE, "stripe.Price", "active", "true", "'true' is not bool"),
        (PRICE, "stripe.Price", "unit_amount", "100", "'100' is not int"),
        (PRICE, "stripe.Price", "unit_amount", 100.0, "100.0 is not int"),
        (PRICE, "stripe.Price", "unit_amount", True, "True is not int"),
        (PRICE, "stripe.Price", "metadata.plan", 7, "7 is not str"),
        (PRICE, "stripe.Price", "metadata", ["plan"], "['plan'] is not an object"),
        (PRICE, "stripe.Price", "tiers", {}, "{} is not a list"),
        (PRICE, "stripe.Price", "recurring", "month", "'month' is not an object"),
        (PRICE, "stripe.Price", "nickname", ["a"], "['a'] is not str"),
        (PRODUCT, "stripe.Product", "package_dimensions.height", "1.5", "'1.5' is not a number"),
        (PRODUCT, "stripe.Product", "images[0]", 5, "5 is not str"),
        # decimals travel as strings
        (PRICE, "stripe.Price", "unit_amount_decimal", 5, "5 is not a decimal number in a string"),
        (PRICE, "stripe.Price", "unit_amount_decimal", 0.5, "0.5 is not a decimal number in a string"),
        (PRICE, "stripe.Price", "tiers[1].unit_amount_decimal", "1E-3", "'1E-3' is not a decimal number in a string"),
        (PRICE, "stripe.Price", "tiers[1].unit_amount_decimal", "", "'' is not a decimal number in a string"),
        # instants
        (PRICE, "stripe.Price", "created", "2026-01-01T00:00:00Z", "'2026-01-01T00:00:00Z' is not int"),
        (PRICE, "stripe.Price", "created", 1767225600.5, "1767225600.5 is not int"),
        (PRICE, "stripe.Price", "created", 1767225600000, "1767225600000 is not in seconds"),
        (THIN_EVENT, "stripe.v2.core.Event", "created", 1767225600, "1767225600 is not str"),
        (THIN_EVENT, "stripe.v2.core.Event", "created", "1 May 2026", "'1 May 2026' is not an RFC 3339 instant"),
        # enumerations
        (PRICE, "stripe.Price", "object", "plan", "'plan' is none of 'price'"),
        (PRICE, "stripe.Price", "recurring.interval", "fortnight", "'fortnight' is none of 'day', 'month', 'week', 'year'"),
        (PRICE, "stripe.Price", "tax_behavior", "", "'' is none of 'exclusive', 'inclusive', 'unspecified'"),
        (DISCOUNT, "stripe.Discount", "source.type", None, "null"),
        # expansion
        (PRICE, "stripe.Price", "product", "", "an empty id"),
        (PRICE, "stripe.Price", "product", 5, "5 is not an object"),
        (_with(PRICE, "product", PRODUCT), "stripe.Price", "product.name", REMOVED, "missing"),
        (_with(PRICE, "product", PRODUCT), "stripe.Price", "product.object", "price", "'price' is none of 'product'"),
        (_with(PRODUCT, "default_price", PRICE), "stripe.Product", "default_price.tiers[0].up_to", "inf", "'inf' is not int"),
        # deleted objects
        (DELETED, "stripe.Product", "name", "Pro", "unknown in a deleted object"),
        (DELETED, "stripe.Product", "id", REMOVED, "missing"),
        (DELETED, "stripe.Product", "object", "price", "'price' is none of 'product'"),
        (PRODUCT, "stripe.Product", "deleted", False, "False is none of True"),
        (PRODUCT, "stripe.Product", "deleted", 1, "1 is none of True"),
        # events
        (EVENT, "stripe.Event", "data.object.object", "pony", "'pony' is no resource"),
        (EVENT, "stripe.Event", "data.object.object", REMOVED, "None is no resource"),
        (EVENT, "stripe.Event", "data.object", "price_1", "'price_1' is not an object"),
        (EVENT, "stripe.Event", "type", "price.painted", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(sample, name, path, value, problem):
    [found] = check(_with(sample, path, value), name)
    assert found.path == f"response.{path}"
    assert problem in (None, found.problem)


@pytest.mark.parametrize(
    ("verb", "path", "response", "problem"),
    [
        ("GET", "/v1/prices/price_1", LIST, "response.has_more: unknown"),
        ("GET", "/v1/prices", [PRICE], "is not an object"),
        ("GET", "/v1/prices", PRICE, "response.data: missing"),
        ("GET", "/v1/prices", _with(LIST, "object", "search_result"), "response.object: 'search_result' is none of 'list'"),
        ("GET", "/v1/prices", _with(LIST, "has_more", REMOVED), "response.has_more: missing"),
        ("GET", "/v1/prices", _with(LIST, "url", REMOVED), "response.url: missing"),
        ("GET", "/v1/prices", _with(LIST, "has_more", None), "response.has_more: null is not bool"),
        ("GET", "/v1/prices", _with(LIST, "total_count", 1), "response.total_count: unknown"),
        ("GET", "/v1/prices", _with(LIST, "data[0].active", "yes"), "response.data[0].active: 'yes' is not bool"),
        ("GET", "/v1/prices", _with(LIST, "data[0]", PRODUCT), "response.data[0].object: 'product' is none of 'price'"),
        ("GET", "/v1/prices", None, "response: null is not an object"),
        ("GET", "/v1/prices/search", LIST, "response.object: 'list' is none of 'search_result'"),
        ("GET", "/v1/prices/search", _with(SEARCH, "next_page", REMOVED), "response.next_page: missing"),
        ("GET", "/v1/prices/search", _with(SEARCH, "has_more", True), "response.next_page: null although there is more"),
        ("DELETE", "/v1/products/prod_1", PRODUCT, "response.deleted: missing"),
        ("GET", "/v2/core/events", _with(THIN_LIST, "next_page_url", REMOVED), "response.next_page_url: missing"),
        ("GET", "/v2/core/events", _with(THIN_LIST, "has_more", False), "response.has_more: unknown"),
        ("POST", "/v2/billing/meter_event_stream", {"data": []}, "response: must be empty"),
        ("GET", "/v1/balance_transactions/t", {"object": "pony"}, "response.object: 'pony' is none of 'balance_transaction'"),
    ],
)  # fmt: skip
def test_a_wrong_answer_of_an_operation_is_named(verb, path, response, problem):
    assert any(str(p).endswith(problem) for p in check_operation(verb, path, response))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "response: must be an object with the one field error, an object"),
        ([], "response: must be an object with the one field error, an object"),
        ({"error": "no"}, "response: must be an object with the one field error, an object"),
        (_with(ERROR, "error.type", REMOVED), "response.error.type: missing"),
        (_with(ERROR, "error.message", REMOVED), "response.error.message: missing"),
        (_with(ERROR, "error.param", None), "response.error.param: null is not str"),
        (_with(ERROR, "error.colour", "red"), "response.error.colour: unknown"),
        (_with(ERROR, "error.payment_intent", "pi_1"), "response.error.payment_intent: 'pi_1' is not an object"),
    ],
)
def test_a_wrong_refusal_is_named(body, problem):
    assert [str(p) for p in check_error(body)] == [problem]


def test_several_problems_are_all_named():
    wrong = _with(_with(_with(PRICE, "id", REMOVED), "active", 1), "colour", "red")
    assert {p.path for p in check(wrong, "stripe.Price")} == {"response.id", "response.active", "response.colour"}


# ---------------------------------------------------------------------------------------------------- everywhere


def _places(sample: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every place in a sample with what is there."""
    inner = sample.items() if isinstance(sample, dict) else enumerate(sample) if isinstance(sample, list) else ()
    for step, value in inner:
        place = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}".lstrip(".")
        yield place, value
        yield from _places(value, place)


@pytest.mark.parametrize(
    ("sample", "name"), [(PRICE, "stripe.Price"), (PRODUCT, "stripe.Product"), (DISCOUNT, "stripe.Discount")]
)
def test_a_value_of_another_kind_is_noticed_in_every_place(sample, name):
    for path, value in _places(sample):
        for other in (7, 0.5, "x y", True, [7], {"x": 7}):
            same_kind = type(other) is type(value) or (isinstance(value, int | float) and isinstance(other, int | float))
            if value is None or same_kind:
                continue
            reported = [p.path for p in check(_with(sample, path, other), name)]
            assert any(p.startswith(f"response.{path}") for p in reported), (path, value, other)


def test_the_price_names_what_may_be_left_out_and_what_may_be_null():
    left_out = {path for path in PRICE if check(_with(PRICE, path, REMOVED), "stripe.Price") == []}
    as_null = {path for path in PRICE if check(_with(PRICE, path, None), "stripe.Price") == []}
    assert left_out == {"currency_options", "tiers"}
    assert as_null == {
        "custom_unit_amount", "lookup_key", "nickname", "recurring", "tax_behavior", "tiers_mode", "transform_quantity",
        "unit_amount", "unit_amount_decimal",
    }  # fmt: skip
