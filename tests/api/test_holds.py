"""Holds over HTTP: kept for fifteen minutes, swapped, lengthened once, reserved or given back.

The desk holds T1 and T2, the rest is the hub's; only the test moves the clock.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio

ANNA, BRUNO = agent_id(b"k" * 32, "anna"), agent_id(b"k" * 32, "bruno")
FIELDS = {
    "id", "code", "venue", "starts_at", "ends_at", "expires_at", "assurance", "status",
    "resources", "party_size", "claims",
}  # fmt: skip
EVENING = f"{DAY}T19:30"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    divided = copy.deepcopy(TRATTORIA) | {
        "allotments": [{"holder": "desk", "resources": ["T1", "T2"]}]
    }
    with Fleet(tmp_path, divided) as made:
        made.join("desk")
        made.sync_all()
        yield made


@pytest.fixture
async def desk(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.nodes["desk"]) as client:
        yield client


@pytest.fixture
async def hub(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.the_hub) as client:
        yield client


def wanted(*resources: str, **changes: Any) -> dict[str, Any]:
    body = {"venue": "trattoria", "starts_at": EVENING, "party_size": 2}
    return body | ({"resources": list(resources)} if resources else {}) | changes


async def held(client: httpx.AsyncClient, *resources: str, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/holds", json=wanted(*resources, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def lapse(client: httpx.AsyncClient) -> int:
    answer = await client.post("/jobs/lapse/run")
    assert answer.json()["last"]["ok"], answer.text
    count: int = answer.json()["last"]["count"]
    return count


async def listed(client: httpx.AsyncClient, path: str, **query: Any) -> list[str]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def starts_free(client: httpx.AsyncClient, table: str) -> bool:
    """Whether somebody who asks for this table in the evening would get it."""
    query: dict[str, Any] = {"venue": "trattoria", "date": DAY, "party_size": 2}
    slots = (await client.get("/availability", params=query)).json()["slots"]
    return any(slot["resources"] == [table] and EVENING in slot["starts_at"] for slot in slots)


async def test_a_hold_has_every_field_of_the_contract(desk: httpx.AsyncClient):
    answer = await desk.post("/holds", json=wanted("T1"))
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) >= FIELDS
    assert answer.headers["location"] == f"/api/v1/holds/{made['id']}"
    assert (made["status"], made["assurance"], made["resources"]) == (
        "intent", "guaranteed", ["T1"],
    )  # fmt: skip
    until = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["made_at"])
    assert until.total_seconds() == 900
    assert made["expires_at"].endswith("+02:00"), "on the venue's clock"
    for reference in (made["id"], made["code"]):
        assert (await desk.get(f"/holds/{reference}")).json() == made


async def test_after_fifteen_minutes_the_capacity_is_back(fleet: Fleet, desk: httpx.AsyncClient):
    made = await held(desk, "T1")
    fleet.clocks.advance(seconds=899)
    assert await lapse(desk) == 0
    assert not await starts_free(desk, "T1")
    assert (await desk.post("/reservations", json=wanted("T1"))).status_code == 409
    fleet.clocks.advance(seconds=2)
    gone = await desk.post(f"/holds/{made['id']}/reserve", json={})
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:holdfast:error:gone")
    assert await lapse(desk) == 1
    assert await lapse(desk) == 0
    assert await starts_free(desk, "T1")
    assert (await desk.get(f"/holds/{made['id']}")).json()["status"] == "expired"
    assert (await desk.post("/reservations", json=wanted("T1"))).status_code == 201
    for path, body in (("reserve", {}), ("extend", {"minutes": 5})):
        assert (await desk.post(f"/holds/{made['id']}/{path}", json=body)).status_code == 410
    assert (await desk.delete(f"/holds/{made['id']}")).status_code == 410


async def test_a_directory_that_nobody_served_gives_up_what_is_due_when_it_is_opened(fleet: Fleet):
    async with calling(fleet.nodes["desk"]) as client:
        made = await held(client, "T1")
    fleet.clocks.advance(minutes=16)
    async with calling(fleet.nodes["desk"]) as client:
        assert await starts_free(client, "T1")
        assert (await client.get(f"/holds/{made['id']}")).json()["status"] == "expired"


async def test_reserving_makes_a_reservation_of_the_same_id_at_the_same_place(
    desk: httpx.AsyncClient,
):
    made = await held(desk, "T1")
    body = {"user_id": "u-1", "occasion": "birthday", "metadata": {"crm.contact": "crm:1"}}
    answer = await desk.post(f"/holds/{made['code']}/reserve", json=body)
    done = answer.json()
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/api/v1/reservations/{made['id']}"
    assert (done["id"], done["code"], done["resources"]) == (made["id"], made["code"], ["T1"])
    assert (done["status"], done["assurance"], done["expires_at"]) == (
        "confirmed", "guaranteed", None,
    )  # fmt: skip
    assert (done["occasion"], done["metadata"]) == ("birthday", {"crm.contact": "crm:1"})
    again = await desk.post(f"/holds/{made['code']}/reserve", json={})
    assert (again.status_code, again.json()["reservation_status"]) == (409, "confirmed")
    assert (await desk.get(f"/holds/{made['id']}")).json()["status"] == "confirmed"


async def test_what_is_held_is_listed_as_such_and_not_among_reservations(
    fleet: Fleet, desk: httpx.AsyncClient
):
    first, second = await held(desk, "T1"), await held(desk, "T2", starts_at=f"{DAY}T20:30")
    both = [first["id"], second["id"]]
    assert await listed(desk, "/holds") == both
    assert await listed(desk, "/holds", venue="trattoria", date=DAY) == both
    assert await listed(desk, "/holds", date="2027-06-04") == []
    page = (await desk.get("/holds", params={"limit": 1})).json()
    assert [one["id"] for one in page["items"]] == both[:1]
    assert await listed(desk, "/holds", limit=1, cursor=page["next"]) == both[1:]
    assert await listed(desk, "/reservations") == []
    assert await listed(desk, "/reservations", status="intent") == both
    assert (await desk.get(f"/reservations/{first['id']}")).json()["expires_at"]
    await desk.post(f"/holds/{first['id']}/reserve", json={})
    assert (await desk.delete(f"/holds/{second['id']}")).json()["status"] == "cancelled"
    assert await listed(desk, "/holds") == []
    assert await listed(desk, "/reservations") == both[:1]
    assert await listed(desk, "/reservations", status="cancelled") == []


async def test_a_hold_is_swapped_for_another_place_or_time(desk: httpx.AsyncClient):
    made = await held(desk, "T1")
    path = f"/holds/{made['id']}"
    answer = await desk.patch(path, json={"resources": ["T2"]})
    assert (answer.status_code, answer.json()["resources"]) == (200, ["T2"])
    assert answer.json()["expires_at"] == made["expires_at"], "nobody gets longer by swapping"
    stale = await desk.patch(
        path, json={"starts_at": f"{DAY}T21:00"}, headers={"If-Match": '"0000000000000000"'}
    )
    assert stale.status_code == 412
    later = await desk.patch(path, json={"starts_at": f"{DAY}T21:00"})
    assert later.json()["starts_at"].startswith(f"{DAY}T21:00")
    assert (await desk.post("/reservations", json=wanted("T2"))).status_code == 201
    taken = await desk.patch(path, json={"starts_at": EVENING, "resources": ["T2"]})
    assert (taken.status_code, taken.json()["type"]) == (409, "urn:holdfast:error:not-available")
    waits = await desk.patch(path, json={"resources": ["T3"]})
    assert (waits.status_code, waits.json()["pending_change"]["resources"]) == (202, ["T3"])
    assert (waits.json()["resources"], waits.json()["waits_for"]) == (["T2"], "hub")


async def test_a_hold_is_kept_longer_once(desk: httpx.AsyncClient):
    made = await held(desk, "T1")
    path = f"/holds/{made['id']}/extend"
    longer = await desk.post(path, json={"minutes": 5})
    added = datetime.fromisoformat(longer.json()["expires_at"]) - datetime.fromisoformat(
        made["expires_at"]
    )
    assert (longer.status_code, added.total_seconds()) == (200, 300)
    again = await desk.post(path, json={"minutes": 5})
    assert [one["rule"] for one in again.json()["violations"]] == ["extended"]


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/holds", wanted(minutes=31), "minutes"),
        ("POST", "/holds", wanted(minutes=0), "minutes"),
        ("POST", "/holds", wanted(party_size=0), "party_size"),
        ("POST", "/holds", wanted(guests={"name": "Ann"}), "guests"),
        ("POST", "/holds/{id}/extend", {"minutes": 0}, "minutes"),
        ("POST", "/holds/{id}/extend", {}, "minutes"),
        ("POST", "/holds/{id}/reserve", {"source": "gossip"}, "source"),
        ("PATCH", "/holds/{id}", {"metadata": {}}, "metadata"),
        ("GET", "/holds?date=tomorrow", None, "date"),
    ],
)
async def test_what_makes_no_sense_is_named(
    desk: httpx.AsyncClient, method: str, path: str, body: Any, field: str
):
    path = path.format(id=(await held(desk, "T1"))["id"])
    answer = await desk.request(method, path, json=body)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_what_is_no_hold_is_not_found_among_them_and_told_where_it_is(
    desk: httpx.AsyncClient,
):
    made = (await desk.post("/reservations", json=wanted("T1"))).json()
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/reserve")):
        answer = await desk.request(method, f"/holds/{made['id']}{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:holdfast:error:not-found")
        assert f"`GET /reservations/{made['code']}`" in answer.json()["detail"]
    assert (await desk.get("/holds/RES-2027-000000")).status_code == 404
    assert (await desk.get("/holds", params={"venue": "nowhere"})).status_code == 404


async def test_a_replay_holds_and_reserves_once(fleet: Fleet, desk: httpx.AsyncClient):
    key = {"Idempotency-Key": "k-1"}
    first = await desk.post("/holds", json=wanted("T1"), headers=key)
    again = await desk.post("/holds", json=wanted("T1"), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = await desk.post("/holds", json=wanted("T2"), headers=key)
    assert other.json()["type"] == "urn:holdfast:error:idempotency-key-reused"
    path = f"/holds/{first.json()['id']}/reserve"
    done = await desk.post(path, json={}, headers=key)
    fleet.clocks.advance(minutes=20)
    replayed = await desk.post(path, json={}, headers=key)
    assert (replayed.status_code, replayed.json()) == (201, done.json())


async def test_what_is_not_held_here_is_asked_for_and_waited_for(
    fleet: Fleet, desk: httpx.AsyncClient, hub: httpx.AsyncClient
):
    """Nobody answers while the test stands still; the next exchange brings the answer."""
    made = await desk.post("/holds", json=wanted("T3"), headers={"Prefer": "wait=0"})
    found = made.json()
    assert made.headers["preference-applied"] == "wait=0"
    assert (found["assurance"], found["waits_for"]) == ("provisional", "hub")
    fleet.sync_all()
    for client in (desk, hub):
        shown = (await client.get(f"/holds/{found['id']}")).json()
        assert (shown["status"], shown["assurance"]) == ("intent", "admitted")
    decided = await desk.post("/holds", json=wanted("T1"), headers={"Prefer": "wait=10"})
    assert decided.json()["assurance"] == "guaranteed", "what is held here is waited for by nobody"
    done = await desk.post(f"/holds/{found['id']}/reserve", json={"user_id": "u-2"})
    assert (done.status_code, done.json()["status"]) == (201, "commit_pending")
    fleet.sync_all()
    for client in (desk, hub):
        shown = (await client.get(f"/reservations/{found['id']}")).json()
        assert (shown["status"], shown["resources"]) == ("confirmed", ["T3"])


async def test_a_guest_holds_for_itself_alone(desk: httpx.AsyncClient):
    guest = bearer(await token_for(desk, "guest", ANNA))
    other = await held(desk, "T2", agent_id=BRUNO)
    own = await desk.post("/holds", json=wanted("T1"), headers=guest)
    assert own.json()["agent_id"] == ANNA
    seen = (await desk.get("/holds", headers=guest)).json()["items"]
    assert [one["id"] for one in seen] == [own.json()["id"]]
    for method, path, body, status in [
        ("GET", f"/holds/{other['id']}", None, 404),
        ("PATCH", f"/holds/{other['id']}", {"party_size": 1}, 404),
        ("POST", f"/holds/{other['id']}/extend", {"minutes": 1}, 404),
        ("POST", f"/holds/{other['id']}/reserve", {}, 404),
        ("DELETE", f"/holds/{other['id']}", None, 404),
        ("POST", "/holds", wanted(agent_id=BRUNO), 403),
        ("POST", "/holds", wanted(user_id="bruno"), 403),
        ("POST", "/holds", wanted(kind="house"), 403),
        ("POST", f"/holds/{own.json()['id']}/reserve", {"agent_id": BRUNO}, 403),
        ("POST", f"/holds/{own.json()['id']}/reserve", {"guest": {"name": "Anna"}}, 201),
    ]:
        answer = await desk.request(method, path, json=body, headers=guest)
        assert answer.status_code == status, (method, path, answer.text)


async def test_a_kiosk_holds_reserves_and_gives_back(desk: httpx.AsyncClient):
    kiosk = bearer(await token_for(desk, "kiosk"))
    made = (await desk.post("/holds", json=wanted("T1"), headers=kiosk)).json()
    path = f"/holds/{made['id']}"
    done = await desk.post(f"{path}/reserve", json={"guest": {"name": "Ann"}}, headers=kiosk)
    assert done.status_code == 201
    assert "guest" not in done.json()
    spare = (await desk.post("/holds", json=wanted("T2"), headers=kiosk)).json()
    given = await desk.delete(f"/holds/{spare['id']}", headers=kiosk)
    assert (given.status_code, given.json()["status"]) == (200, "cancelled")


async def test_who_looks_only_holds_nothing(desk: httpx.AsyncClient):
    looker = bearer(await token_for(desk, "read-only"))
    made = await held(desk, "T1")
    assert (await desk.get("/holds", headers=looker)).status_code == 200
    for method, path in (
        ("POST", "/holds"), ("PATCH", f"/holds/{made['id']}"), ("DELETE", f"/holds/{made['id']}"),
        ("POST", f"/holds/{made['id']}/reserve"),
    ):  # fmt: skip
        assert (await desk.request(method, path, json={}, headers=looker)).status_code == 403
