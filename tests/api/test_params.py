"""Typed parameters from forms, and the first thing that is wrong with them in Stripe's words."""

from decimal import Decimal
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from pydantic_core import PydanticCustomError

from voldaan.api import forms
from voldaan.api.errors import ApiError
from voldaan.api.validate import parse_params
from voldaan.resources.params import (
    Amount,
    Currency,
    DecimalString,
    Email,
    Hash,
    Indexed,
    ListParams,
    Metadata,
    Params,
    PositiveAmount,
    SearchParams,
    SignedAmount,
    Timestamp,
    Unset,
    Url,
    amount_limits,
    exclusive,
    merge_metadata,
)


class Address(Hash):
    city: str | Unset | None = None
    country: Annotated[str, Field(max_length=2)] | None = None


class Recurring(Hash):
    interval: Literal["month", "year", "week", "day"]
    interval_count: Annotated[int, Field(ge=1)] = 1


class Item(Hash):
    price: str | None = None
    quantity: int | None = None
    deleted: bool = False
    recurring: Recurring | None = None
    metadata: Metadata | Unset = {}

    _one = exclusive("price", "recurring")


class Create(Params):
    name: str
    currency: Currency = "eur"
    amount: Amount = 0
    tip: PositiveAmount | None = None
    balance: SignedAmount | Unset | None = None
    price: DecimalString | None = None
    email: Email | Unset | None = None
    website: Url | None = None
    address: Address | Unset | None = None
    items: Annotated[list[Item], Field(max_length=3)] = []
    locales: list[Literal["de", "nl"]] | Unset = []
    active: bool | None = None
    mode: Literal["a", "b", "c"] | Unset = "a"
    start: Timestamp | Literal["now"] | None = None
    metadata: Metadata | Unset = {}
    renew: bool = True

    _limits = amount_limits("amount", "tip")


def create(form: str, cls: type[Hash] = Create) -> Hash:
    return parse_params(cls, forms.parse(form.encode()))


MEANINGS = """
name=Anna                            name       'Anna'
name=A&currency=USD                  currency   'usd'
name=A&amount=99999999               amount     99999999
name=A&amount=007                    amount     7
name=A&currency=jpy&amount=9999999999  amount   9999999999
name=A&balance=-50                   balance    -50
name=A&balance=                      balance    ''
name=A&price=0.000000000001          price      Decimal('1E-12')
name=A&price=-1.50                   price      Decimal('-1.50')
name=A&email=                        email      ''
name=A&email=anna@example.com        email      'anna@example.com'
name=A&address=                      address    ''
name=A&address[city]=                address    Address(city='')
name=A&address[city]=Delft           address    Address(city='Delft')
name=A&items[5][quantity]=2          items      [Item(quantity=2)]
name=A&items[0][deleted]=true        items      [Item(deleted=True)]
name=A&locales[]=nl                  locales    ['nl']
name=A&locales=                      locales    ''
name=A&active=false                  active     False
name=A&start=now                     start      'now'
name=A&start=1700000000              start      1700000000
name=A&metadata=                     metadata   ''
name=A&metadata[0]=x&metadata[7]=y   metadata   {'0': 'x', '7': 'y'}
name=A&metadata[a]=                  metadata   {'a': ''}
name=A&expand[]=x                    expand     ['x']
"""


@pytest.mark.parametrize(("form", "field", "value"), [line.split(maxsplit=2) for line in MEANINGS.strip().splitlines()])
def test_what_a_parameter_means(form, field, value):
    params = create(form)
    assert getattr(params, field) == eval(value)
    assert field in params.model_fields_set


