"""The search language: what is read, what is refused, and what PostgreSQL finds with it."""

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voldaan.api.errors import ApiError
from voldaan.api.search_language import FIELDS, OPERATORS, Clause, Kind, Query, compile, parse

UNREADABLE = "We were unable to parse your search query."

# resource | query | clauses: field, operator, value, key, negated | joined by
READINGS = [
    ("customers", 'email:"amy@rocketrides.io"', [("email", ":", "amy@rocketrides.io", None, False)], "and"),
    ("customers", "email:'sally@rocketrides.io'", [("email", ":", "sally@rocketrides.io", None, False)], "and"),
    ("customers", '  name~"amy"  ', [("name", "~", "amy", None, False)], "and"),
    ("customers", "phone:null", [("phone", ":", None, None, False)], "and"),
    ("customers", "-phone:NULL", [("phone", ":", None, None, True)], "and"),
    ("customers", 'phone:"null"', [("phone", ":", "null", None, False)], "and"),
    ("customers", 'metadata["donation-id"]:"asdf-jkl"', [("metadata", ":", "asdf-jkl", "donation-id", False)], "and"),
    ("customers", "metadata['key']:'value'", [("metadata", ":", "value", "key", False)], "and"),
    ("customers", '-metadata["donation-id"]:null', [("metadata", ":", None, "donation-id", True)], "and"),
    ("customers", r'metadata["a\"]:b"]:"c\\d"', [("metadata", ":", r"c\d", 'a"]:b', False)], "and"),
    ("products", r'description:"the story called \"The Sky and the Sea.\""',
     [("description", ":", 'the story called "The Sky and the Sea."', None, False)], "and"),
    ("products", 'active:"TRUE"', [("active", ":", True, None, False)], "and"),
    ("products", 'name:"a AND b" url:"c OR d"',
     [("name", ":", "a AND b", None, False), ("url", ":", "c OR d", None, False)], "and"),
    ("charges", "amount>1000", [("amount", ">", 1000, None, False)], "and"),
    ("charges", 'amount>="10"', [("amount", ">=", 10, None, False)], "and"),
    ("charges", "amount<=-5", [("amount", "<=", -5, None, False)], "and"),
    ("charges", "payment_method_details.card.last4:4242",
     [("payment_method_details.card.last4", ":", "4242", None, False)], "and"),
    ("charges", "metadata['key']:'value' AND currency:'usd'",
     [("metadata", ":", "value", "key", False), ("currency", ":", "usd", None, False)], "and"),
    ("charges", 'currency:"usd" or currency:"eur" OR -status:"failed"',
     [("currency", ":", "usd", None, False), ("currency", ":", "eur", None, False), ("status", ":", "failed", None, True)],
     "or"),
    ("charges", 'status:"succeeded"\n\tamount:500 and created<5',
     [("status", ":", "succeeded", None, False), ("amount", ":", 500, None, False), ("created", "<", 5, None, False)],
     "and"),
    ("invoices", 'number:"MYSHOP-123"', [("number", ":", "MYSHOP-123", None, False)], "and"),
    ("subscriptions", "canceled_at>0", [("canceled_at", ">", 0, None, False)], "and"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "query", "clauses", "joint"), READINGS, ids=[case[1] for case in READINGS])
def test_what_is_read(resource, query, clauses, joint):
    read = parse(query, resource)
    assert [(c.field, c.operator, c.value, c.key, c.negated) for c in read.clauses] == clauses
    assert read.any is (joint == "or")


