"""What the OpenAPI document says of one route: query, headers, body, answers, errors.

Owns the way from request structs, which the routes read themselves so that every fault is named at
once, and from the table of `operations`, to what Litestar writes down. The document as a whole is
`document`'s.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Final

import msgspec
from litestar.openapi.spec import Operation

from holdfast.api import csv_text
from holdfast.api.operations import EVENTS, OPERATIONS, Success
from holdfast.api.problems import MEDIA_TYPE
from holdfast.api.request_notes import noted
from holdfast.api.shapes.problems import STATUS_BY_NAME
from holdfast.model.limits import IDEMPOTENCY_KEY_CHARS_MAX, PREFER_WAIT_SECONDS_MAX

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
SCHEMAS: Final = "#/components/schemas/"

_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "the same key and body give the first answer again; kept for 24 hours at least, for each "
        "token and route"
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX},
}
_PREFER: Final = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": (
        f"`wait=N`: wait up to N seconds, {PREFER_WAIT_SECONDS_MAX} at most, for the decision"
    ),
    "schema": {"type": "string", "examples": ["wait=5"]},
}
_PREFER_TRACE: Final = _PREFER | {
    "description": (
        f"{_PREFER['description']}. `trace`: the steps that it went through come in the header "
        "`Server-Timing`, refused or not, for who has `guests.profile`"
    ),
    "schema": {"type": "string", "examples": ["wait=5", "trace", "trace, wait=5"]},
}
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "the ETag that the change is made to, or `*`; 412 `stale` if changed since",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of what is held already: 304 where it is still the same",
    "schema": {"type": "string"},
}
_LAST_EVENT_ID: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "the last `id` that was received: what came since is sent, or a `reset`",
    "schema": {"type": "string"},
}
_HEADERS: Final = {
    "Location": "path of what was made",
    "Content-Disposition": "the name that the file is kept under",
    "ETag": "version of what is answered, for `If-Match` or `If-None-Match`",
    "Last-Modified": "when the newest change of it was written, by its writer's clock",
    "Idempotency-Replayed": "`true`: nothing was done, the first answer is given again",
    "Preference-Applied": "`wait=N`, where `Prefer` asked for it",
    "Set-Cookie": "the session: HttpOnly, SameSite=Strict, for every path of this host",
    "WWW-Authenticate": "how to authenticate",
    "Retry-After": "seconds",
    "Server-Timing": (
        "where `Prefer: trace` asked for it: the steps in their order, `dur` in milliseconds, and "
        '`desc="refused"` with the last one where it refused'
    ),
}
PATH_PARAMETERS: Final = {
    "reference": "id or code",
    "venue": "id of a venue",
    "proposal": "id of a proposal, as `POST /venues/{id}/optimise` gives it",
    "resource": "id of a resource of the venue",
    "date": "a service date, `YYYY-MM-DD`",
    "operation_id": "id of an operation: 32 hexadecimal digits",
    "exception_id": "id of an exception, as `GET /exceptions` gives it",
    "agent_id": "pseudonym of a guest, as reservations show it",
    "right_id": "id of an allotment, as `GET /allotments` gives it",
    "restriction_id": "id of a restriction, as `GET /restrictions` gives it",
    "note_id": "id of a note, as `GET /guests/{agent_id}/notes` gives it",
    "flag": "`vip` or `issue`",
    "name": "a name, as the list gives it",
}


def operation(
    *,
    body: type[msgspec.Struct] | None = None,
    query: type[msgspec.Struct] | None = None,
    answers: dict[int, str] | None = None,
    media_type: str = JSON,
    body_type: str = JSON,
    keyed: bool = False,
    waits: bool = False,
    matches: bool = False,
    cached: bool = False,
    resumes: bool = False,
    traced: bool = False,
    public: bool = False,
) -> type[Operation]:
    """The operation class of a route whose query and body are read into these structs.

    What it answers stands in `operations`, under the route's operation id; `answers` may say more
    of it. `media_type` is that of a success which is no JSON. A body of a `body_type` that is no
    JSON has its struct on every line, or none. `keyed`, `waits`, `matches`, `cached`, `resumes`:
    it heeds Idempotency-Key, Prefer, If-Match, If-None-Match, Last-Event-ID. `traced`: it tells its
    steps. `public`: it needs no token.
    """
    headers = [
        header
        for header, wanted in (
            (_KEY, keyed),
            (_PREFER, waits and not traced),
            (_PREFER_TRACE, traced),
            (_IF_MATCH, matches),
            (_IF_NONE_MATCH, cached),
            (_LAST_EVENT_ID, resumes),
        )
        if wanted
    ]
    told = (
        ("Idempotency-Replayed", keyed), ("Preference-Applied", waits), ("Server-Timing", traced),
    )  # fmt: skip
    sent = [name for name, wanted in told if wanted]
    takes_body = body is not None or body_type != JSON

    @dataclass
    class Documented(Operation):
        shapes: ClassVar[list[type[msgspec.Struct]]] = [] if body is None else [body]
        reads_query: ClassVar[bool] = query is not None

        def __post_init__(self) -> None:
            # Plain JSON values: the document is made of them in the end.
            own: Any = self
            row = OPERATIONS.get(own.operation_id)
            if row is None:
                raise LookupError(f"{own.operation_id} has no row in holdfast.api.operations")
            path = [_path_parameter(each.name) for each in own.parameters or []]
            own.parameters = [*path, *_parameters(query), *headers] or None
            texts = answers or {}
            own.responses = {
                str(status): _success(status, success, texts.get(status, ""), media_type, sent)
                for status, success in row.successes.items()
            } | _problems(
                [
                    *("forbidden", "rate-limited", "internal", "directory-damaged"),
                    # Any query that is not read is refused, so that every one of them may be.
                    *(("unauthorised", "invalid") if not public else ()),
                    *(("not-found",) if path else ()),
                    *(("stale",) if matches else ()),
                    *(("idempotency-key-reused",) if keyed else ()),
                    *(_OF_WRITES if keyed or takes_body else ()),
                    *row.problems,
                ],
                row.successes,
                ["Server-Timing"] if traced else [],
            )
            if takes_body:
                own.request_body = _request_body(body, body_type)
            if public:
                own.security = []

    return Documented


_OF_WRITES: Final = ("invalid", "payload-too-large", "storage-full")


def reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Where the document holds the schema of a struct."""
    return {"$ref": SCHEMAS + kind.__name__}