# form | param | code | message
REFUSALS = """
amount=1                         | name              | parameter_missing         | Missing required param: name.
foo=1                            | foo               | parameter_unknown         | Received unknown parameter: foo
name=A&foo=1&items[0][bar]=2     | items[0][bar]     | parameter_unknown         | Received unknown parameters: items[0][bar], foo
name=A&address[foo]=1            | address[foo]      | parameter_unknown         | Received unknown parameter: address[foo]
name=A&a[b=1                     | a[b               | parameter_unknown         | Received unknown parameter: a[b
name=                            | name              | parameter_invalid_empty   | You passed an empty string for 'name'. We assume empty values are an attempt to unset a parameter; however 'name' cannot be unset. You should remove 'name' from your request or supply a non-empty value.
name=A&amount=                   | amount            | parameter_invalid_empty   | You passed an empty string for 'amount'. We assume empty values are an attempt to unset a parameter; however 'amount' cannot be unset. You should remove 'amount' from your request or supply a non-empty value.
name[]=a&name[]=b                | name              | -                         | Invalid string: {"0":"a","1":"b"}
name[x]=a                        | name              | -                         | Invalid string: {"x":"a"}
name=A&amount=10.0               | amount            | parameter_invalid_integer | Invalid integer: 10.0
name=A&amount=1e3                | amount            | parameter_invalid_integer | Invalid integer: 1e3
name=A&amount=1_000              | amount            | parameter_invalid_integer | Invalid integer: 1_000
name=A&amount=%201               | amount            | parameter_invalid_integer | Invalid integer:  1
name=A&amount=١                  | amount            | parameter_invalid_integer | Invalid integer: ١
name=A&amount=9999999999999999999 | amount           | parameter_invalid_integer | Invalid integer: 9999999999999999999
name=A&amount[x]=1               | amount            | parameter_invalid_integer | Invalid integer: {"x":"1"}
name=A&amount=-1                 | amount            | parameter_invalid_integer | This value must be greater than or equal to 0.
name=A&tip=0                     | tip               | parameter_invalid_integer | This value must be greater than or equal to 1.
name=A&amount=100000000          | amount            | amount_too_large          | Amount must be no more than €999,999.99
name=A&currency=usd&tip=100000000 | tip              | amount_too_large          | Amount must be no more than $999,999.99
name=A&currency=krw&amount=100000000 | amount        | amount_too_large          | Amount must be no more than 99,999,999 krw
name=A&amount=1000000000000      | amount            | parameter_invalid_integer | This value must be less than or equal to 999999999999 (it currently is '1000000000000').
name=A&balance=x                 | balance           | parameter_invalid_integer | Invalid integer: x
name=A&price=1e5                 | price             | -                         | Invalid decimal: 1e5
name=A&price=NaN                 | price             | -                         | Invalid decimal: NaN
name=A&price=0.0000000000001     | price             | -                         | Invalid decimal: 0.0000000000001; must contain at most 12 decimal places.
name=A&email=not-an-email        | email             | email_invalid             | Invalid email address: not-an-email
name=A&website=javascript:x      | website           | url_invalid               | Not a valid URL
name=A&address=x                 | address           | -                         | Invalid object
name=A&address[]=x               | address           | -                         | Invalid object
name=A&address[country]=NLD      | address[country]  | -                         | Invalid string: NLD; must be at most 2 characters
name=A&items=x                   | items             | -                         | Invalid array
name=A&items[x]=1                | items             | -                         | Invalid array
name=A&items[5][quantity]=x      | items[5][quantity] | parameter_invalid_integer | Invalid integer: x
name=A&items[][quantity]=x       | items[0][quantity] | parameter_invalid_integer | Invalid integer: x
name=A&items[0]=x                | items[0]          | -                         | Invalid object
name=A&items[0][recurring][interval]=fortnight | items[0][recurring][interval] | - | Invalid items[0][recurring][interval]: must be one of month, year, week, or day
name=A&items[0][recurring][interval_count]=2 | items[0][recurring][interval] | parameter_missing | Missing required param: items[0][recurring][interval].
name=A&items[0][price]=p&items[0][recurring][interval]=day | items[0][price] | - | You may only specify one of these parameters: price, recurring.
name=A&items[]=a&items[]=b&items[]=c&items[]=d | items | -                         | Array items exceeded maximum 3 allowed elements.
name=A&items[0][metadata][k][x]=1 | items[0][metadata][k] | -                    | Invalid string
name=A&locales[]=nl&locales[]=fr | locales[1]        | -                         | Invalid locales[1]: must be one of de or nl
name=A&active=yes                | active            | -                         | Invalid boolean: yes
name=A&active=1                  | active            | -                         | Invalid boolean: 1
name=A&active=True               | active            | -                         | Invalid boolean: True
name=A&mode=d                    | mode              | -                         | Invalid mode: must be one of a, b, or c
name=A&start=later               | start             | parameter_invalid_integer | Invalid integer: later
name=A&metadata=x                | metadata          | -                         | Invalid object
name=A&expand=x                  | expand            | -                         | Invalid array
name=A&expand[]=                 | expand[0]         | parameter_invalid_empty   | You passed an empty string for 'expand[0]'. We assume empty values are an attempt to unset a parameter; however 'expand[0]' cannot be unset. You should remove 'expand[0]' from your request or supply a non-empty value.
"""  # noqa: E501


