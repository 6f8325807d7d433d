"""Every answer of the HTTP interface has the fields that the contract names, on hub and on node."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from holdfast.node.hub import Hub
from holdfast.node.node import Node
from tests.api.conftest import DAY, GARDEN, booking, calling, divided_venue

pytestmark = pytest.mark.anyio

RESERVATION = {
    "id",
    "code",
    "venue",
    "service_date",
    "starts_at",
    "ends_at",
    "party_size",
    "resources",
    "claims",
    "status",
    "assurance",
    "pending_change",
    "kind",
    "source",
    "agent_id",
    "stamp",
    "made_by",
    "sync",
    "decision",
    "metadata",
}
LISTS: dict[str, set[str]] = {
    "/reservations": RESERVATION,
    "/venues": {"venue", "name", "kind", "time_zone", "resources", "allotments", "policies"},
    "/resources": {"id", "kind", "venue"},
    "/allotments": {
        "id",
        "holder",
        "resources",
        "quantity",
        "sold",
        "valid_from",
        "releases_at",
        "state",
    },
    "/books": {"venue", "digest", "entries"},
    "/exceptions": {"id", "kind", "subject", "detail", "since", "actions"},
    "/audit": {"at", "node", "what", "before", "after"},
    "/tokens": {"id", "name", "role", "agent_id"},
}
"""Lists, and the fields of each of their items."""
BOOK = {"digest", "entries", "schema", "waiting", "pages"}
DOCUMENTS: dict[str, set[str]] = {
    "/sync": {"state", "hub", "last_exchange_at", "queued"},
    "/sync/log": {"items", "next"},
    "/clock": {"state", "offset_ms", "uncertainty_ms", "earliest", "latest", "sources"},
    "/queue": {"counts", "items", "next"},
    "/books/trattoria": BOOK | {"heads"},
    f"/books/trattoria/{DAY}": BOOK,
    "/books/nowhere": BOOK | {"heads"},
    "/status": {"role", "name", "books", "queue", "clock", "disk"},
    "/venues/trattoria": LISTS["/venues"],
    "/config": {"ntp"},
    f"/availability?venue=trattoria&date={DAY}&party_size=2": {"slots"},
}
"""Single documents, and the fields of each."""
STATES = {"queued", "sent", "merged", "deferred", "quarantined", "withdrawn"}
OPERATION = {
    "id",
    "kind",
    "subject",
    "stamp",
    "state",
    "attempts",
    "next_attempt_at",
    "reason",
    "decision",
}


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return divided_venue()


@pytest.fixture(params=["hub", "node"])
async def client(
    request: pytest.FixtureRequest, hub: Hub, desk: Node
) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A hub, or a front desk that joined it."""
    async with calling(hub if request.param == "hub" else desk) as client:
        yield client


