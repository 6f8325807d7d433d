"""What people may reserve by themselves: the switch of a venue, tables of the desk, features."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from holdfast.model.pseudonyms import agent_id
from holdfast.node.hub import Hub
from tests.api.conftest import DAY, bearer, booking, token_for, venue_document

pytestmark = pytest.mark.anyio

ANNA = agent_id(b"k" * 32, "anna")


@pytest.fixture
def trattoria() -> dict[str, Any]:
    return venue_document(
        resources=[
            {"id": "T1", "kind": "table", "seats": [1, 2], "online": False},
            {"id": "T2", "kind": "table", "seats": [1, 4], "features": ["window"]},
            {
                "id": "T3", "kind": "table", "seats": [1, 6], "features": ["quiet", "window"],
                "accessible": True,
            },
            {"id": "T4", "kind": "table", "seats": [1, 2], "active": False},
        ],
        allotments=[],
    )  # fmt: skip


async def slot(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    """The slot at half past seven of somebody's availability."""
    params: dict[str, Any] = {
        "venue": "trattoria",
        "date": DAY,
        "party_size": 2,
        "include": "full",
    } | asked
    answer = await client.get("/availability", params=params)
    assert answer.status_code == 200, answer.text
    at = [one for one in answer.json()["slots"] if "T19:30" in one["starts_at"]]
    return dict(at[0])


async def switch(client: httpx.AsyncClient, accepting: bool) -> None:
    await put(client, accepting=accepting)


async def put(client: httpx.AsyncClient, **changes: Any) -> None:
    document = (await client.get("/venues/trattoria")).json() | changes
    assert (await client.put("/venues/trattoria", json=document)).status_code == 200


@pytest.mark.parametrize("role", ["guest", "kiosk"])
async def test_a_table_of_the_desk_is_never_given_to_who_reserves_by_themself(
    client: httpx.AsyncClient, role: str
):
    token = await token_for(client, role, ANNA if role == "guest" else None)
    assert (await slot(client))["resources"] == ["T1"]
    client.headers.update(bearer(token))
    assert (await slot(client))["resources"] == ["T2"]
    named = await client.post("/reservations", json=booking(resources=["T1"]))
    assert named.status_code == 409
    assert [one["rule"] for one in named.json()["violations"]] == ["online"]
    made = [await client.post("/reservations", json=booking()) for _ in range(3)]
    assert [one.status_code for one in made] == [201, 201, 409]
    assert [one.json()["resources"] for one in made[:2]] == [["T2"], ["T3"]]


async def test_a_website_gets_no_table_of_the_desk_whoever_sends_it(client: httpx.AsyncClient):
    made = await client.post("/reservations", json=booking(source="website"))
    assert made.json()["resources"] == ["T2"]
    assert (await client.post("/reservations", json=booking())).json()["resources"] == ["T1"]


async def test_whoever_was_given_a_table_of_the_desk_keeps_it_when_they_change_the_time(
    client: httpx.AsyncClient,
):
    made = (await client.post("/reservations", json=booking(agent_id=ANNA))).json()
    assert made["resources"] == ["T1"]
    client.headers.update(bearer(await token_for(client, "guest", ANNA)))
    moved = await client.patch(f"/reservations/{made['id']}", json={"starts_at": f"{DAY}T20:30"})
    assert moved.json()["resources"] == ["T1"]


async def test_a_venue_that_is_switched_off_has_no_slots_online_and_the_desk_goes_on(
    client: httpx.AsyncClient,
):
    token = await token_for(client, "kiosk")
    await switch(client, False)
    assert (await client.post("/reservations", json=booking())).status_code == 201
    assert (await slot(client))["resources"] == ["T2"]
    online = await client.post("/reservations", json=booking(source="app"))
    assert [one["rule"] for one in online.json()["violations"]] == ["online"]
    admin = dict(client.headers)
    client.headers.update(bearer(token))
    assert (await slot(client))["reason"] == "online"
    answer = await client.get(f"/availability?venue=trattoria&date={DAY}&party_size=2")
    assert answer.json()["slots"] == []
    for path, body in (("/reservations", booking()), ("/holds", booking())):
        refused = await client.post(path, json=body)
        assert (refused.status_code, refused.json()["suggestions"]) == (409, [])
        assert "takes no reservations online" in refused.json()["detail"]
    walk_in = await client.post("/reservations", json=booking(kind="walk_in"))
    assert walk_in.status_code == 201, walk_in.text
    client.headers.update(admin)
    await switch(client, True)
    client.headers.update(bearer(token))
    assert (await client.post("/reservations", json=booking())).status_code == 201


