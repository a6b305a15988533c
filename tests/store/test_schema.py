"""The declarations and the schema say the same, and every named query can be planned against it."""

from __future__ import annotations

import re

import psycopg
import pytest

from voldaan.resources.base import spec
from voldaan.resources.registry import RESOURCES
from voldaan.store.queries import shelf, shelves

NAMES = {"text": "text", "bigint": "bigint", "boolean": "boolean", "numeric": "numeric", "jsonb": "jsonb",
         "timestamptz": "timestamp with time zone"}  # fmt: skip


@pytest.fixture(scope="module")
def connection(dsn: str) -> psycopg.Connection:
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def columns_of(connection: psycopg.Connection, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from information_schema.columns where table_schema = 'public' and table_name = %s",
        (table,),
    )
    return dict(rows.fetchall())


@pytest.mark.parametrize("cls", RESOURCES, ids=lambda cls: cls.__name__)
def test_declared_columns_are_the_tables_columns(connection: psycopg.Connection, cls: type) -> None:
    s = spec(cls)
    declared = {"account_id": "text", "id": "text", "doc": "jsonb"} | {f.column: NAMES[f.sql_type] for f in s.columns}
    assert columns_of(connection, s.table.name) == declared


def test_every_account_owned_table_is_bound_to_its_account(connection: psycopg.Connection) -> None:
    """account_id leads the primary key, every unique constraint and every foreign key between such tables; RLS is on.

    Of an event the account stands in the digest that is its key.
    """
    wrong = connection.execute(
        """
        select t.relname, c.conname from pg_constraint c
          join pg_class t on t.oid = c.conrelid
          join pg_attribute a on a.attrelid = t.oid and a.attname = 'account_id'
         where c.connamespace = 'public'::regnamespace and c.contype in ('p', 'u', 'f') and not a.attnum = any(c.conkey)
           and c.conname not in ('accounts_pkey', 'api_keys_hash', 'meter_events_pkey')
        union all
        select t.relname, 'no row-level security' from pg_class t join pg_attribute a on a.attrelid = t.oid
         where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' and a.attname = 'account_id' and not t.relrowsecurity
        """
    ).fetchall()
    assert wrong == []


QUERIES = [(noun, name) for noun in shelves() for name in shelf(noun)]


@pytest.mark.parametrize(("noun", "name"), QUERIES, ids=[f"{noun}.{name}" for noun, name in QUERIES])
def test_every_named_query_can_be_planned(connection: psycopg.Connection, noun: str, name: str) -> None:
    """PREPARE parses, resolves every name and infers every parameter's type."""
    text = shelf(noun)[name].replace("{account}", "t.id")
    numbers: dict[str, int] = {}
    sql = re.sub(r"%\((\w+)\)[sb]", lambda m: f"${numbers.setdefault(m.group(1), len(numbers) + 1)}", text).replace("%%", "%")
    connection.execute(f"prepare planned as {sql}")
    connection.execute("deallocate planned")
