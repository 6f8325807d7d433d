"""What the OpenAPI document says of a route beside its path: query, body, answers.

Owns the way from request structs, which the routes read themselves so that every fault is named at
once, to the operations that Litestar writes down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar.openapi.spec import Operation

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:holdfast:error:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "the same key and body give the first answer again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=N`: wait up to N seconds, 10 at most, for the decision",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "the ETag that the change is made to, or `*`; 412 `stale` if changed since",
    "schema": {"type": "string"},
}


def operation(
    *,
    body: type[msgspec.Struct] | dict[str, Any] | None = None,
    query: type[msgspec.Struct] | None = None,
    answers: dict[int, str] | None = None,
    media_type: str = "application/json",
    keyed: bool = False,
    waits: bool = False,
    matches: bool = False,
    public: bool = False,
) -> type[Operation]:
    """The operation class of a route whose query and body are read into these structs."""
    responses: dict[str, Any] = {
        str(status): {"description": text, "content": {media_type: {"schema": {}}}}
        for status, text in (answers or {200: "as described"}).items()
    }
    responses["default"] = {
        "description": "a problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
    headers = [
        header
        for header, wanted in ((_KEY, keyed), (_PREFER, waits), (_IF_MATCH, matches))
        if wanted
    ]

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            # Plain JSON values: the document is made of them in the end.
            own: Any = self
            own.parameters = [*(self.parameters or []), *_parameters(query), *headers] or None
            own.responses = responses
            if body is not None:
                own.request_body = {"required": True, "content": {_JSON: {"schema": _schema(body)}}}
            if public:
                own.security = []

    return Documented


_JSON = "application/json"


def _schema(kind: type[msgspec.Struct] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, dict):
        return kind
    _, components = msgspec.json.schema_components((kind,))
    schema: dict[str, Any] = components[kind.__name__]
    return schema


def _parameters(kind: type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    if kind is None:
        return []
    schema = _schema(kind)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": value}
        for name, value in schema.get("properties", {}).items()
    ]
