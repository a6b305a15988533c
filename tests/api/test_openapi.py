"""The OpenAPI document: complete, consistent in itself, and true to what the server answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.world import World
from voldaan.api.routes import ROUTES

KINDS = {"string", "integer", "boolean", "object", "array", "null", "number"}


@pytest.fixture(scope="module")
def document(api_server) -> dict[str, Any]:
    answer = httpx.get(f"{api_server}/openapi.json", timeout=30)
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_every_route_is_in_it_and_nothing_else(document):
    described = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    assert described == {(method, path) for method, path, *_ in ROUTES}


def test_it_is_openapi_3_1(document):
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= document["info"].keys()
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    seen = set()
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            assert verb in ("get", "post", "delete")
            assert operation["operationId"] not in seen, "two operations of one name"
            seen.add(operation["operationId"])
            assert operation["summary"]
            assert "200" in operation["responses"]
            in_path = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert in_path == set(re.findall(r"{(\w+)}", path))
            assert all(p["required"] for p in operation.get("parameters", []) if p["in"] == "path")
            assert ("requestBody" in operation) is (verb == "post")


def test_every_reference_leads_somewhere(document):
    for reference in references(document):
        assert reference.startswith("#/components/schemas/")
        assert reference.rpartition("/")[2] in document["components"]["schemas"], reference


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_schemas_are_schemas(document):
    for name, schema in document["components"]["schemas"].items():
        assert schema, name
        for kind in kinds(schema):
            assert kind in KINDS, (name, kind)
        if schema.get("type") == "object" and "properties" in schema:
            assert set(schema.get("required", [])) <= schema["properties"].keys(), name


def kinds(schema: Any) -> Iterator[str]:
    """Every `type` in a schema that is one, and not a property of that name."""
    if not isinstance(schema, dict):
        return
    declared = schema.get("type", [])
    yield from [declared] if isinstance(declared, str) else declared
    for value in schema.get("properties", {}).values():
        yield from kinds(value)
    for name in ("items", "additionalProperties"):
        yield from kinds(schema.get(name))
    for value in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        yield from kinds(value)


# ---- answers against the schemas ---------------------------------------------------------------------------------------

SHOWN = {
    "customer": lambda w: w.payer(),
    "product": lambda w: w.product(),
    "price": lambda w: w.price(),
    "coupon": lambda w: w.coupon(),
    "tax_rate": lambda w: w.tax_rate(),
    "shipping_rate": lambda w: w.shipping_rate(),
    "payment_method": lambda w: w.method(),
    "payment_intent": lambda w: w.paid_intent(),
    "setup_intent": lambda w: w.setup_intent(),
    "charge": lambda w: w.charge(),
    "refund": lambda w: w.refund(),
    "invoice": lambda w: w.paid_invoice(),
    "invoiceitem": lambda w: w.item(),
    "subscription": lambda w: w.subscription(),
    "test_helpers.test_clock": lambda w: w.clock(),
}


@pytest.mark.parametrize("name", SHOWN)
def test_an_answer_is_as_the_document_says(document, world: World, name: str):
    schemas = document["components"]["schemas"]
    assert list(differences(schemas[name], SHOWN[name](world), schemas, name)) == []


def differences(schema: dict, value: Any, schemas: dict, path: str) -> Iterator[str]:
    """What of a value the schema does not allow. Only the words that our document uses."""
    if "$ref" in schema:
        yield from differences(schemas[schema["$ref"].rpartition("/")[2]], value, schemas, path)
        return
    if "anyOf" in schema:
        tried = [list(differences(choice, value, schemas, path)) for choice in schema["anyOf"]]
        if all(tried):
            yield from min(tried, key=len)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not among {schema['enum']}"
    kind = schema.get("type")
    fits = {
        "string": isinstance(value, str), "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float), "boolean": isinstance(value, bool), "null": value is None,
        "object": isinstance(value, dict), "array": isinstance(value, list), None: True,
    }  # fmt: skip
    if not fits[kind]:
        yield f"{path}: {value!r:.80} is no {kind}"
        return
    if kind == "object" and "properties" in schema:
        known = schema["properties"]
        yield from (f"{path}.{name}: missing" for name in schema.get("required", []) if name not in value)
        yield from (f"{path}.{name}: not declared" for name in value if name not in known and "required" in schema)
        for name in value.keys() & known.keys():
            yield from differences(known[name], value[name], schemas, f"{path}.{name}")
    elif kind == "object" and "additionalProperties" in schema:
        for name, inner in value.items():
            yield from differences(schema["additionalProperties"], inner, schemas, f"{path}.{name}")
    elif kind == "array":
        for number, inner in enumerate(value):
            yield from differences(schema.get("items", {}), inner, schemas, f"{path}[{number}]")
