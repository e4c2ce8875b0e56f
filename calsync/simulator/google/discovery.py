"""Google's own discovery document as the judge of requests and answers.

The document is the one that google-api-python-client ships. Query parameters are checked for name, type, enum and
range; bodies for type. Unknown body fields are ignored by default, as Google does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from googleapiclient.discovery_cache import get_static_doc

from calsync.simulator.google.errors import bad_request, invalid, required

Document = dict[str, Any]  # discovery documents are free-form JSON
IGNORED = frozenset({"$.xgafv", "access_token", "callback", "uploadType", "upload_protocol"})


@dataclass(frozen=True, slots=True)
class Method:
    """One API method. ``segments`` is its path below the service path; ``{name}`` marks a parameter."""

    id: str
    http: str
    segments: tuple[str, ...]
    parameters: dict[str, dict[str, Any]]
    scopes: frozenset[str]
    request: str
    response: str
    required: tuple[str, ...]


@cache
def document() -> Document:
    """The Calendar v3 discovery document."""
    found: Document = json.loads(get_static_doc("calendar", "v3"))
    return found


@cache
def _by_shape() -> dict[tuple[str, int], list[Method]]:
    """All methods by HTTP verb and number of path segments, literal paths first."""
    common = document().get("parameters", {})
    shapes: dict[tuple[str, int], list[Method]] = {}
    for resource in document()["resources"].values():
        for raw in resource.get("methods", {}).values():
            method = _method(raw, common)
            shapes.setdefault((method.http, len(method.segments)), []).append(method)
    for methods in shapes.values():
        methods.sort(key=lambda method: sum(segment.startswith("{") for segment in method.segments))
    return shapes


def _method(raw: dict[str, Any], common: dict[str, Any]) -> Method:
    own = raw.get("parameters", {})
    return Method(
        id=raw["id"],
        http=raw["httpMethod"],
        segments=tuple(raw["path"].split("/")),
        parameters=common | own,
        scopes=frozenset(raw.get("scopes", ())),
        request=raw.get("request", {}).get("$ref", ""),
        response=raw.get("response", {}).get("$ref", ""),
        required=tuple(n for n, rule in own.items() if rule.get("required") and rule.get("location") == "query"),
    )


def route(http: str, segments: list[str]) -> tuple[Method, dict[str, str]] | None:
    """The method that answers this path (segments already decoded) with its path parameters."""
    for method in _by_shape().get((http, len(segments)), ()):
        named: dict[str, str] = {}
        for pattern, segment in zip(method.segments, segments, strict=True):
            if pattern.startswith("{"):
                named[pattern[1:-1]] = segment
            elif pattern != segment:
                break
        else:
            return method, named
    return None


def read_query(method: Method, query: dict[str, list[str]]) -> dict[str, Any]:
    """Query parameters with their types (repeated ones as lists); 400 for anything the document does not allow."""
    found: dict[str, Any] = {}
    for name, values in query.items():
        rule = method.parameters.get(name)
        if rule is None or rule.get("location") != "query":
            if name in IGNORED:
                continue
            message = f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            raise bad_request(message, parameter=name)
        read = [_read(name, rule, value) for value in values]
        found[name] = read if rule.get("repeated") else read[-1]
    for name in method.required:
        if name not in found:
            raise required(f"Required parameter: {name}")
    return found


def _read(name: str, rule: dict[str, Any], value: str) -> Any:
    if rule["type"] == "boolean":
        if value not in ("true", "false"):
            raise invalid(f"Invalid boolean value: '{value}'.", parameter=name)
        return value == "true"
    if rule["type"] == "integer":
        return _integer(name, rule, value)
    if "enum" in rule and value not in rule["enum"]:
        allowed = ", ".join(rule["enum"])
        raise invalid(f"Invalid string value: '{value}'. Allowed values: [{allowed}]", parameter=name)
    return value


def _integer(name: str, rule: dict[str, Any], value: str) -> int:
    low, high = int(rule.get("minimum", -(2**31))), int(rule.get("maximum", 2**31 - 1))
    try:
        number = int(value)
    except ValueError:
        raise invalid(f"Invalid integer value: '{value}'.", parameter=name) from None
    if not low <= number <= high:
        raise invalid(f"Invalid value '{value}'. Values must be within the range: [{low}, {high}]", parameter=name)
    return number


Check = Callable[[Any, str], Iterator[str]]  # (value, where) -> complaints; the values are any JSON


def complaints(schema: str, value: Any, *, unknown: bool, nulls: bool) -> list[str]:
    """What in ``value`` contradicts the schema. ``unknown``: report names the schema lacks; ``nulls``: allow null."""
    return list(_complaints({"$ref": schema}, value, "", unknown, nulls))


def _complaints(schema: dict[str, Any], value: Any, where: str, unknown: bool, nulls: bool) -> Iterator[str]:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if value is None and nulls:
        return
    if not _is_of(kind, schema.get("format", ""), value):
        yield f"Invalid value at '{where or 'body'}' ({kind})"
    elif kind == "object":
        yield from _object_complaints(schema, value, where, unknown, nulls)
    elif kind == "array":
        for position, item in enumerate(value):
            yield from _complaints(schema["items"], item, f"{where}[{position}]", unknown, nulls)


def _object_complaints(
    schema: dict[str, Any], value: dict[str, Any], where: str, unknown: bool, nulls: bool
) -> Iterator[str]:
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
    for key, item in value.items():
        place = f"{where}.{key}" if where else key
        rule = properties.get(key, extra)
        if rule is not None:
            yield from _complaints(rule, item, place, unknown, nulls)
        elif unknown:
            yield f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.'


def _is_of(kind: str, form: str, value: Any) -> bool:
    if kind == "string":
        return isinstance(value, str) or (form == "int64" and isinstance(value, int))
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    python = {"object": dict, "array": list, "boolean": bool}.get(kind)
    return python is None or isinstance(value, python)