REFUSALS = """
customers |                                    | We were unable to parse your search query. Try using the format
customers | asdf                               | We were unable to parse your search query. Try using the format
customers | email:                             | We were unable to parse
customers | email:amy                          | We were unable to parse
customers | email:"amy                         | We were unable to parse
customers | email:"amy"x                       | We were unable to parse
customers | email:"amy" AND                    | We were unable to parse
customers | AND email:"amy"                    | We were unable to parse
customers | email:"amy" AND AND name:"x"       | We were unable to parse
customers | email:"amy"name:"x"                | We were unable to parse
customers | email : "amy"                      | We were unable to parse
customers | --email:"amy"                      | We were unable to parse
customers | metadata:"x"                       | We were unable to parse
customers | metadata[k]:"x"                    | We were unable to parse
customers | email["k"]:"x"                     | We were unable to parse
customers | name~null                          | We were unable to parse
customers | (email:"amy")                      | We were unable to parse
customers | email:"a' OR 1=1 --                | We were unable to parse
customers | email:"a" AND name:"b" OR phone:"c" | We were unable to parse your search query. AND and OR can't be combined
customers | email:"a" name:"b" OR phone:"c"    | We were unable to parse your search query. AND and OR can't be combined
customers | foo:"bar"                          | Field `foo` is an unsupported search field for resource `customers`. See http://stripe.com/docs/search#query-fields-for-customers for a list of supported fields.
payment_intents | email:"x"                    | Field `email` is an unsupported search field for resource `payment_intents`. See http://stripe.com/docs/search#query-fields-for-payment-intents for a list
customers | EMAIL:"x"                          | Field `EMAIL` is an unsupported search field
customers | name~"ab"                          | Substring search needs at least 3 characters
customers | name>"abc"                         | Field `name` does not support the operator `>`, only `:`, `~`.
customers | metadata["k"]~"abc"                | Field `metadata` does not support the operator `~`, only `:`.
charges   | currency~"usd"                     | Field `currency` does not support the operator `~`, only `:`.
charges   | amount~"100"                       | Field `amount` does not support the operator `~`
charges   | amount:"ten"                       | Field `amount` needs an integer, not `ten`.
charges   | amount>1.5                         | We were unable to parse
charges   | amount>"1.5"                       | Field `amount` needs an integer, not `1.5`.
charges   | amount>9999999999999999999         | Field `amount` needs an integer
charges   | created>-1                         | Field `created` needs an integer
charges   | created>999999999999               | Field `created` needs an integer
charges   | disputed:"maybe"                   | Field `disputed` accepts only "true" and "false", not `maybe`.
"""  # noqa: E501


@pytest.mark.parametrize(
    ("resource", "query", "message"), [line.split(" | ", 2) for line in REFUSALS.strip("\n").splitlines()]
)
def test_what_is_refused(resource, query, message):
    with pytest.raises(ApiError) as refused:
        parse(query.strip(), resource.strip())
    assert refused.value.http_status == 400
    assert refused.value.message.startswith(message.strip())


def test_at_most_ten_clauses():
    assert len(parse(" ".join(f"amount>{i}" for i in range(10)), "charges").clauses) == 10
    with pytest.raises(ApiError, match="up to 10 query clauses"):
        parse(" ".join(f"amount>{i}" for i in range(11)), "charges")


def test_every_kind_has_operators_and_every_resource_metadata():
    assert set(OPERATORS) == set(Kind)
    assert len(FIELDS) == 7
    assert all(fields["metadata"] is Kind.TOKEN for fields in FIELDS.values())


COLUMNS = {
    "email": "t.email", "name": "t.doc ->> 'name'", "phone": "t.phone", "metadata": "t.doc -> 'metadata'",
    "created": "t.created_at", "amount": "t.amount", "disputed": "t.disputed", "currency": "t.currency",
    "customer": "t.customer", "status": "t.status", "billing_details.address.postal_code": "t.postal_code",
}  # fmt: skip

PEOPLE = """
select * from (values
    ('amy',   'Amy@RocketRides.io',  '{"name": "one two three four", "metadata": {"Plan": "Gold"}}'::jsonb,
              to_timestamp(1000), '+31 6 1234'),
    ('bob',   'xamy@example.com',    '{"name": "three two one", "metadata": {"Plan": "silver", "a\\"b": "x%%y_z"}}'::jsonb,
              to_timestamp(2000), null),
    ('carl',  null,                  '{"name": "100%% O''Brien_\\\\ & söhne", "metadata": {}}'::jsonb,
              to_timestamp(3000), '555')
) t(id, email, doc, created_at, phone)
"""