async def made(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/reservations", json=booking(**changes))
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def is_time(text: str) -> bool:
    """RFC 3339 with an offset."""
    return datetime.datetime.fromisoformat(text).utcoffset() is not None


async def test_a_list_is_items_and_next_and_each_item_has_its_fields(client: httpx.AsyncClient):
    await made(client)
    for path, fields in LISTS.items():
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert set(answer.json()) == {"items", "next"}, path
        assert answer.json()["items"] or path in ("/exceptions", "/tokens"), path
        for item in answer.json()["items"]:
            assert fields <= set(item), (path, fields - set(item))


async def test_a_document_has_its_fields(client: httpx.AsyncClient):
    await made(client)
    for path, fields in DOCUMENTS.items():
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert fields <= set(answer.json()), (path, fields - set(answer.json()))


async def test_a_reservation_has_every_field_wherever_it_is_answered(client: httpx.AsyncClient):
    one = await made(client, guest={"name": "Ann"})
    for shown in (
        one,
        (await client.get(f"/reservations/{one['code']}")).json(),
        (await client.get("/reservations")).json()["items"][0],
        (await client.patch(f"/reservations/{one['id']}", json={"party_size": 3})).json(),
        (await client.post(f"/reservations/{one['id']}/confirm")).json(),
        (await client.post(f"/reservations/{one['id']}/cancel", json={})).json(),
    ):
        assert set(shown) >= RESERVATION, RESERVATION - set(shown)
        # Only who holds the venue's key can read the card, and the hub does not.
        assert ("guest" in shown) == (one["made_by"] == "desk")
        assert all(is_time(shown[name]) for name in ("starts_at", "ends_at"))
        for claim in shown["claims"]:
            assert set(claim) == {"resource", "quantity", "starts_at", "ends_at", "holder"}


async def test_a_decision_has_its_fields_on_both_sides(hub: Hub, desk: Node):
    async with calling(desk) as client:
        one = await made(client, resources=[GARDEN])
        desk.sync()
        here = (await client.get(f"/reservations/{one['id']}")).json()
        items = (await client.get("/queue")).json()["items"]
    async with calling(hub) as client:
        there = (await client.get(f"/reservations/{one['id']}")).json()
    assert set(here["decision"]) == {"verdict", "by", "stamp", "reason", "won", "from"}
    assert here["decision"] == there["decision"]
    mine = next(item for item in items if item["subject"] == one["code"])
    assert set(mine) >= OPERATION
    assert mine["decision"]["verdict"] == "admitted"


async def test_slots_have_their_fields_and_full_says_why_not(client: httpx.AsyncClient):
    await made(client, resources=["T1"])
    query: dict[str, str | int] = {"venue": "trattoria", "date": DAY, "party_size": 2}
    slots = (await client.get("/availability", params=query)).json()["slots"]
    assert slots
    for slot in slots:
        assert {"starts_at", "ends_at", "resources", "assurance", "remaining"} <= set(slot)
        assert is_time(slot["starts_at"])
    full = (await client.get("/availability", params=query | {"include": "full"})).json()["slots"]
    assert len(full) >= len(slots)
    assert all("reason" in slot for slot in full if not slot["remaining"])


async def test_the_queue_counts_every_state_and_its_items_have_their_fields(desk: Node):
    async with calling(desk) as client:
        one = await made(client)
        queue = (await client.get("/queue")).json()
        assert set(queue["counts"]) == STATES
        item = next(item for item in queue["items"] if item["subject"] == one["code"])
        assert set(item) >= OPERATION, OPERATION - set(item)
        assert (await client.get(f"/queue/{item['id']}")).json() == item
        again = await client.post(f"/queue/{item['id']}/retry")
        assert set(again.json()) >= OPERATION
        sync = (await client.get("/sync")).json()
        assert sync["queued"] >= 1


async def test_the_exchange_says_what_it_did_and_when_it_was(desk: Node):
    async with calling(desk) as client:
        await made(client)
        done = await client.post("/sync/now")
        assert {"pushed", "pulled", "verdicts", "books_differing"} <= set(done.json())
        assert done.json()["pushed"] >= 1
        assert is_time((await client.get("/sync")).json()["last_exchange_at"])
        for action, state in (("pause", "paused"), ("resume", None)):
            answer = (await client.post(f"/sync/{action}")).json()
            assert DOCUMENTS["/sync"] <= set(answer)
            assert state in (None, answer["state"])


async def test_a_paused_exchange_is_503_unreachable(desk: Node):
    async with calling(desk) as client:
        await client.post("/sync/pause")
        refused = await client.post("/sync/now")
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:holdfast:error:unreachable"


async def test_a_page_of_a_book_has_its_fields(client: httpx.AsyncClient):
    await made(client)
    book = (await client.get("/books/trattoria")).json()
    for page in book["pages"]:
        assert {"node", "incarnation", "page", "entries", "verified"} <= set(page)
    assert (await client.get("/books/trattoria/2001-01-01")).json()["entries"] == 0


async def test_the_clock_tells_an_interval(client: httpx.AsyncClient):
    clock = (await client.get("/clock")).json()
    assert is_time(clock["earliest"]) and is_time(clock["latest"])
    assert isinstance(clock["sources"], list)


async def test_the_fleet_and_an_invitation_at_the_hub(hub: Hub, desk: Node):
    async with calling(hub) as client:
        for node in (await client.get("/nodes")).json()["items"]:
            assert {
                *("name", "role", "venue", "last_seen_at", "queued"),
                *("clock_state", "version", "incarnation"),
            } <= set(node)
        body = {"venue": "trattoria", "role": "kiosk", "name": "kiosk-1"}
        invited = await client.post("/invites", json=body)
        assert set(invited.json()) == {"code", "expires_at"}
        refused = await client.post("/nodes/desk/revoke", json={"reason": "he took it home!"})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")


async def test_health_needs_no_token(hub: Hub, desk: Node):
    for replica, role in ((hub, "hub"), (desk, "node")):
        async with calling(replica, token=None) as client:
            health = (await client.get("http://localhost/healthz")).json()
        assert {"status", "role", "name", "version"} <= set(health)
        assert (health["status"], health["role"]) == ("ok", role)


@pytest.mark.parametrize(
    ("path", "body", "status", "name", "more"),
    [
        ("/reservations", booking(party=2), 422, "invalid", {"errors"}),
        ("/reservations", booking(party_size=99), 409, "rule-violated", {"violations"}),
        ("/reservations/RES-2026-000000/cancel", {}, 404, "not-found", set()),
    ],
)
async def test_a_refusal_is_a_problem_document_with_its_fields(
    client: httpx.AsyncClient,
    path: str,
    body: dict[str, Any],
    status: int,
    name: str,
    more: set[str],
):
    refused = await client.post(path, json=body)
    assert (refused.status_code, refused.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert {"type", "title", "status", "detail"} | more <= set(refused.json())
    assert refused.json()["type"] == f"urn:holdfast:error:{name}"


async def test_what_is_taken_comes_with_alternatives(client: httpx.AsyncClient):
    await made(client, resources=["T1"])
    refused = await client.post("/reservations", json=booking(resources=["T1"]))
    assert refused.status_code == 409
    assert {"alternatives", "waitlist_available"} <= set(refused.json())
