"""The judge is judged first: what was read out of the SDK is whole, and no wrong response gets past the checker."""

import inspect
from collections import Counter
from collections.abc import Iterator
from importlib import import_module

import pytest
import stripe

from . import absence, kinds, sdk
from .kinds import Array, Enum, Expandable, Map, OneOf, Page, Ref, Scalar
from .outline import Outline
from .scope import TIER_1

# ---------------------------------------------------------------------------------------------------- extraction


def test_the_sdk_is_the_one_that_the_list_of_absent_fields_was_made_for():
    assert stripe.api_version == "2026-10-28.endive", "renew absence.txt, see absence.py"


def test_every_operation_is_found():
    assert Counter(o.version for o in sdk.operations()) == {"v1": 557, "v2": 91}
    assert Counter(o.verb for o in sdk.operations()) == {"GET": 290, "POST": 330, "DELETE": 28}
    assert Counter(o.base for o in sdk.operations()) == {"api": 645, "files": 2, "meter_events": 1}
    assert [o.path for o in sdk.operations() if o.streams] == ["/v1/quotes/{quote}/pdf"]
    assert [o.path for o in sdk.operations() if not o.response and not o.streams] == ["/v2/billing/meter_event_stream"]


def test_every_operation_of_the_first_tier_is_found():
    assert len(TIER_1) == 176
    assert TIER_1 - {(o.verb, o.path) for o in sdk.operations()} == set()


def test_every_class_that_an_operation_takes_or_answers_can_be_read():
    wanted = [o.response for o in sdk.operations() if o.response] + [Ref(o.params) for o in sdk.operations() if o.params]
    read: set[str] = set()
    while wanted:
        for name in _classes_in(wanted.pop()):
            if name not in read:
                read.add(name)
                wanted += [field.type for field in sdk.declared(name).fields.values()]
    assert len(read) == 7032


def _classes_in(kind: kinds.Type) -> Iterator[str]:
    match kind:
        case Ref(name):
            yield name
        case Array(inner) | Map(inner) | Expandable(inner) | Page(inner):
            yield from _classes_in(inner)
        case OneOf(options):
            for option in options:
                yield from _classes_in(option)


def test_resources_have_the_fields_that_python_itself_sees():
    """An independent reading: the classes are imported, and their annotations are compared by name."""
    compared = 0
    for name in sdk.resources().values():
        module = sdk.whereabouts()[name].relative_to(sdk.ROOT).with_suffix("")
        live = getattr(import_module(".".join(("stripe", *module.parts))), name.rpartition(".")[2])
        compared += _compare(name, live)
    assert compared > 1000


def _compare(name: str, live: type) -> int:
    """How many classes were compared: this one and those inside it."""
    renamed = live.__dict__.get("_field_remappings", {})
    own = {renamed.get(n, n) for n, a in live.__annotations__.items() if n[0] != "_" and "ClassVar" not in str(a)}
    if name not in ("stripe.ListObject", "stripe.SearchResultObject"):  # frames whose `object` is no annotation
        assert own == {f.name for f in sdk.declared(name).fields.values() if f.owner == name}, name
    inner = [c for c in vars(live).values() if inspect.isclass(c) and c.__qualname__.startswith(live.__qualname__ + ".")]
    return 1 + sum(_compare(f"{name}.{c.__name__}", c) for c in inner)


@pytest.mark.parametrize(
    ("name", "field", "type_", "presence"),
    [
        ("stripe.Invoice", "id", Scalar("str"), (True, False)),
        ("stripe.Invoice", "total", Scalar("int"), (True, False)),
        ("stripe.Invoice", "footer", Scalar("str"), (True, True)),
        ("stripe.Invoice", "customer", Expandable(Ref("stripe.Customer")), (True, True)),
        ("stripe.Invoice", "discounts", Array(Expandable(Ref("stripe.Discount"))), (True, False)),
        ("stripe.Invoice", "lines", Page(Ref("stripe.InvoiceLineItem"), "list"), (True, False)),
        ("stripe.Invoice", "payments", Page(Ref("stripe.InvoicePayment"), "list"), (False, False)),
        ("stripe.Invoice", "hosted_invoice_url", Scalar("str"), (False, True)),
        ("stripe.Invoice", "automatic_tax", Ref("stripe.Invoice.AutomaticTax"), (True, False)),
        ("stripe.Invoice", "metadata", Map(Scalar("str")), (True, True)),
        ("stripe.Invoice", "deleted", Enum((True,), open=False), (False, False)),
        (
            "stripe.Invoice",
            "status",
            Enum(("draft", "open", "paid", "uncollectible", "void"), open=True),
            (True, True),
        ),
        ("stripe.Customer", "balance", Scalar("int"), (True, False)),
        ("stripe.Coupon", "percent_off", Scalar("float"), (True, True)),
        ("stripe.Coupon", "currency_options", Map(Ref("stripe.Coupon.CurrencyOptions")), (False, False)),
        ("stripe.Price", "unit_amount_decimal", Scalar("decimal"), (True, True)),
        ("stripe.Price.Tier", "up_to", Scalar("int"), (True, True)),
        ("stripe.billing.Meter", "status_transitions", Ref("stripe.billing.Meter.StatusTransitions"), (True, False)),
        ("stripe.v2.core.Event", "created", Scalar("str"), (True, False)),
        ("stripe.events.V1InvoicePaidEvent", "created", Scalar("str"), (True, False)),
        ("stripe.tax.Registration.CountryOptions", "in", Ref("stripe.tax.Registration.CountryOptions.In"), (False, False)),
    ],
)
def test_a_field_is_read_as_declared(name, field, type_, presence):
    found = sdk.declared(name).fields[field]
    assert found.type == type_
    assert absence.presence(found) == presence


