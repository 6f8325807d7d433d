"""The waitlist over HTTP: one line a day, offers that lapse, a place that is used once.

The hub sells T1 and T2 itself; only the test moves the clock.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from tests.api.conftest import bearer, calling, token_for
from tests.kit import DAY, NEXT_DAY, TRATTORIA, Fleet

pytestmark = pytest.mark.anyio

ANNA, BRUNO = agent_id(b"k" * 32, "anna"), agent_id(b"k" * 32, "bruno")
FIELDS = {
    "id", "code", "venue", "date", "from", "to", "party_size", "area", "position", "state",
    "priority", "quoted_minutes", "offer", "agent_id",
}  # fmt: skip
SMALL: dict[str, Any] = copy.deepcopy(TRATTORIA) | {
    "resources": [
        {"id": "T1", "kind": "table", "seats": [1, 2], "area": "Main"},
        {"id": "T2", "kind": "table", "seats": [1, 2], "area": "Garden"},
    ],
}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path, SMALL) as made:
        made.join("desk")
        made.sync_all()
        yield made


@pytest.fixture
async def client(fleet: Fleet) -> AsyncGenerator[httpx.AsyncClient, None]:
    async with calling(fleet.the_hub) as client:
        yield client


def wish(**changes: Any) -> dict[str, Any]:
    times = {"from": "19:30", "to": "19:30"}
    return {"venue": "trattoria", "date": DAY, "party_size": 2} | times | changes


async def joined(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/waitlist", json=wish(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def line(client: httpx.AsyncClient, **query: Any) -> list[tuple[str, int, str]]:
    answer = await client.get("/waitlist", params=query or {"venue": "trattoria", "date": DAY})
    assert answer.status_code == 200, answer.text
    return [(one["id"], one["position"], one["state"]) for one in answer.json()["items"]]


async def fill(client: httpx.AsyncClient) -> None:
    for table in ("T1", "T2"):
        body = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
        answer = await client.post("/reservations", json=body | {"resources": [table]})
        assert answer.status_code == 201


async def test_who_finds_nothing_free_is_told_of_the_waitlist_and_joins_it(
    client: httpx.AsyncClient,
):
    await fill(client)
    asked = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
    refused = await client.post("/reservations", json=asked)
    assert (refused.status_code, refused.json()["waitlist_available"]) == (409, True)
    held = await client.post("/holds", json=asked)
    assert (held.status_code, held.json()["waitlist_available"]) == (409, True)
    answer = await client.post("/waitlist", json=wish(area="Main", guest={"name": "Ann"}))
    made = answer.json()
    assert answer.status_code == 201
    assert set(made) >= FIELDS
    assert answer.headers["location"] == f"/api/v1/waitlist/{made['id']}"
    assert (made["from"], made["to"]) == (f"{DAY}T19:30:00+02:00",) * 2
    assert (made["state"], made["position"], made["offer"]) == ("waiting", 1, None)
    assert (made["area"], made["priority"], made["quoted_minutes"]) == ("main", 0, None)
    assert "Ann" not in answer.text, "the hub reads no guest's card"
    for reference in (made["id"], made["code"]):
        assert (await client.get(f"/waitlist/{reference}")).json() == made


async def test_positions_are_told_in_order_and_have_no_gaps(
    fleet: Fleet, client: httpx.AsyncClient
):
    first, second, third = [(await joined(client))["id"] for _ in range(3)]
    later = (await joined(client, date=NEXT_DAY))["id"]
    after_all = (await joined(client, priority=5))["id"]
    fleet.clocks.advance(seconds=1)
    fourth = (await joined(client))["id"]
    waits = "waiting"
    assert await line(client) == [
        (first, 1, waits), (second, 2, waits), (third, 3, waits), (fourth, 4, waits),
        (after_all, 5, waits),
    ]  # fmt: skip
    gone = await client.delete(f"/waitlist/{second}")
    assert (gone.status_code, gone.json()["state"], gone.json()["position"]) == (200, "removed", 0)
    assert [one[:2] for one in await line(client)] == [
        (first, 1), (third, 2), (fourth, 3), (after_all, 4),
    ]  # fmt: skip
    assert (await line(client, venue="trattoria"))[-1] == (later, 1, waits)
    page = (await client.get("/waitlist", params={"limit": 1})).json()
    assert [one["id"] for one in page["items"]] == [first]
    assert (await line(client, limit=1, cursor=page["next"]))[0][0] == third
    again = await client.delete(f"/waitlist/{second}")
    assert (again.status_code, again.json()["type"]) == (409, "urn:holdfast:error:bad-transition")
    assert (await client.get("/reservations")).json()["items"] == []


async def test_who_looked_before_another_offered_is_told(client: httpx.AsyncClient):
    """Two clerks with one party before them: of the second every step is refused, until they look
    again."""
    path = f"/waitlist/{(await joined(client))['id']}"
    before = {"If-Match": (await client.get(path)).headers["etag"]}
    offered = await client.post(f"{path}/offer", json={}, headers=before)
    assert offered.status_code == 200, offered.text
    now = {"If-Match": offered.headers["etag"]}
    for refused in (
        await client.post(f"{path}/offer", json={}, headers=before),
        await client.post(f"{path}/accept", json={}, headers=before),
        await client.delete(path, headers=before),
    ):
        assert (refused.status_code, refused.json()["type"]) == (412, "urn:holdfast:error:stale")
    assert (await client.get(path)).headers["etag"] == now["If-Match"]
    gone = await client.delete(path, headers=now)
    assert (gone.status_code, gone.json()["state"]) == (200, "removed")


async def test_an_offer_is_made_held_and_accepted_once(client: httpx.AsyncClient):
    waits = await joined(client)
    path = f"/waitlist/{waits['id']}"
    nothing = await client.post(f"{path}/accept", json={})
    assert (nothing.status_code, nothing.json()["type"]) == (
        409, "urn:holdfast:error:not-available",
    )  # fmt: skip
    answer = await client.post(f"{path}/offer", json={})
    offered = answer.json()
    assert (answer.status_code, offered["state"], offered["position"]) == (200, "offered", 1)
    assert offered["offer"]["resources"] == ["T1"]
    assert offered["offer"]["starts_at"] == f"{DAY}T19:30:00+02:00"
    assert offered["offer"]["assurance"] == "guaranteed"
    assert offered["offer"]["expires_at"].endswith("+02:00")
    twice = await client.post(f"{path}/offer", json={})
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:holdfast:error:bad-transition")
    taken = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
    refused = await client.post("/reservations", json=taken | {"resources": ["T1"]})
    assert refused.status_code == 409, "what is offered is held"
    done = await client.post(f"{path}/accept", json={"occasion": "birthday"})
    assert done.status_code == 201, done.text
    assert done.headers["location"] == f"/api/v1/reservations/{waits['id']}"
    shown = done.json()
    assert (shown["id"], shown["code"]) == (waits["id"], waits["code"])
    assert (shown["status"], shown["resources"], shown["occasion"]) == (
        "confirmed", ["T1"], "birthday",
    )  # fmt: skip
    assert (await client.get(path)).json()["state"] == "accepted"
    assert await line(client) == []
    for again in (client.post(f"{path}/accept", json={}), client.delete(path)):
        assert (await again).json()["type"] == "urn:holdfast:error:bad-transition"
    assert (await client.get(f"/reservations/{waits['id']}")).json()["status"] == "confirmed"


async def test_an_offer_that_nobody_takes_lapses_and_the_party_waits_on(
    fleet: Fleet, client: httpx.AsyncClient
):
    path = f"/waitlist/{(await joined(client))['id']}"
    wanted = {"resources": ["T2"], "starts_at": f"{DAY}T19:30", "minutes": 10}
    offered = await client.post(f"{path}/offer", json=wanted)
    assert offered.json()["offer"]["resources"] == ["T2"]
    fleet.clocks.advance(minutes=10)
    gone = await client.post(f"{path}/accept", json={})
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:holdfast:error:gone")
    assert (await client.post("/jobs/lapse/run")).json()["last"]["count"] == 1
    assert (await client.get(path)).json()["state"] == "waiting"
    assert (await client.post(f"{path}/accept", json={})).status_code == 410
    body = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
    assert (await client.post("/reservations", json=body | {"resources": ["T2"]})).is_success
    fleet.clocks.advance(hours=40)
    assert (await client.post("/jobs/lapse/run")).json()["last"]["count"] == 1
    over = (await client.get(path)).json()
    assert (over["state"], over["position"], over["expires_at"]) == ("expired", 0, None)
    for call in (client.post(f"{path}/offer", json={}), client.delete(path)):
        assert (await call).status_code == 410


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (422, {"date": "tomorrow"}, "date"),
        (422, {"from": "7 pm"}, "from"),
        (422, {"from": "20:00", "to": "19:00"}, "to"),
        (422, {"priority": 1001}, "priority"),
        (422, {"area": "Moon"}, "area"),
        (422, {"resource_kind": "boat"}, "resource_kind"),
        (422, {"date": "2027-06-01"}, "to"),
        (422, {"colour": "red"}, "colour"),
        (409, {"party_size": 41}, "party"),
        (409, {"party_size": 3}, "seats"),
        (409, {"date": "2029-06-01"}, "advance"),
    ],
)
async def test_what_makes_no_sense_is_named(
    client: httpx.AsyncClient, status: int, body: dict[str, Any], named: str
):
    answer = await client.post("/waitlist", json=wish(**body))
    assert answer.status_code == status, answer.text
    told = answer.json()
    found = {one.get("field") or one.get("rule") for one in told.get("errors", ())}
    found |= {one["rule"] for one in told.get("violations", ())}
    assert found == {named}


async def test_offers_that_make_no_sense_are_named(client: httpx.AsyncClient):
    path = f"/waitlist/{(await joined(client))['id']}/offer"
    for body, field in (
        ({"minutes": 0}, "minutes"), ({"minutes": 31}, "minutes"),
        ({"starts_at": "soon"}, "starts_at"), ({"resources": ["T9"]}, "resources[0]"),
    ):  # fmt: skip
        answer = await client.post(path, json=body)
        assert [one["field"] for one in answer.json()["errors"]] == [field], answer.text
    outside = await client.post(path, json={"starts_at": f"{DAY}T21:00"})
    assert outside.json()["type"] == "urn:holdfast:error:not-available"
    assert (await client.get("/waitlist", params={"venue": "nowhere"})).status_code == 404
    assert (await client.get("/waitlist", params={"date": "soon"})).status_code == 422


async def test_a_replay_joins_offers_and_accepts_once(client: httpx.AsyncClient):
    key = {"Idempotency-Key": "k-1"}
    first = await client.post("/waitlist", json=wish(), headers=key)
    again = await client.post("/waitlist", json=wish(), headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    path = f"/waitlist/{first.json()['id']}"
    for step, status in (("offer", 200), ("accept", 201)):
        once = await client.post(f"{path}/{step}", json={}, headers=key)
        twice = await client.post(f"{path}/{step}", json={}, headers=key)
        assert (once.status_code, twice.status_code) == (status, status)
        assert twice.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/reservations")).json()["items"]) == 1


async def test_who_is_not_on_the_waitlist_is_not_found_there(client: httpx.AsyncClient):
    body = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
    made = (await client.post("/reservations", json=body)).json()
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/offer"), ("POST", "/accept")):
        answer = await client.request(method, f"/waitlist/{made['id']}{path}")
        assert answer.status_code == 404, answer.text
        assert f"`GET /reservations/{made['code']}`" in answer.json()["detail"]
    assert (await client.get(f"/reservations/{made['id']}")).json()["status"] == "confirmed"


async def test_who_waits_is_changed_and_goes_on_waiting(client: httpx.AsyncClient):
    """A change of party leaves the times that it waits for alone; a place is offered, not moved."""
    waits = await joined(client, **{"from": None, "to": None})
    path = f"/reservations/{waits['id']}"
    for body in ({"starts_at": f"{DAY}T19:30"}, {"resources": ["T1"]}):
        assert (await client.patch(path, json=body)).status_code == 422
    changed = (await client.patch(path, json={"party_size": 1, "source": "phone"})).json()
    assert (changed["status"], changed["party_size"], changed["resources"]) == ("intent", 1, [])
    assert (await client.post(f"/waitlist/{waits['id']}/offer", json={})).status_code == 200


async def test_a_guest_waits_and_accepts_for_itself_alone(client: httpx.AsyncClient):
    guest = bearer(await token_for(client, "guest", ANNA))
    other = await joined(client, agent_id=BRUNO)
    own = (await client.post("/waitlist", json=wish(), headers=guest)).json()
    assert (own["agent_id"], own["position"]) == (ANNA, 2)
    seen = (await client.get("/waitlist", headers=guest)).json()["items"]
    assert [(one["id"], one["position"]) for one in seen] == [(own["id"], 2)]
    assert (await client.post(f"/waitlist/{own['id']}/offer", json={})).status_code == 200
    for method, path, body, status in [
        ("GET", f"/waitlist/{other['id']}", None, 404),
        ("DELETE", f"/waitlist/{other['id']}", None, 404),
        ("POST", f"/waitlist/{other['id']}/accept", {}, 404),
        ("POST", f"/waitlist/{own['id']}/offer", {}, 403),
        ("POST", "/waitlist", wish(agent_id=BRUNO), 403),
        ("POST", "/waitlist", wish(user_id="bruno"), 403),
        ("POST", "/waitlist", wish(priority=1), 403),
        ("POST", f"/waitlist/{own['id']}/accept", {"user_id": "bruno"}, 403),
        ("POST", f"/waitlist/{own['id']}/accept", {}, 201),
    ]:
        answer = await client.request(method, path, json=body, headers=guest)
        assert answer.status_code == status, (method, path, answer.text)
    spare = (await client.post("/waitlist", json=wish(), headers=guest)).json()
    assert (await client.delete(f"/waitlist/{spare['id']}", headers=guest)).status_code == 200


async def test_a_kiosk_puts_people_on_the_waitlist_and_takes_them_off(client: httpx.AsyncClient):
    kiosk = bearer(await token_for(client, "kiosk"))
    waits = (await client.post("/waitlist", json=wish(), headers=kiosk)).json()
    path = f"/waitlist/{waits['id']}"
    for step in ("offer", "accept"):
        assert (await client.post(f"{path}/{step}", json={}, headers=kiosk)).status_code == 403
    assert (await client.delete(path, headers=kiosk)).status_code == 200


async def test_two_devices_show_one_line_and_the_desk_who_waits(
    fleet: Fleet, client: httpx.AsyncClient
):
    async with calling(fleet.nodes["desk"]) as desk:
        first = await joined(desk, guest={"name": "Ann"})
        assert first["guest"] == {"name": "Ann"}
        fleet.clocks.advance(seconds=1)
        second = await joined(client)
        fleet.sync_all()
        both = [(first["id"], 1, "waiting"), (second["id"], 2, "waiting")]
        assert await line(desk) == await line(client) == both
        assert (await client.post(f"/waitlist/{first['id']}/offer", json={})).status_code == 200
        fleet.sync_all()
        offer = (await desk.get(f"/waitlist/{first['id']}")).json()["offer"]
        assert offer["resources"] == ["T1"]
        done = await desk.post(f"/waitlist/{first['id']}/accept", json={})
        assert (done.status_code, done.json()["status"]) == (201, "commit_pending")
        fleet.sync_all()
        shown = (await client.get(f"/reservations/{first['id']}")).json()
        assert (shown["status"], shown["resources"]) == ("confirmed", ["T1"])
        assert await line(desk) == await line(client) == [(second["id"], 1, "waiting")]


async def test_who_was_displaced_stands_first_and_is_helped_by_a_person(
    fleet: Fleet, client: httpx.AsyncClient
):
    waits = await joined(client)
    async with calling(fleet.nodes["desk"]) as desk:
        body = {"venue": "trattoria", "starts_at": f"{DAY}T19:30", "party_size": 2}
        lost = (await desk.post("/reservations", json=body | {"resources": ["T1"]})).json()
        await fill(client)
        fleet.sync_all()
    assert await line(client) == [(lost["id"], 1, "displaced"), (waits["id"], 2, "waiting")]
    shown = (await client.get(f"/waitlist/{lost['id']}")).json()
    assert (shown["from"], shown["quoted_minutes"], shown["offer"]) == (
        f"{DAY}T19:30:00+02:00", None, None,
    )  # fmt: skip
    refused = await client.post(f"/waitlist/{lost['id']}/offer", json={})
    assert refused.status_code == 409
    assert f"holdfast exceptions resolve {lost['code']}" in refused.json()["detail"]
    silent = await client.delete(f"/waitlist/{lost['id']}")
    assert silent.status_code == 422
    assert [one["field"] for one in silent.json()["errors"]] == ["reason"]
    left = await client.delete(f"/waitlist/{lost['id']}", params={"reason": "found_alternative"})
    assert (left.status_code, left.json()["state"]) == (200, "removed")
    assert await line(client) == [(waits["id"], 1, "waiting")]