FOUND = r"""
email:"amy@rocketrides.io"             amy
email:"AMY@ROCKETRIDES.IO"             amy
email~"amy"                            amy bob
email~"AMY@"                           amy bob
email:"rocketrides"                    amy
-email:"amy@rocketrides.io"            bob carl
email:null                             carl
-email:null                            amy bob
name:"one two three"                   amy
name:"two three"                       amy
name:"one three"
name:"thre"
name:"ONE"                             amy bob
name:"söhne"                           carl
name:"SÖHNE"                           carl
name:"o'brien"                         carl
name~"100%"                            carl
name~"%%%"
name~"___"
name~"n_\\"                            carl
name:"!!!"
metadata["Plan"]:"gold"                amy
metadata["plan"]:"gold"
metadata["Plan"]:null                  carl
-metadata["Plan"]:null                 amy bob
metadata["a\"b"]:"X%Y_Z"               bob
-metadata["Plan"]:"gold"               bob carl
created:2000                           bob
created>1000 created<3000              bob
created>=1000 AND created<=2000        amy bob
created<2000 OR created>2000           amy carl
phone:"555" OR email~"example"         bob carl
phone:"1234"                           amy
email:"' or true --"
"""


@pytest.mark.parametrize("line", FOUND.strip("\n").splitlines())
def test_what_postgresql_finds(dsn, line):
    query, names = line[:39].strip(), line[39:].split()
    condition, values = compile(parse(query, "customers"), COLUMNS)
    with psycopg.connect(dsn) as connection:
        found = connection.execute(f"select t.id from ({PEOPLE}) t where {condition} order by 1", values).fetchall()
    assert [row[0] for row in found] == names


CHARGES = """
select * from (values
    ('ch_1', 1000, true,  'eur', 'cus_A', 'succeeded', '2613 AB'),
    ('ch_2', 2000, false, 'usd', 'cus_B', 'failed',    null),
    ('ch_3', -5,   null,  'eur', null,    'pending',   '10115')
) t(id, amount, disputed, currency, customer, status, postal_code)
"""

FOUND_CHARGES = """
amount>=1000                                          ch_1 ch_2
amount:-5                                             ch_3
-amount:-5                                            ch_1 ch_2
disputed:"true"                                       ch_1
disputed:"false"                                      ch_2
disputed:null                                         ch_3
-disputed:"true"                                      ch_2 ch_3
currency:"EUR" status:"succeeded"                     ch_1
customer:"cus_A"                                      ch_1
customer:"cus_a"
-customer:"cus_A"                                     ch_2 ch_3
billing_details.address.postal_code:"2613 ab"         ch_1
billing_details.address.postal_code:10115             ch_3
currency:"usd" OR amount<0                            ch_2 ch_3
"""


@pytest.mark.parametrize("line", FOUND_CHARGES.strip("\n").splitlines())
def test_what_postgresql_finds_among_charges(dsn, line):
    query, names = line[:54].strip(), line[54:].split()
    condition, values = compile(parse(query, "charges"), COLUMNS, prefix="q")
    with psycopg.connect(dsn) as connection:
        found = connection.execute(f"select t.id from ({CHARGES}) t where {condition} order by 1", values).fetchall()
    assert [row[0] for row in found] == names


def test_values_travel_as_parameters_only():
    hostile = "'; drop table customers; --%(x)s"
    query = Query((Clause("email", Kind.STRING, "~", hostile), Clause("metadata", Kind.TOKEN, ":", hostile, key=hostile)))
    condition, values = compile(query, COLUMNS)
    assert "drop" not in condition
    assert list(values.values()).count(hostile) == 3


def test_an_indexed_column_stays_bare():
    """Equality on what is lower case, an id or an instant can use its index."""
    condition, _ = compile(parse('currency:"EUR" customer:"cus_A" created>5', "charges"), COLUMNS)
    assert condition == (
        "(t.currency = %(search_0)s::text) and (t.customer = %(search_1)s::text)"
        " and (t.created_at > to_timestamp(%(search_2)s::bigint))"
    )


pieces = st.sampled_from(
    [*FIELDS["customers"], "foo", ":", "~", ">", "<=", '"', "'", "\\", '"a b"', "'abc'", "null", "12", "-", " ", " AND ",
     " or ", '["k"]', "[", "]", "\0", "é", "\n", "("]
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(pieces, max_size=14).map("".join)))
def test_only_a_query_or_an_api_error_comes_out(text):
    try:
        read = parse(text, "customers")
    except ApiError as refused:
        read = refused
    assert read.http_status == 400 if isinstance(read, ApiError) else compile(read, COLUMNS)


def test_a_long_query_is_read_in_one_pass():
    with pytest.raises(ApiError):
        parse('name:"' + '\\"' * 2_500, "customers")
    with pytest.raises(ApiError):
        parse("a." * 2_500, "customers")
    assert parse('name:"' + "a" * 4_900 + '"', "customers").clauses