def test_an_invoice_has_all_of_its_fields():
    assert len(sdk.declared("stripe.Invoice").fields) == 80


@pytest.mark.parametrize(
    ("verb", "path", "trail", "type_", "required", "unset"),
    [
        ("POST", "/v1/prices", ("currency",), Scalar("str"), True, False),
        ("POST", "/v1/prices", ("tiers", "up_to"), OneOf((Enum(("inf",), open=False), Scalar("int"))), True, False),
        ("POST", "/v1/prices", ("unit_amount_decimal",), Scalar("decimal"), False, False),
        ("POST", "/v1/coupons/x", ("metadata",), Map(Scalar("str")), False, True),
        ("POST", "/v1/invoices/in_1/pay", ("mandate",), Scalar("str"), False, True),
        ("POST", "/v1/subscriptions", ("billing_cycle_anchor",), Scalar("int"), False, False),
        ("POST", "/v1/subscriptions/s", ("billing_cycle_anchor", "type"), Enum(("now", "unchanged"), True), True, False),
        ("POST", "/v1/subscriptions/s", ("items", "deleted"), Scalar("bool"), False, False),
        ("GET", "/v1/invoices", ("created", "gte"), Scalar("int"), False, False),
        ("POST", "/v2/money_management/inbound_transfers", ("from", "currency"), Scalar("str"), False, False),
    ],
)
def test_a_parameter_is_read_as_declared(verb, path, trail, type_, required, unset):
    name = sdk.operation(verb, path).params
    for step in trail:
        found = sdk.declared(name).fields[step]
        name = next(iter(_classes_in(found.type)), None)
    assert (found.type, not found.optional, found.unset) == (type_, required, unset)


@pytest.mark.parametrize(
    ("verb", "path", "template", "answer"),
    [
        ("GET", "/v1/invoices/search", "/v1/invoices/search", Page(Ref("stripe.Invoice"), "search_result")),
        ("get", "/v1/invoices/in_1", "/v1/invoices/{invoice}", Ref("stripe.Invoice")),
        ("GET", "/v1/invoices/{id}", "/v1/invoices/{invoice}", Ref("stripe.Invoice")),
        ("GET", "/v1/prices", "/v1/prices", Page(Ref("stripe.Price"), "list")),
        ("GET", "/v2/core/events", "/v2/core/events", Page(Ref("stripe.v2.core.Event"), "v2 list")),
    ],
)
def test_a_call_finds_its_operation(verb, path, template, answer):
    found = sdk.operation(verb, path)
    assert (found.path, found.response) == (template, answer)


@pytest.mark.parametrize(("verb", "path"), [("PUT", "/v1/invoices"), ("GET", "/v1/invoice"), ("GET", "/v1/invoices/")])
def test_no_operation_is_invented(verb, path):
    with pytest.raises(KeyError):
        sdk.operation(verb, path)


@pytest.mark.parametrize("name", ["stripe.Invoic", "stripe.Invoice.Nothing", "Invoice", "stripe"])
def test_no_class_is_invented(name):
    with pytest.raises(KeyError):
        sdk.declared(name)


def test_each_field_listed_as_perhaps_absent_is_an_optional_field_of_the_sdk():
    for owner, fields in absence.listed().items():
        declared = sdk.declared(owner).fields
        assert [name for name in fields if name not in declared or not declared[name].optional] == [], owner


def test_the_outline_shows_every_field_with_its_nullability():
    lines = list(Outline().fields("stripe.Coupon"))
    assert lines[0] == "stripe.Coupon  object=coupon  18 fields"
    assert {"  amount_off: int|null", "  applies_to?: {}", "    products: [str]", "  id: str"} <= set(lines)
    assert len(lines) == 1 + 18 + 2


def test_the_outline_shows_every_parameter_with_its_rules():
    lines = list(Outline().params(sdk.operation("POST", "/v1/coupons/x")))
    assert lines == [
        "POST /v1/coupons/{coupon}  -> stripe.Coupon",
        "  currency_options: {{}}",
        "    amount_off*: int",
        '  metadata: {str} ""',
        "  name: str",
    ]