@pytest.mark.parametrize(
    ("form", "param", "code", "message"), [line.split("|", 3) for line in REFUSALS.strip().splitlines()]
)
def test_what_is_refused(form, param, code, message):
    with pytest.raises(ApiError) as refused:
        create(form.strip())
    error = refused.value
    assert error.message == message.removeprefix(" ")
    assert (error.http_status, error.param) == (400, param.strip())
    assert (error.code or "-") == code.strip()


def test_currencies_are_named_when_one_is_not_supported():
    with pytest.raises(ApiError) as refused:
        create("name=A&currency=EURO")
    assert refused.value.message.startswith(
        "Invalid currency: euro. Voldaan currently supports these currencies: usd, aed, afn"
    )


def test_a_string_has_a_limit_even_where_none_is_declared():
    assert len(create("name=" + "é" * 5000).name) == 5000
    with pytest.raises(ApiError, match=r"Invalid string: abab\.\.\.abab; must be at most 5000 characters"):
        create("name=" + "ab" * 2501)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("&".join(f"metadata[k{i}]=v" for i in range(51)), "Metadata can have up to 50 keys, but you've set 51."),
        (
            f"metadata[{'k' * 41}]=v",
            "Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters. "
            f"Invalid key: {'k' * 41}",
        ),
        (
            f"metadata[k]={'v' * 501}",
            "Metadata values can have up to 500 characters, but you passed in a value that is 501 characters. "
            f"Invalid value: {'v' * 200}",
        ),
        ("metadata[]=v&name=A", "Invalid object"),
    ],
)
def test_metadata_has_limits(form, words):
    with pytest.raises(ApiError) as refused:
        create(f"name=A&{form}" if "name=" not in form else form)
    assert refused.value.message == words
    assert refused.value.param.startswith("metadata")


def test_metadata_at_its_limits():
    form = "&".join(f"metadata[{i:040}]={'é' * 500}" for i in range(50))
    assert len(create("name=A&" + form).metadata) == 50


def test_metadata_is_merged_by_key():
    old = {"a": "1", "b": "2"}
    assert merge_metadata(old, {"b": "3", "c": "4"}) == {"a": "1", "b": "3", "c": "4"}
    assert merge_metadata(old, {"a": "", "z": ""}) == {"b": "2"}
    assert merge_metadata(old, {}) == old
    assert merge_metadata(old, "") == {}
    assert old == {"a": "1", "b": "2"}
    full = {str(i): "x" for i in range(50)}
    assert len(merge_metadata(full, {"0": "", "new": "y"})) == 50
    with pytest.raises(PydanticCustomError, match="you've set 51"):
        merge_metadata(full, {"new": "y"})


