"""The OpenAPI document is whole: a client that is generated from it can do all that there is.

That each answer is what the document says is checked wherever these tests call the API
(`described.Transport`); here stands what is true of the document itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import msgspec
import pytest

from holdfast.api.app import make_app
from holdfast.api.operations import OPERATIONS, shapes
from holdfast.api.permissions import KNOWN, PUBLIC, ROLES, may
from holdfast.api.render import with_times
from holdfast.api.shapes import fleet, venue_file, venues
from holdfast.api.shapes.common import QueueCounts
from holdfast.api.shapes.problems import Problem
from holdfast.api.shapes.reservations import GuestCard
from holdfast.model import errors
from holdfast.model.venue import parse_venue, to_document
from holdfast.node import cards, inspection
from holdfast.node.hub import Hub
from holdfast.node.node import Node
from holdfast.node.settings import Settings
from holdfast.store.queue import STATES
from tests.api.conftest import ADMIN, DAY, booking, calling, venue_document
from tests.api.described import Document, Transport

pytestmark = pytest.mark.anyio

PAGES = ("/", "/{page}", "/assets/{name}")
"""For browsers, and no part of the API."""


@pytest.fixture
async def document(hub: Hub) -> AsyncGenerator[Document, None]:
    app = make_app(hub, admin_token=ADMIN)
    transport = Transport(app)  # type: ignore[arg-type]
    async with app.lifespan(), httpx.AsyncClient(transport=transport) as client:
        answer = await client.get("http://localhost/schema/openapi.json")
        yield Document(answer.json())


def inside(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from inside(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from inside(inner)


async def test_it_is_openapi_3_1_and_needs_nothing_from_elsewhere(document: Document):
    content = document.content
    assert content["openapi"].startswith("3.1.")
    assert content["info"]["title"] and content["info"]["version"]
    references = [each["$ref"] for each in inside(content) if "$ref" in each]
    assert all(reference.startswith("#/components/schemas/") for reference in references)
    for reference in references:
        assert document.resolve(reference), reference
    referred = {reference.rpartition("/")[2] for reference in references}
    assert referred == set(content["components"]["schemas"]), "a schema that nothing refers to"
    assert "://" not in json.dumps(content).replace('"/"', "")


async def test_no_route_is_forgotten(document: Document, hub: Hub):
    app = make_app(hub, admin_token=ADMIN)
    served = {
        (method, route.path_format)
        for route in app.routes
        if hasattr(route, "route_handler_map") and not route.path.startswith("/schema")
        for method in route.route_handler_map
        if method != "OPTIONS"
    }
    assert served - {("GET", path) for path in PAGES} == {
        (method, path) for method, path, _ in document.operations()
    }


async def test_every_operation_has_a_name_of_its_own_and_a_row_in_the_table(document: Document):
    names = [operation["operationId"] for _, _, operation in document.operations()]
    assert len(names) == len(set(names)) > 40
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)
    assert set(names) == set(OPERATIONS)
    tags = {tag["name"] for tag in document.content["tags"]}
    for _, path, operation in document.operations():
        assert operation["summary"], path
        assert len(operation["tags"]) == 1 and set(operation["tags"]) <= tags, path


async def test_every_parameter_says_what_it_is(document: Document):
    for method, path, operation in document.operations():
        parameters = operation.get("parameters", [])
        places = [(one["in"], one["name"]) for one in parameters]
        assert len(places) == len(set(places)), path
        assert {name for kind, name in places if kind == "path"} == set(
            re.findall(r"\{(\w+)\}", path)
        )
        for one in parameters:
            assert one["description"] and "type" in one["schema"], (path, one["name"])
            assert one["required"] or one["in"] != "path"
        headers = {name for kind, name in places if kind == "header"}
        if path.startswith("/api/v1") and method == "POST" and path != "/api/v1/session":
            assert "Idempotency-Key" in headers, path


@pytest.mark.parametrize(
    ("operation_id", "headers"),
    [
        ("createReservation", {"Idempotency-Key", "Prefer"}),
        ("changeReservation", {"If-Match", "Prefer"}),
        ("streamChanges", {"Last-Event-ID"}),
    ],
)
async def test_headers_that_mean_something_are_named(
    document: Document, operation_id: str, headers: set[str]
):
    operation = next(one for *_, one in document.operations() if one["operationId"] == operation_id)
    assert headers == {one["name"] for one in operation["parameters"] if one["in"] == "header"}


async def test_every_answer_has_a_schema_and_every_error_is_a_problem(document: Document):
    for _, path, operation in document.operations():
        assert any(status.startswith("2") for status in operation["responses"]), path
        for status, answer in operation["responses"].items():
            assert answer["description"], (path, status)
            if status == "304":
                assert "content" not in answer, path
                continue
            for kind, content in answer["content"].items():
                assert content["schema"], (path, status)
                if kind == "application/json":
                    assert "$ref" in content["schema"], (path, status)
            if not status.startswith("2") and operation["operationId"] != "getReadiness":
                assert list(answer["content"]) == ["application/problem+json"], (path, status)
        assert {"403", "500"} <= set(operation["responses"]), path


async def test_every_field_that_can_be_sent_is_explained(document: Document):
    for _, path, operation in document.operations():
        for content in operation.get("requestBody", {"content": {}})["content"].values():
            reference = content["schema"].get("$ref") or content.get("x-each-line", {}).get("$ref")
            if reference is None:
                continue
            schema = document.resolve(reference)
            assert schema["additionalProperties"] is False, path
            for name, field in schema.get("properties", {}).items():
                assert field.get("description"), (path, name)


async def test_every_field_of_every_answer_is_explained(document: Document):
    for name, schema in document.content["components"]["schemas"].items():
        assert schema["description"], name
        for field, value in schema.get("properties", {}).items():
            told = [each for each in inside(value) if "description" in each or "$ref" in each]
            assert told, (name, field)


async def test_nothing_that_may_be_left_out_is_demanded_because_it_has_a_default(
    document: Document,
):
    """Generators of types take a default for a promise that the field is there."""
    schemas = document.content["components"]["schemas"].values()
    fields = [field for schema in schemas for field in schema.get("properties", {}).values()]
    assert not [field for field in fields if "default" in field]
    kind = document.schema("CreateRequest")["properties"]["kind"]
    assert kind["description"].endswith('by default "guest"')


async def test_only_what_is_public_needs_no_token_and_the_rest_names_who_may(
    document: Document, hub: Hub
):
    permission_by_id = {
        handler.operation_id: handler.opt["permission"]
        for route in make_app(hub, admin_token=ADMIN).routes
        for handler in getattr(route, "route_handlers", [])
        if "permission" in handler.opt
    }
    assert document.content["security"] == [{"token": []}, {"session": []}]
    schemes = document.content["components"]["securitySchemes"]
    assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
    assert (schemes["session"]["type"], schemes["session"]["in"]) == ("apiKey", "cookie")
    for _, path, operation in document.operations():
        permission = permission_by_id[operation["operationId"]]
        if permission == PUBLIC:
            assert operation["security"] == [] and "x-roles" not in operation, path
            continue
        assert "security" not in operation and "401" in operation["responses"], path
        assert operation["x-permission"] == permission, path
        assert operation["x-roles"] == [
            role for role in ROLES if permission == KNOWN or may(role, permission)
        ], path


def test_a_name_stands_for_one_schema(hub: Hub):
    handlers = [
        handler
        for route in make_app(hub, admin_token=ADMIN).routes
        for handler in getattr(route, "route_handlers", [])
    ]
    bodies = [kind for one in handlers for kind in getattr(one.operation_class, "shapes", ())]
    schema_by_name: dict[str, Any] = {}
    for kind in [*shapes(), Problem, *bodies]:
        schema = msgspec.json.schema(kind)
        assert schema_by_name.setdefault(kind.__name__, schema) == schema, kind
    kinds = {kind.__name__: kind for kind in [*shapes(), Problem, *bodies]}
    _, components = msgspec.json.schema_components(list(kinds.values()))
    # msgspec writes the module into the name where two structs would have the same.
    assert not [name for name in components if "." in name]


# --- the shapes and what they show ----------------------------------------------------------------


def fields_of(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_the_shapes_have_the_fields_of_what_they_show():
    assert fields_of(QueueCounts) == set(STATES)
    assert fields_of(fleet.Config) == set(Settings.__struct_fields__)
    assert fields_of(GuestCard) == set(cards.FIELDS)
    assert fields_of(venue_file.VenueFile) == fields_of(venues.Venue)


@pytest.mark.parametrize(
    "error",
    [
        errors.Invalid.field("name", "is required"),
        errors.NotAvailable("taken"),
        errors.RuleViolated("no"),
        errors.BadTransition("no", "cancelled"),
        errors.RateLimited("later", 5),
    ],
)
def test_the_members_of_errors_are_those_of_a_problem(error: errors.HoldfastError):
    assert error.extra
    assert set(error.extra) <= fields_of(Problem)


def test_a_venue_file_may_leave_out_what_the_document_says_that_it_may():
    least = {
        "venue": "spot", "name": "Spot", "kind": "spot", "time_zone": "UTC",
        "resources": [{"id": "A", "kind": "pool", "capacity": 3}],
    }  # fmt: skip
    schema = msgspec.json.schema(venue_file.VenueFile)["$defs"]["VenueFile"]
    assert set(schema["required"]) == set(least) - {"venue"}
    shown = to_document(parse_venue(least))
    defaults = {
        name: field["default"]
        for name, field in schema["properties"].items()
        if field.get("default") not in (None, {}) and name not in ("policies", "stays")
    }
    assert defaults == {name: shown[name] for name in defaults}
    policies = msgspec.to_builtins(venue_file.PoliciesFile())
    assert {name: value for name, value in policies.items() if value is not None} == shown[
        "policies"
    ]


async def test_nothing_that_a_replica_shows_is_lost_on_the_way(hub: Hub, desk: Node):
    """What comes from below as JSON values goes through the shapes unchanged."""
    hub.import_venue(venue_document(hours={"mon": [["18:00", "02:00"]]}, covers_per_slot=9))
    hub.import_venue(
        venue_document(
            venue="inn", kind="lodging", allotments=[], policies={},
            seating_minutes={2: 60, 4: 90}, closed=["2026-12-25"],
            resources=[{"id": "R", "kind": "pool", "capacity": 4, "counts": "units"}],
        )
    )  # fmt: skip
    desk.sync()
    async with calling(desk) as client:
        await client.post("/reservations", json=booking(starts_at=f"{DAY}T19:00"))
        await client.post("/sync/now")
    # Who has a live channel only the face knows.
    fleet = [one | {"connected": False} for one in with_times(hub.nodes())]
    async with calling(hub) as client:
        for name in ("trattoria", "inn"):
            shown = (await client.get(f"/venues/{name}")).json()
            below = to_document(hub.venue(name).venue)
            # That there is no limit is said too.
            below["policies"] = {"advance_days": None, "max_party": None} | below["policies"]
            assert shown == below
            listed = (await client.get("/resources", params={"venue": name})).json()["items"]
            assert [one | {"venue": name} for one in shown["resources"]] == listed
        for path, told in [
            ("/books", {"items": inspection.list_books(hub), "next": None}),
            ("/books/trattoria", inspection.book_summary(hub, "trattoria")),
            (f"/books/trattoria/{DAY}", inspection.date_summary(hub, "trattoria", DAY)),
            ("/nodes", {"items": fleet, "next": None}),
            ("/config", hub.settings.show()),
        ]:
            assert (await client.get(path)).json() == told, path
        status = (await client.get("/status")).json()
        assert set(status) == set(hub.status())
    async with calling(desk) as client:
        status = (await client.get("/status")).json()
        assert set(status) == set(desk.status())


# --- the judge ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"colour": "red"}, "$.colour is not described"),
        ({"party_size": "two"}, "$.party_size is 'two', no integer"),
        ({"party_size": True}, "$.party_size is True, no integer"),
        ({"status": "lost"}, "$.status is 'lost', none of"),
        ({"starts_at": "2026-07-01T19:30"}, "no date-time"),
        ({"id": "7"}, "$.id is '7', no uuid"),
        ({"claims": [{"resource": "T1"}]}, "$.claims[0].quantity is missing"),
        ({"decision": {"verdict": "admitted"}}, "$.decision.by is missing"),
        ({"guest": {"name": 7}}, "$.guest.name is 7, no string"),
    ],
)
async def test_an_answer_that_is_not_described_is_noticed(
    client: httpx.AsyncClient, document: Document, changed: dict[str, Any], fault: str
):
    made = (await client.post("/reservations", json=booking())).json()
    schema = document.schema("Reservation")
    assert list(document.faults(schema, made)) == []
    assert fault in "; ".join(document.faults(schema, made | changed))
    del made["status"]
    assert "$.status is missing" in document.faults(schema, made)


@pytest.mark.parametrize(
    ("method", "path", "status", "headers", "complaint"),
    [
        ("GET", "/api/v1/venues", 418, {}, "418 is not described"),
        ("GET", "/api/v1/nowhere", 200, {}, "is not described"),
        ("GET", "/healthz", 200, {"Location": "/"}, "location"),
    ],
)
async def test_an_undescribed_status_route_or_header_is_noticed(
    document: Document,
    method: str,
    path: str,
    status: int,
    headers: dict[str, str],
    complaint: str,
):
    health = {"status": "ok", "role": "hub", "name": "hub", "version": "1"}
    request = httpx.Request(method, f"http://localhost{path}")
    answer = httpx.Response(status, json=health, headers=headers, request=request)
    with pytest.raises(AssertionError, match=complaint):
        document.check(request, answer)
