"""No input is our own fault, and what is refused changes nothing.

Each POST that is served is called as it should be, with one parameter at a time made hostile. The values are the same at
every run.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import psycopg
import pytest
from pydantic import BaseModel

from tests.api.calls import CALLS, Call, key
from tests.api.contract.checker import check_error
from tests.api.wire import Wire, form
from tests.api.world import World
from tests.conftest import new_account
from voldaan.api.routes import ROUTES

FORMS_EACH = 60
HOSTILE = [
    "", " ", "0", "-1", "1", "1.5", "1e9", "99999999999999999999", "-99999999999999999999", "9223372036854775807",
    "true", "null", "now", "auto", "eur", "EUR", "xxx", "card", "month", "'", '"', "\\", "%", "${7*7}", "{{7*7}}", "<script>",
    "'; drop table x; --", "a" * 4999, "é" * 100, "\u202e", "😀" * 30, "\n\r\t", "../../etc/passwd", "cus_x", "pm_card_visa",
    "tok_visa", "sub_x", "in_x", "2026-01-01", "253402300800", "-62135596801", "1772409600", "NaN", "inf", "0x10", "01", "+1",
    "1_000", "１２", "\ud83d".encode("utf-8", "replace").decode(), "\x7f", "%s%n", "{}", "[]", "=&=", "a]b[c",
]  # fmt: skip
SHAPES = ["{n}={v}", "{n}={v}", "{n}={v}", "{n}[]={v}", "{n}[0]={v}", "{n}[x]={v}", "{n}[0][x]={v}", "{n}[a][b][c]={v}"]

POSTS = sorted({key(method, path): params for method, path, _, params, *_ in ROUTES if method == "POST"}.items())
COUNTS = """
select string_agg(format(
         $$select '%1$s', count(*), coalesce(max(xmin::text::bigint), 0) from %1$s where account_id = %%(account)s$$,
         table_name), ' union all ')
  from information_schema.columns join information_schema.tables using (table_schema, table_name)
 where table_schema = 'public' and table_type = 'BASE TABLE' and column_name = 'account_id'
   and table_name not in ('api_keys', 'idempotency_keys')
"""


def names(params: type[BaseModel], prefix: str = "", depth: int = 3) -> Iterator[str]:
    """The parameters of a verb, with brackets: customer, items, items[0][price], ..."""
    for name, declared in params.model_fields.items():
        full = f"{prefix}[{name}]" if prefix else name
        yield full
        for inner, in_list in hashes(declared.annotation) if depth else ():
            yield from names(inner, f"{full}[0]" if in_list else full, depth - 1)


def hashes(annotation: Any) -> list[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, False)]
    inner = [h for argument in get_args(annotation) for h in hashes(argument)]
    return [(cls, True) for cls, _ in inner] if get_origin(annotation) is list else inner


def forms(call: Call, params: type[BaseModel]) -> Iterator[str]:
    """The right form with one parameter replaced or added; then forms in which all are wrong at once."""
    from urllib.parse import quote_plus

    values, shapes = itertools.cycle(HOSTILE), itertools.cycle(SHAPES)
    known = list(dict.fromkeys(names(params)))
    step = max(1, len(known) * 2 // FORMS_EACH)
    for name in itertools.islice(itertools.chain(known[::step], known[1::step], known), FORMS_EACH):
        top = name.partition("[")[0]
        rest = {k: v for k, v in call.params.items() if k != top}
        bad = next(shapes).format(n=name, v=quote_plus(next(values)))
        yield f"{form(rest)}&{bad}" if rest else bad
    for _ in range(4):
        yield "&".join(f"{name}={quote_plus(next(values))}" for name in known if "[" not in name)


@pytest.fixture(scope="module")
def books(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        sql = connection.execute(COUNTS).fetchone()[0]
        yield lambda account: sorted(connection.execute(sql, {"account": account}).fetchall())


@pytest.fixture(scope="module")
def sandbox(api_server, dsn):
    made = new_account(dsn, business_name="Fuzz")
    return World(Wire(api_server, made.secret_key)), made.account.id


@pytest.mark.parametrize(("operation", "params"), POSTS, ids=[operation for operation, _ in POSTS])
def test_no_form_is_our_own_fault_and_what_is_refused_changes_nothing(sandbox, books, operation, params):
    world, account = sandbox
    call = CALLS[operation](world)
    before = books(account)
    answered = {}
    for text in forms(call, params):
        for _ in range(5):  # what was asked for before may still be under way in the background
            answer = world.wire.send("POST", call.path, text)
            assert answer.status < 500, f"POST {call.path} {text[:1000]}: {answer}"
            before, was = books(account), before
            if answer.status not in (400, 404) or before == was:
                break
        else:
            pytest.fail(f"refused, but something changed: POST {call.path} {text[:1000]}: {answer}")
        answered[answer.status] = answered.get(answer.status, 0) + 1
        assert answer.status not in (400, 404) or check_error(answer.body) == [], text
    assert answered.keys() & {400, 404}, json.dumps(answered)


LISTS = sorted({key(method, path): params for method, path, _, params, *_ in ROUTES if method == "GET"}.items())


@pytest.mark.parametrize(("operation", "params"), LISTS, ids=[operation for operation, _ in LISTS])
def test_no_query_is_our_own_fault(sandbox, operation, params):
    world, _ = sandbox
    call = CALLS[operation](world)
    for text in itertools.islice(forms(call, params), 24):
        answer = world.wire.send("GET", call.path, text)
        assert answer.status < 500, f"GET {call.path} {text[:1000]}: {answer}"
        assert answer.status == 200 or check_error(answer.body) == [], text