LISTS = """
limit=0                               1
limit=-5                              1
limit=1                               1
limit=100                             100
limit=101                             100
limit=999999999                       100
created=1700000000                    10
created[gt]=1&created[lte]=2          10
starting_after=cus_1                  10
"""


@pytest.mark.parametrize(("form", "limit"), [line.split() for line in LISTS.strip().splitlines()])
def test_a_list_brings_its_limit_into_range(form, limit):
    assert create(form, ListParams).limit == int(limit)


LIST_REFUSALS = """
limit=abc                             | limit         | Invalid integer: abc
limit=                                | limit         | You passed an empty string for 'limit'
starting_after=a&ending_before=b      | None          | Received both starting_after and ending_before parameters. Please pass in only one.
created=yesterday                     | created       | Invalid integer: yesterday
created[gt]=yesterday                 | created[gt]   | Invalid integer: yesterday
created[after]=1                      | created[after] | Received unknown parameter: created[after]
created[]=1                           | created       | Invalid
created=-1                            | created       | This value must be greater than or equal to 0.
wat=x                                 | wat           | Received unknown parameter: wat
"""  # noqa: E501


@pytest.mark.parametrize(
    ("form", "param", "message"), [line.split("|") for line in LIST_REFUSALS.strip().splitlines()]
)
def test_what_a_list_refuses(form, param, message):
    with pytest.raises(ApiError) as refused:
        create(form.strip(), ListParams)
    assert refused.value.message.startswith(message.strip())
    assert str(refused.value.param) == param.strip()


def test_a_search_refuses_what_a_list_brings_into_range():
    with pytest.raises(ApiError, match=r"less than or equal to 100 \(it currently is '101'\)"):
        create("query=a&limit=101", SearchParams)
    with pytest.raises(ApiError, match=r"Missing required param: query\."):
        create("", SearchParams)


def test_what_was_given():
    params = create("name=A&active=false&address[city]=&metadata=")
    assert params.given() == {"name": "A", "address": Address(city=""), "active": False, "metadata": ""}
    assert params.address.given() == {"city": ""}


def test_numbers_and_booleans_of_json_are_taken_as_they_are():
    params = parse_params(Create, {"name": "A", "amount": 5, "active": True, "price": "1.5", "items": [{"quantity": 2}]})
    assert (params.amount, params.active, params.price, params.items[0].quantity) == (5, True, Decimal("1.5"), 2)
    for bad in ({"amount": 1.5}, {"amount": True}, {"active": 1}, {"price": 1.5}, {"name": 5}, {"name": None}):
        with pytest.raises(ApiError):
            parse_params(Create, {"name": "A", **bad})


def test_a_class_describes_itself_for_the_api_document():
    schema = Create.model_json_schema()
    assert schema["properties"]["active"]["anyOf"][0] == {"type": "boolean"}
    assert schema["properties"]["amount"]["minimum"] == 0
    assert schema["additionalProperties"] is False


names = st.sampled_from([*Create.model_fields, "foo", "0"])
parts = st.sampled_from(["", "[]", "[0]", "[1]", "[city]", "[quantity]", "[recurring]", "[interval]", "[metadata]", "[k]"])
values = st.sampled_from(["", "x", "1", "-1", "true", "eur", "now", "1.5", "99999999999999999999", "é"])
pair = st.tuples(names, parts, parts, values).map(lambda p: f"{p[0]}{p[1]}{p[2]}={p[3]}")


@settings(max_examples=300, deadline=None)
@given(st.lists(pair, max_size=6).map("&".join))
def test_only_params_or_an_api_error_comes_out(form):
    try:
        params = create(form)
    except ApiError as refused:
        params = refused
    assert isinstance(params, Create) or (params.http_status == 400 and params.message)


def test_indices_are_kept_for_the_path():
    indexed = Indexed([{"quantity": "x"}], ("9",))
    with pytest.raises(ApiError) as refused:
        parse_params(Create, {"name": "A", "items": indexed})
    assert refused.value.param == "items[9][quantity]"