async def test_a_venue_out_of_service_takes_nothing_new_and_serves_what_it_has(
    hub: Hub, client: httpx.AsyncClient
):
    stands, moves = [(await client.post("/reservations", json=booking())).json() for _ in range(2)]
    hub.import_venue(venue_document(venue="bistro", name="Bistro", allotments=[]))
    waits = {"venue": "trattoria", "date": DAY, "party_size": 2}
    waiting = (await client.post("/waitlist", json=waits)).json()
    await put(client, active=False)
    assert (await slot(client))["reason"] == "inactive"
    offered = await client.post(f"/waitlist/{waiting['id']}/offer", json={})
    assert [one["rule"] for one in offered.json()["violations"]] == ["inactive"]
    for kind in ("guest", "walk_in", "house"):
        refused = await client.post("/reservations", json=booking(kind=kind))
        assert [one["rule"] for one in refused.json()["violations"]] == ["inactive"]
    assert (await client.post("/holds", json=booking())).status_code == 409
    assert (await client.post("/waitlist", json=waits)).status_code == 409
    moved = await client.patch(f"/reservations/{moves['id']}", json={"starts_at": f"{DAY}T12:30"})
    assert moved.json()["status"] == "confirmed"
    off = await client.post(f"/reservations/{stands['id']}/cancel", json={"reason": "other"})
    assert off.json()["status"] == "cancelled"
    await put(client, active=True)
    assert (await client.post("/reservations", json=booking())).status_code == 201


async def test_lists_have_the_featured_venue_first_and_none_that_is_out_of_service(
    hub: Hub, client: httpx.AsyncClient
):
    for name, said in (("a", {}), ("b", {"featured": True}), ("c", {"active": False})):
        hub.import_venue(venue_document(venue=name, name=name, allotments=[]) | said)

    async def listed(**params: str) -> list[str]:
        found = (await client.get("/venues", params=params)).json()["items"]
        return [one["venue"] for one in found]

    assert await listed() == ["b", "a", "trattoria"]
    assert await listed(include="inactive") == ["b", "a", "c", "trattoria"]
    assert (await client.get("/venues", params={"include": "all"})).status_code == 422
    assert (await client.get("/venues/c")).json()["active"] is False


async def test_who_asks_for_features_gets_a_table_that_has_all_of_them(client: httpx.AsyncClient):
    assert (await slot(client, features="window"))["resources"] == ["T2"]
    assert (await slot(client, features="window,quiet"))["resources"] == ["T3"]
    assert (await slot(client, features="accessible"))["resources"] == ["T3"]
    made = (await client.post("/reservations", json=booking(features=["window"]))).json()
    assert (made["resources"], made["may_move"]) == (["T2"], False)
    moved = await client.patch(f"/reservations/{made['id']}", json={"features": ["accessible"]})
    assert moved.json()["resources"] == ["T3"]
    none = await client.post("/reservations", json=booking(features=["accessible"]))
    assert none.json()["type"] == "urn:holdfast:error:not-available"
    unknown = await client.post("/reservations", json=booking(features=["sea"]))
    assert unknown.status_code == 422
    assert "accessible, quiet, window" in unknown.json()["detail"]
    never = await client.post("/reservations", json=booking(features=["window"], party_size=9))
    assert never.status_code == 409
    assert "with window" in never.json()["detail"]


async def test_a_table_that_is_not_in_use_is_had_by_nobody(client: httpx.AsyncClient):
    named = await client.post("/reservations", json=booking(resources=["T4"]))
    assert [one["rule"] for one in named.json()["violations"]] == ["inactive"]
    made = [await client.post("/reservations", json=booking()) for _ in range(4)]
    assert [one.status_code for one in made] == [201, 201, 201, 409]


async def test_what_stands_at_a_table_stays_when_the_table_goes_out_of_use(
    client: httpx.AsyncClient,
):
    made = (await client.post("/reservations", json=booking(resources=["T2"]))).json()
    document = (await client.get("/venues/trattoria")).json()
    document["resources"][1]["active"] = False
    assert (await client.put("/venues/trattoria", json=document)).status_code == 200
    kept = (await client.get(f"/reservations/{made['id']}")).json()
    assert (kept["status"], kept["resources"]) == ("confirmed", ["T2"])


async def test_a_venue_that_somebody_changed_meanwhile_is_not_changed_back(
    client: httpx.AsyncClient,
):
    first = await client.get("/venues/trattoria")
    tag = first.headers["etag"]
    changed = first.json() | {"featured": True}
    put = await client.put("/venues/trattoria", json=changed, headers={"If-Match": tag})
    assert put.status_code == 200
    assert put.headers["etag"] != tag
    stale = await client.put("/venues/trattoria", json=first.json(), headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:holdfast:error:stale")
    assert (await client.get("/venues/trattoria")).headers["etag"] == put.headers["etag"]
    new = venue_document(venue="bistro", name="Bistro")
    none = await client.put("/venues/bistro", json=new, headers={"If-Match": tag})
    assert none.status_code == 412


async def test_venues_that_are_featured_come_first(client: httpx.AsyncClient):
    for name, featured in (("aurora", False), ("zenit", True)):
        await client.put(
            f"/venues/{name}", json=venue_document(venue=name, name=name, featured=featured)
        )
    listed = (await client.get("/venues")).json()["items"]
    assert [one["venue"] for one in listed] == ["zenit", "aurora", "trattoria"]
    page = (await client.get("/venues?limit=1")).json()
    rest = (await client.get("/venues", params={"cursor": page["next"]})).json()
    assert [one["venue"] for one in page["items"] + rest["items"]] == [
        "zenit", "aurora", "trattoria",
    ]  # fmt: skip