def _success(
    status: int, success: Success, text: str, media_type: str, sent_headers: list[str]
) -> dict[str, Any]:
    described = text or success.text
    schema: dict[str, Any] = {"type": "string"}
    if success.shape is not None:
        media_type, schema = JSON, reference(success.shape)
        described = described or _first_sentence(success.shape)
    content: dict[str, Any] = {"schema": schema}
    if media_type == EVENT_STREAM:
        content["x-events"] = {event: reference(shape) for event, shape in EVENTS.items()}
    response: dict[str, Any] = {"description": described}
    if status != HTTPStatus.NOT_MODIFIED:
        response["content"] = {media_type: content}
        if success.table:
            response["content"][csv_text.MEDIA_TYPE] = {"schema": {"type": "string"}}
    names = [*success.headers, *sent_headers]
    if names:
        response["headers"] = _headers(names)
    return response


def _problems(names: list[str], taken: dict[int, Success], sent: list[str]) -> dict[str, Any]:
    """The errors by status, with their names; a status has one description."""
    names_by_status: dict[int, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        names_by_status[STATUS_BY_NAME[name]].append(name)
    return {
        str(status): _problem(status, found, sent)
        for status, found in sorted(names_by_status.items())
        if status not in taken
    }


def _problem(status: int, names: list[str], sent: list[str]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": " or ".join(f"`{name}`" for name in names),
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{SCHEMAS}Problem"}}},
    }
    headers = [*{401: ["WWW-Authenticate"], 429: ["Retry-After"]}.get(status, ()), *sent]
    if headers:
        response["headers"] = _headers(headers)
    return response


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def _request_body(kind: type[msgspec.Struct] | None, media_type: str) -> dict[str, Any]:
    """An empty body is an empty object, so that one is needed only where a field is."""
    content: dict[str, Any] = {"schema": {"type": "string"}}
    required = True
    if kind is not None and media_type == JSON:
        content = {"schema": reference(kind)}
        required = any(field.required for field in msgspec.structs.fields(kind))
    elif kind is not None:
        content["x-each-line"] = reference(kind)
    return {"required": required, "content": {media_type: content}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": PATH_PARAMETERS[name],
        "schema": {"type": "string"},
    }


def _parameters(kind: type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    """The fields of a struct as parameters of a query; null is the same as left out there."""
    if kind is None:
        return []
    _, components = msgspec.json.schema_components((kind,))
    schema = noted(kind.__name__, components[kind.__name__])
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": value.get("description", ""),
            "schema": _without_null(value),
        }
        for name, value in schema["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in schema.items() if name not in ("anyOf", "description")}
    for choice in schema.get("anyOf", ()):
        if choice != {"type": "null"}:
            plain |= choice
    return {name: value for name, value in plain.items() if value is not None}


def _first_sentence(kind: type[msgspec.Struct]) -> str:
    text = " ".join((kind.__doc__ or "").split())
    sentence = text.split(". ")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:]
