"""The OpenAPI document as a whole: its head, its schemas, and who may call what.

Owns what Litestar does not write by itself: the schemas of the structs that the routes read and
answer, and, of each operation, the permission and the roles that have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from litestar import Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.status_codes import HTTP_404_NOT_FOUND

from holdfast import __version__
from holdfast.api.documented import SCHEMAS
from holdfast.api.operations import shapes
from holdfast.api.permissions import KNOWN, PUBLIC, ROLES, may
from holdfast.api.problems import MEDIA_TYPE, problem_of
from holdfast.api.request_notes import OWN, noted
from holdfast.api.shapes.problems import Problem

_TAGS: Final = {
    "reservations": "make, read, change, mark",
    "holds": "keep a place while a guest pays or types",
    "waitlist": "wait for a place, offer one, accept it",
    "blocks": "take places out of use",
    "venues": "what there is, and what is free",
    "tables": "how the tables stand in a service",
    "notes": "what staff tell each other about a service",
    "allotments": "who may sell what",
    "guests": "find a guest, show, note, merge, restrict, hand over, forget",
    "sync": "the queue, the exchange with the hub, the clock",
    "books": "what can be checked: books, exceptions, the record of changes",
    "analytics": "key figures",
    "administration": "the fleet, copies",
    "access": "tokens, staff of this device, sessions of pages",
    "stream": "what changes, as it changes",
    "health": "what needs no token",
    "between replicas": "the protocol of docs/protocol.md, signed; of no use to other clients",
}


def openapi(handlers: Iterable[BaseRouteHandler], cookie: str) -> OpenAPIConfig:
    """The configuration of the document that describes these routes; `cookie` is the name of the
    sessions' own."""
    return OpenAPIConfig(
        title="Holdfast",
        version=__version__,
        description=(
            "Reservations that hold when the network does not. Times are RFC 3339; answers carry "
            "the venue's offset, and an input without one is venue-local. Every error is a problem "
            "(RFC 9457). Each operation names the `x-permission` that it needs and the `x-roles` "
            "that have it; what no role has is refused. A token may be narrower than its role; "
            "`known` asks for any token or session. Whoever asks too often gets 429 and "
            "`Retry-After`."
        ),
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="as `holdfast token create` makes it"
                ),
                "session": SecurityScheme(
                    type="apiKey",
                    security_scheme_in="cookie",
                    name=cookie,
                    description=(
                        "as `POST /session` sets it (under TLS with `__Host-` before the name); "
                        "what writes carries `X-CSRF-Token` beside it"
                    ),
                ),
            }
        ),
        security=[{"token": []}, {"session": []}],
        # The document and nothing else: pages that show it would fetch scripts from elsewhere.
        render_plugins=[_Document(handlers)],
        openapi_router=Router(
            "/schema",
            route_handlers=[],
            include_in_schema=False,
            opt={"permission": PUBLIC},
            after_request=_no_page,
        ),
    )


class _Document(JsonRenderPlugin):
    """Litestar's document, completed when it is first asked for."""

    def __init__(self, handlers: Iterable[BaseRouteHandler]) -> None:
        super().__init__(path="/openapi.json")
        self._handlers = list(handlers)
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._rendered is None:
            document = completed(openapi_schema, self._handlers)
            self._rendered = self.render_json(request, document)
        return self._rendered


def completed(document: dict[str, Any], handlers: Iterable[BaseRouteHandler]) -> dict[str, Any]:
    """The document with every schema that it refers to, and who may call what."""
    bodies: list[type[msgspec.Struct]] = []
    permission_by_id: dict[str, str] = {}
    for handler in handlers:
        operation_class = getattr(handler, "operation_class", None)
        bodies += getattr(operation_class, "shapes", [])
        permission_by_id[str(getattr(handler, "operation_id", ""))] = handler.opt["permission"]
    paths = {
        path: {
            method: _permitted(operation, permission_by_id) for method, operation in item.items()
        }
        for path, item in document["paths"].items()
    }
    components = document["components"] | {"schemas": _schemas(bodies)}
    return document | {"paths": paths, "components": components}


def _permitted(operation: Any, permission_by_id: dict[str, str]) -> Any:
    if not isinstance(operation, dict) or "operationId" not in operation:
        return operation
    permission = permission_by_id[operation["operationId"]]
    if permission == PUBLIC:
        return operation
    roles = [role for role in ROLES if permission == KNOWN or may(role, permission)]
    return operation | {"x-permission": permission, "x-roles": roles}


def _schemas(bodies: list[type[msgspec.Struct]]) -> dict[str, Any]:
    kinds = {kind.__name__: kind for kind in [*shapes(), Problem, *bodies]}
    _, schemas = msgspec.json.schema_components(
        list(kinds.values()), ref_template=SCHEMAS + "{name}"
    )
    for name in {body.__name__ for body in bodies} | (OWN & set(schemas)):
        schemas[name] = noted(name, schemas[name])
    return {name: _with_spoken_defaults(schema) for name, schema in sorted(schemas.items())}


def _with_spoken_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """Defaults as words: generators take a field that has one for a field that is always there,
    and then demand it in requests. That null is the same as left out goes without saying."""
    properties = {}
    for name, field in schema.get("properties", {}).items():
        properties[name] = {key: value for key, value in field.items() if key != "default"}
        if field.get("default") not in (None, "", [], {}):
            default = msgspec.json.encode(field["default"]).decode()
            said = f"{field.get('description', '')}; by default {default}"
            properties[name]["description"] = said.removeprefix("; ")
    return schema | {"properties": properties} if properties else schema


def _no_page(response: Response[object]) -> Response[object]:
    """The library's own page for what is not under /schema, as a problem like any other."""
    if response.status_code != HTTP_404_NOT_FOUND:
        return response
    problem = problem_of(NotFoundException())
    return Response(problem.body(), status_code=problem.status, media_type=MEDIA_TYPE)
