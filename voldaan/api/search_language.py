"""Stripe's search query language: from a query to checked clauses, and from these to parameterised SQL.

    status:"active" AND metadata["plan"]:"gold" AND created>1700000000        -currency:"jpy" name~"ann"

A clause is a field, an operator and a value; `-` negates it; a space means AND; AND and OR exclude each other. What a
field can do depends on its kind. Values only ever travel as parameters. Source: docs/behaviour-api.md, "Search".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from voldaan.api.errors import ApiError, invalid_request, quoted

CLAUSES_MAX = 10
SUBSTRING_MIN = 3


class Kind(StrEnum):
    """What a field holds. Stripe calls the first four `token`, an instant is `numeric` to it."""

    WORD = "word"  # always lower case in the database: equality, index-friendly
    ID = "id"  # compared as it is
    TOKEN = "token"  # any case in the database: equality without regard to case
    BOOLEAN = "boolean"  # "true" or "false"
    STRING = "string"  # `:` finds the words in this order, `~` a part of it; without regard to case
    NUMERIC = "numeric"  # integers
    INSTANT = "instant"  # epoch seconds in the query, timestamptz in the database


OPERATORS = {
    Kind.WORD: frozenset({":"}),
    Kind.ID: frozenset({":"}),
    Kind.TOKEN: frozenset({":"}),
    Kind.BOOLEAN: frozenset({":"}),
    Kind.STRING: frozenset({":", "~"}),
    Kind.NUMERIC: frozenset({":", ">", "<", ">=", "<="}),
    Kind.INSTANT: frozenset({":", ">", "<", ">=", "<="}),
}

_CARD = {
    f"payment_method_details.{source}.{name}": kind
    for source in ("card", "card_present", "interac_present")
    for name, kind in {
        "last4": Kind.TOKEN,
        "exp_month": Kind.TOKEN,
        "exp_year": Kind.TOKEN,
        "brand": Kind.WORD,
        "fingerprint": Kind.TOKEN,
    }.items()
}

# The fields of each searchable resource. `refunded` is true for fully refunded charges, false for partly refunded ones
# and null for the others.
FIELDS: dict[str, dict[str, Kind]] = {
    "charges": {
        "amount": Kind.NUMERIC,
        "billing_details.address.postal_code": Kind.TOKEN,
        "created": Kind.INSTANT,
        "currency": Kind.WORD,
        "customer": Kind.ID,
        "disputed": Kind.BOOLEAN,
        "metadata": Kind.TOKEN,
        "refunded": Kind.BOOLEAN,
        "status": Kind.WORD,
        **_CARD,
    },
    "customers": {
        "created": Kind.INSTANT,
        "email": Kind.STRING,
        "metadata": Kind.TOKEN,
        "name": Kind.STRING,
        "phone": Kind.STRING,
    },
    "invoices": {
        "created": Kind.INSTANT,
        "currency": Kind.WORD,
        "customer": Kind.ID,
        "last_finalization_error_code": Kind.WORD,
        "last_finalization_error_type": Kind.WORD,
        "metadata": Kind.TOKEN,
        "number": Kind.STRING,
        "receipt_number": Kind.STRING,
        "status": Kind.STRING,
        "subscription": Kind.STRING,
        "total": Kind.NUMERIC,
    },
    "payment_intents": {
        "amount": Kind.NUMERIC,
        "created": Kind.INSTANT,
        "currency": Kind.WORD,
        "customer": Kind.ID,
        "metadata": Kind.TOKEN,
        "status": Kind.WORD,
    },
    "prices": {
        "active": Kind.BOOLEAN,
        "currency": Kind.WORD,
        "lookup_key": Kind.STRING,
        "metadata": Kind.TOKEN,
        "product": Kind.STRING,
        "type": Kind.WORD,
    },
    "products": {
        "active": Kind.BOOLEAN,
        "description": Kind.STRING,
        "metadata": Kind.TOKEN,
        "name": Kind.STRING,
        "shippable": Kind.BOOLEAN,
        "url": Kind.STRING,
    },
    "subscriptions": {
        "canceled_at": Kind.INSTANT,
        "created": Kind.INSTANT,
        "metadata": Kind.TOKEN,
        "status": Kind.WORD,
    },
}


@dataclass(frozen=True, slots=True)
class Clause:
    """`value` is None for null; `key` is the metadata key."""

    field: str
    kind: Kind
    operator: str
    value: str | int | bool | None
    key: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    clauses: tuple[Clause, ...]
    any: bool = False  # joined by OR


_STRING = r"""\"(?:[^"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"""
_CLAUSE = re.compile(
    rf"(?P<negated>-?)(?P<field>[a-z][a-z0-9_.]*)(?:\[(?P<key>{_STRING})\])?"
    rf"(?P<operator>>=|<=|[:~<>])(?P<value>{_STRING}|-?[0-9]+|null)(?=\s|$)",
    re.DOTALL | re.IGNORECASE,
)
_JOINT = re.compile(r"\s+(?:(and|or)\s+)?", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]{1,18}")

# What separates words, in PostgreSQL's and in Python's regular expressions alike: white space and ASCII punctuation.
_BETWEEN_WORDS = r"[\s!-/:-@\[-`{-~]+"


def parse(query: str, resource: str) -> Query:
    """The clauses of a query over one of `FIELDS`. Raises ApiError for what cannot be read or is not supported."""
    text = query.strip()
    clauses: list[Clause] = []
    joints: set[str] = set()
    at = 0
    while True:
        match = _CLAUSE.match(text, at)
        if not match:
            raise _unreadable()
        clauses.append(_clause(match, resource))
        at = match.end()
        if at == len(text):
            break
        joint = _JOINT.match(text, at)
        if not joint:
            raise _unreadable()
        joints.add((joint[1] or "and").lower())
        at = joint.end()
        if len(joints) > 1:
            raise _unreadable("AND and OR can't be combined in the same query.")
        if len(clauses) == CLAUSES_MAX:
            raise _unreadable(f"You can combine up to {CLAUSES_MAX} query clauses in a search.")
    return Query(tuple(clauses), any=joints == {"or"})


def _clause(match: re.Match[str], resource: str) -> Clause:
    field, operator, key = match["field"], match["operator"], match["key"]
    kind = FIELDS[resource].get(field)
    if kind is None:
        raise invalid_request(
            f"Field `{quoted(field)}` is an unsupported search field for resource `{resource}`. "
            f"See http://stripe.com/docs/search#query-fields-for-{resource.replace('_', '-')} "
            "for a list of supported fields."
        )
    if (field == "metadata") != (key is not None):
        raise _unreadable()
    if operator not in OPERATORS[kind]:
        offered = ", ".join(f"`{each}`" for each in sorted(OPERATORS[kind]))
        raise invalid_request(f"Field `{field}` does not support the operator `{operator}`, only {offered}.")
    return Clause(
        field=field,
        kind=kind,
        operator=operator,
        value=_value(match["value"], field, kind, operator),
        key=_unescaped(key) if key else None,
        negated=bool(match["negated"]),
    )


def _value(written: str, field: str, kind: Kind, operator: str) -> str | int | bool | None:
    if written.lower() == "null":
        if operator != ":":
            raise _unreadable()
        return None
    text = _unescaped(written)
    if kind in (Kind.NUMERIC, Kind.INSTANT):
        if not _INTEGER.fullmatch(text) or (kind is Kind.INSTANT and not 0 <= int(text) <= 253_402_300_799):
            raise invalid_request(f"Field `{field}` needs an integer, not `{quoted(text)}`.")
        return int(text)
    if kind is Kind.BOOLEAN:
        if text.lower() not in ("true", "false"):
            raise invalid_request(f"Field `{field}` accepts only \"true\" and \"false\", not `{quoted(text)}`.")
        return text.lower() == "true"
    if operator == "~" and len(text) < SUBSTRING_MIN:
        raise invalid_request(f"Substring search needs at least {SUBSTRING_MIN} characters, not `{quoted(text)}`.")
    if "\0" in text:
        raise _unreadable()
    return text


def _unescaped(written: str) -> str:
    return _ESCAPE.sub(r"\1", written[1:-1]) if written[0] in "\"'" else written


def _unreadable(reason: str | None = None) -> ApiError:
    hint = 'Try using the format `metadata["key"]:"value"` to query for metadata or key:"value" to query for other fields.'
    return invalid_request(f"We were unable to parse your search query. {reason or hint}")


# SQL ----------------------------------------------------------------------------------------------------------------


def compile(query: Query, columns: Mapping[str, str], prefix: str = "search") -> tuple[str, dict[str, Any]]:
    """One SQL condition and its named parameters (`%(search_0)s` and so on).

    `columns` gives the SQL expression of every field that the query names: our own text, never the caller's. `metadata`
    is the jsonb of the pairs; a word, token or string is text; the rest has its own type.
    """
    values: dict[str, Any] = {}

    def bind(value: Any) -> str:
        name = f"{prefix}_{len(values)}"
        values[name] = value
        return f"%({name})s"

    conditions = []
    for clause in query.clauses:
        column = columns[clause.field]
        if clause.key is not None:
            column = f"({column} ->> {bind(clause.key)}::text)"
        condition = f"{column} is null" if clause.value is None else _condition(clause, column, bind)
        conditions.append(f"({condition}) is not true" if clause.negated else condition)
    return (" or " if query.any else " and ").join(f"({condition})" for condition in conditions), values


def _condition(clause: Clause, column: str, bind: Any) -> str:
    operator = "=" if clause.operator == ":" else clause.operator
    match clause.kind:
        case Kind.WORD:
            return f"{column} = {bind(str(clause.value).lower())}::text"
        case Kind.ID:
            return f"{column} = {bind(clause.value)}::text"
        case Kind.TOKEN:
            return f"lower({column}) = lower({bind(clause.value)}::text)"
        case Kind.BOOLEAN:
            return f"{column} = {bind(clause.value)}::boolean"
        case Kind.NUMERIC:
            return f"{column} {operator} {bind(clause.value)}::bigint"
        case Kind.INSTANT:
            return f"{column} {operator} to_timestamp({bind(clause.value)}::bigint)"
    if clause.operator == "~":
        return f"position(lower({bind(clause.value)}::text) in lower({column})) > 0"
    words = re.sub(_BETWEEN_WORDS, " ", str(clause.value)).strip()
    if not words:
        return f"lower({column}) = lower({bind(clause.value)}::text)"
    separated = f"' ' || regexp_replace(lower({column}), {bind(_BETWEEN_WORDS)}::text, ' ', 'g') || ' '"
    return f"position(lower({bind(f' {words} ')}::text) in {separated}) > 0"
