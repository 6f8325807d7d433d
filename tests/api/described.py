"""The served OpenAPI document as a judge: is what was answered what the document says?

Owns a reader of the document and a strict check of values against its schemas. Strict: a field that
a schema does not name is a fault, and so is a keyword that this check does not know.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

JSON = "application/json"
PROBLEM = "application/problem+json"
OWN_HEADERS = (
    "location", "etag", "idempotency-replayed", "preference-applied", "www-authenticate",
    "retry-after", "last-modified", "content-disposition",
)  # fmt: skip
"""Headers that mean something to a client of the API; each must be described where it is sent."""
_SAID_ONLY = {"description", "title", "default", "examples"}


class Document:
    """A parsed document."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), item)
            # What has no parameters is looked at first, as the router does.
            for path, item in sorted(content["paths"].items(), key=lambda pair: "{" in pair[0])
        ]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, path and operation of each."""
        for path, item in self.content["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        for pattern, item in self._paths:
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = item.get(method.lower())
                return found
        return None

    def resolve(self, reference: str) -> dict[str, Any]:
        found: Any = self.content
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)
        return found

    def schema(self, name: str) -> dict[str, Any]:
        return self.resolve(f"#/components/schemas/{name}")

    # --- what was answered ------------------------------------------------------------------------

    def check(self, request: httpx.Request, answer: httpx.Response) -> None:
        """Fail where the answer is not one that the document describes."""
        what = f"{request.method} {request.url.path}: {answer.status_code}"
        operation = self.operation(request.method, request.url.path)
        if operation is None:
            assert answer.status_code in (403, 404, 405), f"{what} of what is not described"
            self._is(self.schema("Problem"), answer.content, what)
            return
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{what} is not described: {answer.text[:300]}"
        if "content" in described:
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind in described["content"], f"{what} is {kind}"
            if kind in (JSON, PROBLEM):
                self._is(described["content"][kind]["schema"], answer.content, what)
        else:
            assert not answer.content and "content-type" not in answer.headers, what
        declared = {name.lower() for name in described.get("headers", {})}
        sent = {name for name in OWN_HEADERS if name in answer.headers}
        assert sent <= declared, f"{what} has headers that are not described: {sent - declared}"
        if answer.is_success:
            self._check_request(operation, request, what)

    def _check_request(self, operation: dict[str, Any], request: httpx.Request, what: str) -> None:
        """What was understood must be what the document says that one may ask."""
        described = operation.get("requestBody", {"content": {}})
        body = request.content
        if body.strip() not in (b"", b"{}") and JSON in described["content"]:
            self._is(described["content"][JSON]["schema"], body, f"{what}, its request")
        names = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        assert set(request.url.params) <= names, what

    def check_event(self, event: dict[str, str]) -> None:
        """Fail where an event of the stream is not one that the document describes."""
        if "event" not in event or event["event"] == "reset":
            return
        answer = self.content["paths"]["/api/v1/stream"]["get"]["responses"]["200"]
        described = answer["content"]["text/event-stream"]["x-events"]
        self._is(described[event["event"]], event["data"].encode(), f"event {event['event']}")

    def _is(self, schema: dict[str, Any], body: bytes, what: str) -> None:
        found = list(self.faults(schema, json.loads(body)))
        assert not found, f"{what}: {'; '.join(found)}"

    # --- values against schemas -------------------------------------------------------------------

    def faults(self, schema: Any, value: Any, place: str = "$") -> Iterator[str]:
        """Where a value is not what the schema says."""
        if schema is False:
            yield f"{place} may not be there"
            return
        for keyword, told in schema.items():
            if keyword in _SAID_ONLY or keyword.startswith("x-"):
                continue
            rule = getattr(self, f"_{keyword.removeprefix('$').lower()}", None)
            if rule is None:
                raise LookupError(f"{place}: the check does not know {keyword}")
            yield from rule(told, value, place, schema)

    def _ref(self, told: str, value: Any, place: str, schema: Any) -> Iterator[str]:
        yield from self.faults(self.resolve(told), value, place)

    def _type(self, told: str, value: Any, place: str, schema: Any) -> Iterator[str]:
        kinds: dict[str, Any] = {
            "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
            "number": (int, float), "null": type(None),
        }  # fmt: skip
        truth = isinstance(value, bool) and told != "boolean"
        if truth or not isinstance(value, kinds[told]):
            yield f"{place} is {value!r}, no {told}"

    def _properties(self, told: Any, value: Any, place: str, schema: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            return
        for name, inner in value.items():
            if name in told:
                yield from self.faults(told[name], inner, f"{place}.{name}")
            elif not schema.get("additionalProperties"):
                yield f"{place}.{name} is not described"

    def _required(self, told: list[str], value: Any, place: str, schema: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (f"{place}.{name} is missing" for name in told if name not in value)

    def _additionalproperties(
        self, told: Any, value: Any, place: str, schema: Any
    ) -> Iterator[str]:
        if isinstance(value, dict) and isinstance(told, dict):
            for name in set(value) - set(schema.get("properties", ())):
                yield from self.faults(told, value[name], f"{place}.{name}")

    def _prefixitems(self, told: Any, value: Any, place: str, schema: Any) -> Iterator[str]:
        for number, (one, inner) in enumerate(zip(told, value, strict=False)):
            yield from self.faults(one, inner, f"{place}[{number}]")

    def _items(self, told: Any, value: Any, place: str, schema: Any) -> Iterator[str]:
        if isinstance(value, list):
            first = len(schema.get("prefixItems", ()))
            for number, inner in enumerate(value[first:], first):
                yield from self.faults(told, inner, f"{place}[{number}]")

    def _minitems(self, told: int, value: Any, place: str, schema: Any) -> Iterator[str]:
        if isinstance(value, list) and len(value) < told:
            yield f"{place} has fewer than {told} items"

    def _maxitems(self, told: int, value: Any, place: str, schema: Any) -> Iterator[str]:
        if isinstance(value, list) and len(value) > told:
            yield f"{place} has more than {told} items"

    def _minlength(self, told: int, value: Any, place: str, schema: Any) -> Iterator[str]:
        if isinstance(value, str) and len(value) < told:
            yield f"{place} is shorter than {told}"

    def _maxlength(self, told: int, value: Any, place: str, schema: Any) -> Iterator[str]:
        if isinstance(value, str) and len(value) > told:
            yield f"{place} is longer than {told}"

    def _anyof(self, told: Any, value: Any, place: str, schema: Any) -> Iterator[str]:
        tried = [list(self.faults(choice, value, place)) for choice in told]
        if all(tried):
            # What was wrong with the first choice says most; the last is often null.
            yield from tried[0]

    def _enum(self, told: list[Any], value: Any, place: str, schema: Any) -> Iterator[str]:
        if value not in told and not (
            value is None and {"type": "null"} in schema.get("anyOf", ())
        ):
            yield f"{place} is {value!r}, none of {told}"

    def _minimum(self, told: int, value: Any, place: str, schema: Any) -> Iterator[str]:
        if value < told:
            yield f"{place} is {value}, below {told}"

    def _maximum(self, told: int, value: Any, place: str, schema: Any) -> Iterator[str]:
        if value > told:
            yield f"{place} is {value}, above {told}"

    def _format(self, told: str, value: Any, place: str, schema: Any) -> Iterator[str]:
        if not isinstance(value, str):
            return
        try:
            if told == "date-time":
                assert datetime.datetime.fromisoformat(value).utcoffset() is not None
            elif told == "date":
                datetime.date.fromisoformat(value)
            elif told == "uuid":
                uuid.UUID(value)
            else:
                raise LookupError(f"{place}: the check does not know the format {told}")
        except (ValueError, AssertionError):
            yield f"{place} is {value!r}, no {told}"


class Transport(httpx.ASGITransport):
    """The way to an application in memory; every answer on it must be one that is described."""

    _documents: list[Document] = []  # noqa: RUF012 - one document is served by every application

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        body = await answer.aread()
        if not request.url.path.startswith(("/schema", "/sync/")):
            checked = httpx.Response(
                answer.status_code, headers=answer.headers, content=body, request=request
            )
            (await self.document()).check(request, checked)
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body)
        )

    async def document(self) -> Document:
        """The document as it is served, read once."""
        if not self._documents:
            request = httpx.Request("GET", "http://localhost/schema/openapi.json")
            answer = await super().handle_async_request(request)
            self._documents.append(Document(json.loads(await answer.aread())))
        return self._documents[0]
