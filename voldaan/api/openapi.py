"""The OpenAPI document, made from the route table and the declared resources and parameters: nothing is written twice."""

from __future__ import annotations

import types
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from voldaan.api.router import Route
from voldaan.resources.base import Expandable, Hidden, Includable, ListObject, Part, Resource, UnsetType
from voldaan.settings import VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "format": "decimal"},
    dict: {"type": "object"},
    Any: {},
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 of every served operation."""
    schemas: dict[str, Any] = {"error": ERROR}
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {"title": "Voldaan", "version": VERSION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "security": [{"basic": []}, {"bearer": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(schemas.items())),
        },
    }


ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["type"],
            "properties": {
                "type": {"enum": ["api_error", "card_error", "idempotency_error", "invalid_request_error"]},
                **{
                    name: {"type": "string"}
                    for name in ("code", "message", "param", "decline_code", "doc_url", "request_log_url")
                },
            },
        }
    },
}


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": segment[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for segment in route.path.split("/")
        if segment.startswith("{")
    ]
    given = route.params.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
    schemas.update(given.pop("$defs", {}))
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": _first_line(route.command.__doc__) or f"{route.method} {route.path}",
        "responses": {"200": _answer(route, schemas), "default": _json({"$ref": "#/components/schemas/error"}, "An error")},
    }
    if route.method == "POST":
        kind = "application/json" if route.path.startswith("/v2/") else "application/x-www-form-urlencoded"
        operation["requestBody"] = {"content": {kind: {"schema": given}}}
    else:
        parameters += [
            {"name": name, "in": "query", "required": name in given.get("required", []), "style": "deepObject", "schema": schema}
            for name, schema in given.get("properties", {}).items()
        ]
    if parameters:
        operation["parameters"] = parameters
    return operation


def _operation_id(route: Route) -> str:
    door, *words = [segment.strip("{}") for segment in route.path.strip("/").split("/")]
    return "_".join([route.method.lower(), *([] if door == "v1" else [door]), *words])


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _answer(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.resource is None:
        return _json({"type": "object"}, "The answer")
    one = _reference(route.resource, schemas)
    if getattr(route.command, "many", False):
        return _json(
            {"type": "object", "properties": {"data": {"type": "array", "items": one}, "has_more": {"type": "boolean"}}}, "A page"
        )
    return _json(one, "The object")


def _reference(cls: type[msgspec.Struct], schemas: dict[str, Any]) -> dict[str, Any]:
    name = _name(cls)
    if name not in schemas:
        schemas[name] = {}
        schemas[name] = _struct(cls, schemas)
    return {"$ref": f"#/components/schemas/{name}"}


@cache
def _name(cls: type[msgspec.Struct]) -> str:
    if issubclass(cls, Resource):
        hints = get_type_hints(cls)
        return str(get_args(hints["object"])[0]) if "object" in hints else cls.__name__
    return f"{cls.__module__.rsplit('.', 1)[-1]}.{cls.__name__}"


def _struct(cls: type[msgspec.Struct], schemas: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    hints = get_type_hints(cls, include_extras=True)
    for name in cls.__struct_fields__:
        hint = hints[name]
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        if any(isinstance(m, Hidden) for m in marks):
            continue
        properties[name] = _type(hint, schemas)
        if not any(isinstance(m, Includable) for m in marks) and UnsetType not in get_args(_plain(hint)):
            required.append(name)
    return {"type": "object", "description": _first_line(cls.__doc__), "properties": properties, "required": required}


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _type(hint: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(args, schemas)
    if origin in (Union, types.UnionType):
        choices = [_type(a, schemas) for a in args if a not in (NoneType, UnsetType)]
        nullable = [{"type": "null"}] if NoneType in args else []
        return (choices + nullable)[0] if len(choices + nullable) == 1 else {"anyOf": choices + nullable}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is list:
        return {"type": "array", "items": _type(args[0], schemas)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(args[1], schemas)}
    if origin is ListObject:
        return {"type": "object", "properties": {"data": {"type": "array", "items": _type(args[0], schemas)}}}
    if isinstance(hint, type) and issubclass(hint, Part | Resource):
        return _reference(hint, schemas)
    return dict(SCALARS.get(hint, {}))


def _annotated(args: tuple[Any, ...], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _type(args[0], schemas)
    described = next((a for a in args[1:] if isinstance(a, str)), None)
    expandable = next((a for a in args[1:] if isinstance(a, Expandable)), None)
    if expandable:
        schema = {**schema, "x-expandable": expandable.object}
    if described:
        schema = {**schema, "description": described}
    return schema


